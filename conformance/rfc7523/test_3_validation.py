"""RFC 7523 sections 2.2, 3 and 3.2: what a client assertion must be to authenticate its client."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause, control
from grantproof.matrix.client_assertions import MUTATIONS, Mutation, Signer, mutations
from grantproof.wire.authentication import ASSERTION_METHODS, JWT_BEARER


@clause("rfc7523:2.2/single-jwt")
@pytest.mark.parametrize("wrong", mutations("joined"), ids=str)
def test_two_joined_jwts_are_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/iss-required")
@pytest.mark.parametrize("wrong", mutations("iss"), ids=str)
def test_jwt_that_the_client_did_not_issue_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/sub-is-client-id")
@pytest.mark.parametrize("wrong", mutations("sub"), ids=str)
def test_jwt_about_somebody_else_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/aud-names-server")
@pytest.mark.parametrize("wrong", mutations("aud"), ids=str)
def test_jwt_for_another_server_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/exp-required")
@pytest.mark.parametrize("wrong", mutations("exp"), ids=str)
def test_jwt_without_a_future_exp_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/nbf-respected")
@pytest.mark.parametrize("wrong", mutations("nbf"), ids=str)
def test_jwt_ahead_of_its_nbf_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/signature-verified")
@pytest.mark.parametrize("wrong", mutations("signature"), ids=str)
def test_jwt_without_the_clients_signature_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3/malformed-jwt-refused")
@pytest.mark.parametrize("wrong", mutations("malformed"), ids=str)
def test_malformed_jwt_is_refused(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    _judge_refusal(idp, assertion_service, wrong)


@clause("rfc7523:3.2/invalid-client")
@pytest.mark.parametrize("wrong", MUTATIONS, ids=str)
def test_bad_jwt_is_invalid_client(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    answer = _answer(idp, assertion_service, wrong)
    if answer.issued:
        raise NotOffered("the assertion was taken, which another check judges")
    # Another subject than the client_id beside it is a contradiction in the request too.
    lawful = {"invalid_client", "invalid_request"} if wrong.group == "sub" else {"invalid_client"}
    assert answer.error in lawful, f"status {answer.status}"


@clause("rfc7523:3.2/invalid-client")
@pytest.mark.parametrize("wrong", mutations("signature"), ids=str)
def test_bad_jwt_has_status_400_or_401(idp: Idp, assertion_service: Caller, wrong: Mutation) -> None:
    answer = _answer(idp, assertion_service, wrong)
    if answer.issued:
        raise NotOffered("the assertion was taken, which another check judges")
    assert answer.status in {400, 401}


@clause("rfc7523:3/token-endpoint-as-aud")
@control
def test_token_endpoint_is_taken_as_the_audience(idp: Idp, assertion_service: Caller) -> None:
    request = idp.unauthenticated_request(assertion_service)
    assert idp.send(idp.authenticate(request, assertion_service, audience=idp.endpoint("token"))).issued


@clause("rfc7523:3/jti-replay-refused")
def test_jwt_is_refused_when_it_comes_again(idp: Idp, assertion_service: Caller) -> None:
    request = idp.token_request(assertion_service)
    if not idp.send(request).issued:
        raise NotOffered("the assertion was not even taken once")
    assert not idp.send(request).issued


def _signer(idp: Idp, caller: Caller) -> Signer:
    """The caller's signer, with another client to mistake it for."""
    others = [each for each in idp.profile.clients.values() if each.id != caller.client.id and not each.public]
    keyed = [Caller(each, method) for each in others for method in each.auth_methods if method in ASSERTION_METHODS]
    other = others[0].id if others else ""
    key = idp.signing_key(keyed[0]) if keyed else None
    return Signer(caller.client.id, idp.audience_for(caller), idp.signing_key(caller), other, key)


def _answer(idp: Idp, caller: Caller, wrong: Mutation) -> TokenAnswer:
    assertion = wrong.build(_signer(idp, caller))
    if assertion is None:
        raise NotOffered("it does not apply to this client's key, or the profile has no second client for it")
    idp.transport.recorder.redactor.learn(assertion)
    request = idp.unauthenticated_request(caller).set("client_id", caller.client.id)
    return idp.send(request.set("client_assertion_type", JWT_BEARER).set("client_assertion", assertion))


def _judge_refusal(idp: Idp, caller: Caller, wrong: Mutation) -> None:
    assert not _answer(idp, caller, wrong).issued, f"{wrong} was taken"
