"""Tests of how a user signs in."""
