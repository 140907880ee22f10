"""RFC 6749 section 3.1.2: redirect URIs are absolute, keep their query and have no fragment; A.6 for their grammar."""

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, NotOffered, clause
from grantproof.matrix.authorization_errors import ERROR_PATHS, ErrorPath
from grantproof.matrix.redirect_uris import Mutation, mutations, sent_to
from grantproof.wire.grammar import RESERVED

each_session = pytest.mark.parametrize("session", ["kept", "fresh"])


def _refused(idp: Idp, flow: Flow, mutation: Mutation, session: str) -> AuthorizationAnswer:
    uri = mutation.build(flow.redirect_uri)
    if uri is None or uri in flow.client.redirect_uris:
        raise NotOffered(f"{mutation} gives nothing new of the client's redirect URI")
    answer = idp.authorize(flow, agent=idp.fresh_agent() if session == "fresh" else idp.agent(), redirect_uri=uri)
    assert not answer.issued, answer.describe()
    way = sent_to(answer, [uri, flow.redirect_uri])
    assert way is None, f"{way}, though redirect_uri is {uri!r}"
    return answer


@clause("rfc6749:3.1.2/absolute-redirect-uri")
@each_session
@pytest.mark.parametrize("mutation", mutations("relative"), ids=str)
def test_relative_redirect_uri_is_refused(idp: Idp, some_flow: Flow, mutation: Mutation, session: str) -> None:
    _refused(idp, some_flow, mutation, session)


@clause("rfc6749:3.1.2/no-fragment")
@each_session
@pytest.mark.parametrize("mutation", mutations("fragment"), ids=str)
def test_redirect_uri_with_a_fragment_is_refused(idp: Idp, some_flow: Flow, mutation: Mutation, session: str) -> None:
    _refused(idp, some_flow, mutation, session)


@clause("rfc6749:A.6/redirect-uri")
@pytest.mark.parametrize("mutation", mutations("malformed"), ids=str)
def test_what_is_no_uri_ends_on_a_page(idp: Idp, some_flow: Flow, mutation: Mutation) -> None:
    answer = _refused(idp, some_flow, mutation, "kept")
    assert answer.page is not None, answer.describe()
    assert answer.page.status < 500, answer.describe()


@clause("rfc6749:3.1.2/redirect-uri-query")
def test_redirect_uri_may_have_a_query(idp: Idp, query_uri_flow: Flow) -> None:
    assert idp.authorize(query_uri_flow).issued


@clause("rfc6749:3.1.2/query-retained")
@each_session
@pytest.mark.parametrize("state", ["a-plain-state", RESERVED], ids=["plain-state", "reserved-state"])
def test_success_retains_the_query(idp: Idp, query_uri_flow: Flow, state: str, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(query_uri_flow, agent=agent, state=state)
    assert answer.issued, answer.describe()
    assert answer.went_to(query_uri_flow.redirect_uri), f"the browser is sent to {_place(answer)}"


@clause("rfc6749:3.1.2/query-retained")
@pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
def test_error_retains_the_query(idp: Idp, query_uri_flow: Flow, path: ErrorPath) -> None:
    answer = idp.provoke(query_uri_flow, path)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert answer.went_to(query_uri_flow.redirect_uri), f"the browser is sent to {_place(answer)}"


def _place(answer: AuthorizationAnswer) -> str:
    """The redirect URI that was used, without what the server added as a fragment."""
    return (answer.location or "nowhere").partition("#")[0]
