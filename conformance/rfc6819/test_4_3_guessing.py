"""RFC 6819 sections 4.3, 4.4.1.12, 5.1.4 and 5.2.3.7: guessing at secrets, and doing without them."""

import time

import pytest

from grantproof.checks import Caller, Flow, FormRequest, Idp, NotOffered, clause, control

GUESSES = 15
WRONG = "no such thing"
LIMITED = frozenset({403, 423, 429, 503})
FRAGMENTS = {
    "always-true": "' OR '1'='1",
    "comment": "x'--",
    "second-statement": "x'; SELECT 1--",
    "double-quote": 'x" OR ""="',
    "backslash": "x\\' OR 1=1--",
    "parenthesis": "x') OR ('1'='1",
    "ldap": "*)(uid=*",
}


@clause("rfc6819:4.3.3/secret-not-sent")
def test_secret_may_stay_at_home(idp: Idp) -> None:
    methods = idp.metadata.members.get("token_endpoint_auth_methods_supported") or ()
    assert {"private_key_jwt", "client_secret_jwt", "tls_client_auth", "self_signed_tls_client_auth"} & set(methods)


@clause("rfc6819:5.1.4.1.5/asymmetric-client-authentication")
def test_clients_may_authenticate_with_a_key_pair(idp: Idp) -> None:
    methods = idp.metadata.members.get("token_endpoint_auth_methods_supported") or ()
    assert {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"} & set(methods)


@clause("rfc6819:5.2.3.7/strong-client-authentication")
@control
def test_assertion_alone_authenticates(idp: Idp, assertion_service: Caller) -> None:
    assert idp.token(assertion_service).issued


def _guess(idp: Idp) -> tuple[Caller, list[int], list[float]]:
    """A disposable client, and the statuses and seconds of some wrong secrets for it."""
    client = next((each for each in idp.profile.clients.values() if each.disposable and each.secret), None)
    if client is None:
        raise NotOffered("the profile has no disposable client with a secret")
    caller = Caller(client, client.auth_methods[0])
    idp.caller("service", 0)
    statuses: list[int] = []
    seconds: list[float] = []
    for number in range(GUESSES):
        guess = idp.authenticate(idp.token_request(caller), caller, secret=f"wrong-{number}")
        began = time.perf_counter()
        statuses.append(idp.transport.send(guess.to_request(), accept_gateway=True).status)
        seconds.append(time.perf_counter() - began)
    return caller, statuses, seconds


@clause("rfc6819:4.3.5/secret-guessing-answered")
def test_guesses_may_meet_a_limit(idp: Idp) -> None:
    caller, statuses, _ = _guess(idp)
    right = idp.transport.send(idp.token_request(caller).to_request(), accept_gateway=True)
    assert LIMITED & set(statuses) or right.status != 200


@clause("rfc6819:5.1.4.2.3/account-locked")
def test_right_secret_may_be_refused_after_many_wrong_ones(idp: Idp) -> None:
    caller, _, _ = _guess(idp)
    assert idp.transport.send(idp.token_request(caller).to_request(), accept_gateway=True).status != 200


@clause("rfc6819:5.1.4.2.4/tar-pit")
def test_answers_to_guesses_may_come_later_and_later(idp: Idp) -> None:
    _, _, seconds = _guess(idp)
    assert sum(seconds[-3:]) > 5 * sum(seconds[:3]) + 1


@clause("rfc6819:4.4.1.12/invalid-requests-limited")
def test_invalid_requests_may_be_limited(idp: Idp) -> None:
    client = next((each for each in idp.profile.clients.values() if each.disposable and each.secret), None)
    if client is None:
        raise NotOffered("the profile has no disposable client with a secret")
    caller = Caller(client, client.auth_methods[0])
    invalid = idp.token_request(caller, grant_type="no_such_grant").to_request()
    assert LIMITED & {idp.transport.send(invalid, accept_gateway=True).status for _ in range(GUESSES)}


@clause("rfc6819:5.1.4.1.2/sql-injection")
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragment_in_an_identifier_is_an_unknown_client(idp: Idp, fragment: str) -> None:
    idp.caller("service", 0)
    request = FormRequest(idp.endpoint("token")).set("grant_type", "client_credentials").set("client_secret", "x")
    plain = idp.send(request.set("client_id", "no-such-client"))
    answer = idp.send(request.set("client_id", FRAGMENTS[fragment]))
    assert (answer.status, answer.error) == (plain.status, plain.error), f"it got {answer.status}, {answer.error}"


@clause("rfc6819:5.1.4.1.2/sql-injection")
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragment_in_a_secret_is_a_wrong_secret(idp: Idp, password_service: Caller, fragment: str) -> None:
    request = idp.token_request(password_service)
    plain = idp.send(idp.authenticate(request, password_service, secret=WRONG))
    if plain.issued:
        raise NotOffered("any secret gets a token, so this one is answered like the others")
    answer = idp.send(idp.authenticate(request, password_service, secret=FRAGMENTS[fragment]))
    assert not answer.issued
    assert (answer.status, answer.error) == (plain.status, plain.error), f"it got {answer.status}, {answer.error}"


@clause("rfc6819:5.1.4.1.2/sql-injection")
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragment_in_a_redirect_uri_is_an_unknown_uri(idp: Idp, some_flow: Flow, fragment: str) -> None:
    answer = idp.authorize(some_flow, redirect_uri=f"{some_flow.redirect_uri}{FRAGMENTS[fragment]}")
    plain = idp.authorize(some_flow, redirect_uri=f"{some_flow.redirect_uri}nowhere")
    assert answer.redirect is None
    seen = answer.page.status if answer.page else 0
    assert seen == (plain.page.status if plain.page else 0), f"it got {seen}"
