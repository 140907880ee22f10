"""A journey through a server's pages: who goes, what is seen on the way, and which hop ends it.

Rules of this file:
- A credential is only ever sent to the authorization server's own origins and those that the profile names.
- The hop that leaves them, or that reaches one of the client's redirection URIs, is read and never followed.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from grantproof.errors import Inconclusive, NotOffered
from grantproof.transport import CookieJar
from grantproof.wire.request import FORM_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from grantproof.wire.answer import Answer, Redirect
    from grantproof.wire.form import Form

MAX_PAGES = 20
MAX_HOPS = 40
_UNSEEN = "the login command does not show the answers on the way"


@dataclass
class UserAgent:
    """A browser's state: its cookies, and whose session they hold."""

    user: str = "user"
    jar: CookieJar = field(default_factory=CookieJar)
    signed_in: bool = False
    window: Any = field(default=None, repr=False)
    """The browser driver's own state of this user agent: what pages keep beside cookies."""


@dataclass
class Journey:
    """What happened between the authorization request and its end.

    `redirect` is the hop that left the server, `page` the page where it ended instead; `diagnosis` says why no login
    step was for that page, and `unseen` tells that the answers on the way are unknown.
    """

    steps: "list[Answer]" = field(default_factory=list["Answer"])
    acted: list[str] = field(default_factory=list[str])
    redirect: "Redirect | None" = None
    page: "Answer | None" = None
    json: Any = None
    diagnosis: str = ""
    unseen: bool = False

    @property
    def seen(self) -> "tuple[Answer, ...]":
        """The answers on the way, for checks."""
        return UnseenSteps() if self.unseen else tuple(self.steps)


class UnseenSteps(tuple["Answer", ...]):
    """Stands for the answers of a journey that nobody saw, so that no check passes for having looked at none.

    Raises:
        NotOffered: whenever they are looked at.
    """

    __slots__ = ()

    def __iter__(self) -> "Iterator[Answer]":
        raise NotOffered(_UNSEEN)

    def __len__(self) -> int:
        raise NotOffered(_UNSEEN)

    def __getitem__(self, _place: Any) -> Any:
        raise NotOffered(_UNSEEN)


class Driver(Protocol):
    """Takes a user agent through the server's pages."""

    def walk(
        self,
        request: Request,
        agent: UserAgent,
        *,
        choice: str = "allow",
        leave_at: "Collection[str]" = (),
        stop_at_pages: bool = False,
    ) -> Journey:
        """Sends the authorization request and goes on until the journey leaves the server or ends at a page.

        Args:
            request: the authorization request.
            agent: whose cookies are used and kept.
            choice: `allow` or `deny`: the consent that the user gives.
            leave_at: redirection URIs, at which the journey ends even on the server's own origin.
            stop_at_pages: end at the first page instead of acting on it.

        Raises:
            Inconclusive: the pages never end, or a step cannot be done.
        """
        ...

    def submission(self, answer: "Answer", choice: str) -> Request | None:
        """What the step with this choice makes of a page, unsent; None when there is no such step for it."""
        ...


class LoginStuckError(Inconclusive):
    """A login step cannot be done, or does not do what it should.

    Args:
        message: what went wrong, and what the page has.
        page: the page, for who wants to look at it.
        key: the place in the profile that is most likely wrong.
    """

    def __init__(self, message: str, page: "Answer | None" = None, key: str = "") -> None:
        super().__init__(message)
        self.page = page
        self.key = key


class LoginRepeatsError(LoginStuckError):
    """The same page comes again after its login step was done: the user's name or password is refused."""


@dataclass(frozen=True)
class Going:
    """Where a page or an answer leads: the URL, the request that goes there, and what it is called if it leaves."""

    url: str
    request: Request
    redirect: "Redirect | None" = None


@dataclass(frozen=True)
class Territory:
    """What belongs to the server: its origins, but for the client's redirection URIs on them."""

    origins: frozenset[str]
    leave_at: frozenset[str] = frozenset()

    def holds(self, url: str) -> bool:
        """Whether a URL is the server's own."""
        return origin_of(url.partition("#")[0]) in self.origins and not self.reaches_client(url)

    def reaches_client(self, url: str) -> bool:
        """Whether a URL is one of the redirection URIs, whatever its query and fragment."""
        return any(_reaches(url.partition("#")[0], uri) for uri in self.leave_at)

    def keep(self, request: Request) -> Request:
        """The request, if it stays on the server's origins.

        Raises:
            Inconclusive: it would carry what a login step sends to another server.
        """
        origin = origin_of(request.url)
        if origin not in self.origins:
            raise Inconclusive(
                f"a login step would leave the server for {origin or 'no origin at all'}: name it in login.origins"
            )
        return request


def hop(redirect: "Redirect", sent: Request) -> Going:
    """What a browser sends when an answer to this request redirects it."""
    target = redirect.url.partition("#")[0]
    if redirect.form is not None and redirect.method.upper() == "POST":
        following = post(target, redirect.form)
    elif redirect.form is not None:
        following = Request("GET", f"{target.partition('?')[0]}?{redirect.form.encode()}")
    elif redirect.method == "" and sent.method == "POST":
        following = Request("POST", target, sent.headers, sent.body)
    else:
        following = Request("GET", target)
    return Going(redirect.url, following, redirect)


def post(url: str, fields: "Form") -> Request:
    """A form, sent by POST."""
    return Request("POST", url, (("Content-Type", FORM_TYPE),), fields.encode().encode("ascii"))


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in lower case; empty where there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"https": 443, "http": 80}.get(parts.scheme.lower())
    return f"{parts.scheme.lower()}://{host}" + ("" if port in {None, default} else f":{port}")


def _reaches(target: str, uri: str) -> bool:
    return target.partition("?")[0] == uri.partition("#")[0].partition("?")[0]
