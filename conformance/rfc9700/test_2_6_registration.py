"""RFC 9700 sections 2.6 and 4.15: what a client may choose for itself when it registers."""

import secrets

import pytest

from grantproof.checks import Flow, Idp, NotOffered, clause, needs
from grantproof.registration import registered, try_to_register


@clause("rfc9068:5/sub-not-chosen-by-client", "rfc9700:2.6/client-id-not-chosen-by-client")
def test_client_does_not_choose_its_identifier(idp: Idp, some_flow: Flow) -> None:
    facts = idp.facts_of(idp.authorize(some_flow).access_token)
    user = facts.get("sub") or (idp.profile.user.username if idp.profile.user else "")
    if not isinstance(user, str) or not user:
        raise NotOffered("nothing says how the server calls the user")
    with registered(idp, client_id=user, sub=user) as made:
        assert made.client_id != user, "the client has the user's name now"
        told = made.answer.members
        assert user not in {told.get("sub"), told.get("username")}, "a claim of the client's choice names the user"


@clause("rfc9700:2.6/no-http-redirect-uri")
@needs("registration", "intrusive")
def test_plain_http_redirect_uri_is_not_registered(idp: Idp) -> None:
    uri = f"http://{secrets.token_hex(8)}.example/cb"
    wanted = {"grant_types": ["implicit"], "response_types": ["token"], "token_endpoint_auth_method": "none"}
    with registered(idp, redirect_uris=[uri.replace("http:", "https:")], **wanted):
        pass  # the control: the same client with https is made
    answer = try_to_register(idp, redirect_uris=[uri], **wanted)
    kept = answer.get("redirect_uris")
    assert answer.status not in {200, 201} or (isinstance(kept, list) and uri not in kept), "it was registered"


@clause("rfc9700:2.6/no-http-redirect-uri")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_plain_http_twin_of_a_redirect_uri_is_not_used(idp: Idp, token_flow: Flow, session: str) -> None:
    if not token_flow.redirect_uri.startswith("https:"):
        raise NotOffered("the redirect URI is not https")
    uri = token_flow.redirect_uri.replace("https:", "http:", 1)
    agent = idp.fresh_agent() if session == "fresh" else None
    answer = idp.follow(idp.authorization_request(token_flow, redirect_uri=uri), agent=agent)
    assert not answer.went_to(uri), "the response goes out over plain http"
    assert not answer.issued
