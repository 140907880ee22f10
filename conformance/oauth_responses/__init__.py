"""Checks of OAuth 2.0 Multiple Response Type Encoding Practices."""
