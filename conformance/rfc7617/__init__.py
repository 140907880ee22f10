"""Checks of RFC 7617."""
