"""Checks of RFC 7523."""
