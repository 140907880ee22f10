"""Who may do what: the callers and flows that a profile's clients give, by the role that a check asks for.

A check names a role as an argument and is run once for each holder; a role without a holder makes it not_offered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from grantproof.wire.authentication import ASSERTION_METHODS, PASSWORD_METHODS
from grantproof.wire.form import encode_component

if TYPE_CHECKING:
    from grantproof.profile.client import Client
    from grantproof.profile.model import Profile


@dataclass(frozen=True)
class Caller:
    """A client and the method by which it authenticates at the token endpoint."""

    client: "Client"
    method: str

    def __str__(self) -> str:
        return f"{self.client.name}-{self.method}"

    @property
    def entitled(self) -> bool:
        """Whether the client is registered for client credentials."""
        return "client_credentials" in self.client.grants


@dataclass(frozen=True)
class Flow:
    """A client, a response type and one of its redirection URIs, for the implicit grant."""

    client: "Client"
    response_type: str
    redirect_uri: str

    def __str__(self) -> str:
        return f"{self.client.name}-{self.response_type.replace(' ', '+')}"

    @property
    def has_token(self) -> bool:
        """Whether the response type asks for an access token."""
        return "token" in self.response_type.split()

    @property
    def has_id_token(self) -> bool:
        """Whether the response type asks for an ID token, so that a nonce and the scope openid are due."""
        return "id_token" in self.response_type.split()

    @property
    def entitled(self) -> bool:
        """Whether the client is registered for implicit."""
        return "implicit" in self.client.grants


Holder = Caller | Flow


@dataclass(frozen=True)
class Role:
    """What a check asks for by an argument's name."""

    description: str
    find: Callable[["Profile"], list[Holder]]

    @property
    def absent(self) -> str:
        """Why a check is not offered when nobody holds the role."""
        return f"the profile has no client for it: {self.description}"


def distinct(holders: list[Holder]) -> list[Holder]:
    """The first holder of each kind: what a second client of the same kind would show again is not asked twice.

    Callers differ by authentication method, flows by response type and by whether the client is public. A client whose
    credentials must be form-encoded comes last: a server that cannot read them is found by the checks of its own role,
    and must not make everything else inconclusive.
    """
    found: dict[tuple[object, ...], Holder] = {}
    for holder in sorted(holders, key=lambda each: isinstance(each, Caller) and _reserved(each.client)):
        kind = holder.method if isinstance(holder, Caller) else holder.response_type
        found.setdefault((kind, holder.client.public), holder)
    return list(found.values())


def _callers(allowed: Callable[["Client", str], bool]) -> Callable[["Profile"], list[Holder]]:
    def find(profile: "Profile") -> list[Holder]:
        return [
            Caller(client, method)
            for client in profile.clients.values()
            for method in client.auth_methods
            if not client.disposable and allowed(client, method)
        ]

    return find


def _first_by_method(allowed: Callable[["Client", str], bool]) -> Callable[["Profile"], list[Holder]]:
    def find(profile: "Profile") -> list[Holder]:
        found: dict[str, Holder] = {}
        for holder in _callers(allowed)(profile):
            if isinstance(holder, Caller):
                found.setdefault(holder.method, holder)
        return list(found.values())

    return find


def _first_by_client(allowed: Callable[["Client", str], bool]) -> Callable[["Profile"], list[Holder]]:
    def find(profile: "Profile") -> list[Holder]:
        found: dict[str, Holder] = {}
        for holder in _callers(allowed)(profile):
            found.setdefault(holder.client.name, holder)
        return list(found.values())

    return find


def _flows(
    allowed: Callable[["Client", str], bool], uri: Callable[[str], bool] = lambda _: True
) -> Callable[["Profile"], list[Holder]]:
    def find(profile: "Profile") -> list[Holder]:
        found: list[Holder] = []
        for client in profile.clients.values():
            redirect_uri = next((each for each in client.redirect_uris if uri(each)), None)
            if redirect_uri is None or client.disposable:
                continue
            types = client.response_types or ("token",)
            found += [Flow(client, each, redirect_uri) for each in types if allowed(client, each)]
        return found

    return find


def _serves(client: "Client") -> bool:
    return not client.public and "client_credentials" in client.grants


def _implicit(client: "Client") -> bool:
    return "implicit" in client.grants


def _has_token(response_type: str) -> bool:
    return "token" in response_type.split()


def _on_loopback(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and (parts.hostname or "") in {"localhost", "127.0.0.1", "::1"}


def _reserved(client: "Client") -> bool:
    return any(encode_component(text) != text for text in (client.id, client.secret or ""))


ROLES: dict[str, Role] = {
    "service": Role(
        "a confidential client that may use client_credentials", _callers(lambda client, _: _serves(client))
    ),
    "method_service": Role(
        "for each authentication method, one confidential client that may use client_credentials by it",
        _first_by_method(lambda client, _: _serves(client)),
    ),
    "one_method_service": Role(
        "each confidential client that may use client_credentials, by its first authentication method",
        _first_by_client(lambda client, _: _serves(client)),
    ),
    "reserved_basic_service": Role(
        "a client_credentials client by client_secret_basic whose identifier or secret must be form-encoded",
        _callers(lambda client, method: _serves(client) and method == "client_secret_basic" and _reserved(client)),
    ),
    "password_service": Role(
        "a client with a secret that may use client_credentials",
        _callers(lambda client, method: _serves(client) and method in PASSWORD_METHODS),
    ),
    "basic_service": Role(
        "a client that may use client_credentials by client_secret_basic",
        _callers(lambda client, method: _serves(client) and method == "client_secret_basic"),
    ),
    "post_service": Role(
        "a client that may use client_credentials by client_secret_post",
        _callers(lambda client, method: _serves(client) and method == "client_secret_post"),
    ),
    "assertion_service": Role(
        "a client that may use client_credentials by a signed assertion",
        _callers(lambda client, method: _serves(client) and method in ASSERTION_METHODS),
    ),
    "reserved_service": Role(
        "a client_credentials client whose identifier or secret has characters that must be form-encoded",
        _callers(lambda client, method: _serves(client) and method in PASSWORD_METHODS and _reserved(client)),
    ),
    "unentitled_service": Role(
        "a confidential client that may not use client_credentials",
        _callers(
            lambda client, method: not client.public and "client_credentials" not in client.grants and method != "none"
        ),
    ),
    "public_client": Role("a public client", _callers(lambda client, method: client.public and method == "none")),
    "flow": Role("a client that may use the implicit grant", _flows(lambda client, _: _implicit(client))),
    "token_flow": Role(
        "an implicit client whose response type holds token",
        _flows(lambda client, each: _implicit(client) and _has_token(each)),
    ),
    "id_token_flow": Role(
        "an implicit client whose response type holds id_token",
        _flows(lambda client, each: _implicit(client) and "id_token" in each.split()),
    ),
    "composite_flow": Role(
        "an implicit client with the response type id_token token",
        _flows(lambda client, each: _implicit(client) and len(each.split()) > 1),
    ),
    "some_flow": Role(
        "one client that may use the implicit grant for a token, for what does not depend on the client",
        lambda profile: _flows(lambda client, each: _implicit(client) and _has_token(each))(profile)[:1],
    ),
    "public_flow": Role(
        "a public client that may use the implicit grant",
        _flows(lambda client, each: _implicit(client) and _has_token(each) and client.public),
    ),
    "one_uri_flow": Role(
        "an implicit client with exactly one redirection URI",
        _flows(lambda client, each: _implicit(client) and _has_token(each) and len(client.redirect_uris) == 1),
    ),
    "two_uri_flow": Role(
        "an implicit client with two or more redirection URIs",
        _flows(lambda client, each: _implicit(client) and _has_token(each) and len(client.redirect_uris) > 1),
    ),
    "loopback_flow": Role(
        "an implicit client with a redirection URI on a loopback address, as native applications have it",
        _flows(lambda client, each: _implicit(client) and _has_token(each), _on_loopback),
    ),
    "named_flow": Role(
        "an implicit client of which the profile says what the consent page calls it (client_name)",
        _flows(lambda client, each: _implicit(client) and _has_token(each) and bool(client.client_name)),
    ),
    "query_uri_flow": Role(
        "an implicit client with a redirection URI that has a query",
        _flows(lambda client, each: _implicit(client) and _has_token(each), lambda uri: "?" in uri),
    ),
    "confidential_flow": Role(
        "a confidential client that may use the implicit grant",
        _flows(lambda client, each: _implicit(client) and _has_token(each) and not client.public),
    ),
    "unentitled_flow": Role(
        "a client with a redirection URI that may not use the implicit grant",
        _flows(lambda client, _: not _implicit(client)),
    ),
}
