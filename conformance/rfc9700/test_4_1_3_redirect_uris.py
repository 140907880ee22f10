"""RFC 9700 sections 4.1.3 and 4.11.2: fragments, and a login before any redirection."""

import pytest

from grantproof.checks import Flow, Idp, NotOffered, clause

FAULTY: dict[str, dict[str, str | None]] = {
    "unknown-scope": {"scope": "no-such-scope"},
    "unknown-response-type": {"response_type": "no_such_type"},
    "missing-response-type": {"response_type": None},
}


@clause("rfc9700:4.1.3/fragment-attached")
def test_redirect_in_the_query_ends_in_a_fragment(idp: Idp, some_flow: Flow) -> None:
    answer = idp.authorize(some_flow, response_type="code")
    if answer.location is None or not answer.own_query:
        raise NotOffered("no response came in the query")
    assert "#" in answer.location


@clause("rfc9700:4.11.2/login-before-redirect")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", FAULTY)
def test_faulty_request_leads_to_the_login_first(idp: Idp, some_flow: Flow, fault: str, method: str) -> None:
    if method == "POST":
        idp.require_post(some_flow)
    request = idp.authorization_request(some_flow, **FAULTY[fault]).by(method)
    answer = idp.follow(request, agent=idp.fresh_agent(), stop_at_pages=True)
    assert not answer.went_to(some_flow.redirect_uri), "a browser without a session was sent to the client"
