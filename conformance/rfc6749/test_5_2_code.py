"""RFC 6749 section 5.2: the error codes of the token endpoint."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause
from grantproof.matrix.token_errors import (
    BROKEN_HEADERS,
    CLIENT_PATHS,
    ERROR_PATHS,
    REGISTERED_ERRORS,
    SCOPE_PATHS,
    ErrorPath,
    change_credentials,
    repeat,
)
from grantproof.wire.grammar import scope_set

ORDERS = {"equal": (0, 0), "wrong_first": (1, 0), "wrong_last": (0, 1)}


@clause("rfc6749:5.2/error-code")
@pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
def test_error_code_is_defined_or_registered(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    assert answer.error in REGISTERED_ERRORS


@clause("rfc6749:5.2/error-code")
@pytest.mark.parametrize("header", BROKEN_HEADERS.values(), ids=BROKEN_HEADERS)
def test_error_code_for_a_broken_header_is_defined(idp: Idp, basic_service: Caller, header: str) -> None:
    answer = idp.refusal(idp.token_request(basic_service).header("Authorization", header))
    assert answer.error in REGISTERED_ERRORS


@clause("rfc6749:5.2/error-code")
def test_error_code_for_a_client_without_the_grant_is_defined(idp: Idp, unentitled_service: Caller) -> None:
    assert idp.refusal(idp.token_request(unentitled_service)).error in REGISTERED_ERRORS


@clause("rfc6749:5.2/invalid-request")
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_repeated_grant_type_is_an_invalid_request(idp: Idp, method_service: Caller, order: tuple[int, int]) -> None:
    values = ("client_credentials", "authorization_code")
    spoil = repeat("grant_type", (values[order[0]], values[order[1]]))
    assert idp.refusal(spoil(idp.token_request(method_service))).error == "invalid_request"


@clause("rfc6749:5.2/invalid-request")
def test_repeated_scope_is_an_invalid_request(idp: Idp, method_service: Caller) -> None:
    request = idp.token_request(method_service)
    scope = request.form.get("scope")
    if scope is None:
        raise NotOffered(f"the client {method_service.client.name} has no scope to repeat")
    assert idp.refusal(request.add("scope", scope)).error == "invalid_request"


@clause("rfc6749:5.2/multiple-credentials")
@pytest.mark.parametrize("right", ["header", "body"])
def test_contradicting_secrets_get_an_error(idp: Idp, basic_service: Caller, right: str) -> None:
    client = basic_service.client
    request = idp.token_request(basic_service)
    if right == "body":
        request = change_credentials(request, secret=lambda _: "made-up")
    secret = client.secret or "" if right == "body" else "made-up"
    answer = idp.send(request.set("client_id", client.id).set("client_secret", secret))
    assert not answer.issued
    assert answer.error is not None, f"no error code in an answer with status {answer.status}"


@clause("rfc6749:5.2/multiple-credentials")
@pytest.mark.parametrize("right", ["header", "body"])
def test_credentials_of_two_clients_get_an_error(idp: Idp, basic_service: Caller, right: str) -> None:
    own = basic_service.client
    other = idp.other_client(own, grant="client_credentials")
    if other.secret is None:
        raise NotOffered("the second client has no secret")
    request = idp.token_request(basic_service)
    identity = other if right == "header" else own
    if right == "body":
        request = change_credentials(request, client_id=lambda _: other.id, secret=lambda _: "made-up")
    secret = "made-up" if right == "header" else own.secret or ""
    answer = idp.send(request.set("client_id", identity.id).set("client_secret", secret))
    assert not answer.issued
    assert answer.error is not None, f"no error code in an answer with status {answer.status}"


@clause("rfc6749:5.2/multiple-credentials")
def test_no_token_for_a_client_that_is_only_named(idp: Idp, basic_service: Caller) -> None:
    other = idp.other_client(basic_service.client, grant="client_credentials")
    answer = idp.send(idp.token_request(basic_service).set("client_id", other.id))
    if not answer.issued:
        assert answer.error is not None, f"no error code in an answer with status {answer.status}"
        return
    owner = idp.facts_of(answer.access_token).get("client_id")
    if owner is None:
        raise NotOffered("nothing says whose the token is")
    assert owner != other.id, "the token is another client's"


@clause("rfc6749:5.2/invalid-client")
@pytest.mark.parametrize("path", CLIENT_PATHS, ids=str)
def test_unauthenticated_client_is_an_invalid_client(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.send(path.spoil(idp.token_request(method_service)))
    assert not answer.issued
    assert answer.error == "invalid_client"


@clause("rfc6749:5.2/unauthorized-client")
def test_client_without_the_grant_is_an_unauthorized_client(idp: Idp, unentitled_service: Caller) -> None:
    answer = idp.token(unentitled_service)
    assert not answer.issued
    assert answer.error == "unauthorized_client"


@clause("rfc6749:5.2/unsupported-grant-type")
@pytest.mark.parametrize("grant_type", ["unheard-of", "client-credentials", "x", "none", "1.0_z"])
def test_unknown_grant_type_is_unsupported(idp: Idp, method_service: Caller, grant_type: str) -> None:
    answer = idp.token(method_service, grant_type=grant_type)
    assert not answer.issued
    assert answer.error == "unsupported_grant_type"


@clause("rfc6749:5.2/invalid-scope")
@pytest.mark.parametrize("path", SCOPE_PATHS, ids=str)
def test_wrong_scope_is_invalid_or_not_granted(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    request = path.spoil(idp.token_request(method_service))
    answer = idp.send(request)
    if not answer.issued:
        assert answer.error == "invalid_scope"
        return
    assert not scope_set(request.form.get("scope")) & _granted(idp, answer), "the token has a scope that nobody knows"


@clause("rfc6749:5.2/invalid-scope")
def test_unknown_scope_beside_a_known_one_is_invalid_or_not_granted(idp: Idp, method_service: Caller) -> None:
    known = method_service.client.scopes
    answer = idp.token(method_service, scope=" ".join((*known, "unheard-of-7f3a")))
    if not answer.issued:
        assert answer.error == "invalid_scope"
        return
    assert "unheard-of-7f3a" not in _granted(idp, answer)


def _granted(idp: Idp, answer: TokenAnswer) -> frozenset[str]:
    """The scope that the answer names or, failing that, that the token has."""
    named = answer.members.get("scope")
    granted = scope_set(named) if isinstance(named, str) else idp.scope_of(answer.access_token)
    if granted is None:
        raise NotOffered("nothing says which scope the token has")
    return granted
