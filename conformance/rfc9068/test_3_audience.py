"""RFC 9068 sections 3 and 5: the resource that a token is for."""

from itertools import combinations
from typing import Any

from grantproof.checks import Caller, Idp, NotOffered, clause
from grantproof.matrix.tokens import is_jws, one_or_more, read_part


@clause("rfc9068:3/resource-becomes-aud")
def test_resource_comes_back_as_aud(idp: Idp, one_method_service: Caller) -> None:
    wanted = _resources(one_method_service)
    if not wanted:
        raise NotOffered("the client's parameters in the profile name no resource")
    assert wanted <= _audience(idp.issue(one_method_service))


@clause("rfc9068:5/distinct-aud-per-resource")
def test_tokens_for_different_resources_have_different_audiences(idp: Idp, one_method_service: Caller) -> None:
    own = _resources(one_method_service)
    others = [each for each in idp.profile.clients_for("client_credentials") if not each.disposable]
    callers = [Caller(each, each.auth_methods[0]) for each in others]
    strangers = [each for each in callers if _resources(each) and _resources(each) != own]
    if not own or not strangers:
        raise NotOffered("no two clients of the profile name different resources in their parameters")
    assert _audience(idp.issue(one_method_service)) != _audience(idp.issue(strangers[0]))


@clause("rfc9068:3/mixed-resources-invalid-scope")
def test_scopes_of_different_resources_are_refused_together(idp: Idp, one_method_service: Caller) -> None:
    if _resources(one_method_service):
        raise NotOffered("the request names its resource")
    scopes = one_method_service.client.scopes[:5]
    audiences = {each: _audience(idp.token(one_method_service, scope=each).access_token) for each in scopes}
    pair = next((two for two in combinations(scopes, 2) if not audiences[two[0]] & audiences[two[1]]), None)
    if pair is None:
        raise NotOffered("the client's scopes lead to the same audience")
    assert idp.token(one_method_service, scope=" ".join(pair)).error == "invalid_scope"


def _resources(caller: Caller) -> set[str]:
    value = caller.client.parameters.get("resource", [])
    return {value} if isinstance(value, str) else set(value)


def _audience(token: str) -> set[str]:
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    found: Any = (read_part(token.split(".")[1]) or {}).get("aud")
    return {str(each) for each in one_or_more(found)}
