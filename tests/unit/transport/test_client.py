"""The transport against servers that misbehave: bounded, retried, then inconclusive."""

import socket

import pytest

from grantproof.errors import Inconclusive
from grantproof.transport import CookieJar, Recorder, Redactor, ResetError, Transport
from grantproof.transport.client import MAX_BODY
from grantproof.transport.raw import send_raw
from grantproof.wire.headers import Headers
from grantproof.wire.request import Request
from tests.faults.harness import SERVERS, raw_server


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grantproof.transport.client._PAUSES_S", (0.0, 0.0))


def transport(*, timeout_s: float = 0.3, headers: tuple[tuple[str, str], ...] = (), origin: str = "") -> Transport:
    recorder = Recorder(Redactor(["hush-hush-hush"]))
    return Transport(recorder, timeout_s=timeout_s, headers=headers, origins=frozenset({origin}))


@pytest.mark.parametrize("name", ["drops_connections", "drops_after_request", "truncated_body"])
def test_a_broken_connection_is_tried_again_then_a_reset(name: str) -> None:
    with raw_server(SERVERS[name]) as origin, transport() as client:
        with pytest.raises(ResetError):
            client.send(Request("GET", origin + "/"))
        assert client.recorder.count == 3


@pytest.mark.parametrize(
    "name",
    [
        "never_answers",
        "trickling_body",
        "continues_forever",
        "speaks_tls_where_http_is_spoken",
        *("gateway_413", "gateway_431", "gateway_502", "gateway_503", "gateway_504", "limits_everything"),
    ],
)
def test_what_cannot_be_judged_is_inconclusive(name: str) -> None:
    with raw_server(SERVERS[name]) as origin, transport() as client, pytest.raises(Inconclusive):
        client.send(Request("GET", origin + "/"))


def test_an_endless_body_is_cut() -> None:
    with raw_server(SERVERS["endless_body"]) as origin, transport(timeout_s=5) as client:
        answer = client.send(Request("GET", origin + "/"))
    assert answer.truncated
    assert len(answer.body) == MAX_BODY


@pytest.mark.parametrize("name", ["endless_headers", "speaks_no_http"])
def test_what_is_no_http_is_inconclusive(name: str) -> None:
    with raw_server(SERVERS[name]) as origin, transport() as client, pytest.raises(Inconclusive):
        client.send(Request("GET", origin + "/"))


def test_a_gateways_answer_is_given_back_where_it_is_wanted() -> None:
    with raw_server(SERVERS["limits_everything"]) as origin, transport() as client:
        assert client.send(Request("GET", origin + "/"), accept_gateway=True).status == 429
        assert client.recorder.count == 1


def test_a_target_that_is_down_is_not_waited_for_again_and_again() -> None:
    with raw_server(SERVERS["drops_connections"]) as origin, transport() as client:
        for _ in range(6):
            with pytest.raises(Inconclusive):
                client.send(Request("GET", origin + "/"))
        assert client.recorder.count == 4 * 3 + 2


def test_the_profiles_headers_go_to_the_targets_own_origins_only() -> None:
    with raw_server(SERVERS["captive_portal"]) as own, raw_server(SERVERS["captive_portal"]) as other:
        client = transport(headers=(("X-Gate", "hush-hush-hush"),), origin=own)
        with client:
            client.send(Request("GET", own + "/"))
            client.send(Request("GET", other + "/"))
        first, second = client.recorder.take()
    assert "X-Gate" in [line["name"] for line in first["request"]["headers"]]
    assert "X-Gate" not in [line["name"] for line in second["request"]["headers"]]
    assert "hush" not in str(first)


@pytest.mark.parametrize(
    ("request_", "leaks"),
    [
        (Request("POST", "/?client_secret=hush-hush-hush", (("Authorization", "Basic aHVzaC1odXNo"),)), "aHVzaC"),
        (Request("POST", "/", (("Content-Type", "a/b"), ("Cookie", "a=b-c-d")), b"password=abcdefgh&x=1"), "abcdefgh"),
        (Request("POST", "/", (), b"\xff\xfe hush-hush-hush"), "hush"),
    ],
)
def test_what_is_recorded_holds_no_secret(request_: Request, leaks: str) -> None:
    with raw_server(SERVERS["empty_200"]) as origin, transport() as client:
        client.send(Request(request_.method, origin + request_.url, request_.headers, request_.body))
        (kept,) = client.recorder.take()
    assert leaks not in str(kept)
    assert "hush" not in str(kept)
    assert kept["curl"].startswith("curl -i -X POST")
    assert kept["response"]["status"] == 200


def test_cookies_are_kept_sent_and_copied() -> None:
    jar = CookieJar()
    jar.store(
        "http://127.0.0.1:1/a", Headers((("Set-Cookie", "sid=1234567890abc; Path=/a; HttpOnly"), ("Set-Cookie", "x=y")))
    )
    assert jar.header("http://127.0.0.1:1/a/b") == "sid=1234567890abc; x=y"
    assert jar.header("http://127.0.0.1:1/other") == "x=y"
    assert jar.header("http://127.0.0.2:1/other") is None
    assert jar.copy().named("sid") == "1234567890abc"
    assert "1234567890abc" not in repr(jar)


@pytest.mark.parametrize(
    ("url", "comes_back"),
    [
        ("https://as.example/", True),
        ("http://127.0.0.1:1/", True),
        ("http://[::1]:1/", True),
        ("http://localhost:1/", True),
        ("http://as.example/", False),
        ("http://localhost.example/", False),
    ],
)
def test_a_secure_cookie_comes_back_over_tls_and_to_loopback(url: str, *, comes_back: bool) -> None:
    jar = CookieJar()
    jar.store(url, Headers((("Set-Cookie", "sid=1; Secure; Path=/; Version=1; SameSite=None"),)))
    assert jar.header(url) == ("sid=1" if comes_back else None)


def test_raw_octets_are_sent_as_they_are() -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(1000))
        connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno")

    recorder = Recorder(Redactor())
    with raw_server(listen) as origin:
        answer = send_raw(
            recorder, Request("POST", origin + "/t"), b"pOsT /t HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n", timeout_s=2
        )
    assert heard == [b"pOsT /t HTTP/1.1\r\nHost: x\r\nA: b\x00\r\n\r\n"]
    assert (answer.status, answer.body, answer.n) == (400, b"no", 1)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("drops_connections", ResetError),
        ("never_answers", Inconclusive),
        ("speaks_no_http", Inconclusive),
        ("trickling_body", Inconclusive),
        ("continues_forever", Inconclusive),
    ],
)
def test_raw_requests_end_too(name: str, error: type[Exception]) -> None:
    recorder = Recorder(Redactor())
    with raw_server(SERVERS[name]) as origin, pytest.raises(error):
        send_raw(recorder, Request("GET", origin + "/"), b"GET / HTTP/1.1\r\n\r\n", timeout_s=0.3)
    assert recorder.take()[0]["response"]["status"] == 0
