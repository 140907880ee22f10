"""TLS connections that are for one request each, by a library that resumes sessions as they are."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from grantproof.load import resuming
from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.resuming import Trust
from grantproof.load.schedule import Constant
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.conftest import TOKEN, Certificate, Reply, Serve, answer, certify, issue

_FORM = ("Content-Type", "application/x-www-form-urlencoded")


def _target(url: str, ca: Path | None, body: bytes = b"grant_type=client_credentials") -> Target:
    return Target("server", url, (_FORM,), body, ca, 5.0, new_connections=True)


def _run(target: Target, requests: int = 10, users: int = 0) -> Tally:
    schedule = None if users else Constant(50.0, requests / 50)
    engine = Engine(target, token_exchange(target), schedule, users=users, duration_s=0.3)
    engine.run()
    total = Tally()
    for tally in engine.finished:
        total.add(tally)
    return total


def _closing(n: int) -> Reply:
    return Reply(answer(TOKEN.format(n=n), 200, "Connection: close"), close=True)


@pytest.fixture(params=["openssl", "service-identity"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who compares names: the second where pyOpenSSL no longer lets us ask the first."""
    if request.param != "openssl":
        monkeypatch.delattr("OpenSSL.SSL._lib.SSL_CTX_get0_param", raising=True)
    return str(request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("authority", [True, False])
def test_a_server_is_known_by_its_name(serve: Serve, tmp_path: Path, *, authority: bool) -> None:
    made = certify(tmp_path, x509.DNSName("localhost"), authority=authority)
    server = serve(_closing, made.context)
    total = _run(_target(server.url.replace("127.0.0.1", "localhost"), made.path))
    assert (total.ok, dict(total.errors), total.handshakes) == (10, {}, 10)
    assert total.resumed > 0


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("whose", "host"), [("other.example", "localhost"), ("localhost", "127.0.0.1")])
def test_a_certificate_of_somebody_else_is_refused(serve: Serve, tmp_path: Path, whose: str, host: str) -> None:
    made = certify(tmp_path, x509.DNSName(whose))
    server = serve(issue, made.context)
    total = _run(_target(server.url.replace("127.0.0.1", host), made.path))
    assert (total.ok, dict(total.errors), total.handshakes) == (0, {"tls": 10}, 0)
    assert server.count == 0


_ADDRESS = bytes((0x87, 4, 127, 0, 0, 1))


@pytest.mark.parametrize("new_connections", [True, False])
@pytest.mark.parametrize(
    "odd", [bytes((0x81, 2, 0xFF, 0x41)), bytes((0x82, 0)), bytes((0x87, 5, 1, 2, 3, 4, 5))], ids=["mail", "name", "ip"]
)
def test_what_else_a_certificate_names_is_nobodys_business(
    serve: Serve, tmp_path: Path, odd: bytes, *, new_connections: bool
) -> None:
    """Our library for certificates reads none of these, OpenSSL all; one rule holds for all connections."""
    made = certify(tmp_path, bytes((0x30, len(_ADDRESS) + len(odd))) + _ADDRESS + odd)
    target = replace(_target(serve(issue, made.context).url, made.path), new_connections=new_connections)
    total = _run(target)
    assert (total.ok, dict(total.errors)) == (10, {})


def test_a_certificate_that_cannot_be_read_is_an_error(serve: Serve, tmp_path: Path, way: str) -> None:
    """Where OpenSSL does not compare names, what cryptography cannot read is refused; nothing breaks."""
    odd = bytes((0x81, 2, 0xFF, 0x41))
    made = certify(tmp_path, bytes((0x30, len(_ADDRESS) + len(odd))) + _ADDRESS + odd)
    total = _run(_target(serve(issue, made.context).url, made.path))
    assert (total.ok, total.errors["tls"]) == ((10, 0) if way == "openssl" else (0, 10))


def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Serve, certificate: Certificate) -> None:
    server = serve(issue, certificate.context)
    total = _run(_target(server.url, None))
    assert (total.ok, dict(total.errors), server.count) == (0, {"tls": 10}, 0)


def test_a_kept_session_does_not_make_up_for_another_certificate(
    serve: Serve, certificate: Certificate, tmp_path: Path
) -> None:
    """The server is another one from the fifth connection on: it does not know the session, so it shows who it is."""
    other = certify(tmp_path, x509.DNSName("other.example"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.path.with_name("key.pem"))
    server = serve(_closing, context)

    def behave(n: int) -> Reply:
        if n == 5:
            context.load_cert_chain(other.path, other.path.with_name("key.pem"))
            context.options |= ssl.OP_NO_TICKET
        return _closing(n)

    server.behaviour = behave
    total = _run(_target(server.url, certificate.path), 10)
    assert total.ok == 5
    assert set(total.errors) == {"tls"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_users_who_connect_anew_each_time_resume(
    serve: Serve, certificate: Certificate, version: ssl.TLSVersion
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.path.with_name("key.pem"))
    context.maximum_version = version
    server = serve(_closing, context)
    total = _run(_target(server.url, certificate.path), users=3)
    assert total.ok > 10
    assert (dict(total.errors), total.reused, total.lag.total) == ({}, 0, 0)
    assert total.resumed == total.handshakes - 3
    assert context.session_stats()["hits"] >= total.resumed


def test_large_requests_and_answers_go_through(serve: Serve, certificate: Certificate) -> None:
    padded = answer(TOKEN.format(n=1) + " " * 200_000, 200, "Connection: close")
    server = serve(lambda _: Reply(padded, close=True), certificate.context)
    body = b"grant_type=client_credentials&pad=" + b"x" * 200_000
    total = _run(_target(server.url, certificate.path, body))
    assert (total.ok, dict(total.errors)) == (10, {})
    assert total.received == 10 * len(padded.partition(b"\r\n\r\n")[2])
    assert server.requests[0].endswith(body)


def test_a_plain_server_and_one_that_says_nothing_are_errors_of_their_kind(
    serve: Serve, certificate: Certificate
) -> None:
    plain = serve(issue)
    total = _run(_target(plain.url.replace("http:", "https:"), certificate.path), 5)
    assert (total.ok, set(total.errors) <= {"tls", "reset", "timeout"}, total.errors.total()) == (0, True, 5)
    target = replace(_target(plain.url.replace("http:", "https:"), certificate.path), timeout_s=0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        held: list[socket.socket] = []
        taker = threading.Thread(target=lambda: held.extend(mute.accept()[0] for _ in range(4)), daemon=True)
        taker.start()
        port = mute.getsockname()[1]
        total = _run(replace(target, token_url=f"https://127.0.0.1:{port}/token"), 3)
        taker.join(5)
        for each in held:
            each.close()
    assert (total.ok, dict(total.errors)) == (0, {"timeout": 3})


@contextmanager
def _handmade(certificate: Certificate, say: Callable[[ssl.SSLObject, ssl.MemoryBIO], bytes]) -> Generator[str]:
    """The URL of a server for one connection, after the probe; what it sends after the handshake is what is said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve_one() -> None:
            listening.accept()[0].close()
            with listening.accept()[0] as taken:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = certificate.context.wrap_bio(incoming, outgoing, server_side=True)
                for step in (tls.do_handshake, tls.read):
                    while True:
                        try:
                            step()
                            break
                        except ssl.SSLWantReadError:
                            taken.sendall(outgoing.read())
                            incoming.write(taken.recv(16_384))
                taken.sendall(outgoing.read() + say(tls, outgoing))
                taken.shutdown(socket.SHUT_WR)
                while taken.recv(16_384):
                    pass

        server = threading.Thread(target=serve_one, daemon=True)
        server.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/token"
        server.join(5)


def test_octets_that_are_no_tls_after_the_handshake_are_an_error(certificate: Certificate) -> None:
    """A server that goes on in the clear once it is trusted."""
    with _handmade(certificate, lambda _, __: answer(TOKEN.format(n=1))) as url:
        total = _run(_target(url, certificate.path), 1)
    assert (total.ok, dict(total.errors)) == (0, {"tls": 1})


@pytest.mark.parametrize("says_so", [True, False])
def test_an_answer_may_end_with_its_connection(certificate: Certificate, *, says_so: bool) -> None:
    """The end may be told by TLS as well, or only by the connection."""

    def say(tls: ssl.SSLObject, outgoing: ssl.MemoryBIO) -> bytes:
        tls.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + TOKEN.format(n=1).encode())
        if says_so:
            with suppress(ssl.SSLWantReadError):
                tls.unwrap()
        return outgoing.read()

    with _handmade(certificate, say) as url:
        total = _run(_target(url, certificate.path), 1)
    assert (total.ok, dict(total.errors)) == (1, {})


def _shaken(certificate: Certificate, curve: ec.EllipticCurve | None) -> str | None:
    """The group on which a client of ours and a server agree."""
    server_side = SSL.Context(SSL.TLS_SERVER_METHOD)
    server_side.use_certificate_file(str(certificate.path))
    server_side.use_privatekey_file(str(certificate.path.with_name("key.pem")))
    if curve is not None:
        server_side.set_tmp_ecdh(curve)
    client, server = SSL.Connection(Trust("127.0.0.1", certificate.path, 0).context), SSL.Connection(server_side)
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(3):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65_536))
    return client.get_group_name()


def test_the_key_that_is_made_ahead_is_a_cheap_one_and_other_groups_will_do(certificate: Certificate) -> None:
    assert _shaken(certificate, None) == "x25519"
    assert _shaken(certificate, ec.SECP384R1()) == "secp384r1"


def test_groups_that_cannot_be_set_are_left_alone(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "_GROUPS", b"no-such-group")
    assert _shaken(certificate, None) is not None
