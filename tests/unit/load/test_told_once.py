"""What comes in larger pieces than are taken at a time, and is told of only once."""

import socket
import ssl
from pathlib import Path

import pytest

from grantproof.load import native
from grantproof.load.poller import READABLE, TROUBLE, WRITABLE, EpollPoller
from tests.unit.load.conftest import TOKEN, Certificate, Reply, Serve, answer, issue, run_briefly

_TAKEN = 16_384


@pytest.mark.skipif(native.epoll is None, reason="the platform has no epoll")
def test_a_socket_is_told_of_once_and_again_when_asked() -> None:
    poller = EpollPoller()
    ours, peer = socket.socketpair()
    with ours, peer:
        poller.register(ours.fileno(), READABLE)
        peer.send(b"x")
        assert poller.wait(1.0) == [(ours.fileno(), READABLE)]
        assert poller.wait(0.0) == []
        poller.modify(ours.fileno(), READABLE | WRITABLE)
        assert poller.wait(1.0) == [(ours.fileno(), READABLE | WRITABLE)]
        peer.shutdown(socket.SHUT_WR)
        ((_, mask),) = poller.wait(1.0)
        assert mask & READABLE
        assert mask & TROUBLE
    poller.close()


@pytest.mark.parametrize("new_connections", [True, False])
def test_a_chain_of_certificates_may_be_long(
    serve: Serve, certificate: Certificate, tmp_path: Path, *, new_connections: bool
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_text(certificate.path.read_text() * 60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, certificate.path.with_name("key.pem"))
    assert 60 * len(ssl.PEM_cert_to_DER_cert(certificate.path.read_text())) > _TAKEN
    total = run_briefly(serve(issue, context).url, certificate.path, new_connections=new_connections)
    assert (total.ok, dict(total.errors)) == (20, {})


@pytest.mark.parametrize("size", [_TAKEN, 2 * _TAKEN, 200_000])
@pytest.mark.parametrize("new_connections", [True, False])
@pytest.mark.parametrize("close", [True, False])
def test_an_answer_may_be_as_large_as_what_is_taken_or_larger(
    serve: Serve, size: int, *, new_connections: bool, close: bool
) -> None:
    total = run_briefly(serve(lambda n: Reply(_answer(n, size), close=close)).url, new_connections=new_connections)
    assert (total.ok, dict(total.errors)) == (20, {})


def test_octets_beyond_such_an_answer_are_nobodys(serve: Serve) -> None:
    total = run_briefly(serve(lambda n: Reply(_answer(n, _TAKEN) + b"stray")).url)
    assert (total.ok, dict(total.errors), total.reused) == (20, {}, 0)


def _answer(n: int, size: int) -> bytes:
    """A token answer of so many octets in all."""
    token = TOKEN.format(n=n)
    head = len(answer(token.ljust(size - 200))) - (size - 200)  # with a length of as many digits
    whole = answer(token.ljust(size - head))
    assert len(whole) == size
    return whole
