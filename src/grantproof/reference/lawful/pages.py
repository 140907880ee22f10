"""Lawful rules of the pages a user sees (RFC 6749 sections 10.13 and 10.14, RFC 6819 section 5.2, RFC 9700 4.16)."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from grantproof.reference.call import Answer

if TYPE_CHECKING:
    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.state import PendingRequest

PROBLEMS = {
    "method": "This address does not answer that method.",
    "untrusted_repeat": "A parameter of the request is repeated.",
    "missing_client": "The request does not name an application.",
    "unknown_client": "The application is not known here.",
    "missing_redirect_uri": "The request does not say where to go back to.",
    "wrong_redirect_uri": "The address to go back to is not registered for the application.",
    "stale_form": "This page is too old or was made for another session. Please start again from the application.",
    "media_type": "The form was not understood.",
    "body_too_large": "The form is too large.",
}


def escape(call: Call, text: str) -> str:
    """A value as text in a page, harmless in elements and attributes.

    Source: RFC 6749 section 10.14.
    """
    del call
    return html.escape(text.encode("utf-8", "replace").decode(), quote=True)


def framing_headers(call: Call) -> list[tuple[str, str]]:
    """The headers that keep a page out of frames, and everything foreign out of the page.

    Source: RFC 6749 section 10.13; RFC 9700 section 4.16.
    """
    script = f"; script-src 'nonce-{call.script_nonce}'" if call.script_nonce else ""
    policy = f"default-src 'none'; base-uri 'none'; frame-ancestors 'none'{script}"
    return [("content-security-policy", policy), ("x-frame-options", "DENY")]


def page_headers(call: Call) -> list[tuple[str, str]]:
    """The headers of every page.

    Source: RFC 6749 section 10.13; RFC 6819 section 5.2.2.6; RFC 9700 sections 4.2.4 and 4.16.
    """
    return [
        ("content-type", "text/html; charset=utf-8"),
        *call.rules.framing_headers(call),
        ("referrer-policy", "no-referrer"),
        *call.rules.cache_headers(call),
        ("x-content-type-options", "nosniff"),
    ]


def page(call: Call, title: str, body: str, status: int) -> Answer:
    """A whole page; `body` is HTML already."""
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )
    return Answer(status, call.rules.page_headers(call), text.encode())


def error_page_status(call: Call, refusal: Refusal) -> int:
    """The status of an error page.

    Source: RFC 6749 section 4.2.2.1; RFC 9110 section 15.5.6.
    """
    del call
    return {"method": 405, "body_too_large": 413}.get(refusal.path, 400)


def error_page(call: Call, refusal: Refusal) -> Answer:
    """The page that tells the user what went wrong, when the client cannot be told.

    Source: RFC 6749 sections 3.1.2.4 and 4.2.2.1.
    """
    rules = call.rules
    call.refusal = refusal
    text = rules.escape(call, PROBLEMS.get(refusal.path, "The request was not understood."))
    answer = rules.page(
        call, "This request cannot be answered", f"<p>{text}</p>", rules.error_page_status(call, refusal)
    )
    if refusal.path == "method":
        answer.set_header("allow", ", ".join(rules.allowed_methods(call)))
    if refusal.path == "body_too_large":
        answer.set_header("connection", "close")
    return answer


def _hidden(call: Call, name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{call.rules.escape(call, value)}">'


def login_page(call: Call, pending: PendingRequest, message: str) -> Answer:
    """The page that asks who the user is; `message` is empty at first.

    Source: RFC 6749 section 3.1.
    """
    rules = call.rules
    body = (
        (f'<p class="message">{rules.escape(call, message)}</p>' if message else "")
        + f'<form id="login" method="post" action="{rules.escape(call, call.server.url("login"))}">'
        + _hidden(call, "request", pending.id)
        + _hidden(call, "csrf", rules.csrf_token(call))
        + '<p><label>User name <input name="username" autocomplete="username" required></label></p>'
        + '<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
        + '</p><p><button type="submit">Log in</button></p></form>'
    )
    return rules.page(call, "Log in", body, 200)


def consent_page(call: Call, pending: PendingRequest) -> Answer:
    """The page that asks the user: which client, which scope, for how long.

    Source: RFC 6749 section 10.2; RFC 6819 sections 5.2.4.2 and 5.2.4.3.
    """
    rules = call.rules
    client = pending.client
    scopes = "".join(f"<li>{rules.escape(call, scope)}</li>" for scope in pending.scope)
    body = (
        f"<p>You are logged in as {rules.escape(call, call.user)}.</p>"
        f"<p><strong>{rules.escape(call, client.title)}</strong> asks for access with this scope:</p><ul>{scopes}</ul>"
        f"<p>The access lasts {rules.token_lifetime(call, client)} seconds. "
        f"The answer goes to {rules.escape(call, pending.redirect_uri)}.</p>"
        f'<form id="consent" method="post" action="{rules.escape(call, call.server.url("consent"))}">'
        + _hidden(call, "request", pending.id)
        + _hidden(call, "csrf", rules.csrf_token(call))
        + '<button type="submit" name="decision" value="allow">Allow</button> '
        '<button type="submit" name="decision" value="deny">Deny</button></form>'
    )
    return rules.page(call, "Allow access?", body, 200)
