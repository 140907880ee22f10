"""Lawful rules of issuing tokens (RFC 6749 section 1.4, RFC 9068, OpenID Connect Core section 2)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from grantproof.reference.clients import RESOURCES
from grantproof.reference.state import TokenRecord, token_key

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest


def token_format(call: Call, client: Client) -> str:
    """`jwt` or `opaque`."""
    del call
    return client.token_format


def opaque_token(call: Call) -> str:
    """A token of 256 random bits.

    Source: RFC 6749 section 10.10.
    """
    del call
    return secrets.token_urlsafe(32)


def token_lifetime(call: Call, client: Client) -> int:
    """How long an access token is honoured, in seconds.

    Source: RFC 6749 section 5.1.
    """
    del call
    return client.lifetime_s


def token_subject(call: Call, client: Client) -> str:
    """Whom a token is about: the user, or the client where there is none.

    Source: RFC 9068 section 2.2.
    """
    return call.user if call.grant == "implicit" else client.id


def token_audience(call: Call) -> str:
    """The resource server that an access token is for: the one that was named, if it is known, else the server's own.

    Source: RFC 9068 section 3; RFC 8707 section 2.
    """
    named = call.parameters.get("resource")
    return named if named in RESOURCES else call.server.url("resource")


def token_claims(call: Call, client: Client, record: TokenRecord) -> dict[str, Any]:
    """The claims of a JWT access token.

    Source: RFC 9068 section 2.2.
    """
    claims: dict[str, Any] = {
        "iss": call.server.issuer,
        "exp": record.expires_at,
        "aud": call.rules.token_audience(call),
        "sub": record.subject,
        "client_id": client.id,
        "iat": record.issued_at,
        "jti": record.jti,
        "scope": " ".join(record.scope),
    }
    if record.username and call.session:
        claims["auth_time"] = call.session.auth_time
    return claims


def token_header(call: Call, client: Client) -> dict[str, Any]:
    """The header of a JWT access token, beside its algorithm.

    Source: RFC 9068 section 2.1.
    """
    return {"typ": "at+jwt", "kid": call.server.keys.kid(client.signing_alg)}


def sign(call: Call, claims: dict[str, Any], header: dict[str, Any], alg: str) -> str:
    """A JWS over the claims.

    Source: RFC 9068 section 2.1; RFC 8725 section 3.1.
    """
    return call.server.keys.sign(claims, header, alg)


def issue_token(call: Call, client: Client, scope: tuple[str, ...]) -> str:
    """A new access token, which is remembered from now on; the call keeps its record.

    Source: RFC 6749 sections 1.4 and 10.3.
    """
    rules = call.rules
    issued_at = int(call.now)
    subject = rules.token_subject(call, client)
    record = TokenRecord(
        client_id=client.id,
        subject=subject,
        scope=scope,
        issued_at=issued_at,
        expires_at=issued_at + rules.token_lifetime(call, client),
        grant=call.grant,
        jti=secrets.token_urlsafe(16),
        username=call.user if call.grant == "implicit" else "",
    )
    if rules.token_format(call, client) == "jwt":
        claims = rules.token_claims(call, client, record)
        token = rules.sign(call, claims, rules.token_header(call, client), client.signing_alg)
    else:
        token = rules.opaque_token(call)
    record.value = token
    call.record = record
    call.store.keep_token(record, call.now)
    return token


def find_token(call: Call, token: str) -> TokenRecord | None:
    """The record of a token that is still honoured.

    Source: RFC 6749 section 7; RFC 7662 section 2.2.
    """
    record = call.store.tokens.get(token_key(token))
    return record if record is not None and call.rules.token_is_live(call, record) else None


def token_is_live(call: Call, record: TokenRecord) -> bool:
    """Whether a token is neither revoked nor expired.

    Source: RFC 6750 section 3.1; RFC 7009 section 2.
    """
    return not record.revoked and call.now < record.expires_at


def access_token_hash(call: Call, token: str) -> str:
    """The at_hash of an access token, for a signature with SHA-256.

    Source: OpenID Connect Core section 3.2.2.10.
    """
    del call
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def id_token_claims(call: Call, pending: PendingRequest, token: str | None) -> dict[str, Any]:
    """The claims of an ID token; `token` is the access token beside it, if there is one.

    Source: OpenID Connect Core sections 2 and 3.2.2.11.
    """
    issued_at = int(call.now)
    claims: dict[str, Any] = {
        "iss": call.server.issuer,
        "sub": call.user,
        "aud": pending.client.id,
        "exp": issued_at + pending.client.lifetime_s,
        "iat": issued_at,
        "auth_time": call.session.auth_time if call.session else issued_at,
        "nonce": pending.nonce,
    }
    if token is not None:
        claims["at_hash"] = call.rules.access_token_hash(call, token)
    return claims


def id_token(call: Call, pending: PendingRequest, token: str | None) -> str:
    """A signed ID token.

    Source: OpenID Connect Core sections 2 and 3.2.2.11.
    """
    alg = pending.client.signing_alg
    header = {"kid": call.server.keys.kid(alg)}
    return call.rules.sign(call, call.rules.id_token_claims(call, pending, token), header, alg)
