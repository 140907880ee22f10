"""RFC 6819 sections 3.1.2, 5.1.5 and 5.2.2.1: what tokens say, how far they reach and how long."""

from urllib.parse import urlsplit

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.matrix.tokens import is_jws, one_or_more, read_part
from grantproof.wire.grammar import is_absolute_uri, scope_set

USES = 30


@clause("rfc6819:3.1.2/shorter-lifetime-for-weaker-clients")
def test_tokens_of_public_clients_may_live_shorter(idp: Idp, public_flow: Flow, one_method_service: Caller) -> None:
    lifetimes = idp.authorize(public_flow).parameters.get("expires_in"), idp.token(one_method_service).get("expires_in")
    if not all(str(each or "").isdecimal() for each in lifetimes):
        raise NotOffered("not both lifetimes are told")
    assert int(lifetimes[0] or 0) < int(lifetimes[1] or 0)


@clause("rfc6819:5.1.5.1/scope-limited-by-grant")
def test_implicit_may_grant_less_of_the_same_scope(idp: Idp, public_flow: Flow, one_method_service: Caller) -> None:
    shared = [each for each in public_flow.client.scopes if each in one_method_service.client.scopes]
    if len(shared) < 2:
        raise NotOffered("the two clients have not two scopes in common")
    answer = idp.authorize(public_flow, scope=" ".join(shared))
    assert scope_set(answer.parameters.get("scope") or " ".join(shared)) < frozenset(shared)


@clause("rfc6819:5.1.5.2/tokens-expire")
def test_token_past_its_lifetime_opens_nothing(idp: Idp) -> None:
    caller, token = idp.expired()
    if idp.resource(idp.issue(caller)).status != 200:
        raise NotOffered("a fresh token of this client does not open the resource")
    assert idp.eventually(lambda: idp.resource(token).status != 200), "the resource is open to an expired token"


@clause("rfc6819:5.1.5.4/uses-limited")
def test_token_may_wear_out(idp: Idp, one_method_service: Caller) -> None:
    token = idp.issue(one_method_service)
    if idp.resource(token).status != 200:
        raise NotOffered("a fresh token of this client does not open the resource")
    assert any(idp.resource(token).status != 200 for _ in range(USES))


def _audiences(idp: Idp, caller: Caller, **changes: str | None) -> list[object]:
    token = idp.token(caller, **changes).access_token
    if not is_jws(token):
        raise NotOffered("the token is no JWT")
    return one_or_more((read_part(token.split(".")[1]) or {}).get("aud"))


@clause("rfc6819:5.1.5.6/audience-is-url")
def test_audience_may_be_a_url(idp: Idp, one_method_service: Caller) -> None:
    named = [each for each in _audiences(idp, one_method_service) if isinstance(each, str)]
    assert any(is_absolute_uri(each) and urlsplit(each).netloc for each in named)


@clause("rfc6819:5.1.5.7/scope-implies-audience")
def test_scopes_may_lead_to_audiences_of_their_own(idp: Idp, one_method_service: Caller) -> None:
    scopes = one_method_service.client.scopes
    if len(set(scopes)) < 2:
        raise NotOffered("the client has not two scopes")
    found = {str(_audiences(idp, one_method_service, scope=each)) for each in scopes}
    assert len(found) > 1


@clause("rfc6819:5.1.5.8/client-named-in-token")
def test_token_may_be_tied_to_its_client(idp: Idp, one_method_service: Caller) -> None:
    facts = idp.facts_of(idp.issue(one_method_service))
    assert one_method_service.client.id in {facts.get("client_id"), facts.get("azp"), facts.get("sub")}


@clause("rfc6819:5.1.5.10/self-contained-tokens-encrypted")
def test_content_of_a_token_may_be_encrypted(idp: Idp, one_method_service: Caller) -> None:
    assert idp.issue(one_method_service).count(".") == 4


@clause("rfc6819:5.1.5.11/standard-format")
def test_token_with_dots_is_a_jwt(idp: Idp, one_method_service: Caller) -> None:
    token = idp.issue(one_method_service)
    if token.count(".") not in {2, 4}:
        raise NotOffered("the token is a handle")
    assert read_part(token.partition(".")[0]) is not None, "the token looks like a JWT and its header is none"
    assert token.count(".") == 4 or is_jws(token), "the token looks like a JWT and its claims are none"


@clause("rfc6819:5.2.2.1/no-refresh-token")
def test_client_credentials_bring_no_refresh_token(idp: Idp, one_method_service: Caller) -> None:
    assert idp.token(one_method_service).get("refresh_token") is None


@clause("rfc6819:5.2.2.1/no-refresh-token")
def test_implicit_brings_no_refresh_token(idp: Idp, token_flow: Flow) -> None:
    assert idp.authorize(token_flow).parameters.get("refresh_token") is None
