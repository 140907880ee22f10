"""RFC 9700 sections 2.2.1, 2.3 and 4.15: what a token is good for, and for whom."""

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.wire.grammar import scope_set


@clause("rfc9700:2.2.1/sender-constrained")
def test_tokens_can_be_bound_to_their_client(idp: Idp) -> None:
    names = ("dpop_signing_alg_values_supported", "tls_client_certificate_bound_access_tokens")
    announced = any(idp.metadata.members.get(name) for name in names)
    bound = announced or "cnf" in idp.facts_of(idp.issue(idp.caller("service", 0)))
    assert bound, "neither DPoP nor mutual TLS is announced, and the token is bound to nobody"


@clause("rfc9700:2.3/least-privilege")
def test_token_has_no_more_scope_than_asked(idp: Idp, one_method_service: Caller) -> None:
    asked = _two_scopes(one_method_service)[0]
    answer = idp.token(one_method_service, scope=asked)
    granted = scope_set(answer.get("scope") or asked) | (idp.scope_of(answer.access_token) or frozenset())
    assert granted <= {asked}, f"asked for one scope, got {len(granted)}"


@clause("rfc9700:2.3/least-privilege")
def test_request_without_scope_does_not_bring_all(idp: Idp, one_method_service: Caller) -> None:
    every = frozenset(_two_scopes(one_method_service))
    answer = idp.token(one_method_service, scope=None)
    if not answer.issued:
        return
    granted = idp.scope_of(answer.access_token)
    granted = scope_set(answer.get("scope")) if granted is None else granted
    if not granted:
        raise NotOffered("nothing shows what is granted by default")
    assert not every <= granted, "whoever asks for nothing gets everything"


def _two_scopes(caller: Caller) -> tuple[str, ...]:
    if len(set(caller.client.scopes)) < 2:
        raise NotOffered(f"the client {caller.client.name} has not two scopes")
    return caller.client.scopes


@clause("rfc9700:4.15.1/tokens-of-clients-and-users-distinct")
def test_token_of_a_client_differs_from_that_of_a_user(idp: Idp, one_method_service: Caller, token_flow: Flow) -> None:
    own, users = idp.facts_of(idp.issue(one_method_service)), idp.facts_of(idp.issue(token_flow))
    if not own or not users:
        raise NotOffered("not both tokens show what they say")
    marked = own.get("sub") in {None, own.get("client_id"), own.get("azp"), one_method_service.client.id}
    assert marked or set(own) != set(users), "nothing in a token tells a client from a user"
