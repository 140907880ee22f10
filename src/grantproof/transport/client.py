"""Sends one request and reads one answer, bounded in size and time, whatever the server does.

Rules of this file:
- No redirect is followed and no header is added beyond the profile's but three of our own: checks judge the wire.
- Bodies are asked for as they are, since a request that is silent about codings allows any (RFC 9110 section 12.5.3).
- A gateway's answer or a transport failure is tried again after a pause, then inconclusive, never a verdict.
"""

import time
from contextlib import suppress
from http.cookiejar import Cookie, DefaultCookiePolicy
from http.cookiejar import CookieJar as _StandardJar
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import Request as _StandardRequest

from grantproof.errors import Inconclusive
from grantproof.transport.politeness import Politeness
from grantproof.wire.answer import Answer
from grantproof.wire.headers import Headers
from grantproof.wire.loopback import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from email.message import Message

    import httpx

    from grantproof.transport.bounded import BoundedTransport
    from grantproof.transport.recorder import Recorder
    from grantproof.wire.request import Request

GATEWAY_STATUSES = frozenset({413, 429, 431, 502, 503, 504})
MAX_BODY = 1_048_576
MAX_LOADED = 16 * MAX_BODY
_PAUSES_S = (0.2, 1.0)
_LONGEST_PAUSE_S = 5.0
_PATIENCE = 4


class ResetError(Inconclusive):
    """The server broke the connection off on every attempt."""


class _CookiePolicy(DefaultCookiePolicy):
    """Takes loopback for secure, as browsers do: a cookie with Secure comes back to http://127.0.0.1 too.

    Source: RFC 6265 section 5.4, which leaves what is secure to the user agent; Secure Contexts section 3.1.
    """

    def return_ok_secure(self, cookie: Cookie, request: _StandardRequest) -> bool:
        return not cookie.secure or request.type in {"https", "wss"} or is_loopback(request.full_url)


class CookieJar:
    """The cookies of one user agent. Its repr shows none."""

    def __init__(self) -> None:
        self._jar = _StandardJar(_CookiePolicy())

    def __repr__(self) -> str:
        return f"CookieJar({len(self._jar)} cookies)"

    def header(self, url: str) -> str | None:
        """The Cookie header for a URL."""
        request = _StandardRequest(url)  # noqa: S310 - never opened, it only carries the URL to the jar
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def store(self, url: str, headers: Headers) -> None:
        """Keeps what an answer from this URL sets."""
        if "set-cookie" in headers:
            self._jar.extract_cookies(_CookieAnswer(headers), _StandardRequest(url))  # type: ignore[arg-type]  # noqa: S310 # pyright: ignore[reportArgumentType] - it needs only info()

    @property
    def values(self) -> tuple[str, ...]:
        """The values held, to be redacted."""
        return tuple(cookie.value for cookie in self._jar if cookie.value)

    def named(self, name: str) -> str | None:
        """The value of a cookie by its name."""
        return next((cookie.value for cookie in self._jar if cookie.name == name), None)

    @property
    def visible(self) -> "tuple[Cookie, ...]":
        """The cookies that a page's scripts may read: those without HttpOnly."""
        return tuple(
            cookie for cookie in self._jar if all(name.lower() != "httponly" for name, _ in _attributes(cookie))
        )

    def put(self, cookie: "Cookie") -> None:
        """Keeps a cookie that a page's script set."""
        self._jar.set_cookie(cookie)

    def drop(self, name: str, domain: str, path: str) -> None:
        """Forgets a cookie that a page's script ended; harmless if there is none."""
        with suppress(KeyError):
            self._jar.clear(domain, path, name)

    def cross_site(self, method: str) -> "CookieJar":
        """The cookies that browsers send along when another site makes them send a request.

        Source: RFC 6265bis section 5.8.3, with SameSite as the cookies state it.
        """
        other = CookieJar()
        for cookie in self._jar:
            same_site = next((text.lower() for name, text in _attributes(cookie) if name.lower() == "samesite"), "")
            if same_site != "strict" and (same_site != "lax" or method == "GET"):
                other._jar.set_cookie(cookie)
        return other

    def copy(self) -> "CookieJar":
        """Another jar with the same cookies."""
        other = CookieJar()
        for cookie in self._jar:
            other._jar.set_cookie(cookie)
        return other


def _attributes(cookie: Any) -> "list[tuple[str, str]]":
    """The attributes of a cookie that the standard library keeps without knowing them."""
    kept: dict[str, str | None] = getattr(cookie, "_rest", {})
    return [(name, value or "") for name, value in kept.items()]


class _CookieAnswer:
    """Headers in the one shape that the standard library's jar reads."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def info(self) -> "Message":
        from email.message import Message  # noqa: PLC0415 - only answers with cookies need it

        message = Message()
        for name, value in self._headers:
            message.add_header(name, value)
        return message


class Transport:
    """A connection pool to the target with the profile's headers, CA, proxy and politeness."""

    def __init__(
        self,
        recorder: "Recorder",
        *,
        timeout_s: float = 10,
        verify: "ssl.SSLContext | bool" = True,
        proxy: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        origins: frozenset[str] = frozenset(),
        politeness: Politeness | None = None,
    ) -> None:
        self.recorder = recorder
        self.timeout_s = timeout_s
        self._verify = verify
        self._proxy = proxy
        self._headers = headers
        self._origins = origins
        self._politeness = politeness or Politeness()
        self._pool: BoundedTransport | None = None
        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def send(
        self,
        request: "Request",
        jar: CookieJar | None = None,
        *,
        accept_gateway: bool = False,
        again: "Callable[[Request], Request | None] | None" = None,
    ) -> Answer:
        """The answer to a request.

        Args:
            request: sent as it is; the profile's headers are added for the target's own origins only.
            jar: cookies to send and to keep.
            accept_gateway: give the answer back even where it looks like a gateway's.
            again: makes what is sent after an attempt without an answer, for requests that are good for one attempt;
                None means that nothing can stand in for them, so that an answer to the same once more is no evidence.

        Raises:
            Inconclusive: no answer that can be judged, after the retries.
            ResetError: the connection broke on every attempt.
        """
        request = self._complete(request, jar)
        pauses = _PAUSES_S if self._failures < _PATIENCE else ()
        failure: Inconclusive = Inconclusive("no attempt was made")
        spent = False
        for attempt, pause_s in enumerate((*pauses, None)):
            if attempt and again is not None:
                renewed = again(request)
                spent, request = renewed is None, renewed or request
            try:
                answer = self._exchange(request, MAX_BODY)
            except Inconclusive as problem:
                failure = problem
            else:
                if accept_gateway or answer.status not in GATEWAY_STATUSES:
                    self._failures = 0
                    self._keep(request, answer, jar)
                    if spent:
                        raise Inconclusive(f"{failure}; what was sent is good for one attempt")
                    return answer
                failure = Inconclusive(
                    f"status {answer.status} from {_place(request.url)}: a gateway's or a limiter's answer"
                )
                pause_s = _retry_after(answer, pause_s)  # noqa: PLW2901 - the server's word overrides ours
            if pause_s is not None:
                time.sleep(pause_s)
        self._failures += 1
        raise failure

    def load(self, request: "Request", jar: CookieJar | None = None) -> Answer:
        """The answer to what a page loads: one attempt, whatever the status, of a larger size.

        Raises:
            Inconclusive: there was none.
        """
        request = self._complete(request, jar)
        answer = self._exchange(request, MAX_LOADED)
        self._keep(request, answer, jar)
        return answer

    def _keep(self, request: "Request", answer: Answer, jar: CookieJar | None) -> None:
        if jar is not None:
            jar.store(request.url, answer.headers)
            for value in jar.values:
                self.recorder.redactor.learn(value)

    def _complete(self, request: "Request", jar: CookieJar | None) -> "Request":
        from dataclasses import replace  # noqa: PLC0415 - symmetrical with the lazy imports of this module

        headers = list(request.headers)
        names = {name.lower() for name, _ in headers}
        if origin_of(request.url) in self._origins:
            headers += [(name, value) for name, value in self._headers if name.lower() not in names]
        if "user-agent" not in names:
            headers.append(("User-Agent", "grantproof"))
        if "accept" not in names:
            headers.append(("Accept", "*/*"))
        if "accept-encoding" not in names:
            headers.append(("Accept-Encoding", "identity"))
        cookie = jar.header(request.url) if jar is not None else None
        if cookie:
            headers.append(("Cookie", cookie))
        return replace(request, headers=tuple(headers))

    def _exchange(self, request: "Request", limit: int) -> Answer:
        self._politeness.wait()
        number, started, began = self.recorder.next_number(), time.time(), time.perf_counter()
        try:
            answer = self._read(request, number, began, limit)
        except Inconclusive as problem:
            seconds = time.perf_counter() - began
            self.recorder.add(request, None, failure=str(problem), started=started, seconds=seconds)
            raise
        self.recorder.add(request, answer, failure="", started=started, seconds=time.perf_counter() - began)
        return answer

    def _read(self, request: "Request", number: int, began: float, limit: int) -> Answer:
        import httpx  # noqa: PLC0415 - 130 ms that commands without traffic do not pay

        place, deadline = _place(request.url), began + 2 * self.timeout_s
        try:
            sent = httpx.Request(
                request.method,
                request.url,
                headers=[
                    (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in request.headers
                ],
                content=request.body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self.timeout_s)},
            )
            pool = self._connect()
            pool.deadline = deadline
            response = pool.handle_request(sent)
            try:
                body, truncated = _body(response, limit)
            finally:
                response.close()
        except httpx.TimeoutException:
            raise Inconclusive(f"no answer from {place} within {self.timeout_s:g} s") from None
        except httpx.ConnectError as problem:
            raise Inconclusive(f"no connection to {place}: {problem}") from None
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as problem:
            raise ResetError(f"{place} broke the connection off: {problem}") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as problem:
            raise Inconclusive(f"the exchange with {place} failed: {type(problem).__name__}") from None
        headers = Headers(
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
        )
        return Answer(response.status_code, headers, body, request.url, number, truncated)

    def _connect(self) -> "BoundedTransport":
        if self._pool is None:
            from grantproof.transport.bounded import BoundedTransport  # noqa: PLC0415 - httpx is loaded by now

            self._pool = BoundedTransport(self._verify, self._proxy)
        return self._pool


def _body(response: "httpx.Response", limit: int) -> tuple[bytes, bool]:
    """The body up to the limit, and whether it goes on beyond."""
    chunks: list[bytes] = []
    size = 0
    stream: Any = response.stream
    for chunk in stream:
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            return b"".join(chunks)[:limit], True
    return b"".join(chunks), False


def _place(url: str) -> str:
    """Origin and path of a URL: what may be said of it aloud."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as profiles write them: no default port."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, ":")
    authority = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{authority.removesuffix(default)}"


def _retry_after(answer: Answer, pause_s: float | None) -> float | None:
    asked = answer.headers.get("retry-after") or ""
    if pause_s is None or not asked.isascii() or not asked.isdigit():
        return pause_s
    return min(max(float(asked), pause_s), _LONGEST_PAUSE_S)
