"""Lawful but unusual transports."""

from __future__ import annotations

from grantproof.reference.listener import Listener
from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity


@oddity("plain_http_redirects", "Requests in the clear are sent on to https, unprocessed.", 60)
def plain_http_redirects(rules: Rules) -> Rules:
    """An open port is no fault as long as nothing is done there."""
    return rules | Rules(listener=Listener(redirects=True))


@oddity("tls_1_3_suites_first", "Only suites with forward secrecy are offered.", 60)
def tls_1_3_suites_first(rules: Rules) -> Rules:
    """Stricter than any of the documents."""
    return rules | Rules(listener=Listener(ciphers="ECDHE+AESGCM:ECDHE+CHACHA20"))
