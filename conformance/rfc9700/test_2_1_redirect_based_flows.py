"""RFC 9700 sections 2.1 and 4.12: redirections that carry nothing along and lead nowhere else."""

from itertools import pairwise

import pytest

from grantproof.checks import Answer, AuthorizationAnswer, Flow, Idp, NotOffered, clause, control

ELSEWHERE = "https://elsewhere.invalid/landing"
TARGETS = (
    "next",
    "url",
    "redirect",
    "redirect_to",
    "return_to",
    "returnUrl",
    "continue",
    "target",
    "goto",
    "RelayState",
)


@clause("rfc9700:2.1/no-open-redirectors")
@pytest.mark.parametrize("client", ["known", "unknown"])
@pytest.mark.parametrize("name", TARGETS)
def test_address_in_the_query_leads_nowhere(idp: Idp, some_flow: Flow, name: str, client: str) -> None:
    request = idp.authorization_request(some_flow).add(name, ELSEWHERE)
    request = request.set("client_id", "no-such-client") if client == "unknown" else request
    answer = idp.follow(request)
    assert not (answer.location or "").startswith(ELSEWHERE), f"{name} sends the browser away"


def _after_forms(idp: Idp, flow: Flow) -> list[Answer]:
    """The answers to the login and the consent form: each is what comes after a page."""
    answer: AuthorizationAnswer = idp.authorize(flow, agent=idp.fresh_agent())
    found = [after for before, after in pairwise(answer.steps) if not 300 <= before.status < 400]
    if not answer.acted or not found:
        raise NotOffered("no form was sent on the way")
    return found


@clause("rfc9700:2.1/credentials-not-forwarded")
@control
def test_login_is_not_posted_again_by_308(idp: Idp, some_flow: Flow) -> None:
    assert 308 not in [answer.status for answer in _after_forms(idp, some_flow)]


@clause("rfc9700:4.12/no-307-after-credentials")
@control
def test_no_form_is_answered_with_307(idp: Idp, some_flow: Flow) -> None:
    assert 307 not in [answer.status for answer in _after_forms(idp, some_flow)]


@clause("rfc9700:4.12/303-after-credentials")
@control
def test_redirect_after_a_form_is_303(idp: Idp, some_flow: Flow) -> None:
    statuses = [answer.status for answer in _after_forms(idp, some_flow) if 300 <= answer.status < 400]
    assert set(statuses) <= {303}, f"forms are answered with {statuses}"
