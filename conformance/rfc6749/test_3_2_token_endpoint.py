"""RFC 6749 section 3.2: the token endpoint."""

from dataclasses import replace

import pytest

from grantproof.checks import Caller, Form, Idp, NotOffered, TokenAnswer, clause
from grantproof.matrix.token_errors import ERROR_PATHS, REQUEST_PATHS, ErrorPath, repeat, strip_authentication

EMPTY = ("grant_type", "scope", "client_id", "client_secret", "client_assertion", "redirect_uri", "unheard_of")
REPEATED = ("grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type")
UNKNOWN = {
    "plain": ("unheard_of", "1"),
    "punctuated": ("x-unheard.of_7f3a", "a b"),
    "reserved": ("unheard_of", "%+:&=/~\"'?#<>"),
    "utf8": ("ünheard_öf", " %&+£€"),
    "long": ("unheard_of", "x" * 2000),
}
unknown_parameters = pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN)


def _outcome(answer: TokenAnswer) -> tuple[bool, str | None]:
    return answer.issued, answer.error


@clause("rfc6749:3.2/query-in-endpoint")
def test_endpoint_may_have_a_query(idp: Idp, method_service: Caller) -> None:
    request = replace(idp.token_request(method_service), query=Form((("of_the_endpoint", "1"),)))
    assert idp.send(request).issued


@clause("rfc6749:3.2/no-fragment-in-endpoint")
def test_endpoint_has_no_fragment(idp: Idp) -> None:
    assert not [address for address in idp.stated_addresses("token") if "#" in address]
    idp.caller("service", 0)  # a fragment could spoil this control, so it comes after what it stands beside


@clause("rfc6749:3.2/post-only")
@pytest.mark.parametrize("place", ["query", "body"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_get_no_token(idp: Idp, method_service: Caller, method: str, place: str) -> None:
    request = idp.token_request(method_service).by(method)
    if place == "query":
        request = request.in_query()
    elif method == "GET":
        request = request.sent(request.form.encode().encode(), request.content_type)
    assert not idp.send(request).issued


@clause("rfc6749:3.2/empty-parameter")
@pytest.mark.parametrize("name", EMPTY)
def test_empty_parameter_is_as_good_as_none(idp: Idp, method_service: Caller, name: str) -> None:
    plain = idp.token_request(method_service)
    without = idp.send(plain.drop(name))
    again = idp.token_request(method_service)
    assert _outcome(idp.send(again.set(name, ""))) == _outcome(without)


@clause("rfc6749:3.2/unknown-parameter")
@unknown_parameters
def test_unknown_parameter_changes_no_success(idp: Idp, method_service: Caller, unknown: tuple[str, str]) -> None:
    answer = idp.send(idp.token_request(method_service).add(*unknown))
    assert answer.issued, f"status {answer.status}, error {answer.error}"


@clause("rfc6749:3.2/unknown-parameter")
@pytest.mark.parametrize("path", REQUEST_PATHS, ids=str)
def test_unknown_parameter_changes_no_error(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    without = idp.send(path.spoil(idp.token_request(method_service)))
    answer = idp.send(path.spoil(idp.token_request(method_service)).add("unheard_of", "1"))
    assert _outcome(answer) == _outcome(without)


@clause("rfc6749:3.2/repeated-request-parameter")
@pytest.mark.parametrize("order", ["equal", "other_first", "other_last"])
@pytest.mark.parametrize("name", REPEATED)
def test_repeated_parameter_gets_no_token(idp: Idp, method_service: Caller, name: str, order: str) -> None:
    request = idp.token_request(method_service)
    own = request.form.get(name)
    if own is None:
        raise NotOffered(f"the plain request has no {name} to repeat")
    other = own.split(" ")[0] if name == "scope" and " " in own else "authorization_code"
    values = {"equal": (own, own), "other_first": (other, own), "other_last": (own, other)}[order]
    assert not idp.send(repeat(name, values)(request)).issued


@clause("rfc6749:3.2/repeated-response-parameter")
def test_no_member_of_a_success_is_repeated(idp: Idp, service: Caller) -> None:
    assert not idp.token(service).repeated_members


@clause("rfc6749:3.2/repeated-response-parameter")
@pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
def test_no_member_of_an_error_is_repeated(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    if answer.get("error") is None:
        raise NotOffered("the refusal is no JSON object with an error, which another check judges")
    assert not answer.repeated_members


@clause("rfc6749:3.2.1/client-authentication")
@pytest.mark.parametrize("header", [None, "Basic", "Basic Og==", "Bearer made-up-token", "Unheard-Of abc"])
def test_request_without_authentication_gets_no_token(idp: Idp, method_service: Caller, header: str | None) -> None:
    request = strip_authentication(idp.token_request(method_service))
    assert not idp.send(request.header("Authorization", header) if header else request).issued


@clause("rfc6749:3.2.1/client-id-parameter")
def test_client_may_name_itself_beside_basic(idp: Idp, basic_service: Caller) -> None:
    answer = idp.token(basic_service, client_id=basic_service.client.id)
    assert answer.issued, f"status {answer.status}, error {answer.error}"
