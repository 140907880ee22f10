"""Lawful rules of grants and scopes (RFC 6749 sections 3.3, 4.4 and 5.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client

SCOPES = ("openid", "read", "write")
_TOKEN = r"[\x21\x23-\x5B\x5D-\x7E]+"  # noqa: S105 - the grammar of a scope token
_SCOPE = re.compile(rf"\A{_TOKEN}(?: {_TOKEN})*\Z")


def known_grants(call: Call) -> frozenset[str]:
    """The grant types the token endpoint serves.

    Source: RFC 6749 section 4.4.2.
    """
    del call
    return frozenset(("client_credentials",))


def client_may_use_grant(call: Call, client: Client, grant: str) -> bool:
    """Whether a client may use a grant; only confidential clients may use client credentials.

    Source: RFC 6749 sections 4.4 and 5.2.
    """
    del call
    return grant in client.grants and not (grant == "client_credentials" and client.public)


def supported_scopes(call: Call) -> tuple[str, ...]:
    """Every scope the server knows."""
    del call
    return SCOPES


def parse_scope(call: Call, text: str) -> tuple[str, ...] | None:
    """The scope tokens in a request, each once; None when the grammar is broken.

    Source: RFC 6749 section 3.3 and appendix A.4.
    """
    del call
    return tuple(dict.fromkeys(text.split(" "))) if _SCOPE.match(text) else None


def default_scope(call: Call, client: Client) -> tuple[str, ...]:
    """The scope of a client that asks for none.

    Source: RFC 6749 section 3.3.
    """
    del call
    return client.default_scope


def granted_scope(call: Call, client: Client, requested: tuple[str, ...]) -> tuple[str, ...] | None:
    """What of a requested scope is granted; None when it has an unknown scope or nothing is left.

    Source: RFC 6749 section 3.3.
    """
    if not set(requested) <= set(call.rules.supported_scopes(call)):
        return None
    return tuple(scope for scope in requested if scope in client.scopes) or None


def choose_scope(call: Call, client: Client) -> tuple[str, ...] | Refusal:
    """The scope to grant for the scope parameter of a request, or why it is refused.

    Source: RFC 6749 sections 3.3, 4.2.2.1 and 5.2.
    """
    rules = call.rules
    text = call.parameters.get("scope")
    if text is None:
        return rules.default_scope(call, client)
    requested = rules.parse_scope(call, text)
    if requested is None:
        return Refusal("invalid_scope", "malformed_scope", "scope")
    call.requested_scope = requested
    granted = rules.granted_scope(call, client, requested)
    if granted is None:
        return Refusal("invalid_scope", "unknown_scope", "scope")
    return granted


def report_scope(call: Call, requested: tuple[str, ...] | None, granted: tuple[str, ...]) -> bool:
    """Whether the answer names the scope: whenever it is not what was asked for.

    Source: RFC 6749 sections 3.3, 4.2.2 and 5.1.
    """
    del call
    return requested is None or set(requested) != set(granted)


def check_grant(call: Call) -> Refusal | None:
    """Why an authenticated client's grant is refused.

    Source: RFC 6749 sections 4.4.2 and 5.2.
    """
    rules = call.rules
    grant = call.parameters.get("grant_type")
    if grant is None:
        return Refusal("invalid_request", "missing_parameter", "grant_type")
    if grant not in rules.known_grants(call):
        return Refusal("unsupported_grant_type", "unknown_grant", "grant_type")
    call.grant = grant
    if call.client is None or not rules.client_may_use_grant(call, call.client, grant):
        return Refusal("unauthorized_client", "grant_not_allowed")
    return None
