"""The authorization endpoint with its login and consent pages: the order of steps, every step a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call import Answer, Call, Refusal
from .form import Form, encode_form

if TYPE_CHECKING:
    from .state import PendingRequest

_STALE = Refusal("invalid_request", "stale_form")


def answer_authorization(call: Call) -> Answer:
    """The authorization endpoint (RFC 6749 sections 3.1 and 4.2)."""
    rules = call.rules
    call.grant = "implicit"
    refusal = _read_page_request(call)
    if refusal is not None:
        return rules.error_page(call, refusal)
    refusal = rules.find_untrusted(call)
    client = call.client
    if refusal is not None or client is None:
        return rules.error_page(call, refusal or Refusal("invalid_request", "unknown_client", "client_id"))
    pending = rules.read_pending(call, client)
    call.pending = pending
    call.session = call.session or rules.open_session(call)
    call.store.keep_pending(call.session, pending)
    return _advance(call, pending, on_page=True)


def answer_login(call: Call) -> Answer:
    """The login form, sent (the page itself stands at the authorization endpoint)."""
    rules = call.rules
    refusal = _read_page_request(call) or _read_interaction(call)
    pending, session = call.pending, call.session
    if refusal is not None or pending is None or session is None:
        return rules.error_page(call, refusal or _STALE)
    username = call.parameters.get("username") or ""
    if rules.login_must_wait(call, username):
        return rules.login_page(call, pending, "There were too many wrong passwords. Please wait a minute.")
    if not rules.password_matches(call, username, call.parameters.get("password") or ""):
        if username in call.server.credentials.passwords:
            call.store.count_failure(f"user {username}", call.now)
        return rules.login_page(call, pending, "The user name or the password is wrong.")
    session.user = username
    session.auth_time = int(call.now)
    pending.authenticated = True
    call.session = rules.renew_session(call, session)
    return _advance(call, pending, on_page=False)


def answer_consent(call: Call) -> Answer:
    """The consent page and its form."""
    rules = call.rules
    refusal = _read_page_request(call)
    if call.method != "POST" and refusal is None:
        call.pending = rules.find_pending(call, call.parameters.get("request"))
        if call.pending is not None:
            return _advance(call, call.pending, on_page=True)
    refusal = refusal or _read_interaction(call)
    pending = call.pending
    if refusal is not None or pending is None:
        return rules.error_page(call, refusal or _STALE)
    if rules.login_required(call, pending) or pending.refusal is not None:
        return _advance(call, pending, on_page=True)
    decision = call.parameters.get("decision")
    if decision == "allow":
        return _grant(call, pending, asked=True)
    if decision == "deny":
        return _refuse(call, pending, Refusal("access_denied", "denied"))
    return rules.consent_page(call, pending)


def _read_page_request(call: Call) -> Refusal | None:
    """Reads parameters and session of a request that a browser sends."""
    rules = call.rules
    if call.method not in rules.allowed_methods(call):
        return Refusal("invalid_request", "method")
    if call.body_too_large:
        return Refusal("invalid_request", "body_too_large")
    if call.method == "POST":
        if not rules.accept_media_type(call, call.headers.get("content-type", "")):
            return Refusal("invalid_request", "media_type")
        call.body = rules.parse_form(call, call.raw_body)
    call.session = rules.read_session(call)
    form = rules.request_parameters(call)
    call.parameters = rules.drop_empty(call, form)
    return None


def _read_interaction(call: Call) -> Refusal | None:
    """Binds a form to its session and pending request."""
    rules = call.rules
    form: Form = call.parameters
    if not rules.csrf_ok(call, form.get("csrf")):
        return _STALE
    call.pending = rules.find_pending(call, form.get("request"))
    if call.pending is None:
        return _STALE
    call.grant = "implicit"
    call.client = call.pending.client
    return None


def _advance(call: Call, pending: PendingRequest, *, on_page: bool) -> Answer:
    """The next step of a pending request: login, error, consent or grant.

    `on_page` says that a page may be shown right here; after a form was sent, the browser is redirected to it.
    """
    rules = call.rules
    call.grant = "implicit"
    call.client = pending.client
    if pending.refusal is not None and not rules.login_before_error(call, pending):
        return _refuse(call, pending, pending.refusal)
    if rules.login_required(call, pending):
        silent = rules.silent_refusal(call, pending, "login")
        return rules.login_page(call, pending, "") if silent is None else _refuse(call, pending, silent)
    if rules.consent_required(call, pending):
        silent = rules.silent_refusal(call, pending, "consent")
        if silent is not None:
            return _refuse(call, pending, silent)
        if on_page:
            return rules.consent_page(call, pending)
        location = f"{call.server.url('consent')}?{encode_form((('request', pending.id),))}"
        return Answer(rules.redirect_status(call), rules.redirect_headers(call, location))
    return _grant(call, pending, asked=False)


def _grant(call: Call, pending: PendingRequest, *, asked: bool) -> Answer:
    rules = call.rules
    rules.spend_pending(call, pending)
    call.requested_scope = pending.requested_scope
    if asked:
        call.store.consents.add((call.user, pending.client.id, tuple(sorted(pending.scope))))
    return rules.send_pairs(call, pending, rules.success_pairs(call, pending))


def _refuse(call: Call, pending: PendingRequest, refusal: Refusal) -> Answer:
    rules = call.rules
    rules.spend_pending(call, pending)
    call.refusal = refusal
    pending.refusal = refusal
    return rules.send_pairs(call, pending, rules.error_pairs(call, pending, refusal))
