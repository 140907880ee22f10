"""RFC 7009 section 2.1: what a revocation request does, and to whose tokens."""

from dataclasses import replace

import pytest

from grantproof.checks import Caller, Flow, Form, FormRequest, Idp, NotOffered, clause, needs
from grantproof.matrix.tokens import is_jws

REFRESH = "refresh_token"


@clause("rfc7009:2.1/revoked-at-once", "rfc7662:4/revocation-checked")
def test_revoked_token_is_inactive(idp: Idp, method_service: Caller) -> None:
    _judge_end(idp, method_service, idp.issue_watched(method_service), method_service)


@clause("rfc7009:2.1/revoked-at-once", "rfc7662:4/revocation-checked")
def test_revoked_token_of_the_implicit_grant_is_inactive(idp: Idp, token_flow: Flow) -> None:
    _judge_end(idp, token_flow, idp.issue_watched(token_flow), _as_caller(token_flow))


@clause("rfc7009:2.1/revoked-at-once")
@needs("resource")
def test_revoked_opaque_token_opens_no_resource(idp: Idp, one_method_service: Caller) -> None:
    token = idp.issue(one_method_service)
    if is_jws(token):
        raise NotOffered("a resource may take a JWT by its signature alone until it expires")
    if idp.resource(token).status != 200:
        raise NotOffered(f"a good token of {one_method_service.client.name} does not open the resource")
    assert idp.end_token(token, one_method_service).status == 200
    assert idp.eventually(lambda: idp.resource(token).status != 200), "the resource is open to a revoked token"


@clause("rfc7009:2.1/wrong-hint-still-revoked")
def test_token_is_revoked_despite_a_wrong_hint(idp: Idp, method_service: Caller) -> None:
    token = idp.issue_watched(method_service)
    _judge_end(idp, method_service, token, method_service, token_type_hint=REFRESH)


@clause("rfc7009:2.1/wrong-hint-still-revoked")
def test_token_of_the_implicit_grant_is_revoked_despite_a_wrong_hint(idp: Idp, token_flow: Flow) -> None:
    token = idp.issue_watched(token_flow)
    _judge_end(idp, token_flow, token, _as_caller(token_flow), token_type_hint=REFRESH)


@clause("rfc7009:2.1/only-own-tokens")
def test_token_outlives_its_revocation_by_another_client(idp: Idp, method_service: Caller) -> None:
    stranger = idp.other_client(method_service.client, grant="client_credentials")
    attacker = Caller(stranger, stranger.auth_methods[0])
    idp.prove(attacker)
    idp.expect_revocation_works()
    token = idp.issue_watched(method_service)
    idp.revoke(token, attacker)
    assert idp.is_active(token, method_service), f"{stranger.name} revoked a token of {method_service.client.name}"


@clause("rfc7009:2.1/only-own-tokens")
def test_token_of_the_implicit_grant_outlives_its_revocation_by_another_client(idp: Idp, token_flow: Flow) -> None:
    stranger = idp.other_client(token_flow.client, grant="client_credentials")
    attacker = Caller(stranger, stranger.auth_methods[0])
    idp.prove(attacker)
    idp.expect_revocation_works()
    token = idp.issue_watched(token_flow)
    idp.revoke(token, attacker)
    assert idp.is_active(token, token_flow), f"{stranger.name} revoked a token of {token_flow.client.name}"


@clause("rfc7009:2.1/only-own-tokens")
def test_token_outlives_its_revocation_by_a_public_client(idp: Idp, one_method_service: Caller) -> None:
    public = next((each for each in idp.profile.clients.values() if each.public), None)
    if public is None:
        raise NotOffered("the profile has no public client")
    idp.expect_revocation_works()
    token = idp.issue_watched(one_method_service)
    idp.revoke(token, Caller(public, "none"))
    assert idp.is_active(token, one_method_service), f"{public.name} revoked a token that is not its own"


@clause("rfc7009:2.1/only-own-tokens")
def test_token_outlives_its_revocation_with_a_wrong_secret(idp: Idp, password_service: Caller) -> None:
    idp.expect_revocation_works()
    token = idp.issue_watched(password_service)
    request = FormRequest(idp.endpoint("revocation"), Form((("token", token),)))
    secret = f"{password_service.client.secret}x"
    idp.exchange(idp.authenticate(request, password_service, secret=secret).to_request())
    assert idp.is_active(token, password_service), "a wrong secret was enough to revoke a token"


@clause("rfc7009:2.1/only-own-tokens")
@pytest.mark.parametrize("named", [False, True], ids=["anonymous", "client-id-only"])
def test_token_outlives_its_revocation_without_credentials(idp: Idp, method_service: Caller, *, named: bool) -> None:
    idp.expect_revocation_works()
    token = idp.issue_watched(method_service)
    request = FormRequest(idp.endpoint("revocation"), Form((("token", token),)))
    if named:
        request = idp.authenticate(request, replace(method_service, method="none"))
    idp.exchange(request.to_request())
    assert idp.is_active(token, method_service), "no credentials were needed to revoke a token"


def _as_caller(flow: Flow) -> Caller:
    return Caller(flow.client, flow.client.auth_methods[0])


def _judge_end(idp: Idp, owner: Caller | Flow, token: str, caller: Caller, **changes: str | None) -> None:
    answer = idp.end_token(token, caller, **changes)
    assert idp.eventually(lambda: not idp.is_active(token, owner)), f"still active (status {answer.status})"
