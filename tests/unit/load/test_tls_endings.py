"""Peers that end TLS with their last octets and leave TCP open, as some do while they wait for the client."""

import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.schedule import Constant
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.conftest import TOKEN, Certificate, answer


class Leaver:
    """Answers one request on each connection and says goodbye in the same segment; it never closes a socket itself."""

    def __init__(self, context: ssl.SSLContext, reply: bytes) -> None:
        self._context, self._reply = context, reply
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/token"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        """Ends it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(peer,))
                thread.start()
                self._threads.append(thread)

    def _serve(self, peer: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        asked = b""
        with peer, suppress(OSError):
            while not asked.endswith(b"credentials"):
                data = peer.recv(65536)
                if not data:
                    return
                incoming.write(data)
                with suppress(ssl.SSLWantReadError):
                    if tls.version() is None:
                        tls.do_handshake()
                    asked += tls.read(65536)
                peer.sendall(outgoing.read())
            tls.write(self._reply)
            with suppress(ssl.SSLWantReadError):
                tls.unwrap()
            peer.sendall(outgoing.read())
            while peer.recv(65536):
                continue


@contextmanager
def _leaver(certificate: Certificate, reply: bytes) -> Generator[Leaver]:
    server = Leaver(certificate.context, reply)
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize("ending", ["length", "end"])
@pytest.mark.parametrize("use", ["kept alive", "for one request"])
def test_a_peer_that_says_goodbye_with_its_answer_gets_no_other_request(
    certificate: Certificate, ending: str, use: str
) -> None:
    token = TOKEN.format(n=1)
    reply = answer(token) if ending == "length" else b"HTTP/1.1 200 OK\r\n\r\n" + token.encode()
    with _leaver(certificate, reply) as server:
        fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
        target = Target("server", server.url, fields, b"grant_type=client_credentials", certificate.path, 1.0)
        target = replace(target, new_connections=use == "for one request")
        engine = Engine(target, token_exchange(target), Constant(50.0, 0.4))
        engine.run()
    total = Tally()
    for tally in engine.finished:
        total.add(tally)
    assert (total.ok, dict(total.errors), total.reused) == (20, {}, 0)
    assert total.opened >= 20
