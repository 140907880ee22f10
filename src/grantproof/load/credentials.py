"""Which of a profile's clients sends load, and how it authenticates."""

from typing import TYPE_CHECKING, Any

from grantproof import __version__
from grantproof.errors import GrantproofError
from grantproof.wire.authentication import PASSWORD_METHODS, basic_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grantproof.profile import Client, Profile

Pairs = tuple[tuple[str, str], ...]


def client_for_load(profile: "Profile", methods: "Iterable[str]" = PASSWORD_METHODS) -> "tuple[Client, str]":
    """The first client that may use client credentials by one of these methods, and the method.

    Raises:
        GrantproofError: there is none.
    """
    wanted = tuple(methods)
    for client in profile.clients_for("client_credentials"):
        for method in client.auth_methods:
            if method in wanted and not client.disposable and _able(client, method):
                return client, method
    hint = f"it takes one with the grant client_credentials and {' or '.join(wanted)}"
    raise GrantproofError("the profile has no client for load", str(profile.path or profile.name), hint)


def _able(client: "Client", method: str) -> bool:
    return client.secret is not None if method in PASSWORD_METHODS else client.private_key is not None


def token_pairs(client: "Client") -> Pairs:
    """The parameters of a client credentials request, without credentials."""
    pairs: list[tuple[str, str]] = [("grant_type", "client_credentials")]
    if client.scopes:
        pairs.append(("scope", " ".join(client.scopes)))
    items: Iterable[tuple[str, Any]] = client.parameters.items()
    pairs += [(name, each) for name, value in items for each in ([value] if isinstance(value, str) else value)]
    return tuple(pairs)


def password_credentials(client_id: str, secret: str, method: str) -> tuple[Pairs, Pairs]:
    """Parameters and header fields by which a client proves itself with its secret."""
    if method == "client_secret_basic":
        return (), (("Authorization", basic_credentials(client_id, secret)),)
    return (("client_id", client_id), ("client_secret", secret)), ()


def form_headers(accept: str = "application/json") -> Pairs:
    """The header fields of every form request."""
    return (
        ("User-Agent", f"grantproof/{__version__}"),
        ("Accept", accept),
        ("Accept-Encoding", "identity"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    )
