"""What the engine has to know about an authorization server: its token endpoint, and what a request looks like."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from grantproof import __version__
from grantproof.errors import GrantproofError
from grantproof.load.dialer import make_context
from grantproof.wire.authentication import PASSWORD_METHODS, basic_credentials
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from grantproof.profile import Client, Profile

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Target:
    """A token endpoint with everything that a request to it needs. Its repr shows no secret.

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

    @property
    def secure(self) -> bool:
        """Whether requests go over TLS."""
        return urlsplit(self.token_url).scheme == "https"

    @property
    def host(self) -> str:
        """The host to connect to, without brackets."""
        return urlsplit(self.token_url).hostname or ""

    @property
    def port(self) -> int:
        """The port to connect to."""
        parts = urlsplit(self.token_url)
        return parts.port or _PORTS[parts.scheme]

    def token_request(self) -> bytes:
        """The request as it goes over the wire.

        Raises:
            GrantproofError: a header would break out of its line.
        """
        parts = urlsplit(self.token_url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = (("Host", parts.netloc.rpartition("@")[2]), *self.headers, ("Content-Length", str(len(self.body))))
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        if any("\r" in line or "\n" in line or "\x00" in line for line in lines):
            raise GrantproofError("a header or the token endpoint's URL has a line break in it", self.name)
        try:
            return "\r\n".join((*lines, "", "")).encode("latin-1") + self.body
        except UnicodeEncodeError:
            raise GrantproofError(
                "a header or the token endpoint's URL has characters beyond Latin-1", self.name
            ) from None

    @classmethod
    def from_profile(cls, profile: "Profile", token_url: str = "") -> "Target":
        """The target of the first client that may use the client credentials grant with a secret.

        Raises:
            GrantproofError: the profile has no such client, no token endpoint can be found, or it demands a proxy.
        """
        if profile.target.proxy:
            raise GrantproofError(
                "load does not go through a proxy", str(profile.path or profile.name), "it would be loaded too"
            )
        client, method = _client_for_load(profile)
        form, headers = _authenticate(client, method)
        return cls(
            name=profile.target.name or profile.name,
            token_url=token_url or _token_url(profile),
            headers=(*headers, *profile.target.headers.items()),
            body=form.encode().encode("ascii"),
            ca=Path(profile.tls.ca) if profile.tls.ca else None,
            timeout_s=profile.timeout_s,
            thresholds=tuple(profile.load.thresholds),
            scopes=tuple(client.scopes),
            reuses_tokens=bool(profile.claims.reuses_tokens),
            profile_name=profile.name or "target",
            issuer=profile.target.issuer,
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


def _client_for_load(profile: "Profile") -> "tuple[Client, str]":
    for client in profile.clients_for("client_credentials"):
        for method in client.auth_methods:
            if method in PASSWORD_METHODS and client.secret is not None and not client.disposable:
                return client, method
    hint = "it takes one with the grant client_credentials and client_secret_basic or client_secret_post"
    raise GrantproofError("the profile has no client for load", str(profile.path or profile.name), hint)


def _authenticate(client: "Client", method: str) -> tuple[Form, tuple[tuple[str, str], ...]]:
    pairs: list[tuple[str, str]] = [("grant_type", "client_credentials")]
    if client.scopes:
        pairs.append(("scope", " ".join(client.scopes)))
    pairs += _parameters(client.parameters.items())
    headers = [
        ("User-Agent", f"grantproof/{__version__}"),
        ("Accept", "application/json"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ]
    if method == "client_secret_basic":
        headers.append(("Authorization", basic_credentials(client.id, client.secret or "")))
    else:
        pairs += [("client_id", client.id), ("client_secret", client.secret or "")]
    return Form(tuple(pairs)), tuple(headers)


def _parameters(items: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(name, each) for name, value in items for each in ([value] if isinstance(value, str) else value)]


def _token_url(profile: "Profile") -> str:
    if profile.endpoints.token:
        return profile.endpoints.token
    from grantproof.idp import Idp  # noqa: PLC0415 - most profiles name the endpoint, and then nothing has to be asked

    with Idp.open(profile) as idp:
        found = idp.profile.endpoints.token
    if not found:
        raise GrantproofError(
            "the metadata names no token endpoint", profile.target.issuer, "give it in [endpoints] token"
        )
    return found
