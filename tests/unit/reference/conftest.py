"""A client of the embedded server that needs no socket."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from grantproof.reference.app import AuthorizationServer
from grantproof.reference.clients import Credentials
from grantproof.reference.rules import LAWFUL, Rules
from grantproof.reference.variants import rules_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ISSUER = "http://127.0.0.1:8080"
CALLBACK = "https://app.example/cb"


class InProcess(httpx.BaseTransport):
    """Hands requests to an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer."""

        async def send() -> httpx.Response:
            answer = await httpx.ASGITransport(self.app).handle_async_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

        return asyncio.run(send())


@dataclass
class Target:
    """An authorization server and one browser in front of it; `now` is the server's clock."""

    credentials: Credentials
    rules: Rules = LAWFUL
    issuer: str = ISSUER
    now: float = 1_700_000_000.0
    server: AuthorizationServer = field(init=False)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.server = AuthorizationServer(self.issuer, self.credentials, self.rules, lambda: self.now)
        self.http = self.browser()

    def browser(self) -> httpx.Client:
        """Another browser, without cookies."""
        return httpx.Client(transport=InProcess(self.server), base_url=self.issuer)

    def secret(self, name: str) -> str:
        """The secret of a client."""
        return self.credentials.secrets[name]

    def token(self, client: str | None = "service", /, **form: str) -> httpx.Response:
        """The answer to a client credentials request with Basic; without it when the client is None."""
        data = {"grant_type": "client_credentials"} | form
        if client is None:
            return self.http.post("/token", data=data)
        return self.http.post("/token", data=data, auth=(client, self.secret(client.replace("-", "_"))))

    def authorize(self, **changes: str) -> httpx.Response:
        """The answer to an authorization request; an empty change leaves a parameter out."""
        request = {"response_type": "token", "client_id": "spa", "redirect_uri": CALLBACK, "state": "xyz"} | changes
        return self.http.get("/authorize", params={name: value for name, value in request.items() if value})

    def login(self, page: httpx.Response, username: str = "alice") -> httpx.Response:
        """The answer to the login form, filled in."""
        form = self.hidden(page) | {"username": username, "password": self.credentials.passwords[username]}
        return self.http.post("/login", data=form)

    def consent_page(self, **changes: str) -> httpx.Response:
        """The consent page of an authorization request after a login."""
        return self.http.get(self.login(self.authorize(**changes)).headers["location"])

    def decide(self, page: httpx.Response, decision: str = "allow") -> httpx.Response:
        """The answer to the consent form."""
        return self.http.post("/consent", data=self.hidden(page) | {"decision": decision})

    @staticmethod
    def hidden(page: httpx.Response) -> dict[str, str]:
        """The hidden fields of a page."""
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        return {name: unescape(value) for name, value in found}

    @staticmethod
    def fragment(answer: httpx.Response) -> dict[str, str]:
        """The parameters in the fragment of a redirect."""
        encoded = urlsplit(answer.headers["location"]).fragment
        return dict(parse_qsl(encoded, keep_blank_values=True, strict_parsing=True))


class StartTarget(Protocol):
    """What the fixture of the same name returns."""

    def __call__(self, *variants: str) -> Target:
        """A target with these variants."""
        ...


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return Credentials.create()


@pytest.fixture
def target(credentials: Credentials) -> Target:
    return Target(credentials)


@pytest.fixture
def start_target(credentials: Credentials) -> StartTarget:
    def start(*variants: str) -> Target:
        return Target(credentials, rules_of(variants))

    return start
