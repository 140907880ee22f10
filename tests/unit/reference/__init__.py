"""Tests of the embedded authorization server."""
