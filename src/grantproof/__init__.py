"""OAuth 2.0 conformance and load."""
