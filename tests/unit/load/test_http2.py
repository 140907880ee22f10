"""HTTP/2 behind the face of the other connections: one stream at a time, whatever the peer does with it."""

import asyncio
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import h2.config
import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes

from grantproof.errors import GrantproofError
from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.http1 import LARGEST_BODY
from grantproof.load.http2 import translate
from grantproof.load.schedule import Constant
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.conftest import TOKEN, Certificate, Serve

Sender = Callable[[h2.connection.H2Connection, int, int], bytes | None]
Starter = Callable[[Sender], str]
JSON = [(b":status", b"200"), (b"content-type", b"application/json")]


def give(connection: h2.connection.H2Connection, stream: int, n: int) -> None:
    """A token."""
    connection.send_headers(stream, JSON)
    connection.send_data(stream, TOKEN.format(n=n).encode(), end_stream=True)


class Peer(asyncio.Protocol):
    """One connection of a server that answers each whole request as the test says, perhaps after octets of its own."""

    def __init__(self, send: Sender, counter: Iterator[int]) -> None:
        self._send, self._counter = send, counter
        config = h2.config.H2Configuration(
            client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self._h2 = h2.connection.H2Connection(config)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets."""
        self._transport = cast("asyncio.Transport", transport)
        self._h2.initiate_connection()
        self._transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        """Answers what is complete."""
        for event in self._h2.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if isinstance(event, h2.events.StreamEnded):
                first = self._send(self._h2, event.stream_id, next(self._counter))
                if self._transport is not None and first:
                    self._transport.write(first)
        if self._transport is not None:
            self._transport.write(self._h2.data_to_send())

    def abort(self) -> None:
        """Ends it."""
        if self._transport is not None:
            self._transport.abort()


@pytest.fixture
def start(certificate: Certificate) -> Iterator[Starter]:
    """Starts servers that end with the test; gives a token endpoint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.path.with_name("key.pem"))
    context.set_alpn_protocols(["h2"])
    loop, peers, servers = asyncio.new_event_loop(), list[Peer](), list[asyncio.Server]()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def begin(send: Sender) -> str:
        counter = iter(range(1, 1_000_000))

        def meet() -> Peer:
            peers.append(Peer(send, counter))
            return peers[-1]

        made = loop.create_server(meet, "127.0.0.1", 0, ssl=context)
        servers.append(asyncio.run_coroutine_threadsafe(made, loop).result(10))
        return f"https://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/token"

    async def end() -> None:
        for server in servers:
            server.close()
        for peer in peers:
            peer.abort()
        await asyncio.sleep(0.05)

    yield begin
    asyncio.run_coroutine_threadsafe(end(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def run(url: str, certificate: Certificate, **changes: object) -> Tally:
    fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
    plain = Target("server", url, fields, b"grant_type=client_credentials", certificate.path, 5.0)
    target = replace(plain.over_http2(), **changes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a test's words
    engine = Engine(target, token_exchange(target), Constant(100.0, 0.4), most_connections=5)
    engine.run()
    total = Tally()
    for tally in engine.finished:
        total.add(tally)
    return total


def test_tokens_come_over_streams_of_one_connection_after_the_other(start: Starter, certificate: Certificate) -> None:
    total = run(start(give), certificate)
    assert (total.ok, dict(total.errors)) == (40, {})
    assert total.multiplexed == total.handshakes == total.opened < 40
    assert 40 > total.reused >= 40 - total.opened  # one that was opened may not have been needed any more


def test_a_server_that_speaks_only_http_1_is_spoken_to_by_that(serve: Serve, certificate: Certificate) -> None:
    total = run(serve(tls=certificate.context).url, certificate)
    assert (total.ok, dict(total.errors), total.multiplexed) == (40, {}, 0)


def test_each_request_can_have_a_connection_of_its_own(start: Starter, certificate: Certificate) -> None:
    total = run(start(give), certificate, new_connections=True)
    assert (total.ok, total.opened, total.multiplexed, total.reused) == (40, 40, 40, 0)


def test_a_connection_that_says_good_bye_is_left_for_another(start: Starter, certificate: Certificate) -> None:
    def leave(connection: h2.connection.H2Connection, stream: int, n: int) -> None:
        give(connection, stream, n)
        if n % 10 == 0:
            connection.close_connection(last_stream_id=stream)

    total = run(start(leave), certificate)
    assert (total.ok, dict(total.errors)) == (40, {})
    assert total.opened >= 4


def test_an_error_response_is_told_by_its_code(start: Starter, certificate: Certificate) -> None:
    def refuse(connection: h2.connection.H2Connection, stream: int, _: int) -> None:
        connection.send_headers(stream, [(b":status", b"401"), (b"content-type", b"application/json")])
        connection.send_data(stream, b'{"error":"invalid_client"}', end_stream=True)

    assert dict(run(start(refuse), certificate).errors) == {"invalid_client": 40}


def test_what_protects_the_server_is_counted_apart(start: Starter, certificate: Certificate) -> None:
    def wait(connection: h2.connection.H2Connection, stream: int, _: int) -> None:
        connection.send_headers(stream, [(b":status", b"503"), (b"retry-after", b"1")], end_stream=True)

    total = run(start(wait), certificate)
    assert (dict(total.protected), dict(total.retry_after)) == ({"503": 40}, {"503": 40})


def test_a_stream_that_is_reset_is_a_reset(start: Starter, certificate: Certificate) -> None:
    total = run(start(lambda connection, stream, _: connection.reset_stream(stream)), certificate)
    assert (total.ok, dict(total.errors)) == (0, {"reset": 40})


def endless(connection: h2.connection.H2Connection, stream: int, _: int) -> None:
    """A body beyond the bound."""
    connection.send_headers(stream, JSON)
    for _ in range(LARGEST_BODY // 16_384 + 1):
        connection.send_data(stream, b" " * 16_384)


def broken_line(connection: h2.connection.H2Connection, stream: int, _: int) -> None:
    """A field that would break out of its line."""
    fields = [(b":status", b"302"), (b"location", b"https://a.example/\r\nx: y")]
    connection.send_headers(stream, fields, end_stream=True)


def no_status(connection: h2.connection.H2Connection, stream: int, _: int) -> None:
    """An answer that lacks what each has."""
    connection.send_headers(stream, [(b"content-type", b"text/plain")], end_stream=True)


@pytest.mark.parametrize("send", [endless, broken_line, no_status])
def test_what_is_no_answer_is_malformed(start: Starter, certificate: Certificate, send: Sender) -> None:
    total = run(start(send), certificate)
    assert (total.ok, dict(total.errors)) == (0, {"malformed": 40})


def test_a_request_is_translated_without_what_belongs_to_the_connection() -> None:
    request = (
        b"POST /token?a=b HTTP/1.1\r\nHost: a.example\r\nX-Y: z\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=b"
    )
    pseudo = ((b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"a.example"), (b":path", b"/token?a=b"))
    assert translate(request) == ((*pseudo, (b"x-y", b"z"), (b"content-length", b"3")), b"a=b")


def test_http_2_without_tls_is_refused() -> None:
    target = Target("server", "http://127.0.0.1/token", (), b"")
    with pytest.raises(GrantproofError, match="HTTP/2 is spoken over TLS only"):
        target.over_http2()


def test_http_2_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grantproof.load.http2", None)
    target = Target("server", "https://127.0.0.1/token", (), b"")
    with pytest.raises(GrantproofError, match=r"grantproof\[http2\]"):
        target.over_http2()


def goodbye(last: int) -> bytes:
    """GOAWAY, by hand: h2 sends nothing more after its own."""
    return b"\0\0\x08\x07\0\0\0\0\0" + last.to_bytes(4, "big") + bytes(4)


@pytest.mark.parametrize("last", [0, 2**31 - 1], ids=["this stream", "notice"])
def test_what_was_begun_before_a_goodbye_is_answered_after_it(
    start: Starter, certificate: Certificate, last: int
) -> None:
    def leave(connection: h2.connection.H2Connection, stream: int, n: int) -> bytes | None:
        give(connection, stream, n)
        return goodbye(last or stream) if n % 4 == 0 else None

    total = run(start(leave), certificate)
    assert (total.ok, dict(total.errors), total.retried) == (40, {}, 0)
    assert total.opened >= 10


@pytest.mark.parametrize("how", ["goodbye", "refused"])
@pytest.mark.parametrize("when", [1, 5], ids=["first", "third"])
def test_what_was_not_begun_is_sent_again(start: Starter, certificate: Certificate, how: str, when: int) -> None:
    """The connection stays open after the goodbye: only its words say that no answer will come."""

    def leave(connection: h2.connection.H2Connection, stream: int, n: int) -> bytes | None:
        if stream != when or (when == 1 and n > 1):
            give(connection, stream, n)
        elif how == "goodbye":
            return goodbye(max(stream - 2, 0))
        else:
            connection.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        return None

    total = run(start(leave), certificate)
    assert (total.ok, dict(total.errors)) == (40, {})
    assert total.retried > 0


def test_a_body_goes_in_as_many_frames_as_the_peer_wants(start: Starter, certificate: Certificate) -> None:
    total = run(start(give), certificate, body=b"grant_type=client_credentials&x=" + b"y" * 40_000)
    assert (total.ok, dict(total.errors)) == (40, {})
