"""Authorization requests of users who have signed in: the implicit grant without its pages.

A set of sessions is signed in, and consent given, ahead of the run. Each request then carries a session's cookies, and
the answer is judged by the fragment of the URI that it redirects to.
Source: RFC 6749 sections 4.2.1 and 4.2.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from grantproof.errors import GrantproofError
from grantproof.idp import Idp
from grantproof.load.credentials import form_headers
from grantproof.load.exchange import Ask, EachOwnJudge, Exchange, Prepared
from grantproof.load.judge import EXPIRED, MALFORMED, Refusals, TokenJudge
from grantproof.load.scenarios.needs import lacking, profile_of
from grantproof.load.work import Part
from grantproof.roles import ROLES, Flow

if TYPE_CHECKING:
    from grantproof.load.findings import Findings
    from grantproof.load.target import Target
    from grantproof.load.work import Work
    from grantproof.login import UserAgent

SESSIONS: Final = 5
PAGE: Final = "page"
OTHER_STATE: Final = "other_state"
OTHER_PLACE: Final = "other_redirect_uri"
_STATE: Final = "grantproof-state"
_MOST_MEMBERS: Final = 100
_REDIRECTS: Final = frozenset((302, 303, 307))


def implicit_parts(target: "Target") -> tuple[Part, ...]:
    """The first flow that the server serves to a signed-in user without a page.

    Raises:
        GrantproofError: the profile has no implicit client or no user.
    """
    if not _flows(target):
        hint = "it takes one with the grant implicit and a redirect URI"
        raise lacking(target, "the profile has no client for the implicit grant", hint)
    if profile_of(target).user is None:
        raise lacking(target, "the profile has no user who could sign in", "fill in [user] and [login]")
    return (Part("implicit", _make),)


def _flows(target: "Target") -> list[Flow]:
    return [each for each in ROLES["token_flow"].find(profile_of(target)) if isinstance(each, Flow)]


@dataclass(frozen=True)
class FragmentJudge:
    """Judges one request's answer by the fragment of its redirect. `tokens` is shared by all requests of a client."""

    redirect_uri: str
    state: str
    tokens: TokenJudge = field(repr=False)
    refusals: Refusals = field(repr=False)

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer; a page, whatever it asks for, is none that a signed-in user should meet."""
        del request
        if status not in _REDIRECTS:
            return PAGE if 200 <= status < 300 else self.refusals(status, body)
        place, _, fragment = location.decode("latin-1").partition("#")
        if place.partition("?")[0] != self.redirect_uri.partition("?")[0]:
            return OTHER_PLACE
        try:
            answer = {name: values[0] for name, values in parse_qs(fragment, max_num_fields=_MOST_MEMBERS).items()}
        except ValueError:
            return MALFORMED
        if "error" in answer or answer.get("state") != self.state:
            return (self.refusals.named(answer["error"]) or MALFORMED) if "error" in answer else OTHER_STATE
        lifetime = answer.get("expires_in", "1")
        digits = lifetime.isascii() and lifetime.isdigit()
        if not answer.get("access_token") or not answer.get("token_type") or not digits:
            return MALFORMED
        return self.tokens.judge_token(answer["access_token"], answer.get("scope")) if lifetime.strip("0") else EXPIRED


def _make(work: "Work") -> Exchange:
    began = perf_counter()
    with Idp.open(profile_of(work.target)) as idp:
        flow = _find_flow(idp, work.target)
        agents = [_sign_in(idp, flow) for _ in range(SESSIONS)]
        url = idp.authorization_request(flow, state=_STATE).to_request().url
        endpoint = idp.endpoint("authorization")
        cookies = [agent.jar.header(endpoint) for agent in agents]
    target = work.target.at(endpoint)
    common = (*form_headers("text/html")[:3], *profile_of(target).target.headers.items())
    heads = [target.request("GET", url, (("Cookie", each), *common) if each else common) for each in cookies]
    asks = _asks(heads, flow, work.findings, looks_inside=target.jwt_access_tokens)
    prepared = Prepared("sessions signed in", len(agents), perf_counter() - began)
    return Exchange("GET", "authorization", asks.__next__, EachOwnJudge(work.findings), target, prepared)


def _asks(heads: list[bytes], flow: Flow, findings: "Findings", *, looks_inside: bool) -> Iterator[Ask]:
    """Requests with a state of their own, by the sessions in turn."""
    tokens = TokenJudge(flow.client.scopes, client_id=flow.client.id, findings=findings, looks_inside=looks_inside)
    refusals, uri = Refusals(findings), flow.redirect_uri
    mark = _STATE.encode()
    for number in count():
        state = f"{_STATE}-{number}"
        head = heads[number % len(heads)].replace(mark, state.encode(), 1)
        yield Ask.of(head, FragmentJudge(uri, state, tokens, refusals))


def _find_flow(idp: Idp, target: "Target") -> Flow:
    """The first flow that a signed-in user who has consented gets without a page.

    Raises:
        GrantproofError: there is none: the server asks every time.
    """
    for flow in _flows(target):
        if flow.has_id_token:
            continue  # its nonce would have to be new each time, and its answer is another one's business
        if _is_silent(idp, flow, _sign_in(idp, flow)):
            return flow
    hint = "it takes a client whose consent the server remembers, or for which it asks none"
    raise lacking(target, "the server shows a page to signed-in users every time", hint)


def _sign_in(idp: Idp, flow: Flow) -> "UserAgent":
    agent = idp.fresh_agent()
    answer = idp.authorize(flow, agent=agent)
    if not answer.fragment.get("access_token"):
        raise GrantproofError(f"signing in for {flow} did not end with a token", "[login]", "see grantproof preflight")
    return agent


def _is_silent(idp: Idp, flow: Flow, agent: "UserAgent") -> bool:
    answer = idp.follow(idp.authorization_request(flow), agent=agent, stop_at_pages=True)
    return bool(answer.fragment.get("access_token"))
