"""Tokens that are asked for, introspected and used, as resource servers and their clients do; each step apart.

Source: RFC 7662 section 2; RFC 6750 section 2.1.
"""

from collections import Counter, deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec

from grantproof.load.credentials import form_headers, password_credentials
from grantproof.load.engine import Engine
from grantproof.load.exchange import Exchange, token_exchange, token_judge
from grantproof.load.judge import DECODING_ERRORS, MALFORMED, OTHER_CLIENT, VALID, Refusals
from grantproof.load.scenarios.needs import lacking, profile_of
from grantproof.load.schedule import Constant
from grantproof.load.target import endpoint_of
from grantproof.load.work import Part, Work
from grantproof.wire.authentication import PASSWORD_METHODS
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from grantproof.load.findings import Findings
    from grantproof.load.target import Target
    from grantproof.profile import Client

INACTIVE: Final = "inactive"
_MOST_TOKENS: Final = 1000
_FRESH_S: Final = 20.0
_LONG_S: Final = 2 * _FRESH_S
_DIGITS: Final = 9
_LONGEST_TOKEN: Final = 16_384
_START: Final = Constant(10.0, 0.1)


class _Token(msgspec.Struct, gc=False):
    access_token: str
    expires_in: Any = None


class _Introspected(msgspec.Struct, gc=False):
    active: bool
    client_id: Any = None


_decode_token = msgspec.json.Decoder(_Token).decode
_decode = msgspec.json.Decoder(_Introspected).decode


def introspection_parts(target: "Target") -> tuple[Part, ...]:
    """Token, introspection and, where the profile names a resource, use; as many of each.

    Raises:
        GrantproofError: the profile has no client that may introspect.
    """
    introspector_of(target)
    pool = TokenPool()
    parts: tuple[Part, ...] = (
        Part("introspect_and_use/token", lambda work: _issuing(work, pool)),
        Part("introspect_and_use/introspect", lambda work: _introspecting(work, pool)),
    )
    if profile_of(target).endpoints.resource:
        parts = (*parts, Part("introspect_and_use/use", lambda work: _using(work, pool)))
    return parts


class TokenPool:
    """The newest tokens that were issued, taken in turn while they are sure to live.

    Attributes:
        tokens: each with the moment until which it is sure to live.
    """

    def __init__(self) -> None:
        self.tokens: deque[tuple[str, float]] = deque(maxlen=_MOST_TOKENS)

    def put(self, token: str, lifetime_s: float) -> None:
        """Adds one."""
        self.tokens.append((token, monotonic() + min(lifetime_s / 2, _FRESH_S)))

    def take(self) -> tuple[str, bool]:
        """The next token, and whether it is sure to live; where none is, some token."""
        now = monotonic()
        while self.tokens:
            token, until = self.tokens[0]
            if until >= now:
                self.tokens.rotate(-1)
                return token, True
            if len(self.tokens) == 1:
                return token, False
            self.tokens.popleft()
        return "", False


class _Doubtful(bytes):
    """A request about a token that may have expired: only its being answered counts."""


class PoolJudge:
    """A judge that puts valid tokens into a pool."""

    def __init__(self, target: "Target", findings: "Findings", pool: TokenPool) -> None:
        self._judge = token_judge(target, findings)
        self._pool = pool
        self.settle = self._judge.settle
        self.take_hashes = self._judge.take_hashes

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer."""
        kind = self._judge(status, body, request, location)
        if kind == VALID:
            issued = _decode_token(body)
            token, lifetime = issued.access_token, issued.expires_in
            if len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable():
                self._pool.put(token, _seconds(lifetime))
        return kind

    def take_notes(self) -> Counter[str]:
        """How often each thing was noticed since the last call."""
        return self._judge.take_notes()


def _seconds(lifetime: object) -> float:
    """A lifetime that was judged to be one, as far as it matters here; some servers send the digits as a string."""
    if isinstance(lifetime, str):
        lifetime = int(lifetime[-_DIGITS:]) if not lifetime[:-_DIGITS].strip("0") else _LONG_S
    return float(min(lifetime, _LONG_S)) if isinstance(lifetime, int | float) else _LONG_S


class IntrospectionJudge:
    """Judges what is said about tokens that were issued a moment ago: they are active, and the client's."""

    def __init__(self, client_id: str, findings: "Findings") -> None:
        self._client_id = client_id
        self._refusal = Refusals(findings)
        self.settle, self.take_notes, self.take_hashes = findings.settle, findings.take_notes, findings.take_hashes

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer."""
        del location
        if status != 200:
            return self._refusal(status, body)
        try:
            answer = _decode(body)
        except DECODING_ERRORS:
            return MALFORMED
        if not answer.active:
            return VALID if isinstance(request, _Doubtful) else INACTIVE
        return VALID if answer.client_id is None or answer.client_id == self._client_id else OTHER_CLIENT


class UseJudge:
    """Judges the answers of a protected resource: any success is valid."""

    def __init__(self, findings: "Findings") -> None:
        self._refusal = Refusals(findings)
        self.settle, self.take_notes, self.take_hashes = findings.settle, findings.take_notes, findings.take_hashes

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer."""
        del location
        if status == 401 and isinstance(request, _Doubtful):
            return VALID
        return VALID if 200 <= status < 300 else self._refusal(status, body)


def introspector_of(target: "Target") -> "tuple[Client, str]":
    """The client that may introspect, and how it authenticates.

    Raises:
        GrantproofError: there is none with a secret.
    """
    profile = profile_of(target)
    name = profile.claims.introspection_client
    if name:
        client = profile.clients[name]
        for method in client.auth_methods:
            if method in PASSWORD_METHODS and client.secret is not None:
                return client, method
    hint = 'name one with a secret: [claims] introspection_client = "..."'
    raise lacking(target, "the profile has no client that may introspect", hint)


def _issuing(work: Work, pool: TokenPool) -> Exchange:
    """Token requests; one is sent at once, so that the other steps have a token to begin with."""
    judge = PoolJudge(work.target, work.findings, pool)
    plain = token_exchange(work.target)
    exchange = Exchange(plain.method, plain.name, plain.next_request, judge)
    Engine(work.target, exchange, _START).run()
    work.findings.take_notes()
    work.findings.take_hashes()
    return exchange


def _introspecting(work: Work, pool: TokenPool) -> Exchange:
    profile = profile_of(work.target)
    client, method = introspector_of(work.target)
    pairs, proof = password_credentials(client.id, client.secret or "", method)
    url = endpoint_of(profile, "introspection")
    target = work.target.at(url)
    fields = (*form_headers(), *proof, *profile.target.headers.items())

    def ask() -> bytes:
        token, lives = pool.take()
        body = Form((("token", token), ("token_type_hint", "access_token"), *pairs)).encode().encode("ascii")
        request = target.request("POST", url, fields, body)
        return request if lives else _Doubtful(request)

    return Exchange("POST", "introspection", ask, IntrospectionJudge(work.target.client_id, work.findings), target)


def _using(work: Work, pool: TokenPool) -> Exchange:
    profile = profile_of(work.target)
    url = endpoint_of(profile, "resource")
    target = work.target.at(url)
    fields = (*form_headers("*/*")[:3], *profile.target.headers.items())

    def ask() -> bytes:
        token, lives = pool.take()
        request = target.request("GET", url, (("Authorization", f"Bearer {token}"), *fields))
        return request if lives else _Doubtful(request)

    return Exchange("GET", "resource", ask, UseJudge(work.findings), target)
