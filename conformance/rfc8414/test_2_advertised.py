"""RFC 8414 section 2: what the metadata advertises is tried, not believed."""

import pytest

from grantproof.checks import Caller, Flow, Form, FormRequest, Idp, NotOffered, Request, clause, control
from grantproof.matrix.tokens import entries


@clause("rfc8414:2/advertised-features-work")
@pytest.mark.parametrize(
    "member", ["authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"]
)
@control
def test_listed_address_is_served(idp: Idp, member: str) -> None:
    url = idp.metadata.members.get(member)
    if not isinstance(url, str):
        raise NotOffered(f"the metadata names no {member}")
    get = member in {"authorization_endpoint", "jwks_uri"}
    answer = idp.exchange(Request("GET", url) if get else FormRequest(url).to_request())
    assert answer.status not in {404, 405, 410, 501}, f"status {answer.status}"
    assert answer.status < 500


@clause("rfc8414:2/advertised-features-work")
@control
def test_listed_authentication_method_works(idp: Idp, method_service: Caller) -> None:
    listed = idp.metadata.token_endpoint_auth_methods_supported
    if listed is None or method_service.method not in listed:
        raise NotOffered(f"the metadata does not list {method_service.method}")
    answer = idp.token(method_service)
    assert answer.error != "invalid_client", f"{method_service.method} is listed and does not work"


@clause("rfc8414:2/advertised-features-work")
@control
def test_listed_grant_works(idp: Idp, one_method_service: Caller) -> None:
    if "client_credentials" not in (idp.metadata.grant_types_supported or ()):
        raise NotOffered("the metadata does not list client_credentials")
    assert idp.token(one_method_service).issued


@clause("rfc8414:2/advertised-features-work")
@control
def test_listed_response_type_works(idp: Idp, flow: Flow) -> None:
    listed = [set(each.split()) for each in idp.metadata.response_types_supported or ()]
    if set(flow.response_type.split()) not in listed:
        raise NotOffered(f"the metadata does not list {flow.response_type}")
    answer = idp.authorize(flow)
    assert answer.issued, f"{flow.response_type} is listed and ends at {answer.describe()}"


@clause("rfc8414:2/advertised-features-work")
@pytest.mark.parametrize("endpoint", ["introspection", "revocation"])
@control
def test_listed_authentication_method_works_beyond_the_token_endpoint(
    idp: Idp, method_service: Caller, endpoint: str
) -> None:
    listed = idp.metadata.members.get(f"{endpoint}_endpoint_auth_methods_supported")
    if method_service.method not in entries(listed):
        raise NotOffered(f"the metadata does not list {method_service.method} for the {endpoint} endpoint")
    request = FormRequest(idp.endpoint(endpoint), Form((("token", "no-such-token"),)))
    answer = idp.exchange(idp.authenticate(request, method_service).to_request())
    assert answer.get("error") != "invalid_client", f"{method_service.method} is listed and does not work"


@clause("rfc8414:2/advertised-features-work")
@control
def test_listed_scope_is_known(idp: Idp, one_method_service: Caller) -> None:
    listed = set(idp.metadata.scopes_supported or ()) & set(one_method_service.client.scopes)
    if not listed:
        raise NotOffered("the metadata lists no scope of this client")
    for scope in sorted(listed):
        assert idp.token(one_method_service, scope=scope).error != "invalid_scope", "a listed scope is unknown"


@clause("rfc8414:2/advertised-features-work")
@control
def test_listed_key_set_has_keys(idp: Idp) -> None:
    url = idp.metadata.members.get("jwks_uri")
    if not isinstance(url, str):
        raise NotOffered("the metadata names no jwks_uri")
    assert isinstance(idp.exchange(Request("GET", url)).get("keys"), list)
