"""RFC 6750 sections 3 and 3.1: how the resource refuses."""

import re
import secrets

import pytest

from grantproof.checks import Answer, Caller, FormRequest, Idp, NotOffered, clause, needs
from grantproof.wire.grammar import is_nqschars, is_scope, is_uri_reference
from grantproof.wire.headers import Challenge

ATTRIBUTES = ("realm", "scope", "error", "error_description", "error_uri")
CASES = ("no-token", "made-up", "wrong-scope")


@clause("rfc6750:3/www-authenticate")
@pytest.mark.parametrize("case", CASES)
def test_refusal_has_a_challenge(idp: Idp, service: Caller, case: str) -> None:
    assert "www-authenticate" in _refused(idp, service, case).headers


@clause("rfc6750:3/bearer-scheme")
@pytest.mark.parametrize("case", CASES)
def test_challenge_is_bearer(idp: Idp, service: Caller, case: str) -> None:
    answer = _refused(idp, service, case)
    if "www-authenticate" not in answer.headers:
        raise NotOffered("there is no challenge, which another check judges")
    assert "bearer" in [each.scheme for each in answer.headers.challenges]


@clause("rfc6750:3/auth-param")
@pytest.mark.parametrize("case", CASES)
def test_bearer_challenge_has_a_parameter(idp: Idp, service: Caller, case: str) -> None:
    assert _challenge(_refused(idp, service, case)).parameters


@clause("rfc6750:3/attributes-once")
@pytest.mark.parametrize("case", CASES)
def test_attribute_stands_once(idp: Idp, service: Caller, case: str) -> None:
    names = [name for name, _ in _challenge(_refused(idp, service, case)).parameters if name in ATTRIBUTES]
    assert len(names) == len(set(names)), f"attributes: {', '.join(names)}"


@clause("rfc6750:3/attribute-charset")
@pytest.mark.parametrize("case", CASES)
def test_attributes_keep_to_their_characters(idp: Idp, service: Caller, case: str) -> None:
    for name, value in _challenge(_refused(idp, service, case)).parameters:
        if name in {"error", "error_description"}:
            assert is_nqschars(value), f"{name} has a character that is not allowed"
        elif name == "scope":
            assert is_scope(value), "scope has a character that is not allowed"
        elif name == "error_uri":
            assert is_uri_reference(value), "error_uri is no URI"


@clause("rfc6750:3/error-attribute")
def test_challenge_to_a_bad_token_says_why(idp: Idp, service: Caller) -> None:
    assert _challenge(_refused(idp, service, "made-up")).get("error")


@clause("rfc6750:3/error-attribute")
@needs("slow")
def test_challenge_to_an_expired_token_says_why(idp: Idp) -> None:
    assert _challenge(_expired(idp)).get("error")


@clause("rfc6750:3.1/invalid-request-400")
@pytest.mark.parametrize("second", ["body", "query"])
def test_token_in_two_places_has_status_400(idp: Idp, service: Caller, second: str) -> None:
    token = idp.issue(service)
    method = "POST" if second == "body" else "GET"
    request = FormRequest(idp.endpoint("resource"), method=method).header("Authorization", f"Bearer {token}")
    if not 200 <= idp.exchange(request.to_request()).status < 300:
        raise NotOffered(f"a token of this client does not open the resource by {method}")
    answer = idp.exchange(request.set("access_token", token).to_request())
    if 200 <= answer.status < 300:
        raise NotOffered(f"the resource does not look for a token in the {second}")
    assert answer.status == 400


@clause("rfc6750:3.1/invalid-token-401")
def test_made_up_token_has_status_401(idp: Idp, service: Caller) -> None:
    assert _refused(idp, service, "made-up").status == 401


@clause("rfc6750:3.1/invalid-token-401")
@needs("slow")
def test_expired_token_has_status_401(idp: Idp) -> None:
    assert _expired(idp).status == 401


@clause("rfc6750:3.1/insufficient-scope-403")
def test_token_of_too_little_scope_has_status_403(idp: Idp, one_method_service: Caller) -> None:
    assert _refused(idp, one_method_service, "wrong-scope").status == 403


@clause("rfc6750:3.1/no-error-without-credentials")
def test_challenge_without_credentials_has_no_error(idp: Idp) -> None:
    challenge = _challenge(idp.resource(None))
    told = [name for name, _ in challenge.parameters if re.match("error", name)]
    assert not told, f"the challenge has {', '.join(told)}"


def _refused(idp: Idp, caller: Caller, case: str) -> Answer:
    """The refusal of a request without a token, with one that nobody issued, or with one of too little scope."""
    if case == "no-token":
        answer = idp.resource(None)
    elif case == "made-up":
        answer = idp.resource(secrets.token_urlsafe(32))
    else:
        answer = _of_too_little_scope(idp, caller)
    if 200 <= answer.status < 300:
        raise NotOffered("the resource is open, which another check judges")
    return answer


def _of_too_little_scope(idp: Idp, caller: Caller) -> Answer:
    """The refusal of the first of the client's scopes that does not do, while another does."""
    answers = {each: idp.resource(idp.token(caller, scope=each).access_token) for each in caller.client.scopes[:5]}
    refused = [answer for answer in answers.values() if answer.status != 200]
    if not refused or len(refused) == len(answers):
        raise NotOffered("no two scopes of this client tell an open resource from a closed one")
    return refused[0]


def _expired(idp: Idp) -> Answer:
    caller, token = idp.expired()
    answer = idp.resource(token)
    if answer.status == 200 or idp.resource(idp.issue(caller)).status != 200:
        raise NotOffered("the resource does not tell an expired token from a good one, which another check judges")
    return answer


def _challenge(answer: Answer) -> Challenge:
    found = next((each for each in answer.headers.challenges if each.scheme == "bearer"), None)
    if found is None:
        raise NotOffered("there is no Bearer challenge, which another check judges")
    return found
