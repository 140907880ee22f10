"""One request on its way through the embedded server: what every rule is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .form import Form

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from .app import AuthorizationServer
    from .clients import Client
    from .rules import Rules
    from .state import PendingRequest, Session, Store, TokenRecord


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused.

    `path` names the way that led here (`wrong_secret`, `repeated_parameter`, ...): finer than the error code, so that
    a rule can tell two ways to the same code apart. `subject` names the parameter concerned, where there is one.
    """

    error: str
    path: str
    subject: str = ""
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a client to authenticate; `client_id` is None when the credentials cannot be read."""

    method: str
    client_id: str | None = None
    secret: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)
    through_header: bool = False


@dataclass(slots=True)
class Answer:
    """An HTTP answer before it is sent; header names in lower case, `delay_s` for variants that are slow."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""
    delay_s: float = 0.0

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    def set_header(self, name: str, value: str) -> Answer:
        """This answer, with a header replaced or added."""
        self.headers = [*((key, kept) for key, kept in self.headers if key != name), (name, value)]
        return self

    def drop_header(self, name: str) -> Answer:
        """This answer, without a header."""
        self.headers = [(key, kept) for key, kept in self.headers if key != name]
        return self


@dataclass(slots=True)
class Call:
    """A request and what is known about it so far; the fields below `earlier` fill up on the way.

    `endpoint` is token, authorization, login, consent, introspection, revocation, resource, jwks, registration,
    metadata, openid_metadata or appended_metadata; `earlier` counts the requests to this endpoint before this one.
    `client` is set once a client is authenticated (or identified at the authorization endpoint), `claimed_client`
    already when it is only named.
    """

    server: AuthorizationServer
    endpoint: str
    method: str
    headers: Headers
    raw_query: bytes
    raw_body: bytes
    body_too_large: bool
    now: float
    earlier: int
    query: Form = field(default_factory=Form)
    body: Form = field(default_factory=Form)
    parameters: Form = field(default_factory=Form)
    attempts: tuple[Attempt, ...] = ()
    auth_method: str = ""
    claimed_client: Client | None = None
    client: Client | None = None
    grant: str = ""
    requested_scope: tuple[str, ...] | None = None
    refusal: Refusal | None = None
    record: TokenRecord | None = None
    session: Session | None = None
    session_cookie: str = ""
    pending: PendingRequest | None = None
    redirect_uri: str = ""
    script_nonce: str = ""

    @property
    def rules(self) -> Rules:
        """The rules of the server."""
        return self.server.rules

    @property
    def store(self) -> Store:
        """The memory of the server."""
        return self.server.store

    @property
    def logged_in(self) -> bool:
        """Whether the request comes from a session with a user."""
        return self.session is not None and bool(self.session.user)

    @property
    def user(self) -> str:
        """The user of the session, or an empty string."""
        return self.session.user if self.session else ""

    @property
    def through_header(self) -> bool:
        """Whether the client used the Authorization header."""
        return "authorization" in self.headers

    @property
    def error_path(self) -> str:
        """The path of the refusal, or an empty string."""
        return self.refusal.path if self.refusal else ""
