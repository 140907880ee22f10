"""RFC 6749 section 5.2: the body of error answers of the token endpoint."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause
from grantproof.matrix.token_errors import ERROR_PATHS, ErrorPath
from grantproof.wire.grammar import is_nqschars, is_uri_reference

every_path = pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
HOSTILE = {
    "quote": 'a"b',
    "backslash": "a\\b",
    "newline": "a\r\nb",
    "control": "a\x07\x7fb",
    "umlaut": "aüb",
    "euro": "a€b",
    "emoji": "a\N{SNAKE}b",
    "markup": "<script>'&</script>",
}
PLACES = ("grant_type", "scope", "client_id", "unheard_of")


def _hostile_answer(idp: Idp, caller: Caller, place: str, characters: str) -> TokenAnswer:
    """The answer to a request that has characters in one place which must not come back in an error."""
    request = idp.token_request(caller).set(place, characters)
    if place == "unheard_of":
        request = request.drop("grant_type").add(characters, "1")
    return idp.refusal(request)


def _member(answer: TokenAnswer, name: str) -> str | None:
    value = answer.get(name)
    assert value is None or isinstance(value, str), f"{name} is no string"
    return value


@clause("rfc6749:5.2/json-object")
@every_path
def test_error_body_is_a_json_object(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    assert "error" in answer.members
    assert answer.headers.media_type == "application/json"


@clause("rfc6749:5.2/json-object")
def test_error_body_for_a_client_without_the_grant_is_a_json_object(idp: Idp, unentitled_service: Caller) -> None:
    answer = idp.refusal(idp.token_request(unentitled_service))
    assert "error" in answer.members
    assert answer.headers.media_type == "application/json"


@clause("rfc6749:5.2/no-token-with-error")
@every_path
def test_error_body_has_no_token(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    members = answer.members if answer.error is not None else {}
    assert not [name for name in ("access_token", "refresh_token", "id_token") if members.get(name)]


@clause("rfc6749:5.2/error-charset", "rfc6749:A.7/error")
@every_path
def test_error_code_has_the_characters_of_error_codes(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    if answer.error is None:
        raise NotOffered("there is no error code, which is another clause's matter")
    assert is_nqschars(answer.error)


@clause("rfc6749:5.2/error-charset", "rfc6749:A.7/error")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("characters", HOSTILE.values(), ids=HOSTILE)
def test_error_code_never_repeats_hostile_characters(
    idp: Idp, method_service: Caller, place: str, characters: str
) -> None:
    answer = _hostile_answer(idp, method_service, place, characters)
    if answer.error is None:
        raise NotOffered("there is no error code, which is another clause's matter")
    assert is_nqschars(answer.error)


@clause("rfc6749:5.2/error-description")
@every_path
def test_error_may_be_described(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    assert idp.refusal(path.spoil(idp.token_request(method_service))).get("error_description")


@clause("rfc6749:5.2/error-description-charset")
@every_path
def test_error_description_has_allowed_characters_only(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    description = _member(idp.refusal(path.spoil(idp.token_request(method_service))), "error_description")
    assert not description or is_nqschars(description)


@clause("rfc6749:5.2/error-description-charset")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("characters", HOSTILE.values(), ids=HOSTILE)
def test_error_description_never_repeats_hostile_characters(
    idp: Idp, method_service: Caller, place: str, characters: str
) -> None:
    description = _member(_hostile_answer(idp, method_service, place, characters), "error_description")
    assert not description or is_nqschars(description)


@clause("rfc6749:A.8/error-description")
@every_path
def test_error_description_is_not_empty(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    description = _member(idp.refusal(path.spoil(idp.token_request(method_service))), "error_description")
    assert description != ""


@clause("rfc6749:5.2/error-uri")
def test_error_may_have_the_address_of_a_page(idp: Idp, method_service: Caller) -> None:
    assert idp.token(method_service, grant_type="unheard-of").get("error_uri")


@clause("rfc6749:5.2/error-uri-syntax", "rfc6749:A.9/error-uri")
@every_path
def test_error_uri_is_a_uri_reference(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    address = _member(idp.refusal(path.spoil(idp.token_request(method_service))), "error_uri")
    assert address is None or (address and is_uri_reference(address))
