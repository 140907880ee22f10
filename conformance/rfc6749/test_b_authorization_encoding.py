"""RFC 6749 appendices A.5 and B: characters beyond ASCII, and the two ways to write a space."""

import pytest

from grantproof.checks import Flow, Idp, NotOffered, clause
from grantproof.wire.form import encode_component

BEYOND = {
    "latin": "caf\u00e9",
    "cjk": "\u72b6\u614b",
    "emoji": "\U0001f512",
}


@clause("rfc6819:4.4.2.5/state-echoed")
@pytest.mark.parametrize("text", BEYOND)
def test_state_beyond_its_grammar_is_refused_or_kept(idp: Idp, some_flow: Flow, text: str) -> None:
    answer = idp.authorize(some_flow, state=BEYOND[text])
    assert answer.state in {None, BEYOND[text]}, f"state={answer.state!r}"
    assert not answer.issued or answer.state == BEYOND[text], "a token came without the state"


@clause("rfc6749:B/utf-8-encoded")
@pytest.mark.parametrize("text", BEYOND)
@pytest.mark.parametrize("name", ["state", "scope", "response_type"])
def test_answer_to_letters_beyond_ascii_is_utf_8(idp: Idp, some_flow: Flow, name: str, text: str) -> None:
    answer = idp.follow(idp.authorization_request(some_flow, **{name: BEYOND[text]}))
    if not answer.raw_fragment:
        raise NotOffered(f"the answer has no fragment: {answer.describe()}")
    assert answer.strict_fragment.names


@clause("rfc6749:B/form-decoded")
@pytest.mark.parametrize("written", ["a+b", "a%20b", "a%2Bb", "a%2520b", "%61%2d%7E"])
def test_state_is_decoded_once(idp: Idp, some_flow: Flow, written: str) -> None:
    value = {"a+b": "a b", "a%20b": "a b", "a%2Bb": "a+b", "a%2520b": "a%20b", "%61%2d%7E": "a-~"}[written]
    request = idp.authorization_request(some_flow).drop("state").to_request()
    answer = idp.walk(request.url + f"&state={written}")
    assert answer.state == value, answer.describe()


@clause("rfc6749:B/form-decoded")
@pytest.mark.parametrize("space", ["+", "%20"])
def test_scopes_may_be_parted_by_either_space(idp: Idp, token_flow: Flow, space: str) -> None:
    scopes = token_flow.client.scopes
    if len(scopes) < 2:
        raise NotOffered("the client has one scope only")
    request = idp.authorization_request(token_flow).drop("scope").to_request()
    answer = idp.walk(f"{request.url}&scope={space.join(map(encode_component, scopes))}")
    assert answer.issued, answer.describe()
