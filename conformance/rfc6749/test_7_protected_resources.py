"""RFC 6749 sections 7 and 7.2: what opens a protected resource, and how it refuses."""

import secrets

import pytest

from grantproof.checks import Answer, Caller, Flow, Idp, Inconclusive, NotOffered, clause, needs
from grantproof.matrix.tokens import JWS_FORGERIES, TEXT_FORGERIES, Forgery, is_jws


@clause("rfc6749:7/token-validated", "rfc6749:10.3/unforgeable")
@pytest.mark.parametrize("forgery", TEXT_FORGERIES, ids=str)
def test_changed_token_opens_nothing(idp: Idp, one_method_service: Caller, forgery: Forgery) -> None:
    _judge_closed(idp, idp.issue(one_method_service), forgery)


@clause("rfc6749:7/token-validated", "rfc6749:10.3/unforgeable")
@pytest.mark.parametrize("forgery", TEXT_FORGERIES, ids=str)
def test_changed_token_of_the_implicit_grant_opens_nothing(idp: Idp, token_flow: Flow, forgery: Forgery) -> None:
    _judge_closed(idp, idp.issue(token_flow), forgery)


@clause("rfc6749:7/token-validated", "rfc6750:5.2/integrity")
@pytest.mark.parametrize("forgery", JWS_FORGERIES, ids=str)
def test_forged_jwt_opens_nothing(idp: Idp, one_method_service: Caller, forgery: Forgery) -> None:
    token = idp.issue(one_method_service)
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    _judge_closed(idp, token, forgery)


@clause("rfc6749:7/token-validated", "rfc6750:5.2/integrity")
@pytest.mark.parametrize("forgery", JWS_FORGERIES, ids=str)
def test_forged_jwt_of_the_implicit_grant_opens_nothing(idp: Idp, token_flow: Flow, forgery: Forgery) -> None:
    token = idp.issue(token_flow)
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    _judge_closed(idp, token, forgery)


def _require_open_door(idp: Idp) -> None:
    """The control of what is refused: a good token opens the resource."""
    if not idp.opens_resource:
        raise Inconclusive("no token opens the resource, so that a refusal shows nothing")


@clause("rfc6749:7/token-validated")
def test_resource_is_closed_without_a_token(idp: Idp) -> None:
    _require_open_door(idp)
    assert not _is_open(idp.resource(None))


@clause("rfc6749:7.2/error-reported")
def test_request_without_a_token_is_an_error(idp: Idp) -> None:
    _require_open_door(idp)
    assert 400 <= idp.resource(None).status < 500


@clause("rfc6749:7.2/error-reported")
def test_request_with_a_made_up_token_is_an_error(idp: Idp) -> None:
    _require_open_door(idp)
    assert 400 <= idp.resource(secrets.token_urlsafe(32)).status < 500


@clause("rfc6749:7.2/error-reported")
@needs("slow")
def test_request_with_an_expired_token_is_an_error(idp: Idp) -> None:
    _, token = idp.expired()
    assert 400 <= idp.resource(token).status < 500


def _is_open(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _judge_closed(idp: Idp, token: str, forgery: Forgery) -> None:
    forged = forgery.build(token, idp.key_set)
    if forged is None:
        raise NotOffered("this forgery does not apply to the token")
    if not _is_open(idp.resource(token)):
        raise NotOffered("the token itself does not open the resource")
    assert not _is_open(idp.resource(forged)), f"{forgery} opens the resource"
