"""OAuth 2.0 Form Post Response Mode section 2: the page that posts the response to the client."""

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, clause
from grantproof.wire.answer import Redirect

each_session = pytest.mark.parametrize("session", ["kept", "fresh"])
each_choice = pytest.mark.parametrize("outcome", ["success", "error"])


def _posted(idp: Idp, flow: Flow, session: str, outcome: str) -> tuple[AuthorizationAnswer, Redirect]:
    scope = {"scope": "unlisted"} if outcome == "error" else {}
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, response_mode="form_post", **scope)
    assert answer.redirect is not None, answer.describe()
    assert answer.redirect.form is not None, answer.describe()
    assert outcome == "error" or answer.issued, answer.describe()
    return answer, answer.redirect


@clause("oauth-form-post:2/action-is-redirect-uri")
@each_session
@each_choice
def test_form_goes_to_the_redirect_uri(idp: Idp, flow: Flow, session: str, outcome: str) -> None:
    _, redirect = _posted(idp, flow, session, outcome)
    assert redirect.url == flow.redirect_uri


@clause("oauth-form-post:2/action-is-redirect-uri")
def test_form_keeps_the_query_of_the_redirect_uri(idp: Idp, query_uri_flow: Flow) -> None:
    _, redirect = _posted(idp, query_uri_flow, "kept", "success")
    assert redirect.url == query_uri_flow.redirect_uri


@clause("oauth-form-post:2/method-post")
@each_session
@each_choice
def test_form_is_posted(idp: Idp, flow: Flow, session: str, outcome: str) -> None:
    _, redirect = _posted(idp, flow, session, outcome)
    assert redirect.method.upper() == "POST"


@clause("oauth-form-post:2/page-not-stored")
@each_session
@each_choice
def test_page_is_not_stored(idp: Idp, flow: Flow, session: str, outcome: str) -> None:
    answer, _ = _posted(idp, flow, session, outcome)
    assert {"no-store", "no-cache"} & answer.steps[-1].headers.directives("cache-control")
