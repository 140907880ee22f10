"""Lawful rules of browser sessions (RFC 6749 section 10.12, RFC 6819 section 5.3.5, RFC 9700 section 4.7)."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from starlette.requests import cookie_parser

from grantproof.reference.state import PENDING_LIFETIME_S, PendingRequest, Session

if TYPE_CHECKING:
    from grantproof.reference.call import Call

COOKIE = "grantproof_session"


def new_session_id(call: Call) -> str:
    """A session identifier nobody can guess.

    Source: RFC 6749 section 10.10.
    """
    del call
    return secrets.token_urlsafe(32)


def read_session(call: Call) -> Session | None:
    """The session that the request's cookie names."""
    sent = cookie_parser("; ".join(call.headers.getlist("cookie"))).get(COOKIE, "")
    call.session_cookie = sent
    return call.store.session(sent, call.now) if sent else None


def open_session(call: Call) -> Session:
    """A new session without a user."""
    session = Session(call.rules.new_session_id(call), secrets.token_urlsafe(32), call.now)
    call.store.keep_session(session)
    return session


def renew_session(call: Call, session: Session) -> Session:
    """The session after a login: under a new identifier, so that nobody can have planted it.

    Source: RFC 6749 section 10.12; RFC 6819 section 5.3.5.
    """
    call.store.sessions.pop(session.id, None)
    renewed = Session(
        call.rules.new_session_id(call),
        secrets.token_urlsafe(32),
        call.now,
        session.user,
        session.auth_time,
        session.pending,
    )
    call.store.keep_session(renewed)
    return renewed


def cookie_attributes(call: Call) -> str:
    """The attributes of the session cookie, from its first semicolon on.

    Source: RFC 6819 section 5.3.5; RFC 6265 section 4.1.2.
    """
    secure = "; Secure" if call.server.issuer.startswith("https:") else ""
    return f"; Path={call.server.path or '/'}; HttpOnly; SameSite=Lax{secure}"


def session_headers(call: Call) -> list[tuple[str, str]]:
    """The Set-Cookie of an answer, when the browser does not have the session's identifier yet."""
    if call.session is None or call.session.id == call.session_cookie:
        return []
    return [("set-cookie", f"{COOKIE}={call.session.id}{call.rules.cookie_attributes(call)}")]


def csrf_token(call: Call) -> str:
    """The value that every form of a session carries.

    Source: RFC 6749 section 10.12.
    """
    return call.session.csrf if call.session else ""


def csrf_ok(call: Call, sent: str | None) -> bool:
    """Whether a form came from a page of this session.

    Source: RFC 6749 section 10.12; RFC 9700 section 4.7.
    """
    if call.session is None or sent is None:
        return False
    return hmac.compare_digest(call.session.csrf.encode(), sent.encode("utf-8", "surrogateescape"))


def find_pending(call: Call, pending_id: str | None) -> PendingRequest | None:
    """The pending request with this identifier, if it belongs to the session and is not too old.

    Source: RFC 6749 section 10.12.
    """
    if call.session is None or pending_id is None:
        return None
    found = call.session.pending.get(pending_id)
    return found if found is not None and call.now - found.created <= PENDING_LIFETIME_S else None


def spend_pending(call: Call, pending: PendingRequest) -> None:
    """Forgets a pending request that is about to be answered, so that it is answered once."""
    if call.session is not None:
        call.session.pending.pop(pending.id, None)


def password_matches(call: Call, username: str, password: str) -> bool:
    """Whether a user may log in with a password.

    Source: RFC 6749 section 10.12.
    """
    expected = call.server.credentials.passwords.get(username)
    same = hmac.compare_digest((expected or "-").encode(), password.encode("utf-8", "surrogateescape"))
    return same and expected is not None


def login_must_wait(call: Call, username: str) -> bool:
    """Whether a user has had too many wrong passwords within a minute.

    Source: RFC 6749 section 10.10.
    """
    return call.store.recent_failures(f"user {username}", call.now - 60.0) >= 20
