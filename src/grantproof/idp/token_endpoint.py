"""The token endpoint: what a caller's plain request is, how it authenticates, and what is answered."""

import time
from dataclasses import dataclass, field
from functools import cached_property

from grantproof.errors import NotOffered
from grantproof.idp.assertions import signing_key
from grantproof.idp.connection import ConnectedTarget
from grantproof.roles import Caller
from grantproof.wire.answer import TokenAnswer
from grantproof.wire.authentication import JWT_BEARER, SigningKey, basic_credentials
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest


@dataclass(kw_only=True)
class IssuingTarget(ConnectedTarget):
    """A target with a token endpoint."""

    _audiences: dict[str, str] = field(default_factory=dict[str, str], init=False, repr=False)
    _first_answers: dict[str, tuple[TokenAnswer, float]] = field(
        default_factory=dict[str, tuple[TokenAnswer, float]], init=False, repr=False
    )

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
            signed = self._assertions.make(caller, audience or self.audience_for(caller))
            return request.set("client_assertion_type", JWT_BEARER).set("client_assertion", signed)
        return request

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

    def signing_key(self, caller: Caller) -> SigningKey:
        """The key with which a caller signs its assertions.

        Raises:
            NotOffered: it has none.
        """
        return signing_key(caller)

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

    def first_answer(self, caller: Caller) -> tuple[TokenAnswer, float]:
        """The first answer of the run to the caller's plain request, and when it came on the monotonic clock."""
        if str(caller) not in self._first_answers:
            self._first_answers[str(caller)] = (self.token(caller), time.monotonic())
        return self._first_answers[str(caller)]
