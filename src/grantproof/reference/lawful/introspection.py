"""Lawful rules of introspection and revocation (RFC 7662, RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.call import Refusal
from grantproof.reference.state import token_key

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import TokenRecord


def check_token_parameter(call: Call) -> Refusal | None:
    """Why a request about a token is refused: it names none.

    Source: RFC 7009 section 2.1; RFC 7662 section 2.1.
    """
    return None if call.parameters.get("token") else Refusal("invalid_request", "missing_parameter", "token")


def client_may_introspect(call: Call, client: Client) -> bool:
    """Whether a client may use the introspection endpoint at all: not without credentials.

    Source: RFC 7662 sections 2.1 and 4.
    """
    del call
    return not client.public


def introspection_visible(call: Call, client: Client, record: TokenRecord) -> bool:
    """Whether a client may know about a token: its own, or any when it is a resource server.

    Source: RFC 7662 sections 2.2 and 4.
    """
    del call
    return client.introspects == "all" or record.client_id == client.id


def introspection_body(call: Call, record: TokenRecord | None) -> dict[str, Any]:
    """The members of an introspection answer; of a token that is not active nothing but that.

    Source: RFC 7662 section 2.2.
    """
    if record is None:
        return {"active": False}
    body: dict[str, Any] = {
        "active": True,
        "scope": " ".join(record.scope),
        "client_id": record.client_id,
        "token_type": call.rules.token_type(call),
        "exp": record.expires_at,
        "iat": record.issued_at,
        "sub": record.subject,
        "aud": call.rules.token_audience(call),
        "iss": call.server.issuer,
        "jti": record.jti,
    }
    if record.username:
        body["username"] = record.username
    return body


def client_may_revoke(call: Call, client: Client, record: TokenRecord) -> bool:
    """Whether a client may revoke a token: its own.

    Source: RFC 7009 section 2.1.
    """
    del call
    return record.client_id == client.id


def find_revocable(call: Call, token: str) -> TokenRecord | None:
    """The record of a token to revoke, wherever it is kept: the hint changes nothing.

    Source: RFC 7009 section 2.1.
    """
    return call.store.tokens.get(token_key(token))


def revoke(call: Call, record: TokenRecord) -> None:
    """Ends a token, at once and everywhere.

    Source: RFC 7009 section 2.
    """
    del call
    record.revoked = True


def revocation_status(call: Call) -> int:
    """The status after a revocation, and for a token that is not known.

    Source: RFC 7009 section 2.2.
    """
    del call
    return 200
