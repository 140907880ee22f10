"""Lawful rules of the authorization answer on its way to the client (RFC 6749 sections 4.2.2 and 4.2.2.1, RFC 9207)."""

from __future__ import annotations

import html
import json
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from grantproof.reference.call import Answer
from grantproof.reference.form import encode_form

if TYPE_CHECKING:
    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.state import PendingRequest

Pairs = tuple[tuple[str, str], ...]
CODE = frozenset(("code",))


def echo_state(call: Call, pending: PendingRequest) -> str | None:
    """The state to return: the exact value received, unless it is outside its grammar.

    Source: RFC 6749 sections 4.2.2 and 4.2.2.1 and appendix A.5.
    """
    state = pending.state
    return state if state is not None and call.rules.state_allowed(call, state) else None


def response_issuer(call: Call) -> str | None:
    """The issuer named in every authorization answer.

    Source: RFC 9207 section 2.
    """
    return call.server.issuer


def common_pairs(call: Call, pending: PendingRequest) -> Pairs:
    """What success and error have in common: state and issuer.

    Source: RFC 6749 sections 4.2.2 and 4.2.2.1; RFC 9207 section 2.
    """
    state = call.rules.echo_state(call, pending)
    issuer = call.rules.response_issuer(call)
    pairs: Pairs = () if state is None else (("state", state),)
    return pairs if issuer is None else (*pairs, ("iss", issuer))


def success_pairs(call: Call, pending: PendingRequest) -> Pairs:
    """The parameters of a successful answer; issues the tokens.

    Source: RFC 6749 section 4.2.2; OpenID Connect Core section 3.2.2.5.
    """
    rules = call.rules
    token = None
    pairs: list[tuple[str, str]] = []
    if "token" in pending.response_type:
        token = rules.issue_token(call, pending.client, pending.scope)
        pairs += [("access_token", token), ("token_type", rules.token_type(call))]
        lifetime_s = rules.reported_lifetime(call)
        if lifetime_s is not None:
            pairs.append(("expires_in", str(lifetime_s)))
        if rules.report_scope(call, pending.requested_scope, pending.scope):
            pairs.append(("scope", " ".join(pending.scope)))
    if "id_token" in pending.response_type:
        pairs.append(("id_token", rules.id_token(call, pending, token)))
    return (*pairs, *rules.common_pairs(call, pending))


def error_pairs(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
    """The parameters of an error answer.

    Source: RFC 6749 section 4.2.2.1.
    """
    description = call.rules.error_description(call, refusal)
    pairs: Pairs = (("error", refusal.error),)
    if description is not None:
        pairs = (*pairs, ("error_description", description))
    return (*pairs, *call.rules.common_pairs(call, pending))


def placement(call: Call, pending: PendingRequest) -> str:
    """Where the parameters of an answer go: fragment, form_post, web_message; for the error to a code request, query.

    Source: RFC 6749 sections 4.1.2.1, 4.2.2 and 4.2.2.1; OAuth 2.0 Form Post Response Mode section 2.
    """
    if pending.refusal is not None and pending.response_type == CODE and pending.response_mode in {"", "query"}:
        return "query"
    return pending.response_mode if pending.response_mode in call.rules.response_modes(call) else "fragment"


def encode_pairs(call: Call, pairs: Pairs) -> str:
    """The parameters as they stand in a fragment or query.

    Source: RFC 6749 section 4.2.2 and appendix B.
    """
    del call
    return encode_form(pairs)


def redirect_location(call: Call, uri: str, where: str, encoded: str) -> str:
    """The redirect URI with the answer appended; its own query stays as it is.

    Source: RFC 6749 sections 3.1.2 and 4.2.2.
    """
    del call
    if where == "query":
        return f"{uri}{'&' if '?' in uri else '?'}{encoded}"
    return f"{uri}#{encoded}"


def redirect_status(call: Call) -> int:
    """The status of every redirect: the browser goes on with GET and sends nothing again.

    Source: RFC 9700 section 4.12.
    """
    del call
    return 303


def redirect_headers(call: Call, location: str) -> list[tuple[str, str]]:
    """The headers of a redirect to the client.

    Source: RFC 6749 section 4.2.2; RFC 6819 section 4.4.2.2.
    """
    return [("location", location), *call.rules.cache_headers(call), ("referrer-policy", "no-referrer")]


def form_post_page(call: Call, uri: str, pairs: Pairs) -> Answer:
    """The page that posts an answer to the client by itself.

    Source: OAuth 2.0 Form Post Response Mode section 2.
    """
    call.script_nonce = secrets.token_urlsafe(16)
    fields = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in pairs
    )
    body = (
        f'<form id="response" method="post" action="{html.escape(uri)}">{fields}'
        '<noscript><button type="submit">Continue</button></noscript></form>'
        f'<script nonce="{call.script_nonce}">document.getElementById("response").submit()</script>'
    )
    return call.rules.page(call, "Back to the application", body, 200)


def message_origin(call: Call, uri: str) -> str:
    """To whom a message with the answer is addressed: the origin of the redirect URI and nobody else.

    Source: RFC 9700 section 4.17.2.
    """
    del call
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def web_message_page(call: Call, uri: str, pairs: Pairs) -> Answer:
    """The page that hands an answer to the window that opened it.

    Source: RFC 9700 section 4.17.
    """
    call.script_nonce = secrets.token_urlsafe(16)
    message = {"type": "authorization_response", "response": dict(pairs)}
    origin = json.dumps(call.rules.message_origin(call, uri)).replace("<", "\\u003c")
    told = json.dumps(message).replace("<", "\\u003c")
    script = f"(window.opener || window.parent).postMessage({told}, {origin})"
    return call.rules.page(
        call, "Back to the application", f'<script nonce="{call.script_nonce}">{script}</script>', 200
    )


def send_pairs(call: Call, pending: PendingRequest, pairs: Pairs) -> Answer:
    """The answer that carries parameters to the client.

    Source: RFC 6749 section 4.2.2.
    """
    rules = call.rules
    where = rules.placement(call, pending)
    if where == "form_post":
        return rules.form_post_page(call, pending.redirect_uri, pairs)
    if where == "web_message":
        return rules.web_message_page(call, pending.redirect_uri, pairs)
    location = rules.redirect_location(call, pending.redirect_uri, where, rules.encode_pairs(call, pairs))
    return Answer(rules.redirect_status(call), rules.redirect_headers(call, location))
