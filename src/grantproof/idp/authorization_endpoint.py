"""The authorization endpoint: where a flow's plain request, or another one, ends after login and consent."""

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp.connection import TOKEN_NAMES
from grantproof.idp.logins import Logins
from grantproof.idp.token_endpoint import IssuingTarget
from grantproof.login import Journey, LoginStuckError, UserAgent
from grantproof.roles import Flow
from grantproof.transport import ResetError
from grantproof.wire.answer import Answer, AuthorizationAnswer
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest, Request

if TYPE_CHECKING:
    from grantproof.matrix.authorization_errors import ErrorPath

_LOOPBACK_PORT = re.compile(r"\A(http://(?:127\.0\.0\.1|localhost|\[::1\])):[0-9]{1,5}(/.*)\Z")


@dataclass(kw_only=True)
class AuthorizingTarget(IssuingTarget):
    """A target with an authorization endpoint, and with users who sign in there."""

    _logins: Logins = field(repr=False)
    _posts: dict[str, bool] = field(default_factory=dict[str, bool], init=False, repr=False)

    def close(self) -> None:
        """Closes the connections, and the browser of the logins."""
        self._logins.close()
        super().close()

    def agent(self, user: str = "user") -> UserAgent:
        """The user's browser, kept and reused over the run."""
        return self._logins.agent(user)

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
            self._logins.wait()
        journey = self._walk(request, agent, choice=choice, stop_at_pages=stop_at_pages, password=password)
        if not journey.unseen and any(step.truncated for step in journey.steps):
            raise Inconclusive("a page does not end, and is cut at a megabyte")
        agent.signed_in = agent.signed_in or (bool(journey.acted) and not journey.unseen)
        asked = request.form.get("redirect_uri") or request.query.get("redirect_uri")
        answer = AuthorizationAnswer(
            journey.redirect, journey.page, journey.seen, tuple(journey.acted), asked, journey.diagnosis
        )
        for form in (answer.fragment, answer.query, answer.parameters):
            for name in (*TOKEN_NAMES, "code"):
                self._learn(form.get(name))
        return answer

    def _walk(
        self, request: FormRequest, agent: UserAgent, *, choice: str, stop_at_pages: bool, password: str | None
    ) -> Journey:
        try:
            return self._logins.driver(agent.user, password).walk(
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
            problem.args = (f"{problem}{self._logins.keep(problem.page)}",)
            raise

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
        request = self._logins.driver("user").submission(page, choice)
        if request is None:
            raise NotOffered("the journey does not stop at a page on which consent is given")
        return request
