"""OpenID Connect Core section 3.2.2: what it adds to the implicit grant."""

from urllib.parse import urlsplit

import pytest

from grantproof.checks import Flow, Idp, NotOffered, clause
from grantproof.matrix.redirect_uris import is_loopback


@clause("oidc-core:3.2.2.1/no-http-redirect-uri")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_web_client_gets_nothing_in_the_clear(idp: Idp, flow: Flow, session: str) -> None:
    registered = [uri for uri in flow.client.redirect_uris if uri.startswith("http:")]
    uri = next(iter(registered), flow.redirect_uri.replace("https:", "http:", 1))
    if is_loopback(urlsplit(uri).hostname or "") or not uri.startswith("http:"):
        raise NotOffered("the client's redirect URIs are those of a native application")
    answer = idp.authorize(flow, agent=idp.fresh_agent() if session == "fresh" else idp.agent(), redirect_uri=uri)
    assert not (answer.issued and answer.went_to(uri)), answer.describe()


@clause("oidc-core:3.2.2.5/token-type-bearer")
def test_token_type_is_bearer(idp: Idp, composite_flow: Flow) -> None:
    answer = idp.authorize(composite_flow)
    assert (answer.parameters.get("token_type") or "").lower() == "bearer"


@clause("oidc-core:3.2.2.5/token-type-bearer")
def test_token_type_is_bearer_in_a_request_for_openid(idp: Idp, token_flow: Flow) -> None:
    if "openid" not in token_flow.client.scopes:
        raise NotOffered("the client does not use OpenID Connect")
    answer = idp.authorize(token_flow)
    assert (answer.parameters.get("token_type") or "").lower() == "bearer"
