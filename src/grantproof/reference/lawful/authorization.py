"""Lawful rules for reading an authorization request (RFC 6749 sections 3.1 and 4.2.1, OpenID Connect Core 3.2.2)."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.state import PendingRequest

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client

RESPONSE_TYPES = (frozenset(("token",)), frozenset(("id_token",)), frozenset(("id_token", "token")))
RESPONSE_MODES = ("fragment", "form_post", "web_message")
PROMPTS = frozenset(("none", "login", "consent", "select_account"))
_VSCHAR = re.compile(r"\A[\x20-\x7E]+\Z")
_LOOPBACK_PORT = re.compile(r"\A(http://127\.0\.0\.1):[0-9]{1,5}(/.*)\Z")
_SECONDS = re.compile(r"\A[0-9]{1,10}\Z")


def match_redirect_uri(call: Call, client: Client, uri: str) -> bool:
    """Whether a redirect URI is registered, character by character but for the port of a loopback address.

    Source: RFC 6749 section 3.1.2.3; RFC 9700 sections 2.1 and 4.1.3.
    """
    del call
    without_port = _LOOPBACK_PORT.sub(r"\1\2", uri)
    return uri in client.redirect_uris or (without_port != uri and without_port in client.redirect_uris)


def default_redirect_uri(call: Call, client: Client) -> str | None:
    """The redirect URI of a request that names none: the only one registered, and only without OpenID Connect.

    Source: RFC 6749 section 3.1.2.3; OpenID Connect Core section 3.2.2.1.
    """
    wants_openid = "openid" in (call.parameters.get("scope") or "").split(" ")
    return client.redirect_uris[0] if len(client.redirect_uris) == 1 and not wants_openid else None


def find_untrusted(call: Call) -> Refusal | None:
    """Why a request cannot be answered at its redirect URI; otherwise sets the client and the redirect URI of the call.

    Source: RFC 6749 sections 3.1.2.4 and 4.2.2.1.
    """
    rules = call.rules
    repeated = rules.find_repeats(call, call.parameters)
    for name in ("client_id", "redirect_uri"):
        if name in repeated:
            return Refusal("invalid_request", "untrusted_repeat", name)
    client_id = call.parameters.get("client_id")
    if client_id is None:
        return Refusal("invalid_request", "missing_client", "client_id")
    client = rules.find_client(call, client_id)
    if client is None:
        return Refusal("invalid_request", "unknown_client", "client_id")
    call.claimed_client = client
    uri = call.parameters.get("redirect_uri")
    if uri is None:
        uri = rules.default_redirect_uri(call, client)
        if uri is None:
            return Refusal("invalid_request", "missing_redirect_uri", "redirect_uri")
    elif not rules.match_redirect_uri(call, client, uri):
        return Refusal("invalid_request", "wrong_redirect_uri", "redirect_uri")
    call.client = client
    call.redirect_uri = uri
    return None


def parse_response_type(call: Call, text: str) -> frozenset[str]:
    """The response type as a set: the order of its words does not matter.

    Source: RFC 6749 section 3.1.1.
    """
    del call
    return frozenset(text.split(" "))


def response_type_known(call: Call, response_type: frozenset[str]) -> bool:
    """Whether the server has a response type.

    Source: RFC 6749 section 3.1.1.
    """
    del call
    return response_type in RESPONSE_TYPES


def client_may_use_response_type(call: Call, client: Client, response_type: frozenset[str]) -> bool:
    """Whether a client may ask for a response type.

    Source: RFC 6749 section 4.2.2.1.
    """
    del call
    registered = {frozenset(text.split(" ")) for text in client.response_types}
    return "implicit" in client.grants and response_type in registered


def response_modes(call: Call) -> tuple[str, ...]:
    """The ways an answer with a token can take to the client; never the query.

    Source: OAuth 2.0 Multiple Response Type Encoding Practices section 5; OAuth 2.0 Form Post Response Mode section 2.
    """
    del call
    return RESPONSE_MODES


def state_allowed(call: Call, state: str) -> bool:
    """Whether a state is in its grammar.

    Source: RFC 6749 appendix A.5.
    """
    del call
    return _VSCHAR.match(state) is not None


def nonce_required(call: Call, response_type: frozenset[str]) -> bool:
    """Whether a request needs a nonce: when an ID token comes back.

    Source: OpenID Connect Core section 3.2.2.1.
    """
    del call
    return "id_token" in response_type


def _check_form(call: Call) -> Refusal | None:
    rules = call.rules
    repeated = rules.find_repeats(call, call.parameters)
    if repeated:
        return Refusal("invalid_request", "repeated_parameter", repeated[0])
    malformed = rules.find_malformed(call, call.parameters)
    if malformed:
        return Refusal("invalid_request", "malformed_parameter", malformed[0])
    state = call.parameters.get("state")
    if state is not None and not rules.state_allowed(call, state):
        return Refusal("invalid_request", "malformed_state", "state")
    return None


def _check_response_type(call: Call, client: Client) -> Refusal | None:
    rules = call.rules
    text = call.parameters.get("response_type")
    if text is None:
        return Refusal("invalid_request", "missing_parameter", "response_type")
    response_type = rules.parse_response_type(call, text)
    if not rules.response_type_known(call, response_type):
        return Refusal("unsupported_response_type", "unknown_response_type", "response_type")
    if not rules.client_may_use_response_type(call, client, response_type):
        return Refusal("unauthorized_client", "response_type_not_allowed", "response_type")
    mode = call.parameters.get("response_mode")
    if mode is not None and mode not in rules.response_modes(call):
        return Refusal("invalid_request", "unknown_response_mode", "response_mode")
    return None


def _check_openid(call: Call, scope: tuple[str, ...]) -> Refusal | None:
    form = call.parameters
    response_type = call.rules.parse_response_type(call, form.get("response_type") or "")
    if "id_token" in response_type and "openid" not in scope:
        return Refusal("invalid_scope", "unknown_scope", "scope")
    if call.rules.nonce_required(call, response_type) and form.get("nonce") is None:
        return Refusal("invalid_request", "missing_parameter", "nonce")
    for name in ("request", "request_uri"):
        if "openid" in scope and form.get(name) is not None:
            return Refusal(f"{name}_not_supported", "request_object", name)
    prompt = frozenset((form.get("prompt") or "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        return Refusal("invalid_request", "malformed_prompt", "prompt")
    max_age = form.get("max_age")
    if max_age is not None and not _SECONDS.match(max_age):
        return Refusal("invalid_request", "malformed_max_age", "max_age")
    return None


def check_authorization(call: Call, client: Client) -> tuple[str, ...] | Refusal:
    """The scope to ask the user about, or the error to tell the client.

    Source: RFC 6749 section 4.2.2.1; OpenID Connect Core sections 3.1.2.2, 3.1.2.6 and 3.2.2.1.
    """
    rules = call.rules
    refusal = _check_form(call) or _check_response_type(call, client)
    if refusal is not None:
        return refusal
    scope = rules.choose_scope(call, client)
    if isinstance(scope, Refusal):
        return scope
    return _check_openid(call, scope) or scope


def read_pending(call: Call, client: Client) -> PendingRequest:
    """The pending request of an authorization request whose client and redirect URI are trusted.

    Source: RFC 6749 section 4.2.1.
    """
    rules = call.rules
    form = call.parameters
    state = form.get("state")
    state_known = state is not None and len(form.all("state")) == 1 and "state" not in form.malformed
    max_age = form.get("max_age") or ""
    checked = rules.check_authorization(call, client)
    return PendingRequest(
        id=secrets.token_urlsafe(16),
        client=client,
        redirect_uri=call.redirect_uri,
        parameters=form,
        created=call.now,
        response_type=rules.parse_response_type(call, form.get("response_type") or ""),
        response_mode=form.get("response_mode") or "",
        requested_scope=call.requested_scope,
        scope=() if isinstance(checked, Refusal) else checked,
        state=state if state_known else None,
        nonce=form.get("nonce"),
        prompt=frozenset((form.get("prompt") or "").split()),
        max_age_s=int(max_age) if _SECONDS.match(max_age) else None,
        refusal=checked if isinstance(checked, Refusal) else None,
    )


def login_required(call: Call, pending: PendingRequest) -> bool:
    """Whether the user has to log in before this request is answered.

    Source: OpenID Connect Core section 3.1.2.3.
    """
    if pending.authenticated:
        return not call.logged_in
    if not call.logged_in or call.session is None:
        return True
    too_old = pending.max_age_s is not None and call.now - call.session.auth_time > pending.max_age_s
    return too_old or bool(pending.prompt & {"login", "select_account"})


def login_before_error(call: Call, pending: PendingRequest) -> bool:
    """Whether an error is told to the client only after a login; not when the client asked for silence.

    Source: RFC 9700 section 4.11.2.
    """
    return not call.logged_in and "none" not in pending.prompt


def consent_required(call: Call, pending: PendingRequest) -> bool:
    """Whether the user is asked; always for public clients, since anyone can pretend to be one.

    Source: RFC 6749 sections 10.2 and 10.12; RFC 6819 section 5.2.3.2.
    """
    key = (call.user, pending.client.id, tuple(sorted(pending.scope)))
    return pending.client.public or "consent" in pending.prompt or key not in call.store.consents


def silent_refusal(call: Call, pending: PendingRequest, need: str) -> Refusal | None:
    """The error when a client wants no page and the user would have to see one; `need` is login or consent.

    Source: OpenID Connect Core sections 3.1.2.1 and 3.1.2.6.
    """
    del call
    if "none" not in pending.prompt:
        return None
    if need == "login":
        return Refusal("login_required", "not_logged_in", "prompt")
    return Refusal("consent_required", "no_consent", "prompt")
