"""Checks of RFC 6749."""
