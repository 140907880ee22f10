"""OAuth 2.0 Multiple Response Types sections 5 and 7: response type id_token token, and no token in the query."""

import pytest

from grantproof.checks import Flow, Idp, NotOffered, clause
from grantproof.matrix.authorization_errors import DEMANDING_STATE, FRAGMENT_PATHS, ErrorPath
from grantproof.wire.grammar import VSCHARS

TOKENS = {"access_token", "id_token"}
each_session = pytest.mark.parametrize("session", ["kept", "fresh"])
each_path = pytest.mark.parametrize("path", FRAGMENT_PATHS, ids=str)


@clause("oauth-responses:5/errors-in-same-mode")
@each_path
@pytest.mark.parametrize("mode", [None, "fragment"], ids=["default", "fragment"])
def test_error_comes_in_the_mode_of_a_success(
    idp: Idp, composite_flow: Flow, path: ErrorPath, mode: str | None
) -> None:
    agent = idp.fresh_agent() if path.fresh else idp.agent()
    request = path.apply(idp.authorization_request(composite_flow, response_mode=mode))
    answer = idp.follow(request, agent=agent, choice=path.choice)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert "error" in answer.fragment
    assert "error" not in answer.own_query


@clause("oauth-responses:5/id-token-token-parameters")
@each_session
def test_success_has_both_tokens(idp: Idp, composite_flow: Flow, session: str) -> None:
    if set(composite_flow.response_type.split()) != {"id_token", "token"}:
        raise NotOffered("the response type is not id_token token")
    answer = idp.authorize(composite_flow, agent=idp.fresh_agent() if session == "fresh" else idp.agent())
    for name in ("access_token", "token_type", "id_token"):
        assert answer.parameters.get(name), f"no {name} came back: {answer.describe()}"


@clause("oauth-responses:5/id-token-token-never-in-query")
@each_session
def test_combination_never_puts_tokens_in_the_query(idp: Idp, composite_flow: Flow, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(composite_flow, agent=agent, response_mode="query")
    assert not TOKENS & set(answer.query.names)


@clause("oauth-responses:5/state-echoed")
@each_session
@pytest.mark.parametrize("state", [DEMANDING_STATE, VSCHARS], ids=["reserved", "all-printable"])
def test_success_brings_the_state_back(idp: Idp, composite_flow: Flow, state: str, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(composite_flow, agent=agent, state=state)
    assert answer.issued, answer.describe()
    assert answer.parameters.all("state") == (state,)


@clause("oauth-responses:5/state-echoed")
@each_path
def test_error_brings_the_state_back(idp: Idp, composite_flow: Flow, path: ErrorPath) -> None:
    agent = idp.fresh_agent() if path.fresh else idp.agent()
    request = path.apply(idp.authorization_request(composite_flow, state=DEMANDING_STATE))
    answer = idp.follow(request, agent=agent, choice=path.choice)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert answer.parameters.all("state") == (DEMANDING_STATE,)


@clause("oauth-responses:7/token-never-in-query")
@each_session
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_token_is_never_in_the_query(idp: Idp, token_flow: Flow, method: str, session: str) -> None:
    request = idp.authorization_request(token_flow, response_mode="query").by(method)
    answer = idp.follow(request, agent=idp.fresh_agent() if session == "fresh" else idp.agent())
    assert not TOKENS & set(answer.query.names)
