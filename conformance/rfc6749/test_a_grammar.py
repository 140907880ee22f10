"""RFC 6749 appendix A and section 8: the grammar of what the token endpoint answers, and of what it is sent."""

import re

import pytest

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause
from grantproof.matrix.token_errors import ERROR_PATHS, REGISTERED_ERRORS, ErrorPath, change_credentials
from grantproof.wire.grammar import is_absolute_uri, is_parameter_name, is_scope, is_token_type, is_vschars

REGISTERED_TYPES = frozenset({"bearer", "dpop", "pop", "n_a"})
FOREIGN = {
    "umlaut": "ü",
    "euro": "€",
    "control": "\x01",
    "newline": "\n",
    "nul": "\x00",
    "delete": "\x7f",
    "not_utf8": "\udcff",
}
foreign_characters = pytest.mark.parametrize("characters", FOREIGN.values(), ids=FOREIGN)
_LIFETIME = re.compile(r'"expires_in"\s*:\s*("[^"]*"|[^\s,}]+)')


@clause("rfc6749:A.1/client-id")
@foreign_characters
def test_foreign_client_id_gets_an_error_answer(idp: Idp, method_service: Caller, characters: str) -> None:
    if not method_service.method.startswith("client_secret_") or method_service.method.endswith("_jwt"):
        raise NotOffered("an assertion names the client in JSON, not in the grammar of client_id")
    plain = idp.token_request(method_service)
    answer = idp.send(change_credentials(plain, client_id=lambda own: own + characters))
    _expect_regular_refusal(answer)


@clause("rfc6749:A.2/client-secret")
@foreign_characters
def test_foreign_client_secret_gets_an_error_answer(idp: Idp, method_service: Caller, characters: str) -> None:
    if not method_service.method.startswith("client_secret_") or method_service.method.endswith("_jwt"):
        raise NotOffered("an assertion does not send the secret")
    plain = idp.token_request(method_service)
    answer = idp.send(change_credentials(plain, secret=lambda _: "made-up" + characters))
    _expect_regular_refusal(answer)


def _expect_regular_refusal(answer: TokenAnswer) -> None:
    """Fails unless the client is refused as any other would be; whether by the right code is for section 5.2."""
    assert not answer.issued
    assert answer.error is None or answer.error in REGISTERED_ERRORS
    assert answer.status < 500


@clause("rfc6749:A.4/scope")
def test_scope_in_an_answer_is_well_formed(idp: Idp, service: Caller) -> None:
    _expect_well_formed_scope(idp, service, " ".join(service.client.scopes) or None)


@clause("rfc6749:A.4/scope")
@pytest.mark.parametrize(
    "shape",
    ["", "{0}", " {0}", "{0} ", "{0}  {1}", "{1} {0}", "{0} {0}"],
    ids=["none", "one", "space_first", "space_last", "two_spaces", "turned", "twice"],
)
def test_scope_in_the_answer_to_an_odd_request_is_well_formed(idp: Idp, service: Caller, shape: str) -> None:
    scopes = service.client.scopes
    if not scopes:
        raise NotOffered(f"the client {service.client.name} has no scope to ask for")
    _expect_well_formed_scope(idp, service, shape.format(scopes[0], scopes[-1]) or None)


def _expect_well_formed_scope(idp: Idp, caller: Caller, requested: str | None) -> None:
    scope = idp.token(caller, scope=requested).get("scope")
    if scope is None:
        raise NotOffered("the answer names no scope")
    assert isinstance(scope, str), f"scope is {type(scope).__name__}"
    assert is_scope(scope)


@clause("rfc6749:A.10/grant-type")
@foreign_characters
def test_foreign_grant_type_gets_an_error_answer(idp: Idp, method_service: Caller, characters: str) -> None:
    answer = idp.token(method_service, grant_type="client_credentials" + characters)
    assert not answer.issued
    assert answer.error in {"unsupported_grant_type", "invalid_request"}, f"status {answer.status}"


@clause("rfc6749:A.10/grant-type")
@pytest.mark.parametrize("grant_type", ["client credentials", "a b", '"', "\\", "a/b c", "(x)"])
def test_malformed_grant_type_gets_an_error_answer(idp: Idp, method_service: Caller, grant_type: str) -> None:
    answer = idp.token(method_service, grant_type=grant_type)
    assert not answer.issued
    assert answer.error in {"unsupported_grant_type", "invalid_request"}, f"status {answer.status}"


@clause("rfc6749:A.12/access-token")
def test_access_token_is_printable(idp: Idp, service: Caller) -> None:
    assert is_vschars(idp.token(service).access_token)


@clause("rfc6749:A.13/token-type")
def test_token_type_is_a_name_or_a_uri(idp: Idp, service: Caller) -> None:
    assert is_token_type(str(idp.token(service).members.get("token_type")))


@clause("rfc6749:8.1/registered-token-type")
def test_token_type_is_registered_or_a_uri(idp: Idp, service: Caller) -> None:
    token_type = str(idp.token(service).members.get("token_type"))
    assert token_type.lower() in REGISTERED_TYPES or is_absolute_uri(token_type)


@clause("rfc6749:A.14/expires-in")
def test_lifetime_has_digits_only(idp: Idp, service: Caller) -> None:
    found = _LIFETIME.search(idp.token(service).text)
    if found is None:
        raise NotOffered("the answer has no expires_in")
    written = found[1].strip('"')
    assert written.isascii()
    assert written.isdigit()


@clause("rfc6749:A.17/refresh-token")
def test_refresh_token_is_printable(idp: Idp, service: Caller) -> None:
    members = idp.token(service).members
    if "refresh_token" in members:
        assert isinstance(members["refresh_token"], str)
        assert is_vschars(members["refresh_token"])


@clause("rfc6749:8.2/parameter-names")
def test_names_in_a_success_are_well_formed(idp: Idp, service: Caller) -> None:
    assert not [name for name in idp.token(service).members if not is_parameter_name(name)]


@clause("rfc6749:8.2/parameter-names")
@pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
def test_names_in_an_error_are_well_formed(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    if answer.get("error") is None:
        raise NotOffered("the refusal is no JSON object with an error, which another check judges")
    assert not [name for name in answer.members if not is_parameter_name(name)]
