"""Checks of RFC 9207."""
