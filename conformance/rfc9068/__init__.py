"""Checks of RFC 9068."""
