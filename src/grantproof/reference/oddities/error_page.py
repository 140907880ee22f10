"""Lawful but unusual error pages of the authorization endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.clients import Client
from grantproof.reference.rules import Rules
from grantproof.reference.state import PendingRequest
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Answer, Call, Refusal

HERE = by_endpoint("authorization")
_NOBODY = Client("nobody", "nobody")


@oddity("error_page_with_200", "The page for an unregistered redirect URI has status 200.", 33)
def error_page_with_200(rules: Rules) -> Rules:
    """No status is prescribed for the page."""
    return rules | Rules(error_page_status=lambda _call, refusal: 405 if refusal.path == "method" else 200)


@oddity("error_page_not_found", "The page for a request that cannot be answered has status 404.", 33)
def error_page_not_found(rules: Rules) -> Rules:
    """No status is prescribed for the page."""
    return rules | Rules(error_page_status=lambda _call, refusal: 405 if refusal.path == "method" else 404)


@oddity("error_page_is_plain_text", "What cannot be told to the client is told in plain text.", 33)
def error_page_is_plain_text(rules: Rules) -> Rules:
    """The user is told, without markup."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        answer.body = b"This request cannot be answered. Please go back to the application.\n"
        return answer.set_header("content-type", "text/plain; charset=utf-8")

    return rules | Rules(error_page=when(HERE, page, rules.error_page))


@oddity(
    "error_page_goes_home", "The error page takes the browser to the server's own start page after a while.", 33, 34
)
def error_page_goes_home(rules: Rules) -> Rules:
    """The start page belongs to the server, not to a client."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        home = f'<meta http-equiv="refresh" content="30; url={call.server.url("consent")}"></head>'
        answer.body = answer.body.replace(b"</head>", home.encode())
        return answer

    return rules | Rules(error_page=when(HERE, page, rules.error_page))


@oddity("error_page_after_login", "A user who is not known yet signs in before the error page comes.", 33, 35)
def error_page_after_login(rules: Rules) -> Rules:
    """The first page of a request that cannot be answered is the login page; the browser never leaves the server."""

    def page(call: Call, refusal: Refusal) -> Answer:
        if call.logged_in or refusal.path in {"method", "media_type", "body_too_large", "stale_form"}:
            return rules.error_page(call, refusal)
        call.session = call.session or rules.open_session(call)
        ident = f"untrusted-{call.session.id[:8]}-{call.earlier}"
        pending = PendingRequest(ident, _NOBODY, "", call.parameters, call.now, refusal=refusal)
        call.pending = pending
        call.store.keep_pending(call.session, pending)
        return rules.login_page(call, pending, "")

    def send(call: Call, pending: PendingRequest, pairs: tuple[tuple[str, str], ...]) -> Answer:
        if pending.client is _NOBODY and pending.refusal is not None:
            return rules.error_page(call, pending.refusal)
        return rules.send_pairs(call, pending, pairs)

    return rules | Rules(error_page=when(HERE, page, rules.error_page), send_pairs=send)
