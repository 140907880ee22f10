"""Lawful rules of client assertions (RFC 7521, RFC 7523)."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

import jwt

from grantproof.reference.call import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY_S = 5
MAX_LIFETIME_S = 86400


def read_assertion(call: Call, assertion: str) -> Attempt:
    """The attempt in a client assertion; the client is read from it before its signature is checked.

    Source: RFC 7521 section 4.2; RFC 7523 section 2.2.
    """
    method = "private_key_jwt"
    if call.parameters.get("client_assertion_type") != JWT_BEARER:
        return Attempt(method)
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError):
        return Attempt(method)
    if str(header.get("alg", "")).startswith("HS"):
        method = "client_secret_jwt"
    subject: object = claims.get("sub")
    return Attempt(method, subject if isinstance(subject, str) else None, assertion=assertion)


def assertion_claims(call: Call, client: Client, assertion: str) -> dict[str, Any] | None:
    """The claims of an assertion that the client signed, with the algorithm it is registered for.

    Source: RFC 7523 section 3; RFC 8725 section 3.1.
    """
    del call
    if not client.assertion_alg:
        return None
    try:
        decoded = jwt.api_jws.decode_complete(assertion, client.assertion_key, algorithms=[client.assertion_alg])
        if "crit" in decoded["header"]:
            return None
        claims: object = json.loads(cast("bytes", decoded["payload"]))
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError):
        return None
    return cast("dict[str, Any]", claims) if isinstance(claims, dict) else None


def assertion_audiences(call: Call) -> tuple[str, ...]:
    """The audiences that mean this server.

    Source: RFC 7523 section 3.
    """
    return (call.server.issuer, call.server.url("token"))


def assertion_audience_ok(call: Call, claims: dict[str, Any]) -> bool:
    """Whether an assertion was made for this server.

    Source: RFC 7523 section 3.
    """
    audience: object = claims.get("aud")
    named = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    return any(name in call.rules.assertion_audiences(call) for name in named if isinstance(name, str))


def assertion_issuer_ok(call: Call, client: Client, claims: dict[str, Any]) -> bool:
    """Whether the client itself issued the assertion.

    Source: RFC 7523 section 3; OpenID Connect Core section 9.
    """
    del call
    return claims.get("iss") == client.id


def assertion_subject_ok(call: Call, client: Client, claims: dict[str, Any]) -> bool:
    """Whether the assertion is about the client.

    Source: RFC 7523 section 3.
    """
    del call
    return claims.get("sub") == client.id


def assertion_expiry_ok(call: Call, claims: dict[str, Any]) -> bool:
    """Whether the assertion says when it expires, and that is neither past nor far away.

    Source: RFC 7523 section 3.
    """
    expires = _number(claims.get("exp"))
    return expires is not None and call.now - LEEWAY_S < expires <= call.now + MAX_LIFETIME_S


def assertion_not_before_ok(call: Call, claims: dict[str, Any]) -> bool:
    """Whether the assertion is valid already.

    Source: RFC 7523 section 3.
    """
    if "nbf" not in claims:
        return True
    begins = _number(claims["nbf"])
    return begins is not None and begins <= call.now + LEEWAY_S


def assertion_is_new(call: Call, client: Client, claims: dict[str, Any]) -> bool:
    """Whether the assertion was not used before, as far as it has an identifier.

    Source: RFC 7523 section 3.
    """
    if "jti" not in claims:
        return True
    jti: object = claims["jti"]
    if not isinstance(jti, str) or not jti:
        return False
    expires = _number(claims.get("exp")) or call.now
    return call.store.remember_assertion(client.id, jti, expires + LEEWAY_S, call.now)


def assertion_problem(call: Call, client: Client, assertion: str) -> str | None:
    """What is wrong with an assertion: the name of the claim or `signature`; None when it holds.

    Source: RFC 7523 section 3.
    """
    rules = call.rules
    claims = rules.assertion_claims(call, client, assertion)
    if claims is None:
        return "signature"
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("iss", lambda: rules.assertion_issuer_ok(call, client, claims)),
        ("sub", lambda: rules.assertion_subject_ok(call, client, claims)),
        ("aud", lambda: rules.assertion_audience_ok(call, claims)),
        ("exp", lambda: rules.assertion_expiry_ok(call, claims)),
        ("nbf", lambda: rules.assertion_not_before_ok(call, claims)),
        ("jti", lambda: rules.assertion_is_new(call, client, claims)),
    )
    return next((name for name, holds in checks if not holds()), None)


def _number(value: object) -> float | None:
    """A NumericDate, or None when the value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
