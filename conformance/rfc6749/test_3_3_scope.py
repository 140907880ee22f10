"""RFC 6749 sections 3.3 and 10.3: scopes at the token endpoint."""

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause
from grantproof.wire.grammar import scope_set


def _granted(idp: Idp, answer: TokenAnswer, requested: str) -> frozenset[str]:
    """The scope of a token: what introspection or the token says, else what the answer names, else the request."""
    actual = idp.scope_of(answer.access_token)
    named = answer.members.get("scope")
    return actual if actual is not None else scope_set(named if isinstance(named, str) else requested)


@clause("rfc6749:3.3/scope-order")
def test_order_of_scopes_has_no_meaning(idp: Idp, method_service: Caller) -> None:
    scopes = method_service.client.scopes
    if len(scopes) < 2:
        raise NotOffered(f"the client {method_service.client.name} has no two scopes")
    orders = " ".join(scopes), " ".join(reversed(scopes))
    answers = [idp.token(method_service, scope=order) for order in orders]
    assert answers[0].issued == answers[1].issued, f"errors {answers[0].error} and {answers[1].error}"
    assert _granted(idp, answers[0], orders[0]) == _granted(idp, answers[1], orders[1])


@clause("rfc6749:3.3/scope-narrowed")
def test_less_than_the_requested_scope_may_be_granted(idp: Idp, service: Caller) -> None:
    wider = " ".join((*service.client.scopes, *_foreign(idp, service)))
    answer = idp.token(service, scope=wider)
    assert answer.issued
    assert _granted(idp, answer, wider) < scope_set(wider)


@clause("rfc6749:3.3/scope-omitted")
def test_request_without_scope_is_served_or_invalid_scope(idp: Idp, service: Caller) -> None:
    answer = idp.token(service, scope=None)
    assert answer.issued or answer.error == "invalid_scope", f"status {answer.status}, error {answer.error}"


@clause("rfc6749:3.3/default-scope-reported")
def test_default_scope_may_be_named(idp: Idp, service: Caller) -> None:
    assert "scope" in idp.token(service, scope=None).members


@clause("rfc6749:10.3/scope-by-client")
def test_scope_of_another_client_is_not_granted(idp: Idp, service: Caller) -> None:
    foreign = _foreign(idp, service)
    requested = " ".join((*service.client.scopes, *foreign))
    answer = idp.token(service, scope=requested)
    if answer.issued:
        assert not foreign & _granted(idp, answer, requested), "a scope of another client was granted"


@clause("rfc6749:10.3/scope-by-client")
def test_scope_of_another_client_alone_is_not_granted(idp: Idp, service: Caller) -> None:
    foreign = _foreign(idp, service)
    requested = " ".join(sorted(foreign))
    answer = idp.token(service, scope=requested)
    if answer.issued:
        assert not foreign & _granted(idp, answer, requested), "a scope of another client was granted"


def _foreign(idp: Idp, caller: Caller) -> frozenset[str]:
    """The scopes that other clients may have and this one may not."""
    every = {scope for client in idp.profile.clients.values() for scope in client.scopes}
    found = frozenset(every - set(caller.client.scopes))
    if not found:
        raise NotOffered(f"no client has a scope that {caller.client.name} lacks")
    return found
