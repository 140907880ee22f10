"""RFC 6749 sections 3.1.2.1 to 3.1.2.4: nobody is ever sent to a redirect URI that the client has not registered."""

from itertools import cycle
from urllib.parse import urlsplit

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, Inconclusive, NotOffered, clause
from grantproof.matrix.authorization_errors import UNKNOWN_VALUE
from grantproof.matrix.redirect_uris import Mutation, is_loopback, mutations, sent_to

NEAR = mutations("foreign", "component")
OTHERWISE_BAD: dict[str, dict[str, str | None]] = {
    "missing-response-type": {"response_type": None},
    "unknown-response-type": {"response_type": UNKNOWN_VALUE},
    "unknown-scope": {"scope": UNKNOWN_VALUE},
    "malformed-scope": {"scope": 'un"listed'},
    "missing-state": {"state": None},
    "control-character-in-state": {"state": "a\x01b"},
    "silent": {"prompt": "none"},
    "unknown-prompt": {"prompt": UNKNOWN_VALUE},
    "unknown-response-mode": {"response_mode": UNKNOWN_VALUE},
    "mode-query": {"response_mode": "query"},
    "mode-form-post": {"response_mode": "form_post"},
    "missing-client": {"client_id": None},
    "unknown-client": {"client_id": "unlisted-client"},
}
CROSSED = [
    (bad, mutation, session)
    for session, others in (("kept", NEAR), ("fresh", NEAR[len(OTHERWISE_BAD) :]))
    for bad, mutation in zip(OTHERWISE_BAD, cycle(others), strict=False)
]
each_session = pytest.mark.parametrize("session", ["kept", "fresh"])


def _host(uri: str) -> str:
    return urlsplit(uri).hostname or ""


def _build(flow: Flow, mutation: Mutation) -> str:
    uri = mutation.build(flow.redirect_uri)
    if uri is None or uri in flow.client.redirect_uris:
        raise NotOffered(f"{mutation} gives nothing new of the client's redirect URI")
    if mutation.id in {"other-port", "default-port"} and is_loopback(_host(flow.redirect_uri)):
        raise NotOffered("the port of a redirect URI on loopback may vary")
    return uri


def _judge(idp: Idp, flow: Flow, uri: str, session: str = "kept", **changes: str | None) -> AuthorizationAnswer:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    request = idp.authorization_request(flow, **{"redirect_uri": uri, **changes})
    answer = idp.follow(request, agent=agent)
    assert not answer.issued, answer.describe()
    way = sent_to(answer, [uri, flow.redirect_uri])
    assert way is None, f"{way}, though redirect_uri is {uri!r}"
    return answer


@clause(
    "rfc6749:3.1.2.3/registered-uri-only",
    "rfc6749:3.1.2.4/no-automatic-redirect",
    "rfc6749:4.2.1/redirect-uri-verified",
    "rfc6819:4.2.4/no-redirect-when-unverified",
    "rfc6819:5.2.3.5/redirect-uri-must-match",
)
@pytest.mark.parametrize("mutation", NEAR, ids=str)
def test_unregistered_uri_is_never_used(idp: Idp, flow: Flow, mutation: Mutation) -> None:
    _judge(idp, flow, _build(flow, mutation))


@clause("rfc6749:3.1.2.3/registered-uri-only", "rfc6749:3.1.2.4/no-automatic-redirect")
@pytest.mark.parametrize("mutation", NEAR, ids=str)
def test_unregistered_uri_is_never_used_after_a_login(idp: Idp, some_flow: Flow, mutation: Mutation) -> None:
    _judge(idp, some_flow, _build(some_flow, mutation), "fresh")


@clause(
    "rfc6749:3.1.2.3/registered-uri-only",
    "rfc6749:3.1.2.4/no-automatic-redirect",
    "rfc6749:4.2.1/redirect-uri-verified",
)
@each_session
def test_uri_of_another_client_is_never_used(idp: Idp, flow: Flow, session: str) -> None:
    other = idp.other_client(flow.client, grant="implicit")
    uri = next((uri for uri in other.redirect_uris if uri not in flow.client.redirect_uris), None)
    if uri is None:
        raise NotOffered("the other client has the same redirect URIs")
    _judge(idp, flow, uri, session)


@clause("rfc6749:3.1.2.4/no-automatic-redirect")
@pytest.mark.parametrize(("bad", "mutation", "session"), CROSSED, ids=str)
def test_second_fault_does_not_open_a_way(
    idp: Idp, some_flow: Flow, bad: str, mutation: Mutation, session: str
) -> None:
    _judge(idp, some_flow, _build(some_flow, mutation), session, **OTHERWISE_BAD[bad])


@clause("rfc6749:3.1.2.4/no-automatic-redirect")
@pytest.mark.parametrize("mutation", mutations("foreign")[:3], ids=str)
def test_denial_does_not_open_a_way(idp: Idp, token_flow: Flow, mutation: Mutation) -> None:
    uri = _build(token_flow, mutation)
    answer = idp.authorize(token_flow, choice="deny", redirect_uri=uri)
    assert sent_to(answer, [uri, token_flow.redirect_uri]) is None, answer.describe()


@clause("rfc6749:3.1.2.4/no-automatic-redirect")
@pytest.mark.parametrize("mutation", NEAR[::4], ids=str)
def test_post_does_not_open_a_way(idp: Idp, some_flow: Flow, mutation: Mutation) -> None:
    uri = _build(some_flow, mutation)
    answer = idp.follow(idp.authorization_request(some_flow, redirect_uri=uri).by("POST"))
    assert not answer.issued
    assert sent_to(answer, [uri, some_flow.redirect_uri]) is None, answer.describe()


@clause("rfc6749:3.1.2.3/simple-string-comparison", "rfc9700:2.1/exact-redirect-uri")
@pytest.mark.parametrize("mutation", mutations("normalised"), ids=str)
def test_other_spelling_is_refused(idp: Idp, some_flow: Flow, mutation: Mutation) -> None:
    _judge(idp, some_flow, _build(some_flow, mutation))


@clause("rfc6749:3.1.2.3/simple-string-comparison")
@pytest.mark.parametrize("mutation", mutations("normalised"), ids=str)
def test_other_spelling_of_a_uri_with_a_query_is_refused(idp: Idp, query_uri_flow: Flow, mutation: Mutation) -> None:
    _judge(idp, query_uri_flow, _build(query_uri_flow, mutation), "fresh")


@clause("rfc6749:3.1.2.2/complete-uri", "rfc6819:5.2.3.5/full-redirect-uri", "rfc9700:2.1/exact-redirect-uri")
@pytest.mark.parametrize("mutation", mutations("extended"), ids=str)
def test_registered_uri_with_more_is_refused(idp: Idp, some_flow: Flow, mutation: Mutation) -> None:
    _judge(idp, some_flow, _build(some_flow, mutation))


@clause("rfc6749:3.1.2.2/complete-uri", "rfc6819:5.2.3.5/full-redirect-uri", "rfc9700:2.1/exact-redirect-uri")
@pytest.mark.parametrize("mutation", mutations("extended"), ids=str)
def test_registered_uri_with_another_query_is_refused(idp: Idp, query_uri_flow: Flow, mutation: Mutation) -> None:
    _judge(idp, query_uri_flow, _build(query_uri_flow, mutation))


@clause("rfc6749:3.1.2.2/scheme-authority-path")
@pytest.mark.parametrize("mutation", mutations("component"), ids=str)
def test_other_scheme_authority_or_path_is_refused(idp: Idp, some_flow: Flow, mutation: Mutation) -> None:
    _judge(idp, some_flow, _build(some_flow, mutation))


@clause("rfc6749:3.1.2.2/public-client-registration")
@each_session
@pytest.mark.parametrize("uri", ["https://attacker.example/cb", "https://attacker.example/", "com.example.app:/cb"])
def test_public_client_gets_nothing_elsewhere(idp: Idp, public_flow: Flow, uri: str, session: str) -> None:
    _judge(idp, public_flow, uri, session)


@clause("rfc6749:3.1.2.2/confidential-client-registration")
@each_session
@pytest.mark.parametrize("uri", ["https://attacker.example/cb", "https://attacker.example/", "com.example.app:/cb"])
def test_confidential_client_gets_nothing_elsewhere(idp: Idp, confidential_flow: Flow, uri: str, session: str) -> None:
    _judge(idp, confidential_flow, uri, session)


@clause("rfc6749:3.1.2.2/every-client-registers")
@each_session
@pytest.mark.parametrize("response_type", ["token", "code"])
def test_client_without_a_uri_is_sent_nowhere(idp: Idp, flow: Flow, response_type: str, session: str) -> None:
    client = next((each for each in idp.profile.clients.values() if not each.redirect_uris), None)
    if client is None:
        raise NotOffered("every client of the profile has a redirect URI")
    uri = "https://attacker.example/cb"
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, client_id=client.id, redirect_uri=uri, response_type=response_type)
    assert not answer.issued
    assert sent_to(answer, [uri]) is None, answer.describe()


@clause("rfc6749:3.1.2.2/several-uris")
def test_client_may_have_several_uris(idp: Idp, two_uri_flow: Flow) -> None:
    for uri in two_uri_flow.client.redirect_uris[:2]:
        answer = idp.authorize(two_uri_flow, redirect_uri=uri)
        assert answer.issued, answer.describe()
        assert answer.went_to(uri)


@clause("rfc6749:3.1.2.3/redirect-uri-required")
@each_session
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_none_of_several_uris_is_picked(idp: Idp, two_uri_flow: Flow, value: str | None, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(two_uri_flow, agent=agent, redirect_uri=value)
    assert not answer.issued
    assert sent_to(answer, two_uri_flow.client.redirect_uris) is None, answer.describe()


@clause("rfc6749:3.1.2.4/owner-informed")
@each_session
@pytest.mark.parametrize("mutation", mutations("foreign", "relative", "fragment")[::9], ids=str)
def test_mismatch_is_told_on_a_page(idp: Idp, flow: Flow, mutation: Mutation, session: str) -> None:
    uri = _build(flow, mutation)
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, redirect_uri=uri)
    if answer.redirect is not None and sent_to(answer, [uri, flow.redirect_uri]) is None:
        raise Inconclusive("the browser is sent to another site, which may have the page")
    assert answer.page is not None, answer.describe()
    assert answer.page.body.strip(), f"the answer with status {answer.page.status} is empty"


def _clear_uri(flow: Flow) -> str:
    """A redirect URI in the clear: a registered one, or else the twin of the one that is registered."""
    registered = [uri for uri in flow.client.redirect_uris if uri.startswith("http:")]
    remote = [uri for uri in registered if not is_loopback(_host(uri))]
    uri = next(iter(remote), flow.redirect_uri.replace("https:", "http:", 1))
    if is_loopback(_host(uri)) or not uri.startswith("http:"):
        raise NotOffered("the client's redirect URIs are those of a native application")
    return uri


@clause("rfc6749:3.1.2.1/insecure-redirect-warned")
@each_session
def test_nobody_is_sent_away_in_the_clear_without_a_page(idp: Idp, flow: Flow, session: str) -> None:
    uri = _clear_uri(flow)
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, redirect_uri=uri)
    if answer.went_to(uri) and idp.asks_consent(answer):
        raise Inconclusive("a page came first, which may have a warning")
    assert not answer.went_to(uri), answer.describe()
