"""Checks of RFC 7662."""
