"""How the embedded server listens with TLS: its certificate, its cipher suites, and what it does with plain http."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import uvicorn
from starlette.responses import RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.types import Receive, Scope, Send

    from .app import AuthorizationServer

HANDSHAKE = 0x16
"""The first octet of a TLS connection, which no request in the clear begins with (RFC 8446 section 5.1)."""
_CHUNK = 65_536

Certificate = Literal["valid", "expired", "not_yet_valid", "other_host", "unknown_authority"]


@dataclass(frozen=True, slots=True)
class Listener:
    """What a TLS listener shows to those who connect.

    `ciphers` is OpenSSL's notation, empty for its defaults. `plain` names the endpoints that also answer plain http on
    the same port; where `redirects` is true, all others send plain http to https, else such connections are closed.
    """

    certificate: Certificate = "valid"
    ciphers: str = ""
    plain: tuple[str, ...] = ()
    redirects: bool = False

    @property
    def sniffs(self) -> bool:
        """Whether plain http gets an answer at all."""
        return self.redirects or bool(self.plain)


class PlainDoor:
    """An ASGI application for requests in the clear: some endpoints are served, the others redirected or not there."""

    def __init__(self, app: AuthorizationServer, listener: Listener) -> None:
        self._app = app
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            return
        if self._app.endpoint_at(scope["path"]) in self._listener.plain:
            await self._app(scope, receive, send)
            return
        secure = f"{self._app.issuer}{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
        await RedirectResponse(secure.rstrip("?"), 301)(scope, receive, send)


class _Quiet(uvicorn.Server):
    """A uvicorn server within another one, which has the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leaves the signals alone."""
        yield


class Sniffer:
    """Takes connections on one socket and hands TLS to one inner socket and everything else to another."""

    def __init__(self, public: socket.socket, secure_port: int, plain: uvicorn.Config) -> None:
        self._public = public
        self._secure_port = secure_port
        self._plain = _Quiet(plain)
        self._inner = socket.create_server(("127.0.0.1", 0))
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begins to take connections."""
        self._keep(asyncio.create_task(self._plain.serve(sockets=[self._inner])))
        while not self._plain.started:  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.01)
        self._server = await asyncio.start_server(self._forward, sock=self._public)

    async def stop(self) -> None:
        """Takes no more connections."""
        self._plain.should_exit = True
        if self._server is not None:
            self._server.close()
        await asyncio.wait(self._tasks, timeout=1)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(1)
        secure = first == bytes((HANDSHAKE,))
        port = self._secure_port if secure else self._inner.getsockname()[1]
        if not first:
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        inner_writer.write(first)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while octets := await reader.read(_CHUNK):
            writer.write(octets)
            await writer.drain()
    writer.close()
