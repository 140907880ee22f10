"""Tests of the interoperability runs, without their servers."""
