"""Lawful but unusual answers of the authorization endpoint."""

from __future__ import annotations

import html
import re
import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from grantproof.reference.call import Answer, Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, oddity, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest

Pairs = tuple[tuple[str, str], ...]


def _sent_by(rules: Rules, write: Callable[[Call, str], Answer]) -> Rules:
    """Rules that send the browser to the client in another way than by status 303."""

    def send(call: Call, pending: PendingRequest, pairs: Pairs) -> Answer:
        where = rules.placement(call, pending)
        if where == "form_post":
            return rules.send_pairs(call, pending, pairs)
        location = rules.redirect_location(call, pending.redirect_uri, where, call.rules.encode_pairs(call, pairs))
        return write(call, location)

    return rules | Rules(send_pairs=send)


def _scripted(call: Call, location: str) -> Answer:
    call.script_nonce = secrets.token_urlsafe(16)
    target = location.replace("\\", "\\\\").replace('"', "%22").replace("<", "%3C").replace("/", "\\/")
    script = f'<script nonce="{call.script_nonce}">window.location.replace("{target}");</script>'
    return call.rules.page(call, "Back to the application", script, 200)


def _refreshed(call: Call, location: str) -> Answer:
    meta = f'<meta http-equiv="refresh" content="0; url={html.escape(location)}">'
    return call.rules.page(call, "Back to the application", meta, 200)


def _moved(status: int) -> Callable[[Call, str], Answer]:
    return lambda call, location: Answer(status, call.rules.redirect_headers(call, location))


def _assigned(call: Call, location: str) -> Answer:
    call.script_nonce = secrets.token_urlsafe(16)
    target = "".join(sign if sign.isalnum() else f"\\u{ord(sign):04x}" for sign in location)
    script = f"<script nonce='{call.script_nonce}'>setTimeout(function () {{ location.href = '{target}' }}, 0)</script>"
    return call.rules.page(call, "Back to the application", script, 200)


def _refreshed_by_header(call: Call, location: str) -> Answer:
    return call.rules.page(call, "Back to the application", "", 200).set_header("refresh", f"0;url={location}")


def _linked(call: Call, location: str) -> Answer:
    link = f'<a id="back-to-client" href="{html.escape(location)}">Back to the application</a>'
    return call.rules.page(call, "You may go back now", link, 200)


def _moved_with_a_page(call: Call, location: str) -> Answer:
    page = call.rules.page(call, "Moved", f'<a href="{html.escape(location)}">Go on</a>', 303)
    return page.set_header("location", location)


_ROWS_1: tuple[tuple[str, str, Callable[[Call, str], Answer]], ...] = (
    ("sent_by_script", "A script sends the browser to the client.", _scripted),
    ("sent_by_assignment", "A script with escapes in its text sends the browser to the client, later.", _assigned),
    ("sent_by_meta_refresh", "A page that refreshes sends the browser to the client.", _refreshed),
    ("sent_by_refresh_header", "A header that refreshes sends the browser to the client.", _refreshed_by_header),
    ("sent_by_a_link", "A page waits until the user presses the link to the client.", _linked),
    ("sent_with_a_page", "The answer that sends the browser to the client has a page as well.", _moved_with_a_page),
)
for _id, _describe, _write in _ROWS_1:
    oddity(_id, _describe, 41)(partial(_sent_by, write=_write))
for _status in (301, 302):
    oddity(
        f"sent_by_{_status}",
        f"The browser is sent to the client with status {_status}.",
        41,
        disregards=("rfc9700:4.12/303-after-credentials",),
    )(partial(_sent_by, write=_moved(_status)))


@oddity(
    "errors_before_login",
    "An error goes to the client at once, without a login.",
    35,
    disregards=("rfc9700:4.11.2/login-before-redirect",),
)
def errors_before_login(rules: Rules) -> Rules:
    """The plain reading of RFC 6749."""
    return rules | Rules(login_before_error=lambda _call, _pending: False)


@oddity("response_type_errors_in_query", "What is wrong with the response type stands in the query.", 44)
def response_type_errors_in_query(rules: Rules) -> Rules:
    """The server cannot know which grant was meant."""
    return rules | Rules(
        placement=when(
            lambda call: (
                call.error_path == "unknown_response_type"
                or (call.refusal is not None and call.refusal.subject == "response_type" and not _named(call))
            ),
            lambda _call, _pending: "query",
            rules.placement,
        )
    )


def _named(call: Call) -> bool:
    return call.pending is not None and call.pending.parameters.get("response_type") is not None


@oddity("implicit_unsupported_for_some", "A client without leave hears unsupported_response_type.", 46)
def implicit_unsupported_for_some(rules: Rules) -> Rules:
    """The server does not do it for this client."""

    def pairs(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
        return rules.error_pairs(call, pending, replace(refusal, error="unsupported_response_type"))

    return rules | Rules(
        error_pairs=when(by_error_path("response_type_not_allowed"), pairs, rules.error_pairs),
    )


@oddity("silent_requests_need_interaction", "prompt=none is answered with interaction_required.", 47)
def silent_requests_need_interaction(rules: Rules) -> Rules:
    """OpenID Connect has registered it."""

    def refusal(call: Call, pending: PendingRequest, need: str) -> Refusal | None:
        found = rules.silent_refusal(call, pending, need)
        return None if found is None else replace(found, error="interaction_required")

    return rules | Rules(silent_refusal=refusal)


@oddity("errors_stand_before_own_query", "What is added to a redirect URI's query stands before it.", 39, 44)
def errors_stand_before_own_query(rules: Rules) -> Rules:
    """The query is retained, and the order of its parameters means nothing."""

    def location(call: Call, uri: str, where: str, encoded: str) -> str:
        base, mark, own = uri.partition("?")
        if where == "query" and mark:
            return f"{base}?{encoded}&{own}"
        return rules.redirect_location(call, uri, where, encoded)

    return response_type_errors_in_query(rules | Rules(redirect_location=location))


@oddity("response_mode_ignored", "A response mode that does not go with a token is passed over.", 50)
def response_mode_ignored(rules: Rules) -> Rules:
    """The fragment is used all the same."""

    def check(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        mode = call.parameters.get("response_mode")
        if mode not in {None, "form_post"}:
            call.parameters = call.parameters.without("response_mode")
        return rules.check_authorization(call, client)

    return rules | Rules(check_authorization=check)


@oddity("response_mode_error_in_query", "The error about response_mode=query stands in the query.", 50)
def response_mode_error_in_query(rules: Rules) -> Rules:
    """Where it goes is left open."""
    return rules | Rules(
        placement=when(by_error_path("unknown_response_mode"), lambda _call, _pending: "query", rules.placement)
    )


@oddity("state_beyond_ascii_kept", "A state beyond printable ASCII is taken and comes back unchanged.", 43)
def state_beyond_ascii_kept(rules: Rules) -> Rules:
    """More than the grammar has."""
    return rules | Rules(state_allowed=lambda _call, _state: True)


@oddity("state_controls_replaced", "Controls in a state come back as U+FFFD, as a form on a page makes of them.", 43)
def state_controls_replaced(rules: Rules) -> Rules:
    """They are beyond the grammar."""

    def echo(call: Call, pending: PendingRequest) -> str | None:
        state = rules.echo_state(call, pending)
        return None if state is None else re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", state)

    return rules | Rules(state_allowed=lambda _call, _state: True, echo_state=echo)


@oddity("description_with_apostrophe", "A description has an apostrophe; one path has no description.", 58)
def description_with_apostrophe(rules: Rules) -> Rules:
    """Both are free."""

    def description(call: Call, refusal: Refusal) -> str | None:
        found = rules.error_description(call, refusal)
        return None if found is None or refusal.path == "denied" else f"It isn't right: {found}"

    return rules | Rules(error_description=when(lambda c: c.pending is not None, description, rules.error_description))


@oddity("error_has_an_address", "Errors come with the address of a page about them.", 58)
def error_has_an_address(rules: Rules) -> Rules:
    """A relative one with a query."""

    def pairs(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
        return (*rules.error_pairs(call, pending, refusal), ("error_uri", f"/help?about={refusal.error}#top"))

    return rules | Rules(error_pairs=pairs)


@oddity("unknown_scopes_left_out", "Unknown scopes are left out, and the answer says which are granted.", 23)
def unknown_scopes_left_out(rules: Rules) -> Rules:
    """A narrower token instead of an error."""

    def granted(call: Call, client: Client, requested: tuple[str, ...]) -> tuple[str, ...] | None:
        known = tuple(scope for scope in requested if scope in client.scopes)
        return known or (None if call.grant == "implicit" else rules.granted_scope(call, client, requested))

    return rules | Rules(granted_scope=when(by_endpoint("authorization"), granted, rules.granted_scope))


@oddity("scope_must_be_asked_for", "An authorization request without scope is answered with invalid_scope.", 24)
def scope_must_be_asked_for(rules: Rules) -> Rules:
    """There is no default."""

    def check(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        if call.parameters.get("scope") is None and call.parameters.get("response_type") in {"token", "id_token"}:
            return Refusal("invalid_scope", "unknown_scope", "scope")
        return rules.check_authorization(call, client)

    return rules | Rules(check_authorization=check)


@oddity("scope_always_named", "The fragment names the scope although it is the requested one, in another order.", 22)
def scope_always_named(rules: Rules) -> Rules:
    """Scopes are a set."""

    def pairs(call: Call, pending: PendingRequest) -> Pairs:
        own = tuple(pair for pair in rules.success_pairs(call, pending) if pair[0] != "scope")
        return (*own, ("scope", " ".join(reversed(pending.scope)))) if "token" in pending.response_type else own

    return rules | Rules(success_pairs=pairs)


@oddity("iss_left_out_beside_an_id_token", "A response with an ID token, which names the issuer, has no iss.", 49)
def iss_left_out_beside_an_id_token(rules: Rules) -> Rules:
    """What another part of the response says need not be said twice.

    Source: RFC 9207 section 4.
    """
    return rules | Rules(
        response_issuer=when(
            lambda call: call.refusal is None and call.pending is not None and "id_token" in call.pending.response_type,
            lambda _call: None,
            rules.response_issuer,
        )
    )
