"""RFC 6749 section 4.1.2.1: what becomes of a request whose response type is missing or not understood."""

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, Inconclusive, NotOffered, clause
from grantproof.matrix.authorization_errors import DEMANDING_STATE, RESPONSE_TYPE_PATHS, UNKNOWN_VALUE, ErrorPath
from grantproof.matrix.redirect_uris import Mutation, mutations, sent_to
from grantproof.wire.grammar import VSCHARS, is_nqschars, is_uri_reference

STRANGERS = mutations("foreign")[:3:2]
HOSTILE = ('quote"', "back\\slash", "accents\u00e9\u2014", "line\nbreak")
each_path = pytest.mark.parametrize("path", RESPONSE_TYPE_PATHS, ids=str)


def _refused(idp: Idp, flow: Flow, path: ErrorPath, **changes: str) -> AuthorizationAnswer:
    """The error that came back to the client; whether one must is for section 3.1.1."""
    answer = idp.follow(path.apply(idp.authorization_request(flow, **changes)))
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    return answer


def _refused_type(idp: Idp, flow: Flow, response_type: str) -> AuthorizationAnswer:
    answer = idp.authorize(flow, response_type=response_type)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    return answer


@clause("rfc6749:4.1.2.1/owner-informed")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_unknown_client_without_a_response_type_is_reported_on_a_page(idp: Idp, flow: Flow, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, client_id="unlisted-client", response_type=None)
    if answer.redirect is not None and sent_to(answer, [flow.redirect_uri]) is None:
        raise Inconclusive("the browser is sent to another site, which may have the page")
    assert answer.page is not None, answer.describe()
    assert answer.page.body.strip(), f"the answer with status {answer.page.status} is empty"


@clause("rfc6749:4.1.2.1/no-automatic-redirect")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
@pytest.mark.parametrize("response_type", [None, UNKNOWN_VALUE], ids=["missing", "unknown"])
def test_error_goes_to_no_foreign_uri(
    idp: Idp, token_flow: Flow, response_type: str | None, stranger: Mutation, session: str
) -> None:
    uri = stranger.build(token_flow.redirect_uri)
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(token_flow, agent=agent, response_type=response_type, redirect_uri=uri)
    assert sent_to(answer, [uri or "", token_flow.redirect_uri]) is None, answer.describe()


@clause("rfc6749:4.1.2.1/error-charset")
@each_path
def test_error_keeps_its_characters(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = _refused(idp, token_flow, path)
    assert all(is_nqschars(value) for value in answer.parameters.all("error")), f"error={answer.error!r}"


@clause("rfc6749:4.1.2.1/error-charset")
@pytest.mark.parametrize("text", HOSTILE)
def test_error_keeps_its_characters_whatever_was_sent(idp: Idp, some_flow: Flow, text: str) -> None:
    error = _refused_type(idp, some_flow, text).error or ""
    assert is_nqschars(error), f"error={error!r}"


@clause("rfc6749:4.1.2.1/error-description-charset")
@pytest.mark.parametrize("text", HOSTILE)
def test_description_keeps_its_characters_whatever_was_sent(idp: Idp, some_flow: Flow, text: str) -> None:
    description = _refused_type(idp, some_flow, text).parameters.get("error_description")
    assert not description or is_nqschars(description), f"error_description={description!r}"


@clause("rfc6749:4.1.2.1/error-description")
def test_error_may_be_described(idp: Idp, token_flow: Flow) -> None:
    assert "error_description" in _refused(idp, token_flow, RESPONSE_TYPE_PATHS[0]).parameters


@clause("rfc6749:4.1.2.1/error-description-charset")
@each_path
def test_description_keeps_its_characters(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    description = _refused(idp, token_flow, path).parameters.get("error_description")
    assert not description or is_nqschars(description), f"error_description={description!r}"


@clause("rfc6749:4.1.2.1/error-uri")
def test_error_may_have_the_address_of_a_page(idp: Idp, token_flow: Flow) -> None:
    assert "error_uri" in _refused(idp, token_flow, RESPONSE_TYPE_PATHS[0]).parameters


@clause("rfc6749:4.1.2.1/error-uri-syntax")
@each_path
def test_error_uri_is_a_uri(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    address = _refused(idp, token_flow, path).parameters.get("error_uri")
    assert address is None or (address and is_uri_reference(address)), f"error_uri={address!r}"


@clause("rfc6749:4.1.2.1/state")
@each_path
@pytest.mark.parametrize("state", [DEMANDING_STATE, VSCHARS], ids=["reserved", "all-printable"])
def test_error_brings_the_state_back(idp: Idp, token_flow: Flow, path: ErrorPath, state: str) -> None:
    answer = _refused(idp, token_flow, path, state=state)
    assert answer.parameters.all("state") == (state,)
