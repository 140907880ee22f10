"""RFC 6749 section 4.2.2.1: error answers of the implicit grant, each error path judged on its own."""

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, Inconclusive, NotOffered, clause
from grantproof.matrix.authorization_errors import (
    DEMANDING_STATE,
    ERROR_PATHS,
    FRAGMENT_PATHS,
    OTHER_ENDPOINTS_ERRORS,
    REPEATED,
    SCOPE_PATHS,
    UNKNOWN_VALUE,
    ErrorPath,
)
from grantproof.matrix.redirect_uris import sent_to
from grantproof.wire.grammar import VSCHARS, is_nqschars, is_uri_reference

NAMES = {"error", "error_description", "error_uri", "state", "access_token"}
LATIN = "\u00e9\u2014\u201c"
each_path = pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
each_fragment_path = pytest.mark.parametrize("path", FRAGMENT_PATHS, ids=str)


def _refused(idp: Idp, flow: Flow, path: ErrorPath) -> AuthorizationAnswer:
    """The error that came back to the client; whether one must is for other checks."""
    answer = idp.provoke(flow, path)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    return answer


@clause("rfc6749:4.2.2.1/fragment")
@each_fragment_path
def test_error_reaches_the_client_in_the_fragment(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = idp.provoke(token_flow, path)
    if answer.issued:
        raise NotOffered("the request was granted, which other checks judge")
    assert "error" in answer.fragment, answer.describe()
    assert answer.went_to(token_flow.redirect_uri)


@clause("rfc6749:4.2.2.1/fragment")
@each_fragment_path
def test_no_part_of_the_error_is_in_the_query(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    misplaced = NAMES & set(_refused(idp, token_flow, path).own_query.names)
    assert not misplaced, f"the query has {', '.join(sorted(misplaced))}"


@clause("rfc6749:4.2.2.1/fragment", "rfc6749:B/utf-8-encoded")
@each_fragment_path
def test_error_is_form_urlencoded(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = _refused(idp, token_flow, path)
    if "error" in answer.own_query:
        raise NotOffered("the error is in the query, which another check judges")
    assert answer.strict_fragment.get("error")


@clause("rfc6749:4.2.2.1/error-code")
@each_path
def test_error_is_one_code_of_this_endpoint(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = _refused(idp, token_flow, path)
    assert len(answer.parameters.all("error")) == 1
    assert answer.error not in OTHER_ENDPOINTS_ERRORS, f"{answer.error} is another endpoint's error"


@clause("rfc6749:4.2.2.1/invalid-request")
@pytest.mark.parametrize("path", REPEATED, ids=str)
def test_malformed_request_is_invalid(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = idp.provoke(token_flow, path)
    assert answer.error == "invalid_request", answer.describe()


@clause("rfc6749:4.2.2.1/invalid-request")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_repeated_state_is_invalid(idp: Idp, token_flow: Flow, method: str) -> None:
    if method == "POST":
        idp.require_post(token_flow)
    request = idp.authorization_request(token_flow).by(method).add("state", "another")
    answer = idp.follow(request)
    assert answer.error == "invalid_request", answer.describe()


@clause("rfc6749:4.2.2.1/unauthorized-client")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_client_without_leave_is_unauthorized(idp: Idp, unentitled_flow: Flow, some_flow: Flow, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    assert idp.authorize(some_flow, agent=agent).issued  # the browser has a session from here on
    answer = idp.authorize(unentitled_flow, agent=agent, response_type="token")
    assert not answer.issued
    assert answer.error in {"unauthorized_client", "unsupported_response_type"}, answer.describe()


@clause("rfc6749:4.2.2.1/access-denied")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_denial_is_access_denied(idp: Idp, token_flow: Flow, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(token_flow, agent=agent, choice="deny")
    if not idp.asks_consent(answer):
        raise NotOffered(f"the user is not asked, so nothing can be denied: {answer.describe()}")
    assert answer.error == "access_denied", answer.describe()


@clause("rfc6749:4.2.2.1/unsupported-response-type")
@pytest.mark.parametrize("response_type", [UNKNOWN_VALUE, f"token {UNKNOWN_VALUE}", f"{UNKNOWN_VALUE} token"])
def test_unknown_response_type_is_unsupported(idp: Idp, token_flow: Flow, response_type: str) -> None:
    answer = idp.authorize(token_flow, response_type=response_type)
    if not answer.issued and answer.error is None:
        raise NotOffered(f"no error came back to the client, which another check judges: {answer.describe()}")
    assert answer.error == "unsupported_response_type", answer.describe()


@clause("rfc6749:4.2.2.1/invalid-scope")
@pytest.mark.parametrize("path", SCOPE_PATHS, ids=str)
def test_bad_scope_is_invalid_or_left_out(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = idp.follow(path.apply(idp.authorization_request(token_flow)))
    if answer.issued:
        stated = answer.parameters.get("scope")
        assert stated is not None, "a token was issued for a bad scope without saying for which scope"
        assert path.changes["scope"] not in stated.split(" ")
    else:
        assert answer.error == "invalid_scope", answer.describe()


@clause("rfc6749:4.2.2.1/error-charset", "rfc6749:A.7/error")
@each_path
def test_error_keeps_its_characters(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = _refused(idp, token_flow, path)
    assert all(is_nqschars(value) for value in answer.parameters.all("error")), f"error={answer.error!r}"


@clause("rfc6749:4.2.2.1/error-description")
def test_error_may_be_described(idp: Idp, token_flow: Flow) -> None:
    assert "error_description" in _refused(idp, token_flow, SCOPE_PATHS[0]).parameters


@clause("rfc6749:4.2.2.1/error-uri")
def test_error_may_have_the_address_of_a_page(idp: Idp, token_flow: Flow) -> None:
    assert "error_uri" in _refused(idp, token_flow, SCOPE_PATHS[0]).parameters


@clause("rfc6749:4.2.2.1/error-description-charset")
@each_path
def test_description_keeps_its_characters(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    description = _refused(idp, token_flow, path).parameters.get("error_description")
    assert not description or is_nqschars(description), f"error_description={description!r}"


@clause("rfc6749:4.2.2.1/error-description-charset")
@pytest.mark.parametrize("name", ["scope", "state", "response_mode", "prompt"])
@pytest.mark.parametrize("text", ['quote"', "back\\slash", f"accents{LATIN}", "line\nbreak"])
def test_description_keeps_its_characters_whatever_was_sent(idp: Idp, some_flow: Flow, name: str, text: str) -> None:
    answer = idp.follow(idp.authorization_request(some_flow, **{"scope": "unlisted", name: text}))
    description = answer.parameters.get("error_description")
    if description is None:
        raise NotOffered(f"no description came back: {answer.describe()}")
    assert not description or is_nqschars(description), f"error_description={description!r}"


@clause("rfc6749:A.8/error-description")
@each_path
def test_description_is_not_empty(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    assert _refused(idp, token_flow, path).parameters.get("error_description") != ""


@clause("rfc6749:4.2.2.1/error-uri-syntax", "rfc6749:A.9/error-uri")
@each_path
def test_error_uri_is_a_uri(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    address = _refused(idp, token_flow, path).parameters.get("error_uri")
    assert address is None or (address and is_uri_reference(address)), f"error_uri={address!r}"


@clause("rfc6749:4.2.2.1/state")
@each_fragment_path
@pytest.mark.parametrize("state", [DEMANDING_STATE, VSCHARS], ids=["reserved", "all-printable"])
def test_error_brings_the_state_back(idp: Idp, token_flow: Flow, path: ErrorPath, state: str) -> None:
    agent = idp.fresh_agent() if path.fresh else idp.agent()
    request = path.apply(idp.authorization_request(token_flow, state=state))
    answer = idp.follow(request, agent=agent, choice=path.choice)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert answer.parameters.all("state") == (state,)


@clause("rfc6749:4.2.2.1/state")
def test_refused_client_gets_its_state_back(idp: Idp, unentitled_flow: Flow) -> None:
    answer = idp.authorize(unentitled_flow, response_type="token", state=DEMANDING_STATE)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert answer.parameters.all("state") == (DEMANDING_STATE,)


@clause("rfc6749:4.2.2.1/state")
def test_error_after_a_login_brings_the_state_back(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow, agent=idp.fresh_agent(), scope=UNKNOWN_VALUE, state=DEMANDING_STATE)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert answer.parameters.all("state") == (DEMANDING_STATE,)


@clause("rfc6749:4.2.2.1/no-token-with-error")
@each_path
def test_error_comes_without_a_token(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = _refused(idp, token_flow, path)
    assert not answer.issued


@clause("rfc6749:4.2.2.1/unknown-client-no-redirect", "rfc6749:4.2.1/missing-client-id")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("client_id", [None, "", "unlisted-client", "upper-case", "with-space", "markup"])
def test_unknown_client_is_sent_nowhere(idp: Idp, flow: Flow, client_id: str | None, session: str) -> None:
    own = flow.client.id
    sent = {"upper-case": own.swapcase(), "with-space": f"{own} ", "markup": f"{own}<b>"}.get(
        client_id or "", client_id
    )
    if sent == own:
        raise NotOffered("the client_id has no letters")
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, client_id=sent)
    assert not answer.issued
    assert sent_to(answer, [flow.redirect_uri]) is None, answer.describe()


@clause("rfc6749:4.2.2.1/owner-informed")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_unknown_client_is_reported_on_a_page(idp: Idp, flow: Flow, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, client_id="unlisted-client")
    if answer.redirect is not None and sent_to(answer, [flow.redirect_uri]) is None:
        raise Inconclusive("the browser is sent to another site, which may have the page")
    assert answer.page is not None, answer.describe()
    assert answer.page.body.strip(), f"the answer with status {answer.page.status} is empty"
