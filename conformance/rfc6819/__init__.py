"""Checks of RFC 6819."""
