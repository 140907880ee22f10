"""Lawful rules of dynamic client registration (RFC 7591, and the end of a registration by RFC 7592)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from grantproof.reference.call import Refusal
from grantproof.reference.clients import SECRET_METHODS, Client

if TYPE_CHECKING:
    from grantproof.reference.call import Call

_GRANTS = frozenset(("client_credentials", "implicit"))
_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))


def registered_id(call: Call, members: dict[str, Any]) -> str:
    """The identifier of a new client: the server's choice alone.

    Source: RFC 7591 section 3.2.1; RFC 9700 section 2.6.
    """
    del call, members
    return secrets.token_urlsafe(16)


def registered_secret(call: Call, method: str) -> str:
    """The secret of a new client: 256 random bits, and none for a public one.

    Source: RFC 6819 sections 4.3.5 and 5.2.3.1.
    """
    del call
    return secrets.token_urlsafe(32) if method in SECRET_METHODS else ""


def registrable_uri(call: Call, uri: str) -> bool:
    """Whether a redirect URI may be registered: absolute, without fragment, and http on loopback only.

    Source: RFC 6749 section 3.1.2; RFC 9700 section 2.6.
    """
    del call
    parts = urlsplit(uri)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return safe and bool(parts.hostname) and "#" not in uri


def registration_problem(call: Call, members: dict[str, Any]) -> Refusal | None:
    """Why a registration is refused.

    Source: RFC 7591 section 3.2.2.
    """
    uris = _words(members.get("redirect_uris", []))
    grants = _words(members.get("grant_types", ["client_credentials"]))
    method = members.get("token_endpoint_auth_method", SECRET_METHODS[0])
    if uris is None or grants is None or not _GRANTS.issuperset(grants) or method not in (*SECRET_METHODS, "none"):
        return Refusal("invalid_client_metadata", "malformed_registration")
    if not all(call.rules.registrable_uri(call, each) for each in uris):
        return Refusal("invalid_redirect_uri", "unregistrable_uri")
    if "implicit" in grants and not uris:
        return Refusal("invalid_redirect_uri", "unregistrable_uri")
    return None


def _words(value: object) -> list[str] | None:
    """A JSON array of strings; None where it is something else."""
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    return [each for each in items if isinstance(each, str)] if all(isinstance(each, str) for each in items) else None


def new_client(call: Call, members: dict[str, Any]) -> Client:
    """The client that a registration makes.

    Source: RFC 7591 section 2.
    """
    method = members.get("token_endpoint_auth_method", SECRET_METHODS[0])
    grants = tuple(members.get("grant_types", ["client_credentials"]))
    return Client(
        name="",
        id=call.rules.registered_id(call, members),
        secret=call.rules.registered_secret(call, method),
        title=str(members.get("client_name", ""))[:100],
        auth_methods=(method,),
        grants=grants,
        response_types=("token",) if "implicit" in grants else (),
        redirect_uris=tuple(members.get("redirect_uris", ())),
        scopes=("read",),
    )


def registration_body(call: Call, client: Client, token: str) -> dict[str, Any]:
    """What a new client is told.

    Source: RFC 7591 section 3.2.1; RFC 7592 section 3.
    """
    members: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": int(call.now),
        "grant_types": list(client.grants),
        "token_endpoint_auth_method": client.auth_methods[0],
        "redirect_uris": list(client.redirect_uris),
        "registration_client_uri": f"{call.server.url('registration')}?client_id={client.id}",
        "registration_access_token": token,
    }
    return {**members, "client_secret": client.secret, "client_secret_expires_at": 0} if client.secret else members


def end_registration(call: Call, client: Client) -> None:
    """Forgets a client, so that its secret opens nothing any more.

    Source: RFC 7592 section 2.3; RFC 6819 section 5.2.3.6.
    """
    del call.server.clients[client.id]
