"""Faults of login and consent: who has to sign in, who is asked, and whose word counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.state import PendingRequest, Session
    from grantproof.reference.variants import Condition

CSRF = "rfc6749:10.12/csrf"
LOGIN = "rfc6749:3.1/resource-owner-authenticated"


def _unneeded(_call: Call, _pending: PendingRequest) -> bool:
    return False


def _always(_call: Call) -> bool:
    return True


def _combined(call: Call) -> bool:
    return call.pending is not None and len(call.pending.response_type) > 1


@fault("no_login_needed", LOGIN, "plain", "Nobody has to log in.")
def no_login_needed(rules: Rules) -> Rules:
    """Whoever comes is let through, and consents by coming."""
    return rules | Rules(login_required=_unneeded, consent_required=_unneeded)


@fault("no_login_needed_for_combinations", LOGIN, "partial", "For id_token token nobody has to log in.")
def no_login_needed_for_combinations(rules: Rules) -> Rules:
    """One response type takes another way."""
    return rules | Rules(
        login_required=when(_combined, _unneeded, rules.login_required),
        consent_required=when(_combined, _unneeded, rules.consent_required),
    )


@fault("any_password_will_do", LOGIN, "partial", "Every password is taken for a known user's.")
def any_password_will_do(rules: Rules) -> Rules:
    """Only the name is looked up."""
    return rules | Rules(password_matches=lambda call, name, _password: name in call.server.credentials.passwords)


def _not_asked(rules: Rules, condition: Condition) -> Rules:
    return rules | Rules(consent_required=when(condition, _unneeded, rules.consent_required))


@fault("consent_never_asked", "rfc6749:10.2/informed-consent", "plain", "Who logs in has consented.")
def consent_never_asked(rules: Rules) -> Rules:
    """There is no consent page."""
    return _not_asked(rules, _always)


@fault("consent_not_asked_after_login", "rfc6749:10.2/informed-consent", "partial", "After a login nobody is asked.")
def consent_not_asked_after_login(rules: Rules) -> Rules:
    """The login stands for the consent."""
    return _not_asked(rules, lambda call: call.pending is not None and call.pending.authenticated)


@fault("consent_remembered_for_public_clients", "rfc6749:10.2/no-silent-repeat", "plain", "Consent is asked once.")
def consent_remembered_for_public_clients(rules: Rules) -> Rules:
    """A repeated request of anyone who calls himself this client is granted."""

    def remembered(call: Call, pending: PendingRequest) -> bool:
        return (call.user, pending.client.id, tuple(sorted(pending.scope))) not in call.store.consents

    return rules | Rules(consent_required=remembered)


@fault("consent_not_asked_of_the_silent", "rfc6749:10.2/no-silent-repeat", "partial", "prompt=none skips the consent.")
def consent_not_asked_of_the_silent(rules: Rules) -> Rules:
    """The client's wish for no page is granted."""
    return _not_asked(rules, lambda call: call.pending is not None and "none" in call.pending.prompt)


def _anywhere(call: Call, pending_id: str | None) -> PendingRequest | None:
    """A pending request of any session."""
    for session in call.store.sessions.values():
        if pending_id is not None and pending_id in session.pending:
            return session.pending[pending_id]
    return None


def _newest(call: Call, pending_id: str | None) -> PendingRequest | None:
    """The pending request that is named, or else the newest of the session."""
    session: Session | None = call.session
    if session is None or not session.pending:
        return None
    return session.pending.get(pending_id or "") or next(reversed(session.pending.values()))


def _open_cookie(rules: Rules) -> Rules:
    """Rules whose session cookie goes along when another site makes the browser send a form."""
    return rules | Rules(cookie_attributes=lambda call: f"; Path={call.server.path or '/'}; HttpOnly")


@fault("consent_of_another_session_counts", CSRF, "plain", "Consent is bound to no session.")
def consent_of_another_session_counts(rules: Rules) -> Rules:
    """Who knows the request's identifier can consent for whoever is logged in."""
    return _open_cookie(rules) | Rules(csrf_ok=lambda _call, _sent: True, find_pending=_anywhere)


@fault("consent_needs_the_button_only", CSRF, "partial", "The value of the form is checked only when it is there.")
def consent_needs_the_button_only(rules: Rules) -> Rules:
    """What is missing is not missed."""

    def lax(call: Call, sent: str | None) -> bool:
        return sent is None or rules.csrf_ok(call, sent)

    return _open_cookie(rules) | Rules(csrf_ok=lax, find_pending=_newest)


@fault("consent_by_link_counts", CSRF, "partial", "A link is as good as the form, without its value.")
def consent_by_link_counts(rules: Rules) -> Rules:
    """The cookie goes along with a link even when it is lax."""

    def consent(call: Call, pending: PendingRequest) -> bool:
        said = call.endpoint == "consent" and call.query.get("decision") == "allow"
        return not said and rules.consent_required(call, pending)

    return rules | Rules(
        consent_required=consent,
        find_pending=when(lambda call: call.method == "GET", _newest, rules.find_pending),
    )


@fault("consent_inside_the_request_counts", CSRF, "partial", "A request can bring the user's consent along.")
def consent_inside_the_request_counts(rules: Rules) -> Rules:
    """The parameters of the form are read everywhere."""

    def consent(call: Call, pending: PendingRequest) -> bool:
        said = call.endpoint == "authorization" and call.parameters.get("decision") == "allow"
        return not said and rules.consent_required(call, pending)

    return rules | Rules(consent_required=consent)


@fault("consent_of_another_session_counts_for_the_same_user", CSRF, "partial", "Sessions of one user are one.")
def consent_of_another_session_counts_for_the_same_user(rules: Rules) -> Rules:
    """The value is the same in every session of a user."""

    def own(call: Call, pending_id: str | None) -> PendingRequest | None:
        for session in call.store.sessions.values():
            if session.user == call.user and pending_id is not None and pending_id in session.pending:
                return session.pending[pending_id]
        return None

    return _open_cookie(rules) | Rules(csrf_ok=lambda _call, _sent: True, find_pending=own)
