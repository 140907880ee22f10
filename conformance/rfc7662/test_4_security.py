"""RFC 7662 section 4: what is looked at before a token is called active."""

import pytest

from grantproof.checks import Caller, Flow, Idp, Inconclusive, NotOffered, clause
from grantproof.matrix.tokens import JWS_FORGERIES, Forgery, is_jws


@clause("rfc7662:4/expiry-checked")
def test_expired_token_is_inactive(idp: Idp) -> None:
    caller, token = idp.expired()
    fresh = idp.issue(caller)
    if fresh != token and not idp.is_active(fresh, caller):
        raise Inconclusive("introspection does not call a fresh token active")
    assert idp.eventually(lambda: not idp.is_active(token, caller)), "the token is past its lifetime and active"


@clause("rfc7662:4/signature-checked", "rfc6750:5.2/integrity", "rfc6749:10.3/unforgeable")
@pytest.mark.parametrize("forgery", JWS_FORGERIES, ids=str)
def test_forged_jwt_is_inactive(idp: Idp, one_method_service: Caller, forgery: Forgery) -> None:
    _judge_forgery(idp, one_method_service, forgery)


@clause("rfc7662:4/signature-checked", "rfc6750:5.2/integrity", "rfc6749:10.3/unforgeable")
@pytest.mark.parametrize("forgery", JWS_FORGERIES, ids=str)
def test_forged_jwt_of_the_implicit_grant_is_inactive(idp: Idp, token_flow: Flow, forgery: Forgery) -> None:
    _judge_forgery(idp, token_flow, forgery)


def _judge_forgery(idp: Idp, owner: Caller | Flow, forgery: Forgery) -> None:
    token = idp.issue(owner)
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    forged = forgery.build(token, idp.key_set)
    if forged is None:
        raise NotOffered("this forgery does not apply to the token's algorithm")
    if not idp.is_active(token, owner):
        raise Inconclusive("introspection does not call the token itself active")
    assert not idp.is_active(forged, owner), f"{forgery} is active"
