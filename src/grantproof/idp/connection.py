"""Exchanges with the target: each answer comes whole, or the exchange ends without a judgement."""

import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from grantproof.errors import GrantproofError, Inconclusive
from grantproof.idp.assertions import Assertions
from grantproof.idp.target import Target
from grantproof.transport import ResetError, Transport
from grantproof.transport.handshake import Handshake, shake_hands
from grantproof.transport.raw import send_raw
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from grantproof.login import UserAgent
    from grantproof.profile.model import Profile
    from grantproof.wire.answer import Answer

TOKEN_NAMES = ("access_token", "refresh_token", "id_token")
"""The members of answers that are remembered for redaction."""


@dataclass(kw_only=True)
class ConnectedTarget(Target):
    """A target that answers requests."""

    transport: Transport = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self.transport.close()

    @cached_property
    def _assertions(self) -> Assertions:
        return Assertions(self.transport.recorder.redactor)

    def exchange(self, request: Request, agent: "UserAgent | None" = None) -> "Answer":
        """One answer, no redirect followed, tokens in it remembered for redaction.

        Raises:
            AssertionError: the connection was broken off three times while the control was answered.
            Inconclusive: there was no answer that can be judged.
        """
        try:
            answer = self.transport.send(request, agent.jar if agent else None, again=self._assertions.renew)
        except ResetError as problem:
            self._judge_reset(request, problem)
            raise
        if answer.truncated:
            raise Inconclusive("the answer does not end, and is cut at a megabyte")
        for name in TOKEN_NAMES:
            self._learn(answer.get(name))
        return answer

    def raw(self, request: Request, octets: bytes) -> "Answer":
        """The answer to these very octets, on a connection of their own."""
        context = self.transport_context
        return send_raw(self.transport.recorder, request, octets, timeout_s=self.profile.timeout_s, context=context)

    @cached_property
    def transport_context(self) -> ssl.SSLContext | None:
        """The TLS settings of the profile for raw connections."""
        verify = tls_settings(self.profile)
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


def tls_settings(profile: "Profile") -> ssl.SSLContext | bool:
    """The TLS settings of the profile; False where it names no address over TLS.

    Raises:
        GrantproofError: the profile's own certificates cannot be read.
    """
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
