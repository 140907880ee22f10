"""What a check talks to: the authorization server under test, through the profile, the transport and the login.

Rules of this file:
- Nothing is judged here but two things: a plain request that is refused with invalid_client makes all that needs this
  client inconclusive, and a connection broken off again and again between answered controls is the server's doing.
- `prove` is the control of every negative check: the same client got what it is entitled to in this run.
"""

import contextlib
import copy
import re
import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from grantproof.errors import CredentialsRefused, GrantproofError, Inconclusive, NotOffered
from grantproof.login import Driver, Drivers, LoginPace, LoginStuckError, StuckPages, UserAgent
from grantproof.profile.discovery import Metadata, fill_endpoints, metadata_sources, read_metadata
from grantproof.profile.offer import SHORT_LIFETIME_S, Offer
from grantproof.roles import ROLES, Caller, Flow, Holder, distinct
from grantproof.transport import Politeness, Recorder, Redactor, ResetError, Transport
from grantproof.transport.client import origin_of
from grantproof.transport.handshake import Handshake, shake_hands
from grantproof.transport.raw import send_raw
from grantproof.wire.answer import Answer, AuthorizationAnswer, TokenAnswer
from grantproof.wire.authentication import JWT_BEARER, SigningKey, assertion_claims, basic_credentials
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest, Request

if TYPE_CHECKING:
    from grantproof.matrix.authorization_errors import ErrorPath
    from grantproof.profile.client import Client
    from grantproof.profile.model import Profile, User
    from grantproof.profile.signing_in import LoginStep

_Doubt = Inconclusive | NotOffered
PROPAGATION_S = 2.0
"""How long a change may take to reach every part of the target."""
_PASSWORD_FIELD = re.compile("pass|pwd|secret", re.IGNORECASE)
_LOOPBACK_PORT = re.compile(r"\A(http://(?:127\.0\.0\.1|localhost|\[::1\])):[0-9]{1,5}(/.*)\Z")
_TOKEN_NAMES = ("access_token", "refresh_token", "id_token")
_CLIENT_ASSERTION = re.compile(rb"(?:^|&)client_assertion=([^&]+)")
_KEPT_ASSERTIONS = 200
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@dataclass
class Idp:
    """One target of one run. Its repr shows no secret."""

    profile: "Profile" = field(repr=False)
    transport: Transport = field(repr=False)
    documents: tuple[Answer, ...] = field(default=(), repr=False)
    metadata: Metadata = field(default_factory=lambda: read_metadata({}), repr=False)
    unread: str = field(default="", repr=False)
    """Why no metadata document was answered at all; empty where one was, or where none was asked for."""
    _agents: dict[str, UserAgent] = field(default_factory=dict[str, UserAgent], repr=False)
    _proofs: dict[tuple[str, str], "_Doubt | None"] = field(
        default_factory=dict[tuple[str, str], "_Doubt | None"], repr=False
    )
    _posts: dict[str, bool] = field(default_factory=dict[str, bool], repr=False)
    _pages: StuckPages = field(default_factory=StuckPages, repr=False)
    _pace: LoginPace = field(default_factory=lambda: LoginPace(0), repr=False)
    _first_answers: dict[str, tuple[TokenAnswer, float]] = field(
        default_factory=dict[str, tuple[TokenAnswer, float]], repr=False
    )
    _audiences: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    _assertions: dict[str, tuple[Caller, str]] = field(default_factory=dict[str, tuple[Caller, str]], repr=False)
    _indifferent: dict[str, bool] = field(default_factory=dict[str, bool], repr=False)
    _grace_s: float = field(default=PROPAGATION_S, repr=False)

    @classmethod
    def open(
        cls, profile: "Profile", *, counter: Path | None = None, workers: int = 1, pages: Path | None = None
    ) -> Self:
        """Connects a profile to its target: reads the metadata and fills the endpoints that the profile leaves open.

        Args:
            profile: as loaded.
            counter: a file that all workers of the run share, for `politeness.max_requests`.
            workers: how many processes share the rate.
            pages: a folder for the pages on which a login is stuck; None keeps none.
        """
        redactor = Redactor(profile.secrets())
        recorder = Recorder(redactor)
        transport = Transport(
            recorder,
            timeout_s=profile.timeout_s,
            verify=_verify(profile),
            proxy=profile.target.proxy,
            headers=tuple(profile.target.headers.items()),
            origins=profile.origins,
            politeness=Politeness(profile.requests_per_second, profile.politeness.max_requests, counter, workers),
        )
        documents: list[Answer] = []
        failure = ""
        for url in metadata_sources(profile):
            try:
                document = transport.send(Request("GET", url, (("Accept", "application/json"),)))
            except Inconclusive as problem:
                failure = str(problem)
            else:
                if not document.truncated and not _is_some_page(document):
                    documents.append(document)
        metadata = read_metadata(
            {answer.url: answer.body for answer in documents if answer.status == 200}, profile.target.issuer
        )
        unread = "" if documents else failure
        pace = LoginPace(profile.politeness.login_interval_s, counter.with_name("logins") if counter else None)
        filled = fill_endpoints(profile, metadata)
        kept = StuckPages(pages, redactor)
        return cls(filled, transport, tuple(documents), metadata, unread, _pages=kept, _pace=pace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections, and the browser of the logins."""
        self._drivers.close()
        self.transport.close()

    @cached_property
    def offer(self) -> Offer:
        """What the target offers, as far as the profile and the metadata say."""
        return Offer(self.profile, self.metadata)

    @cached_property
    def issuer(self) -> str:
        """The issuer identifier of the profile or, failing that, of the metadata."""
        return self.profile.target.issuer or self.metadata.issuer or ""

    def require(self, *features: str) -> None:
        """Ends the check as not offered unless the target offers every feature.

        Raises:
            NotOffered: with the reason.
        """
        for feature in features:
            offered, reason = self.offer.offers(feature)
            if not offered:
                raise NotOffered(reason)

    def endpoint(self, name: str) -> str:
        """The URL of an endpoint: authorization, token, introspection, revocation, jwks, resource.

        Raises:
            NotOffered: neither the profile nor the metadata names it.
            Inconclusive: the metadata, which may name it, was not answered.
        """
        url: str | None = getattr(self.profile.endpoints, name)
        if not url and self.unread:
            raise Inconclusive(f"the metadata cannot be read: {self.unread}")
        if not url:
            raise NotOffered(f"neither the profile nor the metadata names the {name} endpoint")
        return url

    def stated_addresses(self, name: str) -> list[str]:
        """Every address that the metadata documents and the profile give an endpoint, as it stands there.

        Raises:
            NotOffered: nobody names it.
        """
        published = [document.get(f"{name}_endpoint") for document in self.documents if document.status == 200]
        found = [each for each in (*published, getattr(self.profile.endpoints, name)) if isinstance(each, str)]
        if not found:
            raise NotOffered(f"neither the profile nor the metadata names the {name} endpoint")
        return found

    def is_own(self, url: str) -> bool:
        """Whether a URL is on an origin that belongs to the target: nothing secret is sent anywhere else."""
        return origin_of(url) in self.profile.origins

    # One holder of a role out of several, for checks that draw which.

    def caller(self, role: str, number: int) -> Caller:
        """One of the callers who hold a role, proven; numbers beyond the last begin again at the first.

        Raises:
            NotOffered: nobody holds the role.
            Inconclusive: the plain request of this caller is not answered as it should be.
        """
        found = [each for each in distinct(ROLES[role].find(self.profile)) if isinstance(each, Caller)]
        if not found:
            raise NotOffered(ROLES[role].absent)
        self.prove(found[number % len(found)])
        return found[number % len(found)]

    def flow(self, role: str, number: int) -> Flow:
        """One of the flows that hold a role, proven; numbers beyond the last begin again at the first.

        Raises:
            NotOffered: nobody holds the role.
            Inconclusive: the plain request of this flow is not answered as it should be.
        """
        found = [each for each in distinct(ROLES[role].find(self.profile)) if isinstance(each, Flow)]
        if not found:
            raise NotOffered(ROLES[role].absent)
        self.prove(found[number % len(found)])
        return found[number % len(found)]

    # The token endpoint.

    def token_request(self, caller: Caller, **changes: str | None) -> FormRequest:
        """The plain client credentials request of a caller, with parameters set, or dropped where None."""
        return self.authenticate(self.unauthenticated_request(caller, **changes), caller)

    def unauthenticated_request(self, caller: Caller, **changes: str | None) -> FormRequest:
        """The plain client credentials request without the caller's credentials."""
        client = caller.client
        form = Form((("grant_type", "client_credentials"),))
        if client.scopes:
            form = form.set("scope", " ".join(client.scopes))
        for name, value in client.parameters.items():
            for each in [value] if isinstance(value, str) else value:
                form = form.add(name, each)
        return FormRequest(self.endpoint("token"), form.update(changes))

    def authenticate(
        self, request: FormRequest, caller: Caller, *, secret: str | None = None, audience: str | None = None
    ) -> FormRequest:
        """The request with the caller's credentials, or with another secret in their place."""
        client = caller.client
        secret = client.secret or "" if secret is None else secret
        if caller.method == "client_secret_basic":
            return request.header("Authorization", basic_credentials(client.id, secret))
        request = request.set("client_id", client.id)
        if caller.method == "client_secret_post":
            return request.set("client_secret", secret)
        if caller.method in {"private_key_jwt", "client_secret_jwt"}:
            signed = self._fresh_assertion(caller, audience or self.audience_for(caller))
            return request.set("client_assertion_type", JWT_BEARER).set("client_assertion", signed)
        return request

    def _fresh_assertion(self, caller: Caller, audience: str) -> str:
        signed = self._signed(caller, assertion_claims(caller.client.id, audience))
        self.transport.recorder.redactor.learn(signed)
        self._assertions[signed] = (caller, audience)
        while len(self._assertions) > _KEPT_ASSERTIONS:
            del self._assertions[next(iter(self._assertions))]
        return signed

    def _renewed(self, request: Request) -> Request | None:
        """The request with another assertion, since a server may know the first one although it did not answer.

        None where the assertion is no plain one: then it says something that this run cannot say a second time.

        Source: RFC 7523 section 3.
        """
        found = _CLIENT_ASSERTION.search(request.body)
        if found is None:
            return request
        known = self._assertions.get(found[1].decode("ascii", "replace"))
        if known is None:
            return None
        return replace(request, body=request.body.replace(found[1], self._fresh_assertion(*known).encode("ascii")))

    @cached_property
    def audience(self) -> str:
        """What client assertions name as their audience: the issuer where it is known, else the token endpoint."""
        return self.issuer or self.endpoint("token")

    def audience_for(self, caller: Caller) -> str:
        """The audience that works for a caller's assertions: the issuer or the token endpoint, tried once.

        Which of the two counts is agreed out of band; where neither works it is the first.

        Source: RFC 7523 section 3.
        """
        if str(caller) not in self._audiences:
            self._audiences[str(caller)] = self._find_audience(caller)
        return self._audiences[str(caller)]

    def _find_audience(self, caller: Caller) -> str:
        for audience in dict.fromkeys((self.audience, self.endpoint("token"))):
            answer = self.send(self.authenticate(self.unauthenticated_request(caller), caller, audience=audience))
            if answer.issued or answer.error not in {"invalid_client", "invalid_request", None}:
                return audience
        return self.audience

    def _signed(self, caller: Caller, claims: dict[str, Any]) -> str:
        """An assertion of a caller.

        Raises:
            Inconclusive: its key in the profile cannot be used.
        """
        import jwt  # noqa: PLC0415 - only assertions need it

        try:
            return self.signing_key(caller).sign(claims)
        except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError) as problem:
            where = f"clients.{caller.client.name} of the profile"
            raise Inconclusive(f"the key of {where} cannot sign: {type(problem).__name__}") from None

    def signing_key(self, caller: Caller) -> SigningKey:
        """The key with which a caller signs its assertions."""
        client = caller.client
        algorithm = client.signs_with(caller.method)
        if caller.method == "client_secret_jwt":
            return SigningKey(algorithm, client.secret or "", client.kid)
        if client.private_key is None:
            raise NotOffered(f"the client {client.name} has no private key")
        return SigningKey(algorithm, client.private_key.read_text("ascii"), client.kid)

    def token(self, caller: Caller, **changes: str | None) -> TokenAnswer:
        """The token endpoint's answer to the caller's plain request with some parameters changed."""
        return self.send(self.token_request(caller, **changes))

    def send(self, request: FormRequest) -> TokenAnswer:
        """The answer to a request to the token endpoint."""
        answer = self.exchange(request.to_request())
        return TokenAnswer(answer.status, answer.headers, answer.body, answer.url, answer.n, answer.truncated)

    def refusal(self, request: FormRequest) -> TokenAnswer:
        """The answer to a token request that has something wrong with it.

        Raises:
            NotOffered: the request was served, so there is no refusal to judge.
        """
        answer = self.send(request)
        if answer.issued and answer.error is None:
            raise NotOffered("the request was served, so there is no refusal to judge")
        return answer

    def facts_of(self, token: str) -> dict[str, Any]:
        """What the target says about a token of its own: by introspection, else as a JWT's claims, else nothing."""
        if self.offer.offers("introspection")[0]:
            answer = self.introspect(token)
            if answer.get("active") is True:
                return answer.members
        import jwt  # noqa: PLC0415 - only tokens that may be JWTs need it

        try:
            return jwt.decode(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            return {}

    def scope_of(self, token: str) -> frozenset[str] | None:
        """The scope that a token has, as far as the target says: None where it does not.

        A token of which introspection names no scope has none, if introspection names one of the plain tokens.
        """
        facts = self.facts_of(token)
        scope = facts.get("scope", facts.get("scp"))
        if scope is None and facts.get("active") is True and self._names_scopes:
            return frozenset()
        if isinstance(scope, str):
            return frozenset(scope.split())
        return frozenset(map(str, scope)) if isinstance(scope, list) else None  # pyright: ignore[reportUnknownArgumentType] - JSON at the edge

    @cached_property
    def _names_scopes(self) -> bool:
        """Whether introspection names the scope of the tokens that answer plain requests with a scope."""
        found = distinct(ROLES["service"].find(self.profile))
        plain = next((each for each in found if isinstance(each, Caller) and each.client.scopes), None)
        token = self.token(plain).get("access_token") if plain else None
        return isinstance(token, str) and isinstance(self.facts_of(token).get("scope"), str)

    # Any other exchange.

    def exchange(self, request: Request, agent: UserAgent | None = None) -> Answer:
        """One answer, no redirect followed, tokens in it remembered for redaction.

        Raises:
            AssertionError: the connection was broken off three times while the control was answered.
            Inconclusive: there was no answer that can be judged.
        """
        try:
            answer = self.transport.send(request, agent.jar if agent else None, again=self._renewed)
        except ResetError as problem:
            self._judge_reset(request, problem)
            raise
        if answer.truncated:
            raise Inconclusive("the answer does not end, and is cut at a megabyte")
        for name in _TOKEN_NAMES:
            self._learn(answer.get(name))
        return answer

    def raw(self, request: Request, octets: bytes) -> Answer:
        """The answer to these very octets, on a connection of their own."""
        context = self.transport_context
        return send_raw(self.transport.recorder, request, octets, timeout_s=self.profile.timeout_s, context=context)

    @cached_property
    def transport_context(self) -> ssl.SSLContext | None:
        """The TLS settings of the profile for raw connections."""
        verify = _verify(self.profile)
        return verify if isinstance(verify, ssl.SSLContext) else None

    def shake_hands(self, url: str, context: ssl.SSLContext | None = None) -> Handshake:
        """The outcome of a TLS handshake with the host of a URL, by the profile's authorities if no context is given.

        Raises:
            Inconclusive: there is no connection to shake hands on.
        """
        trusted = context or self.transport_context or ssl.create_default_context()
        return shake_hands(url, trusted, timeout_s=self.profile.timeout_s)

    def _judge_reset(self, request: Request, problem: ResetError) -> None:
        served = [each.url for each in self.documents if each.status == 200]
        known = self.profile.endpoints
        control = next((url for url in (*served, known.token, known.authorization) if url), None)
        if control is None:
            return
        try:
            self.transport.send(Request("GET", control))
        except Inconclusive:
            return
        raise AssertionError(
            f"the server broke the connection off three times on a {request.method}, while a control was answered"
        ) from problem

    def _learn(self, value: object) -> None:
        if isinstance(value, str):
            self.transport.recorder.redactor.learn(value)

    # The authorization endpoint.

    def agent(self, user: str = "user") -> UserAgent:
        """The user's browser, kept and reused over the run."""
        return self._agents.setdefault(user, UserAgent(user))

    def fresh_agent(self, user: str = "user") -> UserAgent:
        """A new browser without a session."""
        return UserAgent(user)

    def authorization_request(self, flow: Flow, **changes: str | None) -> FormRequest:
        """The plain implicit request of a flow, with parameters set, or dropped where None."""
        client = flow.client
        scopes = list(client.scopes)
        if flow.has_id_token and "openid" not in scopes:
            scopes.insert(0, "openid")
        pairs = [("response_type", flow.response_type), ("client_id", client.id), ("redirect_uri", flow.redirect_uri)]
        if scopes:
            pairs.append(("scope", " ".join(scopes)))
        pairs.append(("state", secrets.token_urlsafe(12)))
        if flow.has_id_token:
            pairs.append(("nonce", secrets.token_urlsafe(12)))
        for name, value in client.parameters.items():
            pairs += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        return FormRequest(self.endpoint("authorization"), Form(tuple(pairs)).update(changes), method="GET")

    def authorize(
        self, flow: Flow, *, agent: UserAgent | None = None, choice: str = "allow", **changes: str | None
    ) -> AuthorizationAnswer:
        """Where the flow's plain request, with some parameters changed, ends after login and consent."""
        return self.follow(self.authorization_request(flow, **changes), agent=agent, choice=choice)

    def follow(
        self,
        request: FormRequest,
        *,
        agent: UserAgent | None = None,
        choice: str = "allow",
        stop_at_pages: bool = False,
        password: str | None = None,
    ) -> AuthorizationAnswer:
        """Where an authorization request ends after login and consent.

        Args:
            request: the authorization request.
            agent: whose browser; the kept one of the first user when None.
            choice: `allow` or `deny`.
            stop_at_pages: end at the first page.
            password: another password in the place of the user's own.

        Raises:
            Inconclusive: the login cannot be done.
        """
        agent = agent or self.agent()
        if not agent.signed_in and not stop_at_pages:
            self._pace.wait()
        try:
            journey = self._driver(agent.user, password).walk(
                request.to_request(),
                agent,
                choice=choice,
                leave_at=self._redirect_uris | self._loopback_twin(request),
                stop_at_pages=stop_at_pages,
            )
        except ResetError as problem:
            self._judge_reset(request.to_request(), problem)
            raise
        except LoginStuckError as problem:
            problem.args = (f"{problem}{self._pages.keep(problem.page)}",)
            raise
        if not journey.unseen and any(step.truncated for step in journey.steps):
            raise Inconclusive("a page does not end, and is cut at a megabyte")
        agent.signed_in = agent.signed_in or (bool(journey.acted) and not journey.unseen)
        asked = request.form.get("redirect_uri") or request.query.get("redirect_uri")
        answer = AuthorizationAnswer(
            journey.redirect, journey.page, journey.seen, tuple(journey.acted), asked, journey.diagnosis
        )
        for form in (answer.fragment, answer.query, answer.parameters):
            for name in (*_TOKEN_NAMES, "code"):
                self._learn(form.get(name))
        return answer

    @cached_property
    def _redirect_uris(self) -> frozenset[str]:
        return frozenset(uri for client in self.profile.clients.values() for uri in client.redirect_uris)

    def _loopback_twin(self, request: FormRequest) -> frozenset[str]:
        """The redirection URI that is asked for, where it is a registered loopback one with another port.

        Source: RFC 8252 section 7.3.
        """
        asked = request.form.get("redirect_uri") or request.query.get("redirect_uri") or ""
        plain = _LOOPBACK_PORT.sub(r"\1\2", asked)
        return frozenset({asked}) if plain != asked and plain in self._redirect_uris else frozenset()

    def walk(self, url: str) -> AuthorizationAnswer:
        """Where an authorization request by GET ends that is written byte by byte, in the kept browser."""
        return self.follow(FormRequest(url, method="GET"))

    def provoke(self, flow: Flow, path: "ErrorPath") -> AuthorizationAnswer:
        """Where the flow's plain request ends with one thing wrong.

        Raises:
            NotOffered: the server grants it, and may.
        """
        agent = self.fresh_agent() if path.fresh else None
        answer = self.follow(path.apply(self.authorization_request(flow)), agent=agent, choice=path.choice)
        if path.lenient and answer.issued and answer.error is None:
            raise NotOffered(f"the server makes no error of it: {path}")
        return answer

    def require_post(self, flow: Flow) -> None:
        """Ends the check as not offered unless the flow's plain request is also served by POST. Sent once a run.

        Raises:
            NotOffered: it is not.
        """
        if str(flow) not in self._posts:
            self._posts[str(flow)] = self.follow(self.authorization_request(flow).by("POST")).issued
        if not self._posts[str(flow)]:
            raise NotOffered("authorization requests by POST are not served")

    def asks_consent(self, answer: AuthorizationAnswer) -> bool:
        """Whether the user had to allow or deny something on the way.

        Raises:
            NotOffered: the profile does not say which of its login steps gives consent.
        """
        if self.profile.login.driver == "command" and answer.acted:
            raise NotOffered("the login command does not tell whether the user was asked for consent")
        deciding = {step.when for step in self.profile.login.steps if step.choice is not None}
        if not deciding:
            raise NotOffered("no login step of the profile has a choice, so consent cannot be told from login")
        return bool(deciding & set(answer.acted))

    def page(self, flow: Flow, which: str) -> Answer:
        """One page of the server as a browser gets it.

        Args:
            flow: whose request leads there.
            which: `login`, `consent` or `error`.

        Raises:
            NotOffered: the journey does not stop at a page there.
        """
        if which == "consent":
            if self.profile.login.driver == "command":
                raise NotOffered("the login command does not show the consent page")
            self.authorize(flow)
        request = self.authorization_request(flow, **({"client_id": "no-such-client"} if which == "error" else {}))
        agent = self.fresh_agent() if which == "login" else self.agent()
        answer = self.follow(request, agent=agent, stop_at_pages=True)
        if answer.page is None:
            raise NotOffered(f"the server shows no {which} page: {answer.describe()}")
        return answer.page

    def consent_request(self, page: Answer, choice: str = "allow") -> Request:
        """What a browser would send from a consent page, unsent.

        Raises:
            NotOffered: no login step of the profile with this choice is for the page.
        """
        request = self._driver("user").submission(page, choice)
        if request is None:
            raise NotOffered("the journey does not stop at a page on which consent is given")
        return request

    @cached_property
    def _drivers(self) -> Drivers:
        return Drivers(self.profile, self.transport)

    def _driver(self, user: str, password: str | None = None) -> Driver:
        own = _user_of(self.profile, user)
        if own is not None and password is not None:
            own = own.model_copy(update={"password": password})
        return self._drivers.open(_steps_for(self.profile, user, password), own)

    # Tokens over time.

    def issue(self, holder: Holder) -> str:
        """A new access token by the holder's plain request.

        Raises:
            AssertionError: none was issued.
            CredentialsRefused: the profile's credentials of the client are wrong.
        """
        self.prove_credentials(holder)
        return (self.token(holder) if isinstance(holder, Caller) else self.authorize(holder)).access_token

    def first_answer(self, caller: Caller) -> tuple[TokenAnswer, float]:
        """The first answer of the run to the caller's plain request, and when it came on the monotonic clock."""
        if str(caller) not in self._first_answers:
            self._first_answers[str(caller)] = (self.token(caller), time.monotonic())
        return self._first_answers[str(caller)]

    def expired_token(self, caller: Caller) -> str:
        """The caller's first token of the run, a second after its end, waited for where that has not come.

        Raises:
            NotOffered: its tokens live too long to be waited for, or nobody says how long.
        """
        answer, since = self.first_answer(caller)
        lifetime_s = answer.get("expires_in") or self.profile.claims.max_token_lifetime_s
        if isinstance(lifetime_s, bool) or not isinstance(lifetime_s, int | float):
            raise NotOffered(f"nobody says how long the tokens of {caller.client.name} live")
        if lifetime_s > SHORT_LIFETIME_S:
            raise NotOffered(f"the tokens of {caller.client.name} live for {lifetime_s:g} s, too long to be waited for")
        time.sleep(max(0.0, since + lifetime_s + 1 - time.monotonic()))
        return answer.access_token

    def expired(self) -> tuple[Caller, str]:
        """The first client whose tokens can be waited for, whatever its role, and an expired one of them.

        Raises:
            NotOffered: there is none.
        """
        for caller in self._who_may_wait():
            with suppress(NotOffered):
                return caller, self.expired_token(caller)
        raise NotOffered("the tokens of every client live too long to be waited for")

    def begin_waiting(self) -> None:
        """Has the tokens issued whose end will be waited for, so that it comes while others are judged.

        What goes wrong here is nobody's verdict: the checks that wait ask again.
        """
        with suppress(Inconclusive, NotOffered, AssertionError):
            self.require("slow")
            for caller in self._who_may_wait():
                self.first_answer(caller)

    def _who_may_wait(self) -> list[Caller]:
        clients = self.profile.clients_for("client_credentials")
        return [Caller(each, each.auth_methods[0]) for each in clients if not each.public and not each.disposable]

    def eventually(self, holds: Callable[[], bool]) -> bool:
        """Whether something holds now or after some grace, since a change may take a moment to reach every server.

        A target that did not use the whole grace once is given a fifth of it from then on.
        """
        until, pause_s = time.monotonic() + self._grace_s, 0.05
        while not holds():
            if time.monotonic() + pause_s > until:
                self._grace_s = PROPAGATION_S / 5
                return False
            time.sleep(pause_s)
            pause_s *= 2
        return True

    # Endpoints that are optional.

    def introspect(self, token: str, caller: Caller | None = None, **changes: str | None) -> Answer:
        """The introspection endpoint's answer about a token, asked by the profile's introspection client or another."""
        request = FormRequest(self.endpoint("introspection"), Form((("token", token),)).update(changes))
        return self.exchange(self.authenticate(request, caller or self.introspection_caller).to_request())

    def is_active(self, token: str, owner: Holder) -> bool:
        """Whether introspection calls a token active: False for any other answer, so it never judges the answer."""
        return self.introspect(token, self.watcher(owner)).get("active") is True

    def watcher(self, owner: Holder) -> Caller:
        """Who may ask about a token of its owner: the claimed introspection client, else the owner if it can."""
        if self.profile.claims.introspection_client is None and isinstance(owner, Caller) and not owner.client.public:
            return owner
        self.prove_credentials(self.introspection_caller)
        return self.introspection_caller

    def issue_watched(self, holder: Holder) -> str:
        """A new access token that introspection calls active: the control of all that must end it or must not.

        Raises:
            NotOffered: unsupported_token_type.
            Inconclusive: introspection does not know the fresh token.
        """
        token = self.issue(holder)
        if not self.eventually(lambda: self.is_active(token, holder)):
            if self.introspect(token, self.watcher(holder)).get("error") == "unsupported_token_type":
                raise NotOffered("this target does not introspect such access tokens: unsupported_token_type")
            raise Inconclusive(f"introspection does not call a fresh token of {holder.client.name} active")
        return token

    @cached_property
    def opens_resource(self) -> bool:
        """Whether some client's token opens the resource: the control of what it refuses."""
        for holder in (
            *distinct(ROLES["service"].find(self.profile)),
            *distinct(ROLES["token_flow"].find(self.profile)),
        ):
            try:
                self.prove(holder)
                if self.resource(self.issue(holder)).status < 300:
                    return True
            except (Inconclusive, AssertionError):
                continue
        return False

    # Counter-controls: a server that lets everything pass passes no check of what lets the right thing pass.

    def expect_secret_matters(self, caller: Caller) -> None:
        """The counter-control of credentials that were accepted: wrong ones by the same method are not.

        Raises:
            NotOffered: a wrong secret gets a token as well, so nothing shows that any credentials were read.
        """
        if str(caller) not in self._indifferent:
            wrong = f"{caller.client.secret or ''}-not"
            request = self.authenticate(self.unauthenticated_request(caller), caller, secret=wrong)
            self._indifferent[str(caller)] = self.send(request).issued
        if self._indifferent[str(caller)]:
            raise NotOffered("a wrong secret gets a token as well: nothing shows that credentials were read")

    def expect_resource_closed(self) -> None:
        """The counter-control of a token that opened the resource: without a token it is closed.

        Raises:
            NotOffered: it is open to everybody, so nothing shows that a token was read.
        """
        if not self._closed_without_token:
            raise NotOffered("the resource is open without a token too: nothing shows that one was read")

    @cached_property
    def _closed_without_token(self) -> bool:
        return not 200 <= self.resource(None).status < 300

    def expect_made_up_inactive(self, owner: Holder) -> None:
        """The counter-control of a token that introspection calls active: one that was made up is not.

        Raises:
            NotOffered: everything is active there, so the answer says nothing about a token.
        """
        if self.is_active(secrets.token_urlsafe(32), owner):
            raise NotOffered("introspection calls a made-up token active: its answers say nothing")

    def expect_revocation_works(self) -> None:
        """The counter-control of a token that outlived its revocation by others: somebody's own revocation ends one.

        Raises:
            NotOffered: nobody's does, so nothing can be shown of who may revoke.
        """
        if not self._revocation_works:
            raise NotOffered("no client's own revocation is seen to end a token: nothing shows who may revoke")

    @cached_property
    def _revocation_works(self) -> bool:
        for owner in distinct(ROLES["service"].find(self.profile)):
            with contextlib.suppress(Inconclusive, NotOffered, AssertionError):
                if isinstance(owner, Caller) and self._ends(owner):
                    return True
        return False

    def _ends(self, owner: Caller) -> bool:
        self.prove(owner)
        token = self.issue_watched(owner)
        self.revoke(token, owner)
        return self.eventually(lambda: not self.is_active(token, owner))

    @cached_property
    def introspection_caller(self) -> Caller:
        """Who may ask about tokens: the claimed introspection client, else the first confidential one."""
        named = self.profile.claims.introspection_client
        client = self.profile.clients.get(named) if named else None
        if client is None:
            client = next((each for each in self.profile.clients.values() if not each.public), None)
        if client is None:
            raise NotOffered("the profile has no confidential client that could introspect")
        return Caller(client, client.auth_methods[0])

    def revoke(self, token: str, caller: Caller, **changes: str | None) -> Answer:
        """The revocation endpoint's answer to a caller who revokes a token."""
        request = FormRequest(self.endpoint("revocation"), Form((("token", token),)).update(changes))
        return self.exchange(self.authenticate(request, caller).to_request())

    def end_token(self, token: str, caller: Caller, **changes: str | None) -> Answer:
        """The answer to a revocation that this target may well not offer for this token.

        Raises:
            NotOffered: unsupported_token_type, or a public client that may not revoke.
        """
        answer = self.revoke(token, caller, **changes)
        error = answer.get("error")
        if error == "unsupported_token_type":
            raise NotOffered("this target does not revoke such access tokens: unsupported_token_type")
        if caller.client.public and error in {"invalid_client", "unauthorized_client"}:
            raise NotOffered(f"this target lets no public client revoke: {error}")
        return answer

    def resource(
        self, token: str | None, *, scheme: str = "Bearer", headers: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        """The protected resource's answer to a GET with this token in the Authorization header, or with none."""
        own = () if token is None else (("Authorization", f"{scheme} {token}"),)
        return self.exchange(Request("GET", self.endpoint("resource"), (*own, *headers)))

    @cached_property
    def jwks(self) -> Any:
        """The keys of the server as pyjwt reads them.

        Raises:
            AssertionError: the document is no JWK set.
            NotOffered: there is no jwks endpoint.
        """
        import jwt  # noqa: PLC0415 - only JWT checks need it

        answer = self.exchange(Request("GET", self.endpoint("jwks"), (("Accept", "application/json"),)))
        try:
            return jwt.PyJWKSet.from_dict(answer.members)
        except (jwt.PyJWKSetError, jwt.PyJWKError, ValueError, TypeError, KeyError) as problem:
            raise AssertionError(f"jwks_uri gives no usable JWK set: {type(problem).__name__}") from None

    @cached_property
    def key_set(self) -> dict[str, Any]:
        """The JWK set as it was published; empty where there is none that can be read."""
        if not self.offer.offers("jwks")[0]:
            return {}
        answer = self.exchange(Request("GET", self.endpoint("jwks"), (("Accept", "application/json"),)))
        keys = answer.get("keys")
        return {"keys": keys} if isinstance(keys, list) else {}

    def verify_jwt(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a JWT whose signature a key of the JWK set verifies.

        Raises:
            AssertionError: no key verifies it.
        """
        import jwt  # noqa: PLC0415 - only JWT checks need it

        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as problem:
            raise AssertionError(f"the token is no signed JWT: {type(problem).__name__}") from None
        keys = [key for key in self.jwks.keys if header.get("kid") in (None, key.key_id)]
        options: Any = {
            "verify_aud": False,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_sub": False,
            "verify_jti": False,
        }
        for key in keys:
            try:
                return header, jwt.decode(token, key.key, algorithms=_ALGORITHMS, options=options)
            except (jwt.PyJWTError, TypeError, ValueError, RecursionError):
                continue
        raise AssertionError(
            f"none of {len(keys)} matching keys of the JWK set verifies the token (alg {header.get('alg')!r})"
        )

    # Controls.

    def prove(self, holder: Holder) -> None:
        """The control: the plain request of this client is answered as it is entitled to. Sent once a run and process.

        Raises:
            Inconclusive: it is not, so nothing that needs this client can be judged.
            NotOffered: it is owed no token, and the profile has no client that is, so nothing can stand beside it.
        """
        key = (type(holder).__name__, str(holder))
        if key not in self._proofs:
            try:
                self._proofs[key] = (
                    self._prove_caller(holder) if isinstance(holder, Caller) else self._prove_flow(holder)
                )
            except (Inconclusive, NotOffered) as problem:
                self._proofs[key] = problem
            except AssertionError as problem:
                self._proofs[key] = Inconclusive(f"the plain request itself: {problem}")
        doubt = self._proofs[key]
        if doubt is not None:
            raise copy.copy(doubt)

    def prove_credentials(self, holder: Holder) -> None:
        """The lesser control of checks that judge the plain request itself: the profile's credentials are right.

        A refusal by one method is judged where another method of the same client is answered.

        Raises:
            CredentialsRefused: every method of the client gets invalid_client, or no login step is for the first page.
        """
        if not isinstance(holder, Caller):
            with contextlib.suppress(Inconclusive):
                self.prove(holder)
            doubt = self._proofs.get((type(holder).__name__, str(holder)))
            if isinstance(doubt, CredentialsRefused):
                raise copy.copy(doubt)
            return
        for method in (holder.method, *holder.client.auth_methods):
            try:
                self.prove(Caller(holder.client, method))
            except CredentialsRefused:
                continue
            except Inconclusive:
                return
            else:
                return
        self.prove(holder)

    def _prove_caller(self, caller: Caller) -> Inconclusive | None:
        if caller.client.public:
            return self._prove_any_service()
        answer, _ = self.first_answer(caller)
        if answer.error == "invalid_client" and not answer.issued:
            where = f"is clients.{caller.client.name} of the profile right?"
            return CredentialsRefused(
                f"the plain request of {caller.client.name} by {caller.method} got invalid_client: {where}"
            )
        if answer.issued:
            return None
        seen = f"status {answer.status}, {answer.error}"
        told = f"the plain request of {caller.client.name} by {caller.method} got no token ({seen})"
        owed = caller.entitled or answer.error is None
        if owed and self._treats_as_a_stranger(caller, answer):
            where = f"is clients.{caller.client.name} of the profile right, and the token endpoint?"
            return CredentialsRefused(f"{told}, and a client that is not there gets the same answer: {where}")
        return Inconclusive(told) if caller.entitled else None

    def _treats_as_a_stranger(self, caller: Caller, answer: TokenAnswer) -> bool:
        """Whether a client that is not there gets the same answer: then it says nothing of the server's ways."""
        request = self.unauthenticated_request(caller).header("Authorization", basic_credentials(*_stranger()))
        return _alike(answer, self.send(request))

    def _treats_flow_as_a_stranger(self, flow: Flow, answer: AuthorizationAnswer, *, fresh: bool) -> bool:
        """Whether a client or a redirection URI that is not there leads to the same end on the same way.

        Args:
            flow: whose plain request it was.
            answer: where it ended.
            fresh: it began without a session.
        """
        request, (name, _) = self.authorization_request(flow), _stranger()
        if answer.page is not None and answer.page.status == 405:
            return not self.follow(request.by("POST")).issued  # what takes POST alone is the right place
        for changes in ({"client_id": name}, {"redirect_uri": f"https://{name}.example/cb"}):
            other = self.follow(request.update(changes), agent=self.fresh_agent() if fresh else None)
            if other.acted != answer.acted:
                continue
            if answer.redirect is not None and other.redirect is not None:
                alike = answer.redirect.url.partition("?")[0] == other.redirect.url.partition("?")[0]
            else:
                alike = answer.page is not None and other.page is not None and _alike(answer.page, other.page)
            if alike:
                return True
        return False

    def _prove_any_service(self) -> Inconclusive | None:
        """The control of clients that are owed no token: somebody got one."""
        services = ROLES["service"].find(self.profile)
        if not services:
            raise NotOffered(f"nothing can stand beside a refusal: {ROLES['service'].absent}")
        for holder in services:
            try:
                self.prove(holder)
            except Inconclusive:
                continue
            return None
        return Inconclusive("no client got a token in this run, so that a refusal shows nothing")

    def _prove_flow(self, flow: Flow) -> Inconclusive | None:
        if not flow.entitled:
            return None
        fresh = not self.agent().signed_in
        answer = self.authorize(flow)
        if not answer.issued:
            page = answer.page if answer.redirect is None and not answer.acted else None
            stuck = page is not None and page.status == 200 and b"<form" in page.body.lower()
            known = answer.went_to(flow.redirect_uri)
            refused = stuck or (not known and self._treats_flow_as_a_stranger(flow, answer, fresh=fresh))
            why = f": {answer.diagnosis}{self._pages.keep(answer.page)}" if answer.diagnosis else ""
            doubt = (CredentialsRefused if refused else Inconclusive)(
                f"the plain request of {flow.client.name} ({flow.response_type}) ended at {answer.describe()}{why}"
            )
            doubt.key = "login.steps" if stuck else ""
            return doubt
        return None

    def other_client(self, client: "Client", *, grant: str) -> "Client":
        """Another client with this grant.

        Raises:
            NotOffered: the profile has none.
        """
        for other in self.profile.clients.values():
            if other.id != client.id and grant in other.grants and not other.disposable:
                return other
        raise NotOffered(f"the profile has no second client for {grant}")


def _stranger() -> tuple[str, str]:
    """Identifier and secret of a client that is not there."""
    return f"nobody-{secrets.token_hex(8)}", secrets.token_urlsafe(24)


def _is_some_page(document: Answer) -> bool:
    """Whether what stands at a well-known place is no metadata at all: single-page sites answer every path alike."""
    kind, _, _ = (document.headers.get("content-type") or "").partition(";")
    return document.status == 200 and "json" not in kind.lower() and not document.body.lstrip().startswith(b"{")


def _alike(one: Answer, other: Answer) -> bool:
    """Whether two answers tell a client the same, whatever their words."""
    return _told(one) == _told(other)


def _told(answer: Answer) -> tuple[object, ...]:
    try:
        members = answer.members
    except AssertionError:
        members = {}
    kind = (answer.headers.get("content-type") or "").partition(";")[0].strip().lower()
    return answer.status, kind, str(members.get("error")), tuple(sorted(members))


def _user_of(profile: "Profile", user: str) -> "User | None":
    return {"user": profile.user, "user2": profile.user2, "disposable_user": profile.disposable_user}[user]


def _steps_for(profile: "Profile", user: str, password: str | None = None) -> "list[LoginStep]":
    """The login steps with another user's name and password in place of the first's, or with another password."""
    if profile.user is None or (user == "user" and password is None):
        return list(profile.login.steps)
    own = _user_of(profile, user)
    if own is None:
        raise NotOffered(f"the profile has no [{user}]")
    swap = _Swap(profile.user, own.username, password or own.password)
    return [
        step.model_copy(
            update={
                "fill": {name: swap(name, value) for name, value in step.fill.items()},
                "calls": tuple(call.model_copy(update={"body": swap("", call.body)}) for call in step.calls),
            }
        )
        for step in profile.login.steps
    ]


@dataclass(frozen=True, repr=False)
class _Swap:
    """Puts another name and password where a login step has the first user's; where both are one word, by the field."""

    first: "User"
    username: str
    password: str

    def __call__(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self(str(key), item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON at the edge
        named, secret = value == self.first.username, value == self.first.password
        if named and secret:
            secret = _PASSWORD_FIELD.search(name) is not None
        if secret:
            return self.password
        return self.username if named else value


def _verify(profile: "Profile") -> ssl.SSLContext | bool:
    urls = (profile.target.issuer, *profile.endpoints.known().values())
    if not any(url.startswith("https:") for url in urls):
        return False
    if profile.tls.ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(profile.tls.ca))
    except (OSError, ssl.SSLError) as problem:
        raise GrantproofError(
            f"tls.ca cannot be read: {type(problem).__name__}", where=str(profile.path or "")
        ) from None
