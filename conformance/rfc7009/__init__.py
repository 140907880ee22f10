"""Checks of RFC 7009."""
