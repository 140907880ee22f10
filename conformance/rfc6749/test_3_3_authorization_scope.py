"""RFC 6749 section 3.3: the scope of an authorization request."""

from grantproof.checks import AuthorizationAnswer, Flow, Idp, NotOffered, clause
from grantproof.matrix.authorization_errors import UNKNOWN_VALUE
from grantproof.wire.grammar import scope_set


def _granted(answer: AuthorizationAnswer, requested: str) -> frozenset[str]:
    """The scope of the token that was issued: what the answer says, else what was asked for."""
    assert answer.issued, answer.describe()
    return scope_set(answer.parameters.get("scope") or requested)


@clause("rfc6749:3.3/scope-order")
def test_order_of_scopes_does_not_matter(idp: Idp, token_flow: Flow) -> None:
    scopes = token_flow.client.scopes
    if len(scopes) < 2:
        raise NotOffered("the client has one scope only")
    forwards, backwards = " ".join(scopes), " ".join(reversed(scopes))
    usual = _granted(idp.authorize(token_flow, scope=forwards), forwards)
    assert _granted(idp.authorize(token_flow, scope=backwards), backwards) == usual


@clause("rfc6749:3.3/scope-narrowed")
def test_token_may_have_less_scope(idp: Idp, token_flow: Flow) -> None:
    asked = " ".join((*token_flow.client.scopes, UNKNOWN_VALUE))
    assert idp.authorize(token_flow, scope=asked).issued


@clause("rfc6749:3.3/scope-omitted")
def test_missing_scope_has_a_default_or_is_invalid(idp: Idp, token_flow: Flow) -> None:
    if token_flow.has_id_token:
        raise NotOffered("a request for an ID token has to name the scope openid")
    answer = idp.authorize(token_flow, scope=None)
    assert answer.issued or answer.error == "invalid_scope", answer.describe()


@clause("rfc6749:3.3/default-scope-reported")
def test_default_scope_may_be_reported(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow, scope=None)
    if not answer.issued:
        raise NotOffered(f"there is no default scope: {answer.describe()}")
    assert "scope" in answer.parameters
