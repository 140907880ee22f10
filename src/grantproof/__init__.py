"""Conformance checks and true load for OAuth 2.0 authorization servers."""

__version__ = "0.1.0"
