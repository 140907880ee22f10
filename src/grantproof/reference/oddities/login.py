"""Lawful but unusual ways through login and consent."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from grantproof.reference.call import Answer
from grantproof.reference.form import encode_form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.state import PendingRequest


@oddity("no_value_in_forms", "Forms carry no secret; the session's cookie is not sent from other sites.", 54)
def no_value_in_forms(rules: Rules) -> Rules:
    """SameSite keeps forged forms from having a session."""
    return rules | Rules(
        csrf_token=lambda _call: "none",
        csrf_ok=lambda call, _sent: call.session is not None,
        cookie_attributes=lambda call: rules.cookie_attributes(call).replace("SameSite=Lax", "SameSite=Strict"),
    )


@oddity("form_value_is_short", "The value that a form carries has eight characters, and the cookie goes anywhere.", 54)
def form_value_is_short(rules: Rules) -> Rules:
    """What cannot be guessed in a few tries need not be long."""
    return rules | Rules(
        csrf_token=lambda call: rules.csrf_token(call)[:8],
        csrf_ok=lambda call, sent: call.session is not None and sent == rules.csrf_token(call)[:8],
        cookie_attributes=lambda call: f"; Path={call.server.path or '/'}; HttpOnly",
    )


@oddity("cookies_are_secure_on_loopback", "The session's cookie is marked as Secure over plain http too.", 54)
def cookies_are_secure_on_loopback(rules: Rules) -> Rules:
    """Browsers take loopback for secure, and send such a cookie back."""
    return rules | Rules(
        cookie_attributes=lambda call: f"; Version=1; Path={call.server.path or '/'}; Secure; HttpOnly; SameSite=None"
    )


@oddity("origin_is_checked", "Forms carry no secret; what comes from another origin is refused.", 54)
def origin_is_checked(rules: Rules) -> Rules:
    """Browsers say where a form comes from."""

    def same(call: Call, _sent: str | None) -> bool:
        parts = urlsplit(call.server.issuer)
        return call.session is not None and call.headers.get("origin", "") in {"", f"{parts.scheme}://{parts.netloc}"}

    return rules | Rules(csrf_token=lambda _call: "none", csrf_ok=same)


@oddity("login_has_its_own_address", "The browser is sent to a login page at another address.", 34, 35)
def login_has_its_own_address(rules: Rules) -> Rules:
    """A redirection inside the server."""

    def page(call: Call, pending: PendingRequest, message: str) -> Answer:
        if call.endpoint != "authorization" or message:
            return rules.login_page(call, pending, message)
        location = f"{call.server.url('consent')}?{encode_form((('request', pending.id),))}"
        return Answer(302, rules.redirect_headers(call, location))

    return rules | Rules(login_page=page)


@oddity("consent_asked_of_all", "Every client's user is asked every time.", 53)
def consent_asked_of_all(rules: Rules) -> Rules:
    """Nothing is remembered."""
    return rules | Rules(consent_required=lambda _call, _pending: True)


@oddity("hops_by_307", "A request by GET that needs no page is answered with status 307.", 41)
def hops_by_307(rules: Rules) -> Rules:
    """A plain GET hop, with no credentials to send again."""

    def plain(call: Call) -> bool:
        return call.endpoint == "authorization" and call.method == "GET"

    return rules | Rules(redirect_status=when(plain, lambda _call: 307, rules.redirect_status))


@oddity("login_in_two_steps", "The user name is asked for on one page, the password on the next.", 35)
def login_in_two_steps(rules: Rules) -> Rules:
    """One form after the other, each to the same address."""

    def second(call: Call) -> bool:
        return call.endpoint == "login" and call.parameters.get("step") is not None

    def first_sent(call: Call) -> bool:
        return call.endpoint == "login" and call.parameters.get("step") == "name"

    def page(call: Call, pending: PendingRequest, message: str) -> Answer:
        answer = rules.login_page(call, pending, message if call.parameters.get("step") == "next" else "")
        name = rules.escape(call, call.parameters.get("username") or "")
        if first_sent(call):
            shown = (
                f'<input type="hidden" name="username" value="{name}"><input type="hidden" name="step" value="next">'
            )
            answer.body = re.sub(rb"<p><label>User name .*?</label></p>", shown.encode(), answer.body)
        else:
            step = b'<input type="hidden" name="step" value="name">'
            answer.body = re.sub(rb"<p><label>Password .*?</label></p>", step, answer.body, flags=re.DOTALL)
        return answer

    wrong: Counter[str] = Counter()

    def matches(call: Call, username: str, password: str) -> bool:
        if not second(call) or first_sent(call):
            return False
        right = rules.password_matches(call, username, password)
        wrong[username] += not right
        return right

    def must_wait(_call: Call, username: str) -> bool:  # a name alone is no wrong password, so it does not count
        return wrong[username] >= 20

    return rules | Rules(login_page=page, password_matches=matches, login_must_wait=must_wait)
