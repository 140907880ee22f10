"""Checks of RFC 9110."""
