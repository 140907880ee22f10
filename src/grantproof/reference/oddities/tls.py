"""Lawful but unusual transports."""

from __future__ import annotations

from grantproof.reference.listener import Listener
from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity


@oddity("plain_http_redirects", "Requests in the clear are sent on to https, unprocessed.", 60)
def plain_http_redirects(rules: Rules) -> Rules:
    """An open port is no fault as long as nothing is done there."""
    return rules | Rules(listener=Listener(redirects=True))
