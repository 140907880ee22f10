"""RFC 6749 sections 2.2 and 2.3: client identifiers and client authentication."""

import base64
import time
from collections.abc import Callable

import pytest

from grantproof.checks import Caller, Idp, Inconclusive, NotOffered, clause, control
from grantproof.matrix.token_errors import strip_authentication
from grantproof.wire.authentication import PASSWORD_METHODS, basic_credentials
from grantproof.wire.form import encode_component

GUESSES = 30


def _percent(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


def _percent_in_small_letters(text: str) -> str:
    return _percent(text).lower()


def _percent_first(text: str) -> str:
    return _percent(text[:1]) + encode_component(text[1:])


def _space_as_percent(text: str) -> str:
    return encode_component(text).replace("+", "%20")


ENCODINGS = {
    "every_character": _percent,
    "small_letters": _percent_in_small_letters,
    "first_character": _percent_first,
    "space_as_percent": _space_as_percent,
}


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode("ascii")


def _expect_right_secret(idp: Idp, caller: Caller) -> None:
    """Ends the check as inconclusive unless the secret is proven in another way than by encoded Basic."""
    client = caller.client
    for method in client.auth_methods:
        if method != caller.method:
            idp.prove(Caller(client, method))
            return
    raw = idp.token_request(caller).header(
        "Authorization", basic_credentials(client.id, client.secret or "", form_encoded=False)
    )
    if not idp.send(raw).issued:
        raise Inconclusive(f"nothing shows that the secret of clients.{client.name} is right")


@clause("rfc6749:2.2/client-id-alone", "rfc9700:2.5/client-authentication-enforced")
def test_identifier_alone_gets_no_token(idp: Idp, method_service: Caller) -> None:
    request = strip_authentication(idp.token_request(method_service)).set("client_id", method_service.client.id)
    assert not idp.send(request).issued


@clause("rfc6749:2.2/client-id-alone", "rfc9700:2.5/client-authentication-enforced")
@pytest.mark.parametrize("secret", ["", "client_id"], ids=["empty", "identifier"])
def test_identifier_with_no_real_secret_gets_no_token(idp: Idp, method_service: Caller, secret: str) -> None:
    client = method_service.client
    if not client.secret and method_service.method in PASSWORD_METHODS:
        raise NotOffered(f"the secret of the client {client.name} is empty")
    shown = client.id if secret else ""
    plain = strip_authentication(idp.token_request(method_service))
    assert not idp.send(plain.header("Authorization", basic_credentials(client.id, shown))).issued
    assert not idp.send(plain.set("client_id", client.id).set("client_secret", shown)).issued


@clause("rfc6749:2.3/one-authentication-method")
def test_two_right_methods_in_one_request_get_no_token(idp: Idp, basic_service: Caller) -> None:
    client = basic_service.client
    request = idp.token_request(basic_service)
    assert not idp.send(request.set("client_id", client.id).set("client_secret", client.secret or "")).issued


@clause("rfc6749:2.3/one-authentication-method")
def test_basic_and_secret_without_identifier_get_no_token(idp: Idp, basic_service: Caller) -> None:
    request = idp.token_request(basic_service)
    assert not idp.send(request.set("client_secret", basic_service.client.secret or "")).issued


@clause("rfc6749:2.3.1/basic")
@control
def test_basic_is_served(idp: Idp, basic_service: Caller) -> None:
    answer = idp.token(basic_service)
    if not answer.issued:
        _expect_right_secret(idp, basic_service)
    assert answer.issued, f"status {answer.status}, error {answer.error}"
    idp.expect_secret_matters(basic_service)


@clause("rfc6749:2.3.1/form-urlencoded-credentials")
@control
def test_encoded_credentials_are_decoded(idp: Idp, reserved_basic_service: Caller) -> None:
    answer = idp.token(reserved_basic_service)
    if not answer.issued:
        _expect_right_secret(idp, reserved_basic_service)
    assert answer.issued, f"status {answer.status}, error {answer.error}"
    idp.expect_secret_matters(reserved_basic_service)


@clause("rfc6749:2.3.1/form-urlencoded-credentials")
@pytest.mark.parametrize("encoding", ENCODINGS)
@control
def test_needlessly_encoded_credentials_are_decoded(idp: Idp, basic_service: Caller, encoding: str) -> None:
    _expect_served(idp, basic_service, ENCODINGS[encoding])


@clause("rfc6749:2.3.1/form-urlencoded-credentials")
@pytest.mark.parametrize("encoding", ENCODINGS)
@control
def test_reserved_credentials_are_decoded_however_encoded(
    idp: Idp, reserved_basic_service: Caller, encoding: str
) -> None:
    _expect_served(idp, reserved_basic_service, ENCODINGS[encoding])


def _expect_served(idp: Idp, caller: Caller, encode: Callable[[str], str]) -> None:
    header = _basic(encode(caller.client.id), encode(caller.client.secret or ""))
    answer = idp.send(idp.token_request(caller).header("Authorization", header))
    if not answer.issued:
        _expect_right_secret(idp, caller)
    assert answer.issued, f"status {answer.status}, error {answer.error}"
    idp.expect_secret_matters(caller)


@clause("rfc6749:2.3.1/body-credentials")
@control
def test_secret_in_the_body_may_be_accepted(idp: Idp, post_service: Caller) -> None:
    assert idp.token(post_service).issued


@clause("rfc6749:2.3.1/credentials-not-in-uri")
@pytest.mark.parametrize("body", ["grant_type", "client_id", "nothing"])
def test_secret_in_the_uri_is_not_accepted(idp: Idp, password_service: Caller, body: str) -> None:
    client = password_service.client
    plain = strip_authentication(idp.token_request(password_service))
    if body == "nothing":
        request = plain.set("client_id", client.id).set("client_secret", client.secret or "").in_query()
    else:
        request = plain.drop(*plain.form.names).set("client_secret", client.secret or "")
        request = request if body == "client_id" else request.set("client_id", client.id)
        form = plain.set("client_id", client.id).form if body == "client_id" else plain.form
        request = request.in_query().sent(form.encode().encode(), plain.content_type)
    assert not idp.send(request).issued


@clause("rfc6749:2.3.1/brute-force")
def test_wrong_secrets_are_slowed_down_or_limited(idp: Idp) -> None:
    caller = _disposable(idp)
    idp.caller("service", 0)
    seconds: list[float] = []
    for number in range(GUESSES):
        guess = idp.authenticate(idp.token_request(caller), caller, secret=f"guess-{number}")
        began = time.perf_counter()
        status = idp.transport.send(guess.to_request(), accept_gateway=True).status
        seconds.append(time.perf_counter() - began)
        if status in {403, 423, 429, 503}:
            return
    right = idp.transport.send(idp.token_request(caller).to_request(), accept_gateway=True)
    slower = sum(seconds[-5:]) > 5 * sum(seconds[:5]) + 1
    assert right.status != 200 or slower, f"{GUESSES} wrong secrets changed nothing"


def _disposable(idp: Idp) -> Caller:
    for client in idp.profile.clients.values():
        method = next((each for each in client.auth_methods if each in PASSWORD_METHODS), None)
        if client.disposable and method is not None:
            return Caller(client, method)
    raise NotOffered("the profile has no disposable client with a secret")


@clause("rfc6749:2.3.2/identity-mapping")
def test_assertion_gets_no_token_for_another_client(idp: Idp, assertion_service: Caller) -> None:
    other = idp.other_client(assertion_service.client, grant="client_credentials")
    answer = idp.send(idp.token_request(assertion_service).set("client_id", other.id))
    if not answer.issued:
        assert answer.error is not None, f"no error code in an answer with status {answer.status}"
        return
    owner = idp.facts_of(answer.access_token).get("client_id")
    if owner is None:
        raise NotOffered("nothing says whose the token is")
    assert owner != other.id, "the token is another client's"
