"""Lawful but unusual error pages of the authorization endpoint."""

from __future__ import annotations

from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity


@oddity("error_page_with_200", "The page for an unregistered redirect URI has status 200.", 33)
def error_page_with_200(rules: Rules) -> Rules:
    """No status is prescribed for the page."""
    return rules | Rules(error_page_status=lambda _call, refusal: 405 if refusal.path == "method" else 200)
