"""The embedded authorization server as an ASGI application."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from . import endpoints, interaction
from .call import Answer, Call
from .clients import register_clients
from .crowd import crowd_of
from .keys import SigningKeys, signing_keys
from .rules import LAWFUL, Rules
from .state import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from .clients import Credentials

PATHS = {
    "authorization": "/authorize",
    "login": "/login",
    "consent": "/consent",
    "token": "/token",
    "introspection": "/introspect",
    "revocation": "/revoke",
    "resource": "/resource",
    "jwks": "/jwks",
    "registration": "/register",
}
OAUTH_WELL_KNOWN = "/.well-known/oauth-authorization-server"
OPENID_WELL_KNOWN = "/.well-known/openid-configuration"
ANSWERS: dict[str, Callable[[Call], Answer]] = {
    "authorization": interaction.answer_authorization,
    "login": interaction.answer_login,
    "consent": interaction.answer_consent,
    "token": endpoints.answer_token,
    "introspection": endpoints.answer_introspection,
    "revocation": endpoints.answer_revocation,
    "resource": endpoints.answer_resource,
    "jwks": endpoints.answer_jwks,
    "registration": endpoints.answer_registration,
    "metadata": endpoints.answer_metadata,
    "openid_metadata": endpoints.answer_metadata,
    "appended_metadata": endpoints.answer_metadata,
}


class AuthorizationServer:
    """One authorization server: an issuer, its rules, its clients and users, its memory.

    `clock` tells the seconds since the epoch; tests turn it instead of waiting.
    """

    def __init__(
        self,
        issuer: str,
        credentials: Credentials,
        rules: Rules = LAWFUL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.path = urlsplit(issuer).path
        self.credentials = credentials
        self.rules = rules
        self.clock = clock
        self.realm = "grantproof"
        self.clients = {**register_clients(credentials), **crowd_of(credentials)}
        self.keys: SigningKeys = signing_keys()
        self.store = Store()
        self._endpoints = {f"{self.path}{path}": name for name, path in PATHS.items()}
        self._endpoints[f"{OAUTH_WELL_KNOWN}{self.path}"] = "metadata"
        self._endpoints[f"{self.path}{OPENID_WELL_KNOWN}"] = "openid_metadata"
        self._endpoints.setdefault(f"{self.path}{OAUTH_WELL_KNOWN}", "appended_metadata")

    def endpoint_at(self, path: str) -> str | None:
        """The name of the endpoint at a path; None where there is none."""
        return self._endpoints.get(path)

    def url(self, endpoint: str) -> str:
        """The URL of an endpoint, by its name."""
        return f"{self.issuer}{PATHS[endpoint]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        endpoint = self._endpoints.get(scope["path"])
        if endpoint is None:
            await Response("Nothing is here.\n", 404, {"cache-control": "no-store"}, "text/plain")(scope, receive, send)
            return
        call = self._receive_call(request, endpoint)
        try:
            await self._read_body(call, request)
        except ClientDisconnect:
            return
        answer = self.answer(call)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        response = Response(answer.body, answer.status)
        response.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers
        ]
        if answer.header("transfer-encoding") is None:
            response.raw_headers.append((b"content-length", str(len(answer.body)).encode()))
        await response(scope, receive, send)

    def answer(self, call: Call) -> Answer:
        """The answer to a call whose body was read."""
        call.query = self.rules.parse_form(call, call.raw_query)
        answer = ANSWERS[call.endpoint](call)
        answer.headers.extend(self.rules.session_headers(call))
        return self.rules.finish(call, answer)

    def _receive_call(self, request: Request, endpoint: str) -> Call:
        return Call(
            server=self,
            endpoint=endpoint,
            method=request.method,
            headers=request.headers,
            raw_query=request.scope.get("query_string", b""),
            raw_body=b"",
            body_too_large=False,
            now=self.clock(),
            earlier=self.store.count_request(endpoint),
        )

    async def _read_body(self, call: Call, request: Request) -> None:
        """Reads the body up to the limit, whatever Content-Length claims."""
        limit = self.rules.body_limit(call)
        parts: list[bytes] = []
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > limit:
                call.body_too_large = True
                return
            parts.append(part)
        call.raw_body = b"".join(parts)
