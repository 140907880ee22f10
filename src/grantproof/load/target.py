"""What the engine has to know about an authorization server: its token endpoint, and what a request looks like."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from grantproof.errors import GrantproofError
from grantproof.load.credentials import Pairs, client_for_load, form_headers, password_credentials, token_pairs
from grantproof.load.dialer import http2_connection, make_context
from grantproof.load.octets import encode_request
from grantproof.wire.authentication import PASSWORD_METHODS
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grantproof.profile import Profile

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """A server with everything that a request to its token endpoint needs. Its repr shows no secret.

    Attributes:
        name: shown in reports.
        profile_name: names the run's folder.
        token_url: with scheme, host and path.
        headers: beside Host and Content-Length, in order.
        body: form-urlencoded.
        ca: a PEM file of authorities to trust instead of the system's.
        timeout_s: how long an answer may take from the moment its request was meant to leave.
        thresholds: the profile's rules.
        scopes: what `body` asks for.
        reuses_tokens: the same token for repeated requests is lawful here and expected.
        secrets: what must never be printed.
        new_connections: each request has a connection of its own, as clients that run now and then have.
        resumption: new TLS connections resume the session of an earlier one, where the server offers it.
        client_id: whose credentials `headers` or `body` hold.
        jwt_access_tokens: False where the profile says that tokens are none, so that nobody looks into them.
        url: where requests go, where that is not the token endpoint.
        http2: HTTP/2 is spoken where the server agrees to it.
        profile: where it comes from; None where it was made by hand.
    """

    name: str
    token_url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    ca: Path | None = None
    timeout_s: float = 10.0
    thresholds: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    reuses_tokens: bool = False
    profile_name: str = "target"
    issuer: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    new_connections: bool = False
    resumption: bool = True
    client_id: str = ""
    jwt_access_tokens: bool = True
    profile: "Profile | None" = field(default=None, repr=False)
    url: str = ""
    http2: bool = False

    @property
    def secure(self) -> bool:
        """Whether requests go over TLS."""
        return urlsplit(self.url or self.token_url).scheme == "https"

    @property
    def host(self) -> str:
        """The host to connect to, without brackets."""
        return urlsplit(self.url or self.token_url).hostname or ""

    @property
    def port(self) -> int:
        """The port to connect to."""
        parts = urlsplit(self.url or self.token_url)
        return parts.port or _PORTS[parts.scheme]

    def token_request(self) -> bytes:
        """The request as it goes over the wire.

        Raises:
            GrantproofError: a header would break out of its line.
        """
        return self.request("POST", self.token_url, self.headers, self.body)

    def request(self, method: str, url: str, fields: Pairs, body: bytes | None = None) -> bytes:
        """Any other request, as it goes over the wire; whether the connection is kept is the target's business.

        Raises:
            GrantproofError: a header would break out of its line.
        """
        ending = (("Connection", "close"),) if self.new_connections else ()
        return encode_request(method, url, (*fields, *ending), body)

    def at(self, url: str) -> Self:
        """The same server at another endpoint, to which requests go instead."""
        return replace(self, url=url)

    def over_http2(self) -> Self:
        """The same server, spoken to by HTTP/2 where it agrees.

        Raises:
            GrantproofError: its requests do not go over TLS, or the extra is not installed.
        """
        if not self.secure:
            raise GrantproofError("HTTP/2 is spoken over TLS only", "--http2", f"{self.host} is spoken to without")
        http2_connection()
        return replace(self, http2=True)

    def authenticated_by(self, methods: "Iterable[str]") -> "Target":
        """The same server with the first client that authenticates by one of these methods.

        Raises:
            GrantproofError: the profile has no such client.
        """
        if self.profile is None:
            raise GrantproofError("a target made by hand has but one client", self.name)
        other = Target.from_profile(self.profile, self.token_url, methods)
        return replace(
            other, new_connections=self.new_connections, resumption=self.resumption, ca=self.ca, http2=self.http2
        )

    @classmethod
    def from_profile(
        cls, profile: "Profile", token_url: str = "", methods: "Iterable[str]" = PASSWORD_METHODS
    ) -> "Target":
        """The target of the first client that may use the client credentials grant with a secret, by these methods.

        Raises:
            GrantproofError: the profile has no such client, no token endpoint can be found, or it demands a proxy.
        """
        if profile.target.proxy:
            raise GrantproofError(
                "load does not go through a proxy", str(profile.path or profile.name), "it would be loaded too"
            )
        client, method = client_for_load(profile, methods)
        pairs, proof = password_credentials(client.id, client.secret or "", method)
        headers = (*form_headers(), *proof)
        return cls(
            name=profile.target.name or profile.name,
            token_url=token_url or endpoint_of(profile, "token"),
            headers=(*headers, *profile.target.headers.items()),
            body=Form((*token_pairs(client), *pairs)).encode().encode("ascii"),
            ca=Path(profile.tls.ca) if profile.tls.ca else None,
            timeout_s=profile.timeout_s,
            thresholds=tuple(profile.load.thresholds),
            scopes=tuple(client.scopes),
            reuses_tokens=bool(profile.claims.reuses_tokens),
            profile_name=profile.name or "target",
            issuer=profile.target.issuer,
            client_id=client.id,
            jwt_access_tokens=profile.claims.jwt_access_tokens is not False,
            profile=profile,
            secrets=profile.secrets() | {value for _, value in headers if value.startswith("Basic ")},
        )


def load_target(idp: str, token_url: str = "") -> Target:
    """The target that a profile's name or path stands for.

    Args:
        idp: the name or path.
        token_url: the token endpoint, where somebody has found it out already.

    Raises:
        GrantproofError: the profile is wrong or does not allow load.
    """
    from grantproof.profile import load  # noqa: PLC0415 - pydantic is not loaded where a target is built by hand

    profile = load(idp)
    if not profile.load.allowed:
        hint = "if the server is yours to load, write into its profile: [load] allowed = true"
        raise GrantproofError("the profile does not allow load", str(profile.path or profile.name), hint)
    target = Target.from_profile(profile, token_url)
    if target.secure:
        make_context(target)  # so that what is wrong with it is said before anything is started
    return target


def endpoint_of(profile: "Profile", name: str) -> str:
    """The URL of an endpoint, by the profile or else by the metadata, which are asked for then.

    Raises:
        GrantproofError: neither names it.
    """
    known: str | None = getattr(profile.endpoints, name)
    if known:
        return known
    from grantproof.idp import Idp  # noqa: PLC0415 - most profiles name the endpoint, and then nothing has to be asked

    with Idp.open(profile) as idp:
        found: str | None = getattr(idp.profile.endpoints, name)
    if not found:
        raise GrantproofError(
            f"neither the profile nor the metadata names the {name} endpoint",
            str(profile.path or profile.name),
            f"give it in [endpoints] {name}",
        )
    return found
