"""RFC 6749 section 4.2.2: the successful answer of the implicit grant, and the syntax of its parts."""

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, Inconclusive, NotOffered, clause, control
from grantproof.wire.grammar import RESERVED, VSCHARS, is_token_type, is_vschars, scope_set

RESPONSE_NAMES = {"access_token", "token_type", "expires_in", "scope", "state", "id_token", "refresh_token", "error"}
# Some servers refuse states that are short enough to guess; only the grammar of A.5 says that they may not.
STATES = {
    "plain": "a1B2c3D4e5F6",
    "reserved": RESERVED,
    "space-inside": "a b c d e f g",
    "space-around": " a1B2c3D4e5 ",
    "plus": "a+b+c+d+e+f+g",
    "escape": "%2B%26%3D%25",
    "form-like": "a=b&state=c&access_token=d",
    "url": "https://app.example/back?x=1&y=2#part",
    "base64": "q7+/Zz+/q7+/Zz==",
    "json": '{"a": "b", "c": [1]}',
    "markup": "<b>\"'&amp;</b>",
    "backslash": "a\\b\\\\c\\d\\e\\f",
    "all-printable": VSCHARS,
    "long": "s" * 512,
}
SHORT_STATES = {"zero": "0", "one-letter": "x", "spaced": "a b"}
each_session = pytest.mark.parametrize("session", ["kept", "fresh"])


def _authorize(idp: Idp, flow: Flow, session: str = "kept", **changes: str | None) -> AuthorizationAnswer:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    return idp.follow(idp.authorization_request(flow, **changes), agent=agent)


def _granted_scope(idp: Idp, answer: AuthorizationAnswer) -> frozenset[str]:
    scope = idp.scope_of(answer.access_token)
    if scope is None:
        raise NotOffered("nothing says which scope the token has")
    return scope


def _foreign_scope(idp: Idp, flow: Flow) -> str:
    others = {scope for client in idp.profile.clients.values() for scope in client.scopes} - set(flow.client.scopes)
    if not others:
        raise NotOffered("no client of the profile has a scope that this one lacks")
    return min(others)


@clause("rfc6749:4.2.2/fragment")
@control
@each_session
def test_token_response_is_in_the_fragment(idp: Idp, token_flow: Flow, session: str) -> None:
    answer = _authorize(idp, token_flow, session)
    assert "access_token" in answer.fragment, answer.describe()


@clause("rfc6749:4.2.2/fragment")
@control
@each_session
def test_no_part_of_the_token_response_is_in_the_query(idp: Idp, token_flow: Flow, session: str) -> None:
    answer = _authorize(idp, token_flow, session)
    if not answer.issued:
        raise Inconclusive("no token came back, so that its place cannot be judged")
    misplaced = RESPONSE_NAMES & set(answer.own_query.names)
    assert not misplaced, f"the query has {', '.join(sorted(misplaced))}"


@clause("rfc6749:4.2.2/fragment", "rfc6749:B/utf-8-encoded")
@pytest.mark.parametrize("state", ["plain", "reserved", "all-printable"])
def test_fragment_is_form_urlencoded(idp: Idp, token_flow: Flow, state: str) -> None:
    answer = idp.authorize(token_flow, state=STATES[state])
    assert answer.strict_fragment.get("access_token"), answer.describe()


@clause("rfc6749:4.2.2/access-token")
@control
@each_session
def test_access_token_is_issued(idp: Idp, token_flow: Flow, session: str) -> None:
    assert _authorize(idp, token_flow, session).access_token


@clause("rfc6749:A.12/access-token")
def test_access_token_is_printable_ascii(idp: Idp, token_flow: Flow) -> None:
    assert is_vschars(idp.authorize(token_flow).access_token)


@clause("rfc6749:4.2.2/token-type")
def test_token_type_is_present(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    assert answer.parameters.get("token_type"), answer.describe()


@clause("rfc6749:A.13/token-type")
def test_token_type_keeps_its_grammar(idp: Idp, token_flow: Flow) -> None:
    token_type = idp.authorize(token_flow).parameters.get("token_type")
    if token_type is None:
        raise NotOffered("the response has no token_type")
    assert is_token_type(token_type)


@clause("rfc6749:4.2.2/expires-in")
def test_lifetime_is_a_positive_number(idp: Idp, token_flow: Flow) -> None:
    lifetime = idp.authorize(token_flow).parameters.get("expires_in")
    assert lifetime is not None, "the response has no expires_in"
    assert lifetime.isascii()
    assert lifetime.isdigit()
    assert int(lifetime) > 0


@clause("rfc6749:A.14/expires-in")
def test_lifetime_is_digits_alone(idp: Idp, token_flow: Flow) -> None:
    lifetime = idp.authorize(token_flow).parameters.get("expires_in")
    if lifetime is None:
        raise NotOffered("the response has no expires_in")
    assert lifetime.isascii()
    assert lifetime.isdigit()


@clause("rfc6749:4.2.2/scope-when-identical")
def test_identical_scope_is_named(idp: Idp, token_flow: Flow) -> None:
    assert "scope" in idp.authorize(token_flow).parameters


@clause("rfc6749:4.2.2/scope-when-different")
@pytest.mark.parametrize("asked", ["own", "foreign-too", "unknown-too"])
def test_different_scope_is_named(idp: Idp, token_flow: Flow, asked: str) -> None:
    own = [scope for scope in token_flow.client.scopes if scope != "openid" or token_flow.has_id_token]
    more = {"own": "", "unknown-too": "unlisted"}.get(asked)
    more = _foreign_scope(idp, token_flow) if more is None else more
    requested = " ".join([*own, more]).strip()
    answer = idp.authorize(token_flow, scope=requested or None)
    if not answer.issued:
        raise NotOffered(f"the server refuses such a scope: {answer.describe()}")
    stated = answer.parameters.get("scope")
    granted = _granted_scope(idp, answer)
    assert scope_set(requested if stated is None else stated) == granted


@clause("rfc6749:A.4/scope")
@pytest.mark.parametrize("asked", ["own", "none", "foreign-too"])
def test_scope_in_the_response_keeps_its_grammar(idp: Idp, token_flow: Flow, asked: str) -> None:
    own = " ".join(token_flow.client.scopes)
    wanted = {"own": own, "none": None}.get(asked, "")
    answer = idp.authorize(token_flow, scope=f"{own} {_foreign_scope(idp, token_flow)}" if wanted == "" else wanted)
    stated = answer.parameters.get("scope")
    if stated is None:
        raise NotOffered("the response names no scope")
    assert stated
    assert stated.split(" ") == stated.split()
    assert all(is_vschars(name) and not set(name) & {'"', "\\"} for name in stated.split(" "))


@clause("rfc6749:4.2.2/state", "rfc6749:A.5/state", "rfc6819:4.4.2.5/state-echoed")
@pytest.mark.parametrize("state", STATES)
def test_state_comes_back_exactly(idp: Idp, token_flow: Flow, state: str) -> None:
    answer = idp.authorize(token_flow, state=STATES[state])
    assert answer.issued, answer.describe()
    assert answer.parameters.all("state") == (STATES[state],)


@clause("rfc6749:A.5/state")
@pytest.mark.parametrize("state", SHORT_STATES)
def test_short_state_is_taken(idp: Idp, token_flow: Flow, state: str) -> None:
    answer = idp.authorize(token_flow, state=SHORT_STATES[state])
    assert answer.issued, answer.describe()


@clause("rfc6749:4.2.2/state", "rfc6819:4.4.2.5/state-echoed")
@pytest.mark.parametrize("state", SHORT_STATES)
def test_short_state_comes_back_with_a_token(idp: Idp, token_flow: Flow, state: str) -> None:
    answer = idp.authorize(token_flow, state=SHORT_STATES[state])
    if not answer.issued:
        raise NotOffered(f"no token came with such a state: {answer.describe()}")
    assert answer.parameters.all("state") == (SHORT_STATES[state],)


@clause("rfc6749:4.2.2/state")
@pytest.mark.parametrize("state", ["reserved", "all-printable"])
def test_state_survives_a_login(idp: Idp, token_flow: Flow, state: str) -> None:
    answer = _authorize(idp, token_flow, "fresh", state=STATES[state])
    assert answer.parameters.all("state") == (STATES[state],), answer.describe()


@clause("rfc6749:4.2.2/no-invented-state")
@pytest.mark.parametrize("state", [None, ""], ids=["absent", "empty"])
def test_no_state_is_invented(idp: Idp, flow: Flow, state: str | None) -> None:
    answer = idp.authorize(flow, state=state)
    assert answer.issued, answer.describe()
    assert "state" not in answer.parameters


@clause("rfc6749:4.2.2/no-refresh-token")
@each_session
def test_no_refresh_token_is_issued(idp: Idp, token_flow: Flow, session: str) -> None:
    answer = _authorize(idp, token_flow, session)
    assert answer.issued, answer.describe()
    assert "refresh_token" not in answer.parameters
    assert "refresh_token" not in answer.query


@clause("rfc6749:4.2.2/no-refresh-token")
def test_no_refresh_token_is_issued_on_demand(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow, scope=" ".join((*token_flow.client.scopes, "offline_access")))
    if not answer.issued:
        raise NotOffered(f"the server refuses the scope offline_access: {answer.describe()}")
    assert "refresh_token" not in answer.parameters
