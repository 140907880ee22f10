"""Checks of RFC 9700."""
