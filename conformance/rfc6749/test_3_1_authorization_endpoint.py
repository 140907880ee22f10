"""RFC 6749 section 3.1: who is let in at the authorization endpoint, and how its requests are read."""

import secrets
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from grantproof.checks import (
    AuthorizationAnswer,
    Flow,
    FormRequest,
    Idp,
    Inconclusive,
    LoginRepeatsError,
    NotOffered,
    clause,
    control,
    needs,
)
from grantproof.matrix.authorization_errors import ERROR_PATHS, UNKNOWN_VALUE, ErrorPath
from grantproof.matrix.redirect_uris import is_loopback
from grantproof.wire.grammar import RESERVED

RESPONSE_NAMES = (
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "state",
    "id_token",
    "error",
    "error_description",
)
GUESSES = 25
REPEATABLE = ("client_id", "redirect_uri", "response_type", "scope", "state")
OPTIONAL = ("scope", "state", "response_mode", "prompt", "max_age", "display", "unlisted")
UNKNOWN = [
    *((name, "GET") for name in ("unlisted", "un-listed", "un.listed", "un[listed]", "\u00fcnlisted")),
    ("unlisted", "POST"),
]
each_session = pytest.mark.parametrize("session", ["kept", "fresh"])


def _follow(idp: Idp, flow: Flow, request: FormRequest, session: str = "kept") -> AuthorizationAnswer:
    if request.method == "POST":
        idp.require_post(flow)
    return idp.follow(request, agent=idp.fresh_agent() if session == "fresh" else idp.agent())


@clause("rfc6749:3.1/resource-owner-authenticated")
def test_fresh_browser_gets_nothing_before_a_login(idp: Idp, flow: Flow) -> None:
    answer = idp.follow(idp.authorization_request(flow), agent=idp.fresh_agent(), stop_at_pages=True)
    assert not answer.issued, answer.describe()


@clause("rfc6749:3.1/resource-owner-authenticated")
@pytest.mark.parametrize("prompt", ["none", "consent"])
def test_fresh_browser_gets_nothing_whatever_the_prompt(idp: Idp, flow: Flow, prompt: str) -> None:
    request = idp.authorization_request(flow, prompt=prompt)
    answer = idp.follow(request, agent=idp.fresh_agent(), stop_at_pages=True)
    assert not answer.issued, answer.describe()


@clause("rfc6749:3.1/resource-owner-authenticated")
@needs("user")
def test_wrong_password_gets_nothing(idp: Idp, token_flow: Flow) -> None:
    request = idp.authorization_request(token_flow)
    try:
        answer = idp.follow(request, agent=idp.fresh_agent(), password=secrets.token_urlsafe(12))
    except LoginRepeatsError:
        return  # the login page came back again: the password was refused
    assert not answer.issued, answer.describe()


@clause("rfc6749:3.1/query-in-endpoint")
def test_endpoint_may_have_a_query(idp: Idp, flow: Flow) -> None:
    assert flow
    assert "?" in idp.endpoint("authorization")


@clause("rfc6749:3.1/no-fragment-in-endpoint")
def test_endpoint_has_no_fragment(idp: Idp) -> None:
    assert not [address for address in idp.stated_addresses("authorization") if "#" in address]
    idp.flow("flow", 0)  # a fragment would spoil this control, so it comes after what it stands beside


@clause("rfc6749:3.1/tls")
def test_request_in_the_clear_is_not_served(idp: Idp, token_flow: Flow) -> None:
    address = urlsplit(idp.endpoint("authorization"))
    if address.scheme != "http" or is_loopback(address.hostname or ""):
        raise NotOffered("the authorization endpoint is not reached in the clear over a network")
    answer = idp.follow(idp.authorization_request(token_flow), agent=idp.fresh_agent(), stop_at_pages=True)
    assert not answer.went_to(token_flow.redirect_uri)
    assert answer.page is None or 'type="password"' not in answer.page.text


@clause("rfc6749:3.1/get")
@control
@each_session
def test_get_is_served(idp: Idp, flow: Flow, session: str) -> None:
    answer = _follow(idp, flow, idp.authorization_request(flow), session)
    assert answer.issued, answer.describe()


@clause("rfc6749:3.1/post", "oidc-core:3.1.2.1/get-and-post")
@each_session
def test_post_is_served(idp: Idp, flow: Flow, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.follow(idp.authorization_request(flow).by("POST"), agent=agent)
    assert answer.issued, answer.describe()


@clause("rfc6749:3.1/empty-parameter")
@pytest.mark.parametrize(
    ("name", "method"), [*((name, "GET") for name in OPTIONAL), ("scope", "POST"), ("state", "POST")]
)
def test_empty_parameter_counts_as_none(idp: Idp, token_flow: Flow, name: str, method: str) -> None:
    request = idp.authorization_request(token_flow).by(method)
    without = _follow(idp, token_flow, request.drop(name))
    answer = _follow(idp, token_flow, request.set(name, ""))
    assert answer.issued == without.issued, answer.describe()
    assert answer.error == without.error
    assert set(answer.parameters.names) == set(without.parameters.names)


@clause("rfc6749:3.1/empty-parameter")
@pytest.mark.parametrize("name", ["response_type", "client_id"])
def test_empty_obligatory_parameter_counts_as_none(idp: Idp, token_flow: Flow, name: str) -> None:
    request = idp.authorization_request(token_flow)
    without = idp.follow(request.drop(name))
    answer = idp.follow(request.set(name, ""))
    assert not answer.issued
    assert answer.error == without.error
    assert (answer.page is None) == (without.page is None)


@clause("rfc6749:3.1/empty-parameter")
def test_empty_redirect_uri_counts_as_none(idp: Idp, one_uri_flow: Flow) -> None:
    own = [scope for scope in one_uri_flow.client.scopes if scope != "openid"]
    request = idp.authorization_request(one_uri_flow, scope=" ".join(own) or None)
    without = idp.follow(request.drop("redirect_uri"))
    answer = idp.follow(request.set("redirect_uri", ""))
    assert answer.issued == without.issued, answer.describe()
    assert answer.error == without.error


@clause("rfc6749:3.1/unknown-parameter", "oidc-core:3.1.2.1/unknown-parameters-ignored")
@pytest.mark.parametrize(("name", "method"), UNKNOWN)
def test_unknown_parameter_changes_nothing(idp: Idp, token_flow: Flow, name: str, method: str) -> None:
    request = idp.authorization_request(token_flow).by(method)
    answer = _follow(idp, token_flow, request.set(name, RESERVED))
    assert answer.issued, answer.describe()
    assert answer.state == request.form.get("state")


@clause("rfc6749:3.1/unknown-parameter", "oidc-core:3.1.2.1/unknown-parameters-ignored")
@pytest.mark.parametrize("value", ["", "x" * 1000, "\u00fc", "<b>"], ids=["empty", "long", "beyond-ascii", "markup"])
def test_unknown_value_changes_nothing_after_a_login(idp: Idp, some_flow: Flow, value: str) -> None:
    request = idp.authorization_request(some_flow)
    answer = _follow(idp, some_flow, request.set("unlisted", value), "fresh")
    assert answer.issued, answer.describe()
    assert answer.state == request.form.get("state")


def _other_value(idp: Idp, flow: Flow, name: str) -> str:
    values = {
        "response_type": UNKNOWN_VALUE,
        "scope": next(iter(flow.client.scopes), UNKNOWN_VALUE),
        "state": "another",
        "redirect_uri": "https://attacker.example/cb",
    }
    return values[name] if name in values else idp.other_client(flow.client, grant="implicit").id


@clause("rfc6749:3.1/repeated-request-parameter")
@pytest.mark.parametrize(
    ("values", "method"), [("equal", "GET"), ("other-last", "GET"), ("other-first", "GET"), ("equal", "POST")]
)
@pytest.mark.parametrize("name", REPEATABLE)
def test_repeated_parameter_is_not_granted(idp: Idp, token_flow: Flow, name: str, values: str, method: str) -> None:
    request = idp.authorization_request(token_flow).by(method)
    own = request.form.get(name)
    if own is None:
        raise NotOffered(f"the client's plain request has no {name}")
    pair = {
        "equal": (own, own),
        "other-last": (own, _other_value(idp, token_flow, name)),
        "other-first": (_other_value(idp, token_flow, name), own),
    }[values]
    answer = _follow(idp, token_flow, request.drop(name).add(name, pair[0]).add(name, pair[1]))
    assert not answer.issued, answer.describe()


@clause("rfc6749:3.1/repeated-request-parameter")
@pytest.mark.parametrize("name", REPEATABLE)
def test_repeated_parameter_is_not_granted_after_a_login(idp: Idp, token_flow: Flow, name: str) -> None:
    request = idp.authorization_request(token_flow)
    own = request.form.get(name)
    if own is None:
        raise NotOffered(f"the client's plain request has no {name}")
    answer = _follow(idp, token_flow, request.add(name, own), "fresh")
    assert not answer.issued, answer.describe()


def _repeated(answer: AuthorizationAnswer) -> set[str]:
    found = [*answer.fragment.names, *answer.own_query.names]
    return {name for name in RESPONSE_NAMES if found.count(name) > 1}


@clause("rfc6749:3.1/repeated-response-parameter")
@each_session
def test_success_has_each_parameter_once(idp: Idp, flow: Flow, session: str) -> None:
    answer = _follow(idp, flow, idp.authorization_request(flow), session)
    assert answer.issued, answer.describe()
    assert not _repeated(answer)
    assert not answer.parameters.repeated


@clause("rfc6749:3.1/repeated-response-parameter")
@pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
def test_error_has_each_parameter_once(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    answer = idp.provoke(token_flow, path)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    assert not _repeated(answer)
    assert not answer.parameters.repeated


@clause("rfc6749:10.10/user-credentials")
def test_wrong_passwords_are_slowed_down_or_limited(idp: Idp, some_flow: Flow) -> None:
    if idp.profile.disposable_user is None:
        raise NotOffered("the profile has no [disposable_user]")
    request = idp.authorization_request(some_flow)
    seconds: list[float] = []
    for number in range(GUESSES):
        agent, began = idp.fresh_agent("disposable_user"), time.perf_counter()
        with suppress(Inconclusive):  # the login page came back again, or a limiter answered
            answer = idp.follow(request, agent=agent, password=f"guess-{number}")
            assert not answer.issued, answer.describe()
        seconds.append(time.perf_counter() - began)
    try:
        right = idp.follow(request, agent=idp.fresh_agent("disposable_user")).issued
    except Inconclusive:
        right = False
    slower = sum(seconds[-5:]) > 5 * sum(seconds[:5]) + 1
    assert not right or slower, f"{GUESSES} wrong passwords changed nothing"
