"""Peers that do with TLS what is seldom done: end it while TCP stays open, or shake hands again before they answer."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from select import select

import pytest
from OpenSSL import SSL

from tests.unit.load.conftest import TOKEN, Certificate, answer, run_briefly


@contextmanager
def _accepting(serve: Callable[[socket.socket], None]) -> Generator[str]:
    """A server with a thread for each connection; its token endpoint."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}/token"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for thread in threads:
            thread.join()


def _leaver(certificate: Certificate, reply: bytes) -> Callable[[socket.socket], None]:
    """Answers one request on each connection and says goodbye in the same segment; never closes a socket itself."""

    def serve(peer: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = certificate.context.wrap_bio(incoming, outgoing, server_side=True)
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
            tls.write(reply)
            with suppress(ssl.SSLWantReadError):
                tls.unwrap()
            peer.sendall(outgoing.read())
            while peer.recv(65536):
                continue

    return serve


@pytest.mark.parametrize("ending", ["length", "end"])
@pytest.mark.parametrize("use", ["kept alive", "for one request"])
def test_a_peer_that_says_goodbye_with_its_answer_gets_no_other_request(
    certificate: Certificate, ending: str, use: str
) -> None:
    token = TOKEN.format(n=1)
    reply = answer(token) if ending == "length" else b"HTTP/1.1 200 OK\r\n\r\n" + token.encode()
    with _accepting(_leaver(certificate, reply)) as url:
        total = run_briefly(url, certificate.path, new_connections=use == "for one request")
    assert (total.ok, dict(total.errors), total.reused) == (20, {}, 0)
    assert total.opened >= 20


@pytest.mark.parametrize("use", ["kept alive", "for one request"])
def test_a_peer_that_shakes_hands_again_before_it_answers_is_answered(certificate: Certificate, use: str) -> None:
    """As servers do over TLS 1.2 that ask for a certificate once they know the path."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_session_id(b"x")
    context.use_certificate_file(str(certificate.path))
    context.use_privatekey_file(str(certificate.path.with_name("key.pem")))

    def serve(peer: socket.socket) -> None:
        tls = SSL.Connection(context, peer)
        tls.set_accept_state()
        with peer, suppress(SSL.Error):
            asked = b""
            while not asked.endswith(b"credentials"):
                asked += tls.recv(65536)
            tls.renegotiate()
            tls.do_handshake()  # asks
            if select([peer], [], [], 3.0)[0]:
                tls.do_handshake()  # takes the client's part
                tls.sendall(answer(TOKEN.format(n=1), 200, "Connection: close"))

    with _accepting(serve) as url:
        total = run_briefly(url, certificate.path, new_connections=use == "for one request")
    assert (total.ok, dict(total.errors)) == (20, {})
