"""Lawful but unusual pages: their status, their headers, their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.call import Answer
from grantproof.reference.form import encode_form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call, Refusal


@oddity("error_page_is_elsewhere", "An error page stands at an address of its own, to which the browser is sent.", 34)
def error_page_is_elsewhere(rules: Rules) -> Rules:
    """A redirection to the server's own page is no redirection to the client."""

    def page(call: Call, refusal: Refusal) -> Answer:
        call.refusal = refusal
        location = f"{call.server.url('consent')}?{encode_form((('problem', refusal.path),))}"
        return Answer(302, rules.redirect_headers(call, location))

    return rules | Rules(error_page=when(by_endpoint("authorization"), page, rules.error_page))


@oddity("error_page_forbidden", "The page for an unknown client has status 403.", 33)
def error_page_forbidden(rules: Rules) -> Rules:
    """No status is prescribed for the page."""

    def status(call: Call, refusal: Refusal) -> int:
        return 403 if call.endpoint == "authorization" else rules.error_page_status(call, refusal)

    return rules | Rules(
        error_page_status=when(lambda c: c.error_path != "method", status, rules.error_page_status),
    )


@oddity("error_page_offers_a_link", "An error page links back to the application's registered page.", 33)
def error_page_offers_a_link(rules: Rules) -> Rules:
    """A link is no automatic redirection."""

    def page(call: Call, refusal: Refusal) -> Answer:
        answer = rules.error_page(call, refusal)
        client = call.claimed_client
        if client is not None and client.redirect_uris:
            link = f'<p><a href="{rules.escape(call, client.redirect_uris[0])}">Back</a></p></body>'
            answer.body = answer.body.replace(b"</body>", link.encode())
        return answer

    return rules | Rules(error_page=page)


@oddity("framing_forbidden_by_policy", "Only a content security policy forbids frames.", 55)
def framing_forbidden_by_policy(rules: Rules) -> Rules:
    """The older header is not needed beside it."""
    return rules | Rules(
        framing_headers=lambda call: [line for line in rules.framing_headers(call) if line[0] != "x-frame-options"]
    )


@oddity(
    "framing_forbidden_by_header",
    "Only X-Frame-Options, in lower case, forbids foreign frames.",
    55,
    disregards=("rfc9700:4.16/csp-frame-ancestors",),
)
def framing_forbidden_by_header(rules: Rules) -> Rules:
    """The choice of the header is free."""
    return rules | Rules(framing_headers=lambda _call: [("x-frame-options", "sameorigin")])
