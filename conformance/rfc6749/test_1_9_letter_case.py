"""RFC 6749 section 1.9: names and values are compared with their letter case."""

import pytest

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.matrix.token_errors import change_credentials
from grantproof.wire.grammar import scope_set

NAMES = ("grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type")


@clause("rfc6749:1.9/case-sensitive")
@pytest.mark.parametrize("grant_type", ["Client_Credentials", "CLIENT_CREDENTIALS", "client_Credentials"])
def test_grant_type_in_another_case_gets_no_token(idp: Idp, method_service: Caller, grant_type: str) -> None:
    assert not idp.token(method_service, grant_type=grant_type).issued


@clause("rfc6749:1.9/case-sensitive")
@pytest.mark.parametrize("name", NAMES)
def test_parameter_name_in_another_case_is_not_known(idp: Idp, method_service: Caller, name: str) -> None:
    request = idp.token_request(method_service)
    value = request.form.get(name)
    if value is None or (name == "client_id" and "client_assertion" in request.form):
        raise NotOffered(f"the plain request does not need {name}")
    if idp.send(request.drop(name)).issued:
        raise NotOffered(f"a request without {name} is served, so its name in another case need not be known")
    assert not idp.send(request.drop(name).set(name.upper(), value)).issued


@clause("rfc6749:1.9/case-sensitive")
def test_client_id_in_another_case_is_another_client(idp: Idp, password_service: Caller) -> None:
    other = password_service.client.id.swapcase()
    if other in {client.id for client in idp.profile.clients.values()}:
        raise NotOffered("the identifier has no letters, or names another client in the other case")
    idp.expect_secret_matters(password_service)
    request = change_credentials(idp.token_request(password_service), client_id=lambda own: own.swapcase())
    assert not idp.send(request).issued


@clause("rfc6749:1.9/case-sensitive")
def test_scope_in_another_case_is_another_scope(idp: Idp, method_service: Caller) -> None:
    scopes = method_service.client.scopes
    other = " ".join(scopes).swapcase()
    if not scopes or scope_set(other) & set(scopes):
        raise NotOffered("there is no scope whose letter case could be changed")
    answer = idp.token(method_service, scope=other)
    if answer.issued:
        granted = idp.scope_of(answer.access_token) or scope_set(str(answer.members.get("scope", other)))
        default = idp.token(method_service, scope=None)
        ignored = granted == (idp.scope_of(default.access_token) if default.issued else None)
        assert ignored or not granted & set(scopes), "the scope was taken for the one in the other letter case"


@clause("rfc6749:1.9/case-sensitive")
def test_response_type_in_another_case_gets_no_token(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow, response_type=token_flow.response_type.upper())
    assert not answer.issued, answer.describe()


@clause("rfc6749:1.9/case-sensitive")
def test_response_type_by_another_name_gets_no_token(idp: Idp, token_flow: Flow) -> None:
    request = idp.authorization_request(token_flow)
    answer = idp.follow(request.drop("response_type").set("RESPONSE_TYPE", token_flow.response_type))
    assert not answer.issued, answer.describe()
