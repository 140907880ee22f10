"""Checks of OAuth 2.0 Form Post Response Mode."""
