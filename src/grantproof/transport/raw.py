"""A raw socket for what httpx refuses to send: broken header lines, control characters, unusual methods.

The answer is read with h11, so what the server may send is bounded and checked there.
"""

import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from grantproof.errors import Inconclusive
from grantproof.transport.client import MAX_BODY, ResetError
from grantproof.wire.answer import Answer
from grantproof.wire.headers import Headers
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from grantproof.transport.recorder import Recorder

_CHUNK = 65_536


def send_raw(
    recorder: "Recorder",
    request: Request,
    octets: bytes,
    *,
    timeout_s: float = 10,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Sends these octets to the origin of `request.url` on a connection of their own; `request` is what is recorded.

    Raises:
        Inconclusive: no connection, no whole answer in time, or the answer is no HTTP.
        ResetError: the server closed the connection without an answer.
    """
    number, started, began = recorder.next_number(), time.time(), time.perf_counter()
    try:
        answer = _exchange(request, octets, number, timeout_s, context)
    except Inconclusive as problem:
        recorder.add(request, None, failure=str(problem), started=started, seconds=time.perf_counter() - began)
        raise
    recorder.add(request, answer, failure="", started=started, seconds=time.perf_counter() - began)
    return answer


def _exchange(request: Request, octets: bytes, number: int, timeout_s: float, context: ssl.SSLContext | None) -> Answer:
    parts = urlsplit(request.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((parts.hostname or "", port), timeout_s) as plain:
            if parts.scheme != "https":
                plain.sendall(octets)
                return _read(plain, request.url, number, deadline)
            with (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=parts.hostname) as secure:
                secure.sendall(octets)
                return _read(secure, request.url, number, deadline)
    except TimeoutError:
        raise Inconclusive(f"no answer to a raw request within {timeout_s:g} s") from None
    except (ConnectionError, ssl.SSLError):
        raise ResetError("the server closed the connection on a raw request") from None
    except OSError as problem:
        raise Inconclusive(f"no connection for a raw request: {type(problem).__name__}") from None


def _read(connection: socket.socket, url: str, number: int, deadline: float) -> Answer:
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=_CHUNK)
    reader.send(h11.Request(method="POST", target="/", headers=[("Host", "h"), ("Content-Length", "0")]))
    reader.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = b""
    while True:
        try:
            event = reader.next_event()
        except h11.RemoteProtocolError:
            raise Inconclusive("the answer to a raw request is no HTTP/1.1") from None
        if event is h11.NEED_DATA:
            if time.monotonic() > deadline:
                raise TimeoutError
            octets = connection.recv(_CHUNK)
            if not octets and head is None:
                raise ConnectionResetError
            reader.receive_data(octets)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or len(body) > MAX_BODY:
            if head is None:
                raise ConnectionResetError
            lines = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
            return Answer(head.status_code, Headers(lines), body[:MAX_BODY], url, number, len(body) > MAX_BODY)
