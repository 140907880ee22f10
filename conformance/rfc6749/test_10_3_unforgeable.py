"""RFC 6749 section 10.3: a token that a stranger made up or changed counts for nothing."""

import pytest

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause, needs
from grantproof.matrix.tokens import TEXT_FORGERIES, Forgery


@clause("rfc6749:10.3/unforgeable")
@needs("introspection")
@pytest.mark.parametrize("forgery", TEXT_FORGERIES, ids=str)
def test_forged_token_is_inactive(idp: Idp, one_method_service: Caller, forgery: Forgery) -> None:
    _judge_inactive(idp, one_method_service, forgery)


@clause("rfc6749:10.3/unforgeable")
@needs("introspection")
@pytest.mark.parametrize("forgery", TEXT_FORGERIES, ids=str)
def test_forged_token_of_the_implicit_grant_is_inactive(idp: Idp, token_flow: Flow, forgery: Forgery) -> None:
    _judge_inactive(idp, token_flow, forgery)


def _judge_inactive(idp: Idp, owner: Caller | Flow, forgery: Forgery) -> None:
    token = idp.issue_watched(owner)
    forged = forgery.build(token, idp.key_set)
    if forged is None:
        raise NotOffered("this forgery does not apply to the token")
    assert not idp.is_active(forged, owner), f"{forgery} is active"
