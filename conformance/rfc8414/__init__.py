"""Checks of RFC 8414."""
