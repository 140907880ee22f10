"""What the embedded server remembers: tokens, sessions, pending requests, failures; in memory and bounded."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from .call import Refusal
    from .clients import Client
    from .form import Form

MAX_TOKENS = 1_000_000
MAX_SESSIONS = 10_000
MAX_PENDING = 50
MAX_REPLAY_ENTRIES = 100_000
PENDING_LIFETIME_S = 600.0
SESSION_LIFETIME_S = 3600.0


class TokenRecord(msgspec.Struct, gc=False):
    """An issued access token and what it allows; times in seconds since the epoch.

    No garbage collection looks at it: a load run leaves hundreds of thousands, over which answers would wait.
    """

    client_id: str
    subject: str
    scope: tuple[str, ...]
    issued_at: int
    expires_at: int
    grant: str
    jti: str
    username: str = ""
    revoked: bool = False
    value: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"TokenRecord(client_id={self.client_id!r}, subject={self.subject!r}, scope={self.scope!r})"


@dataclass(slots=True)
class PendingRequest:
    """An authorization request between its arrival and its answer, bound to one session."""

    id: str
    client: Client
    redirect_uri: str
    parameters: Form
    created: float
    response_type: frozenset[str] = frozenset()
    response_mode: str = ""
    requested_scope: tuple[str, ...] | None = None
    scope: tuple[str, ...] = ()
    state: str | None = None
    nonce: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age_s: int | None = None
    refusal: Refusal | None = None
    authenticated: bool = False


@dataclass(slots=True)
class Session:
    """A browser session; `user` is empty before the login."""

    id: str = field(repr=False)
    csrf: str = field(repr=False)
    created: float
    user: str = ""
    auth_time: int = 0
    pending: OrderedDict[str, PendingRequest] = field(default_factory=OrderedDict[str, PendingRequest])


def token_key(token: str) -> bytes:
    """The key of a token in the store: only its digest is kept (RFC 6819 section 5.1.4.1.3)."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


@dataclass(slots=True)
class Store:
    """All memory of one authorization server."""

    tokens: dict[bytes, TokenRecord] = field(default_factory=dict[bytes, TokenRecord])
    sessions: OrderedDict[str, Session] = field(default_factory=OrderedDict[str, Session])
    consents: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set[tuple[str, str, tuple[str, ...]]])
    assertion_ids: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict[tuple[str, str], float])
    failures: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])
    registrations: OrderedDict[str, bytes] = field(default_factory=OrderedDict[str, bytes])
    requests: dict[str, int] = field(default_factory=dict[str, int])

    def count_request(self, endpoint: str) -> int:
        """How many requests this endpoint had before this one."""
        earlier = self.requests.get(endpoint, 0)
        self.requests[endpoint] = earlier + 1
        return earlier

    def keep_registration(self, client_id: str, token: str) -> None:
        """Remembers whose registration a token may end."""
        self.registrations[client_id] = token_key(token)

    def keep_token(self, record: TokenRecord, now: float) -> None:
        """Remembers a token, and forgets a few that are long expired."""
        tokens = self.tokens
        tokens[token_key(record.value)] = record
        record.value = ""
        for _ in range(2):
            oldest = next(iter(tokens))
            if tokens[oldest].expires_at > now and len(tokens) <= MAX_TOKENS:
                break
            del tokens[oldest]

    def keep_session(self, session: Session) -> None:
        """Remembers a session; the oldest goes when there are too many."""
        self.sessions[session.id] = session
        while len(self.sessions) > MAX_SESSIONS:
            self.sessions.popitem(last=False)

    def session(self, session_id: str, now: float) -> Session | None:
        """The live session with this identifier."""
        found = self.sessions.get(session_id)
        if found is not None and found.created + SESSION_LIFETIME_S < now:
            del self.sessions[session_id]
            return None
        return found

    def keep_pending(self, session: Session, pending: PendingRequest) -> None:
        """Binds a pending request to a session; a session keeps the newest ones."""
        session.pending[pending.id] = pending
        while len(session.pending) > MAX_PENDING:
            session.pending.popitem(last=False)

    def remember_assertion(self, client_id: str, jti: str, expires_at: float, now: float) -> bool:
        """Whether this assertion identifier is new; it is remembered until it expires."""
        while self.assertion_ids:
            oldest = next(iter(self.assertion_ids))
            if self.assertion_ids[oldest] > now and len(self.assertion_ids) <= MAX_REPLAY_ENTRIES:
                break
            del self.assertion_ids[oldest]
        if (client_id, jti) in self.assertion_ids:
            return False
        self.assertion_ids[client_id, jti] = expires_at
        return True

    def count_failure(self, who: str, now: float) -> None:
        """Remembers a failed authentication of a known client or user."""
        self.failures.setdefault(who, deque(maxlen=2000)).append(now)

    def recent_failures(self, who: str, since: float) -> int:
        """How many failed authentications there were since a moment."""
        kept = self.failures.get(who)
        if kept is None:
            return 0
        while kept and kept[0] < since:
            kept.popleft()
        return len(kept)
