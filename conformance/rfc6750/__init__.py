"""Checks of RFC 6750."""
