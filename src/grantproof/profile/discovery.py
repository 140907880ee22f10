"""What a target's metadata says about it. No I/O: whoever has the documents hands them in.

Sources: RFC 8414, OpenID Connect Discovery 1.0, RFC 9207 section 3.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from grantproof.profile.addresses import VALUE, url_problem
from grantproof.profile.values import is_array, is_table

if TYPE_CHECKING:
    from grantproof.profile.model import Profile

T = TypeVar("T")

MAX_BYTES = 1_048_576
MAX_ITEMS = 1_000
MAX_LENGTH = 2_000
MAX_PROBLEMS = 100

ENDPOINT_MEMBERS = {
    "authorization": "authorization_endpoint",
    "token": "token_endpoint",
    "introspection": "introspection_endpoint",
    "revocation": "revocation_endpoint",
    "jwks": "jwks_uri",
}


@dataclass(frozen=True)
class Metadata:
    """What the metadata states literally; None where it states nothing, for no default of RFC 8414 counts here.

    `documents` names the URLs that were read, `members` has the first statement of each member as it came, and
    `problems` says in words what cannot be right.
    """

    issuer: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    introspection_endpoint: str | None = None
    revocation_endpoint: str | None = None
    registration_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    scopes_supported: tuple[str, ...] | None = None
    response_types_supported: tuple[str, ...] | None = None
    response_modes_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | None = None
    introspection_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    revocation_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool | None = None
    documents: tuple[str, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    problems: tuple[str, ...] = ()

    def endpoint(self, name: str) -> str | None:
        """An endpoint by the profile's name for it: authorization, token, introspection, revocation, jwks."""
        member = ENDPOINT_MEMBERS.get(name)
        found = getattr(self, member) if member else None
        return found if isinstance(found, str) else None

    def downgrades(self, url: str) -> bool:
        """Whether an https issuer sends us to plain http, where no credential follows unless the profile says so."""
        return (self.issuer or "").startswith("https:") and url.startswith("http:")


_URLS = (*ENDPOINT_MEMBERS.values(), "registration_endpoint", "userinfo_endpoint")
_LISTS = (
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
)
_FLAGS = ("authorization_response_iss_parameter_supported",)


def metadata_urls(issuer: str) -> list[str]:
    """Where an issuer's metadata may be: RFC 8414 puts its path behind the well-known one, OpenID Connect before it.

    Source: RFC 8414 sections 3.1 and 5, OpenID Connect Discovery 1.0 section 4.
    """
    parts = urlsplit(issuer)
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return [
        f"{host}/.well-known/oauth-authorization-server{path}",
        f"{host}{path}/.well-known/openid-configuration",
    ]


def metadata_sources(profile: "Profile") -> list[str]:
    """Where to read a target's metadata, in this order; empty if the profile names neither document nor issuer."""
    if profile.endpoints.metadata:
        return [profile.endpoints.metadata]
    return metadata_urls(profile.target.issuer) if profile.target.issuer else []


def read_metadata(documents: Mapping[str, bytes | str | Mapping[str, Any]], issuer: str = "") -> Metadata:
    """What some metadata documents state together; the first one that names a member is believed.

    Args:
        documents: by the URL they came from; raw JSON, or decoded already.
        issuer: the issuer they must be about; empty if it is not known. Source: RFC 8414 section 3.3.
    """
    reader = _Reader()
    for url, document in documents.items():
        reader.add(url, document)
    return reader.metadata(issuer)


def fill_endpoints(profile: "Profile", metadata: Metadata) -> "Profile":
    """The profile with the endpoints that metadata names; what it names itself stays.

    An address that cannot be requested is left out, and so is a plain http one of an https issuer.
    """
    found: dict[str, str] = {}
    for name in ENDPOINT_MEMBERS:
        url = metadata.endpoint(name)
        if url and getattr(profile.endpoints, name) is None and not url_problem(url) and not metadata.downgrades(url):
            found[name] = url
    if profile.endpoints.metadata is None and metadata.documents:
        found["metadata"] = metadata.documents[0]
    return profile.model_copy(update={"endpoints": profile.endpoints.model_copy(update=found)})


class _Reader:
    """Gathers members and problems; whatever a server may send, it raises nothing."""

    def __init__(self) -> None:
        self.members: dict[str, Any] = {}
        self.documents: list[str] = []
        self.problems: list[str] = []

    def problem(self, text: str) -> None:
        if len(self.problems) < MAX_PROBLEMS and text not in self.problems:
            self.problems.append(text)

    def add(self, url: str, document: bytes | str | Mapping[str, Any]) -> None:
        where = shown(url)
        decoded = self.decode(where, document) if isinstance(document, (bytes, str)) else document
        if not is_table(decoded):
            if decoded is not None:
                self.problem(f"{where} is no JSON object")
            return
        self.documents.append(url)
        for name, value in list(decoded.items())[:MAX_ITEMS]:
            known = name in _KNOWN
            if known and name in self.members and self.members[name] != value:
                self.problem(f"{name} differs between the documents; {shown(self.documents[0])} is believed")
            self.members.setdefault(str(name), value)

    def decode(self, where: str, document: bytes | str) -> object:
        if len(document) > MAX_BYTES:
            self.problem(f"{where} is larger than 1 MiB and was not read")
            return None
        try:
            decoded = json.loads(document, object_pairs_hook=self.pairs, parse_constant=self.constant)
            whole = json.dumps(decoded, ensure_ascii=False).encode("utf-8", "replace")  # halves of pairs become ?
            return json.loads(whole)
        except (ValueError, RecursionError):
            self.problem(f"{where} is no JSON")
            return None

    def pairs(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                self.problem(f"the member {shown(name)} stands twice")
            found.setdefault(name, value)
        return found

    def constant(self, name: str) -> None:
        self.problem(f"{name} is no JSON value")

    def metadata(self, issuer: str) -> Metadata:
        issued = self.member("issuer", self.url)
        if self.documents and issued is None:
            self.problem("issuer is missing")
        if issued and issuer and issued != issuer:
            self.problem(f"issuer is {shown(issued)}, but the profile's is {shown(issuer)}; they must be identical")
        values: dict[str, Any] = {name: self.member(name, self.url) for name in _URLS}
        values |= {name: self.member(name, self.words) for name in _LISTS}
        values |= {name: self.member(name, self.flag) for name in _FLAGS}
        for name in _URLS:
            if (issued or issuer).startswith("https:") and (values[name] or "").startswith("http:"):
                self.problem(
                    f"{name} is plain http although the issuer is https; it is used only if the profile names it"
                )
        documents = tuple(self.documents)
        return Metadata(
            issuer=issued, **values, documents=documents, members=self.members, problems=tuple(self.problems)
        )

    def member(self, name: str, read: Callable[[str, object], T | None]) -> T | None:
        return read(name, self.members[name]) if name in self.members else None

    def url(self, name: str, value: object) -> str | None:
        if not isinstance(value, str) or not value or len(value) > MAX_LENGTH:
            self.problem(f"{name} is no URL: {shown(value)}")
            return None
        if problem := url_problem(value):
            self.problem(f"{name}: {problem.replace(VALUE, shown(value))}")
            return None
        return value

    def words(self, name: str, value: object) -> tuple[str, ...] | None:
        if not is_array(value):
            self.problem(f"{name} is no array: {shown(value)}")
            return None
        if len(value) > MAX_ITEMS:
            self.problem(f"{name} has more than {MAX_ITEMS} values; the rest was not read")
        words = [each for each in value[:MAX_ITEMS] if isinstance(each, str) and len(each) <= MAX_LENGTH]
        if len(words) < min(len(value), MAX_ITEMS):
            self.problem(f"{name} has values that are no strings, or too long")
        return tuple(words)

    def flag(self, name: str, value: object) -> bool | None:
        if isinstance(value, bool):
            return value
        self.problem(f"{name} is neither true nor false: {shown(value)}")
        return None


_KNOWN = frozenset({"issuer", *_URLS, *_LISTS, *_FLAGS})


def shown(value: object, limit: int = 80) -> str:
    """A value of the target's in printable ASCII on one line, at most so many characters."""
    if isinstance(value, str):
        text = json.dumps(value[: limit + 1])
    elif is_table(value) or is_array(value):
        text = "an object" if is_table(value) else "an array"
    else:
        text = json.dumps(value) if value is None or isinstance(value, (bool, float)) else "a number"
    return text if len(text) <= limit else text[: limit - 4] + '..."'
