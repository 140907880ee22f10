"""Checks of OpenID Connect Core 1.0."""
