"""RFC 6819 sections 4.2 to 4.4: what stands between a malicious client and the user's consent."""

from html.parser import HTMLParser

import pytest

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.wire.grammar import scope_set

NOT_FOR_USERS = frozenset({"hidden", "submit", "button", "reset", "image"})
USER_SCOPES = ("openid", "profile", "offline_access")


@clause("rfc6819:4.2.2/scope-narrowed-by-client")
def test_scope_may_depend_on_the_client(idp: Idp, one_method_service: Caller) -> None:
    others = (set(each.scopes) for each in idp.profile.clients.values() if "client_credentials" in each.grants)
    foreign = sorted(set[str]().union(*others) - set(one_method_service.client.scopes))
    if not foreign:
        raise NotOffered("no other client has a scope that this one lacks")
    answer = idp.token(one_method_service, scope=" ".join((*one_method_service.client.scopes, foreign[0])))
    assert not answer.issued or foreign[0] not in scope_set(answer.get("scope"))


@clause("rfc6819:4.2.3/automatic-approval-limited")
def test_wider_scope_may_ask_again(idp: Idp, confidential_flow: Flow) -> None:
    narrow, wide = confidential_flow.client.scopes[:1], confidential_flow.client.scopes
    if len(set(wide)) < 2:
        raise NotOffered("the client has not two scopes")
    agent = idp.fresh_agent("user2")
    idp.authorize(confidential_flow, agent=agent, scope=" ".join(narrow))
    if idp.asks_consent(idp.authorize(confidential_flow, agent=agent, scope=" ".join(narrow))):
        return
    assert idp.asks_consent(idp.authorize(confidential_flow, agent=agent, scope=" ".join(wide)))


class _Inputs(HTMLParser):
    """Whether a page has a field for the user to fill in."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.any = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes fields that are neither hidden nor buttons."""
        kind = (dict(attrs).get("type") or "text").lower()
        self.any = self.any or (tag == "input" and kind not in NOT_FOR_USERS) or tag == "textarea"


@clause("rfc6819:4.4.1.10/approval-needs-user-input")
def test_approval_may_need_what_only_the_user_has(idp: Idp, some_flow: Flow) -> None:
    assert _Inputs(idp.page(some_flow, "consent").text).any


@clause("rfc6819:5.2.3.2/public-client-needs-approval")
def test_session_of_one_client_does_not_let_another_in_unseen(idp: Idp, public_flow: Flow) -> None:
    other = idp.other_client(public_flow.client, grant="implicit")
    agent = idp.fresh_agent()
    first = Flow(other, other.response_types[0] if other.response_types else "token", other.redirect_uris[0])
    idp.authorize(first, agent=agent)
    answer = idp.authorize(public_flow, agent=agent)
    assert not answer.issued or idp.asks_consent(answer), "the user was not asked about the second client"


@clause("rfc6819:4.4.2.1/implicit-response-confidential")
def test_token_goes_from_https_to_https(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    assert answer.issued, answer.describe()
    assert idp.endpoint("authorization").startswith("https:"), "the response leaves a server without TLS"
    assert not (answer.location or "").startswith("http:"), "the response goes to a client without TLS"


@clause("rfc6819:4.4.2.2/implicit-response-not-cacheable")
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_response_with_the_token_is_not_kept_by_caches(idp: Idp, token_flow: Flow, session: str) -> None:
    answer = idp.authorize(token_flow, agent=idp.fresh_agent() if session == "fresh" else idp.agent())
    assert answer.issued, answer.describe()
    directives = answer.steps[-1].headers.directives("cache-control")
    assert directives & {"no-store", "no-cache", "private"}, "nothing forbids caches to keep the response"


@clause("rfc6819:4.4.4/user-scopes-withheld")
@pytest.mark.parametrize("scope", USER_SCOPES)
def test_scope_about_users_may_be_withheld(idp: Idp, one_method_service: Caller, scope: str) -> None:
    answer = idp.token(one_method_service, scope=scope)
    assert not answer.issued or scope not in (idp.scope_of(answer.access_token) or scope_set(answer.get("scope")))


@clause("rfc6819:5.2.3.3/redirect-uri-bound-to-client")
def test_redirect_uri_of_one_client_may_be_worthless_to_another(idp: Idp, some_flow: Flow) -> None:
    other = idp.other_client(some_flow.client, grant="implicit")
    uri = next((each for each in other.redirect_uris if each not in some_flow.client.redirect_uris), None)
    if uri is None:
        raise NotOffered("the other client has the same redirect URIs")
    assert not idp.authorize(some_flow, redirect_uri=uri).went_to(uri)
