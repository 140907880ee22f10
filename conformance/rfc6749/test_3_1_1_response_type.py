"""RFC 6749 section 3.1.1: the response type, and its grammar in appendix A.3."""

import pytest

from grantproof.checks import Flow, Idp, NotOffered, clause
from grantproof.matrix.authorization_errors import RESPONSE_TYPE_PATHS, ErrorPath

SESSIONS = ("kept", "fresh")


@clause("rfc6749:3.1.1/missing-response-type")
@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("response_type", [None, ""], ids=["missing", "empty"])
def test_missing_response_type_is_an_invalid_request(
    idp: Idp, token_flow: Flow, response_type: str | None, session: str
) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(token_flow, agent=agent, response_type=response_type)
    if not answer.issued and answer.error is None:
        raise NotOffered(f"no error came back to the client, which another check judges: {answer.describe()}")
    assert answer.error == "invalid_request", answer.describe()


@clause("rfc6749:3.1.1/response-type-error")
@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("path", RESPONSE_TYPE_PATHS, ids=str)
def test_bad_response_type_is_reported_to_the_client(idp: Idp, token_flow: Flow, path: ErrorPath, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.follow(path.apply(idp.authorization_request(token_flow)), agent=agent)
    assert not answer.issued
    assert answer.error, answer.describe()
    assert answer.went_to(token_flow.redirect_uri), "the error went elsewhere"


@clause("rfc6749:3.1.1/composite-order")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_order_of_response_types_does_not_matter(idp: Idp, composite_flow: Flow, method: str) -> None:
    names = composite_flow.response_type.split()
    request = idp.authorization_request(composite_flow)
    if method == "POST":
        idp.require_post(composite_flow)
    usual = set(idp.follow(request.by(method)).parameters.names)
    answer = idp.follow(request.by(method).set("response_type", " ".join(reversed(names))))
    assert answer.issued, answer.describe()
    assert set(answer.parameters.names) == usual


@clause("rfc6749:A.3/response-type")
@pytest.mark.parametrize(
    "text", ['"token"', "token\\", "token\u00e9", "token\x00", "token\n", "%token", "<token>", "tok-en"]
)
def test_malformed_response_type_gets_a_regular_answer(idp: Idp, some_flow: Flow, text: str) -> None:
    answer = idp.authorize(some_flow, response_type=text)
    assert not answer.issued
    assert answer.error or answer.page is not None
    assert answer.page is None or answer.page.status != 500, answer.describe()  # 501 is no crash
