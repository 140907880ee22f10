"""A small token endpoint on loopback whose answers, delays and failures each test decides."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.schedule import Constant
from grantproof.load.tally import Tally
from grantproof.load.target import Target

TOKEN = '{{"access_token":"t{n}","token_type":"Bearer","expires_in":60}}'


def answer(body: str, status: int = 200, *fields: str) -> bytes:
    """An HTTP answer with a content length."""
    octets = body.encode()
    lines = [f"HTTP/1.1 {status} Word", "Content-Type: application/json", f"Content-Length: {len(octets)}", *fields]
    return "\r\n".join((*lines, "", "")).encode() + octets


@dataclass(frozen=True)
class Reply:
    """What the server does with one request: `data` after `delay_s`, or a reset; then it may end the connection."""

    data: bytes = b""
    delay_s: float = 0.0
    close: bool = False
    reset: bool = False
    silent: bool = False


Behaviour = Callable[[int], Reply]


def issue(n: int) -> Reply:
    """A new token each time."""
    return Reply(answer(TOKEN.format(n=n)))


class TokenServer:
    """Runs in a thread of its own. `behaviour` gets the request's number, counted from 1.

    It serves so many connections at a time as `room` says; the others never get an answer.
    """

    def __init__(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.host = host
        self.behaviour = behaviour
        self.room = 1_000_000
        self.requests: list[bytes] = []
        self.count = 0
        self.connections = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)
        self.scheme = "https" if tls else "http"
        self.url = f"{self.scheme}://{self.host}:{self.port}/token"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, self.host, 0, ssl=self._tls, backlog=1024)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        # a socket whose task has not begun, or whose server is closed, would be left open: first no more of them
        self._loop.remove_reader(self._server.sockets[0].fileno())
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def stop(self) -> None:
        """Ends it and all its connections, once."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = False
        self.room -= 1
        try:
            if self.room < 0:
                await reader.read()  # until the client gives up
                return
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.connections += not begun
                begun = True
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                self.requests[self.count :] = [head + await reader.readexactly(length)] if self.count < 5 else []
                self.count += 1
                reply = self.behaviour(self.count)
                await self._reply(reply, writer)
                if reply.close and writer.can_write_eof():
                    writer.write_eof()  # only its own half: a request that is on its way must not meet a reset
                    await reader.read()
                elif reply.close:  # TLS has no halves
                    writer.close()
                    await writer.wait_closed()
                if reply.close or reply.reset:
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            return
        finally:
            self.room += 1
            writer.transport.abort()

    async def _reply(self, reply: Reply, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(reply.delay_s)
        if reply.silent:
            await asyncio.sleep(60)
        if reply.reset:
            held: socket.socket = writer.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        writer.write(reply.data)
        await writer.drain()


class Serve(Protocol):
    """Starts a server that ends with the test."""

    def __call__(
        self, behaviour: Behaviour = issue, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> TokenServer:
        """The running server."""
        ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that end with the test."""
    servers: list[TokenServer] = []

    def start(behaviour: Behaviour = issue, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> TokenServer:
        servers.append(TokenServer(behaviour, tls, host))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@dataclass(frozen=True)
class Certificate:
    """A certificate that vouches for itself, and a server's context that has it."""

    path: Path
    context: ssl.SSLContext


def certify(folder: Path, whose: x509.GeneralName | bytes, *, authority: bool = True) -> Certificate:
    """A certificate for a name or an address, or with an extension for it in octets; it may sign others, or may not."""
    names: x509.ExtensionType = (
        x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, whose)
        if isinstance(whose, bytes)
        else x509.SubjectAlternativeName([whose])
    )
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, private = folder / "ca.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return Certificate(path, context)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One for 127.0.0.1, made once a session."""
    return certify(tmp_path_factory.mktemp("tls"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


def run_briefly(url: str, ca: Path | None = None, *, new_connections: bool = False) -> Tally:
    """Twenty requests at 50/s, each with a second to be answered in; what became of them."""
    fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
    target = Target("server", url, fields, b"grant_type=client_credentials", ca, 1.0, new_connections=new_connections)
    engine = Engine(target, token_exchange(target), Constant(50.0, 0.4))
    engine.run()
    total = Tally()
    for tally in engine.finished:
        total.add(tally)
    return total


SECRET = "a-secret-that-nobody-prints"  # only the profile's environment holds it


def write_profile(folder: Path, server: TokenServer, *, allowed: bool = True, more: str = "") -> str:
    """The path of a profile of a server, whose secret stands in the variable TINY_SECRET."""
    path = folder / "tiny.toml"
    path.write_text(f"""
timeout_s = 10
[endpoints]
token = "{server.url}"
[target]
name = "tiny"
[clients.service]
id = "service"
secret = "${{TINY_SECRET:?set it}}"
auth_methods = ["client_secret_post"]
grants = ["client_credentials"]
[load]
allowed = {str(allowed).lower()}
thresholds = ["errors < 1%"]
{more}
""")
    return str(path)
