"""The profile: everything grantproof knows about a target before it talks to it."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from grantproof.profile.addresses import VALUE, issuer_problem, origin, without_query
from grantproof.profile.client import AuthMethod, Client, Grant, SigningAlg
from grantproof.profile.near import near_miss
from grantproof.profile.part import (
    FileBeside,
    Objection,
    Part,
    Url,
    Words,
    custom_error,
    masked,
    refuse,
    secret_values,
    table_of,
)
from grantproof.profile.signing_in import Call, Driver, Login, LoginStep
from grantproof.profile.values import is_table
from grantproof.wire.loopback import is_loopback

__all__ = [
    "AuthMethod",
    "Call",
    "Claims",
    "Client",
    "Driver",
    "Endpoints",
    "Grant",
    "Load",
    "Login",
    "LoginStep",
    "Politeness",
    "Profile",
    "SigningAlg",
    "Target",
    "Tls",
    "User",
    "Waiver",
]

DEFAULT_REQUESTS_PER_SECOND = 50.0
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CLIENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_CLAUSE_ID = re.compile(r"[a-z0-9-]+:[A-Za-z0-9.]+/[a-z0-9-]+")


def _issuer(value: str) -> str:
    if value and (problem := issuer_problem(value)):
        raise custom_error(problem)
    return value


def _headers(values: dict[str, str]) -> dict[str, str]:
    for name, value in values.items():
        if not _HEADER_NAME.fullmatch(name):
            raise custom_error(f"{name!r} is no header name")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) or value != value.strip():
            raise custom_error(f"the value of {name} does not fit in a header")
    return values


def _proxy(value: str) -> str:
    try:
        parts = urlsplit(value)
        fits = not value or (parts.scheme in {"http", "https", "socks5", "socks5h"} and bool(parts.hostname))
        _ = parts.port
    except ValueError:
        fits = False
    if not fits:
        raise custom_error("is no URL of a proxy", 'write it as "http://host:port"')
    return value


def _clause_id(value: str) -> str:
    if not _CLAUSE_ID.fullmatch(value):
        raise custom_error(f"{VALUE} is no clause id", "clause ids look like rfc6749:5.2/unsupported-grant-type")
    return value


def _named(clients: dict[str, Client]) -> dict[str, Client]:
    return {key: client.model_copy(update={"name": key}) for key, client in clients.items()}


class Target(Part):
    """The authorization server that is judged."""

    name: str = Field(default="", description="Shown in reports. Default: the profile's name.")
    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        default="", description="The issuer; its metadata is read, and what stands in the profile overrides it."
    )
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default_factory=dict, description="Sent with every request, for staging gateways."
    )
    proxy: Annotated[str, AfterValidator(_proxy)] = Field(
        default="", description="The URL of a proxy for all requests."
    )

    def shown(self, name: str, value: object) -> object:
        """What the repr shows of a field."""
        if name == "headers":
            return masked(self.headers, every=True)
        return without_query(self.proxy) if name == "proxy" and self.proxy else value


class Tls(Part):
    """Whom to trust."""

    ca: FileBeside | None = Field(
        default=None, description="A PEM file of certificate authorities, beside the profile."
    )


class Endpoints(Part):
    """Where the target answers; None where nothing is known."""

    authorization: Url | None = Field(default=None, description="The authorization endpoint.")
    token: Url | None = Field(default=None, description="The token endpoint.")
    introspection: Url | None = Field(default=None, description="The introspection endpoint (RFC 7662).")
    revocation: Url | None = Field(default=None, description="The revocation endpoint (RFC 7009).")
    jwks: Url | None = Field(default=None, description="The JWK Set.")
    resource: Url | None = Field(default=None, description="A protected resource that takes the target's tokens.")
    metadata: Url | None = Field(default=None, description="The metadata document, where it is not at its usual place.")

    def known(self) -> dict[str, str]:
        """The endpoints that are known, by name."""
        return {name: url for name in type(self).model_fields if (url := getattr(self, name)) is not None}


class User(Part):
    """A test user at the target."""

    username: str = Field(min_length=1, description="What the user types first.")
    password: str = Field(repr=False, description="Take it from a variable.")


class Claims(Part):
    """What the target offers or does, where metadata does not say so; None: unknown."""

    client_credentials: bool | None = Field(default=None, description="The client credentials grant.")
    implicit: bool | None = Field(default=None, description="The implicit grant.")
    introspection: bool | None = Field(default=None, description="Token introspection (RFC 7662).")
    revocation: bool | None = Field(default=None, description="Token revocation (RFC 7009).")
    resource: bool | None = Field(default=None, description="A protected resource to use tokens at (RFC 6750).")
    jwks: bool | None = Field(default=None, description="A published JWK Set.")
    metadata: bool | None = Field(default=None, description="Authorization server metadata (RFC 8414).")
    jwt_access_tokens: bool | None = Field(default=None, description="Access tokens are JWTs (RFC 9068).")
    id_token: bool | None = Field(
        default=None, description="ID Tokens from the authorization endpoint (OpenID Connect)."
    )
    form_post: bool | None = Field(default=None, description="The response mode form_post.")
    iss_parameter: bool | None = Field(default=None, description="iss in authorization responses (RFC 9207).")
    registration: bool | None = Field(default=None, description="Dynamic client registration (RFC 7591).")
    client_assertion: bool | None = Field(default=None, description="Client assertions (RFC 7523).")
    reuses_tokens: bool | None = Field(default=None, description="The same token comes back for repeated requests.")
    first_party: bool | None = Field(default=None, description="Consent may be skipped: the clients are the server's.")
    introspection_client: str | None = Field(default=None, description="The client that may introspect, by table key.")
    max_token_lifetime_s: float | None = Field(
        default=None, gt=0, description="No access token lives longer, in seconds."
    )


class Politeness(Part):
    """How gently the target is treated."""

    requests_per_second: float | None = Field(
        default=None, gt=0, description="Default: 50; loopback targets have no limit unless one is given."
    )
    login_interval_s: float = Field(default=0.0, ge=0, description="Pause between logins, in seconds.")
    max_requests: int = Field(default=20_000, ge=1, description="Shared by all workers, load excluded.")
    intrusive: bool = Field(default=False, description="Brute force, lock-out, slow checks.")


class Load(Part):
    """Whether load may be sent, and what has to hold under it."""

    allowed: bool = Field(default=False, description="No load is sent to a target that does not say so.")
    thresholds: Words = Field(default=(), description='What has to hold, e.g. "p99 < 250ms", "errors < 0.1%".')
    clients: FileBeside | None = Field(
        default=None,
        description="A file beside the profile with the clients of many_clients: id,secret a line, or JSON.",
    )
    mix: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="The share of each scenario, by name."
    )


class Waiver(Part):
    """A finding that is accepted until a day."""

    clause: Annotated[str, AfterValidator(_clause_id)] = Field(description="The clause's id.")
    check: str | None = Field(default=None, min_length=1, description="A pattern for check ids; left out: every check.")
    reason: str = Field(min_length=1, description="Why it is accepted.")
    until: date = Field(description="The last day (UTC), written without quotes.")


class Profile(Part):
    """Everything grantproof knows about a target before it talks to it."""

    name: str = Field(default="", description="The profile's stem.")
    path: Path | None = Field(default=None, description="The file it was read from.")
    timeout_s: float = Field(default=10.0, gt=0, le=600, description="How long one answer may take, in seconds.")
    target: Target = Field(default_factory=Target, description="The authorization server that is judged.")
    tls: Tls = Field(default_factory=Tls, description="Whom to trust.")
    endpoints: Endpoints = Field(default_factory=Endpoints, description="Where it answers, over what metadata says.")
    clients: Annotated[dict[str, Client], AfterValidator(_named)] = Field(
        default_factory=dict, description="Registered clients; names are free, roles come from what they may do."
    )
    user: User | None = Field(default=None, description="A test user.")
    user2: User | None = Field(default=None, description="Another user, for checks across sessions.")
    disposable_user: User | None = Field(default=None, description="A user whom intrusive checks may lock out.")
    login: Login = Field(default_factory=Login, description="How a test user signs in.")
    claims: Claims = Field(default_factory=Claims, description="What it offers where metadata does not say so.")
    politeness: Politeness = Field(default_factory=Politeness, description="How gently it is treated.")
    load: Load = Field(default_factory=Load, description="Whether load may be sent.")
    waivers: Annotated[tuple[Waiver, ...], Field(strict=False)] = Field(
        default=(), description="Findings that are accepted until a day."
    )

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        objections = list(profile_objections(data)) if is_table(data) else []
        try:
            profile = handler(data)
        except ValidationError as error:
            refuse("profile", objections, error)
            raise
        refuse("profile", objections)
        return profile

    def clients_for(self, grant: str) -> tuple[Client, ...]:
        """The clients that are registered for a grant, in the profile's order."""
        return tuple(client for client in self.clients.values() if client.may(grant))

    @property
    def is_loopback(self) -> bool:
        """Whether every known address of the target is on this machine."""
        addresses = [*self.endpoints.known().values(), *([self.target.issuer] if self.target.issuer else [])]
        return bool(addresses) and all(is_loopback(each) for each in addresses)

    @property
    def requests_per_second(self) -> float | None:
        """The rate that conformance checks keep below; None: no limit."""
        if self.politeness.requests_per_second is not None:
            return self.politeness.requests_per_second
        return None if self.is_loopback else DEFAULT_REQUESTS_PER_SECOND

    @property
    def origins(self) -> frozenset[str]:
        """The origins that belong to the target: its endpoints', its issuer's, its login pages'."""
        addresses = [*self.endpoints.known().values(), *self.login.origins]
        return frozenset(origin(each) for each in [*addresses, self.target.issuer] if each)

    def secrets(self) -> frozenset[str]:
        """Every secret value the profile holds, for whoever redacts; none is empty."""
        found = [client.secret for client in self.clients.values()]
        found += [user.password for user in (self.user, self.user2, self.disposable_user) if user]
        found.append(urlsplit(self.target.proxy).password)
        tables: list[Mapping[str, Any]] = [
            self.target.headers,
            *(client.parameters for client in self.clients.values()),
        ]
        for step in self.login.steps:
            tables += [step.fill, *(call.headers for call in step.calls), *(call.body or {} for call in step.calls)]
        for table in tables:
            found += secret_values(table)
        return frozenset(value for value in found if value)


def profile_objections(data: Mapping[str, Any]) -> Iterator[Objection]:
    """What contradicts itself across a profile's tables. Values of wrong types are left to the schema."""
    tables = {name: table_of(data.get(name)) for name in Profile.model_fields}
    if not tables["target"].get("issuer") and not any(tables["endpoints"].values()):
        if "target" not in data:
            yield Objection(("target",), "is missing", "give the target's issuer, or its endpoints")
        elif tables["target"] or not data["target"]:
            yield Objection(("target", "issuer"), "is missing", "or give the target's [endpoints]")
    clients: Mapping[str, Any] = tables["clients"]
    for name in clients:
        if not _CLIENT_NAME.fullmatch(name):
            yield Objection(("clients", name), "a client's name is made of letters, digits, _ and -")
    named = tables["claims"].get("introspection_client")
    if isinstance(named, str) and named not in clients:
        yield Objection(("claims", "introspection_client"), f"there is no client {VALUE}", near_miss(named, clients))
