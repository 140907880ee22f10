"""Lawful rules of the protected resource (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.call import Refusal

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.state import TokenRecord


def required_scope(call: Call) -> str:
    """The scope the resource needs."""
    del call
    return "read"


def presented_tokens(call: Call) -> tuple[tuple[str, str], ...]:
    """Every token in a request, as (transport, token); transport is header, body or query, the token may be empty.

    Source: RFC 6750 section 2.
    """
    rules = call.rules
    found: list[tuple[str, str]] = []
    for header in call.headers.getlist("authorization"):
        scheme, _, token = header.strip().partition(" ")
        if rules.same_scheme(call, scheme, "bearer"):
            found.append(("header", token.strip()))
    if call.method == "POST" and rules.accept_media_type(call, call.headers.get("content-type", "")):
        found += [("body", token) for token in rules.parse_form(call, call.raw_body).all("access_token")]
    found += [("query", token) for token in call.query.all("access_token")]
    return tuple(found)


def accepted_transports(call: Call) -> tuple[str, ...]:
    """The transports a token may come by; never the query.

    Source: RFC 6750 section 2; RFC 9700 section 4.3.2.
    """
    del call
    return ("header", "body")


def check_resource(call: Call) -> Refusal | None:
    """Why a request to the resource is refused; an empty error code means that it had no authentication.

    Source: RFC 6750 sections 3 and 3.1.
    """
    rules = call.rules
    tokens = rules.presented_tokens(call)
    if len(tokens) > 1:
        return Refusal("invalid_request", "two_transports")
    if not tokens or tokens[0][0] not in rules.accepted_transports(call):
        return Refusal("", "no_token")
    if not tokens[0][1]:
        return Refusal("invalid_request", "empty_token")
    record = rules.find_token(call, tokens[0][1])
    if record is None:
        return Refusal("invalid_token", "unknown_token")
    call.record = record
    if not rules.scope_suffices(call, record):
        return Refusal("insufficient_scope", "missing_scope")
    return None


def scope_suffices(call: Call, record: TokenRecord) -> bool:
    """Whether a token's scope covers the resource.

    Source: RFC 6750 section 3.1.
    """
    return call.rules.required_scope(call) in record.scope


def resource_status(call: Call, refusal: Refusal) -> int:
    """The status of a refusal.

    Source: RFC 6750 section 3.1.
    """
    del call
    return {"invalid_request": 400, "insufficient_scope": 403}.get(refusal.error, 401)


def resource_challenge(call: Call, refusal: Refusal) -> str:
    """The challenge of a refusal.

    Source: RFC 6750 section 3.
    """
    parts = [f'realm="{call.server.realm}"']
    if refusal.error:
        parts.append(f'error="{refusal.error}"')
    if refusal.error == "insufficient_scope":
        parts.append(f'scope="{call.rules.required_scope(call)}"')
    return f"Bearer {', '.join(parts)}"


def resource_body(call: Call) -> dict[str, Any]:
    """What the resource says to who may see it."""
    record = call.record
    if record is None:
        return {}
    return {"sub": record.subject, "client_id": record.client_id, "scope": " ".join(record.scope)}
