"""RFC 6749 sections 10.2 and 10.12: the user knows, and consents; nobody else can consent instead."""

from urllib.parse import urlsplit

import pytest

from grantproof.checks import Flow, Form, FormRequest, Idp, NotOffered, Request, UserAgent, clause

CROSS_SITE = (
    ("Origin", "https://attacker.example"),
    ("Referer", "https://attacker.example/"),
    ("Sec-Fetch-Site", "cross-site"),
)


@clause("rfc6749:10.2/informed-consent", "rfc6819:4.4.1.4/consent-asked")
def test_user_of_a_fresh_browser_signs_in_and_is_asked(idp: Idp, public_flow: Flow) -> None:
    answer = idp.authorize(public_flow, agent=idp.fresh_agent())
    assert answer.issued, answer.describe()
    assert answer.acted, "no page was shown"
    assert idp.asks_consent(answer), "no page asked the user for consent"


@clause("rfc6749:10.2/no-silent-repeat", "rfc6819:4.2.3/repeat-authorization-validated")
@pytest.mark.parametrize("prompt", [None, "none"], ids=["plain", "silent"])
def test_repeated_request_of_a_public_client_is_not_granted_silently(
    idp: Idp, public_flow: Flow, prompt: str | None
) -> None:
    first = idp.authorize(public_flow)
    assert first.issued, first.describe()
    again = idp.authorize(public_flow, prompt=prompt)
    assert not again.issued or idp.asks_consent(again), "a token was issued without the user"


def _consent_page(idp: Idp, flow: Flow, agent: UserAgent, request: FormRequest | None = None) -> Request:
    """What a browser with this session would send as consent to a request, unsent."""
    if not agent.signed_in:
        idp.authorize(flow, agent=agent)
    answer = idp.follow(request or idp.authorization_request(flow), agent=agent, stop_at_pages=True)
    if answer.page is None:
        raise NotOffered("a signed-in user is not asked for consent")
    return idp.consent_request(answer.page)


def _lured(agent: UserAgent, method: str) -> UserAgent:
    """The victim's browser as it is when another site makes it send something."""
    return UserAgent(agent.user, agent.jar.cross_site(method), signed_in=True)


def _forge_consent(idp: Idp, flow: Flow, victim: UserAgent) -> Request:
    """The victim's consent as another user can make it up: only with what his own page for the same request has too."""
    request = idp.authorization_request(flow)
    own = _consent_page(idp, flow, victim, request)
    stranger = idp.fresh_agent("user2" if idp.offer.offers("two_users")[0] else "user")
    other = _consent_page(idp, flow, stranger, request)
    fields = _shared(own.body.decode("ascii"), other.body.decode("ascii")).encode()
    (path, _, query), (known, _, known_query) = own.url.partition("?"), other.url.partition("?")
    shared = _shared(query, known_query).encode() if path == known else known_query
    return Request(own.method, f"{known}?{shared}" if shared else known, own.headers, fields.encode("ascii"))


def _shared(own: str, other: str) -> Form:
    """The fields that two forms have in common."""
    known = set(Form.parse(other))
    return Form(tuple(pair for pair in Form.parse(own) if pair in known))


def _token_after(idp: Idp, request: Request, agent: UserAgent) -> bool:
    sent = Request(request.method, request.url, (*request.headers, *CROSS_SITE), request.body)
    answer = idp.exchange(sent, agent)
    location = answer.headers.get("location") or ""
    return "access_token=" in location or "id_token=" in location or "access_token" in answer.text


@clause("rfc6749:10.12/csrf")
@pytest.mark.parametrize("victim", ["user", "user2"])
def test_consent_prepared_in_another_session_grants_nothing(idp: Idp, public_flow: Flow, victim: str) -> None:
    if victim == "user2":
        idp.require("two_users")
    attacker, lured = idp.fresh_agent(), idp.agent(victim)
    _consent_page(idp, public_flow, lured)
    forged = _consent_page(idp, public_flow, attacker)
    assert not _token_after(idp, forged, _lured(lured, forged.method))


@clause("rfc6749:10.12/csrf")
def test_consent_of_another_site_grants_nothing(idp: Idp, public_flow: Flow) -> None:
    victim = idp.agent()
    forged = _forge_consent(idp, public_flow, victim)
    assert not _token_after(idp, forged, _lured(victim, forged.method))


@clause("rfc6749:10.12/csrf")
@pytest.mark.parametrize("known", ["prepared", "nothing"])
def test_consent_by_a_link_grants_nothing(idp: Idp, public_flow: Flow, known: str) -> None:
    victim = idp.agent()
    if known == "prepared":
        _consent_page(idp, public_flow, victim)
        prepared = _consent_page(idp, public_flow, idp.fresh_agent())
    else:
        prepared = _forge_consent(idp, public_flow, victim)
    fields, query = prepared.body.decode("ascii"), urlsplit(prepared.url).query
    link = f"{prepared.url.partition('?')[0]}?{'&'.join(part for part in (query, fields) if part)}"
    assert not _token_after(idp, Request("GET", link), _lured(victim, "GET"))


@clause("rfc6749:10.12/csrf")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_consent_inside_the_request_grants_nothing(idp: Idp, public_flow: Flow, method: str) -> None:
    victim = idp.agent()
    own = _forge_consent(idp, public_flow, victim)
    request = idp.authorization_request(public_flow).by(method)
    for name, value in Form.parse(own.body.decode("ascii")):
        request = request.set(name, value)
    assert not _token_after(idp, request.to_request(), _lured(victim, method))
