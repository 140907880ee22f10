"""Several scenarios in one engine, connections for one request each, and TLS sessions that are resumed."""

import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grantproof.load import reactor
from grantproof.load.connection import Connection
from grantproof.load.dialer import Dialer
from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.poller import Poller, SelectorPoller, make_poller
from grantproof.load.schedule import Constant
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.conftest import TOKEN, Certificate, Reply, Serve, answer


def _target(url: str, **changes: object) -> Target:
    fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
    plain = Target("server", url, fields, b"grant_type=client_credentials", None, 5.0)
    return replace(plain, **changes)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a test's words


def _totals(engine: Engine) -> dict[str, Tally]:
    totals: dict[str, Tally] = {}
    for tally in engine.finished:
        totals.setdefault(tally.scenario, Tally()).add(tally)
    return totals


def _run(target: Target, rate: float = 100.0, seconds: float = 0.4) -> Tally:
    engine = Engine(target, token_exchange(target), Constant(rate, seconds), most_connections=50)
    engine.run()
    return _totals(engine)[""]


def test_scenarios_have_schedules_targets_and_counts_of_their_own(serve: Serve) -> None:
    one, other = serve(), serve(lambda _: Reply(answer('{"error":"invalid_client"}', 401)))
    first, second = _target(one.url), _target(other.url)
    engine = Engine(first, token_exchange(first), Constant(100.0, 1.2), name="a")
    engine.add(second, token_exchange(second), Constant(50.0, 0.6), name="b")
    engine.run()
    totals = _totals(engine)
    assert (totals["a"].ok, dict(totals["a"].errors)) == (120, {})
    assert (totals["b"].ok, dict(totals["b"].errors)) == (0, {"invalid_client": 30})
    assert (one.count, other.count) == (120, 30)
    assert sum(totals["b"].offered.values()) == 30
    assert {tally.t for tally in engine.finished if tally.scenario == "a"} == {1, 2}


def test_a_scenario_that_cannot_be_reached_does_not_hold_up_the_others(serve: Serve) -> None:
    server = serve()
    gone = serve()
    gone.stop()
    first, second = _target(gone.url), _target(server.url)
    engine = Engine(first, token_exchange(first), Constant(50.0, 0.4), name="gone")
    engine.add(second, token_exchange(second), Constant(50.0, 0.4), name="there")
    engine.run()
    totals = _totals(engine)
    assert (dict(totals["gone"].errors), totals["there"].ok) == ({"refused": 1}, 20)


def test_users_of_scenarios_in_the_closed_loop_are_apart(serve: Serve) -> None:
    servers = [serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.02)) for _ in range(2)]
    targets = [_target(server.url) for server in servers]
    engine = Engine(targets[0], token_exchange(targets[0]), users=3, duration_s=0.4, name="a")
    engine.add(targets[1], token_exchange(targets[1]), users=1, duration_s=0.4, name="b")
    engine.run()
    assert [server.connections for server in servers] == [3, 1]


def test_another_schedule_can_be_taken_over_while_it_runs(serve: Serve) -> None:
    server = serve()
    target = _target(server.url)
    whole = Constant(100.0, 1.0)
    engine = Engine(target, token_exchange(target), whole.share(0, 2))
    taker = threading.Timer(0.2, engine.lanes[0].take_over, [whole.share(1, 2), 0.5])
    taker.start()
    engine.run()
    taker.join()
    total = _totals(engine)[""]
    assert total.ok == server.count == 50 + sum(due >= 0.5 for due in whole.share(1, 2))


@pytest.mark.parametrize("ends", [True, False])
def test_each_request_can_have_a_connection_of_its_own(serve: Serve, *, ends: bool) -> None:
    extra = ("Connection: close",) if ends else ()
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n), 200, *extra), close=ends))
    total = _run(_target(server.url, new_connections=True))
    assert (total.ok, dict(total.errors), total.abandoned) == (40, {}, 0)
    assert total.opened == server.connections == 40
    assert (total.reused, total.lag.total, total.queue.total) == (0, 40, 0)
    assert b"\r\nConnection: close\r\n" in server.requests[0]
    assert total.service.total == 40


@pytest.mark.parametrize("near", [True, False])
@pytest.mark.parametrize("secure", [True, False])
def test_a_connection_is_used_as_soon_as_it_is_made(
    serve: Serve, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, *, near: bool, secure: bool
) -> None:
    """Within a machine that is at once; a target that is not so near is not asked twice, and events tell."""
    asked: list[bool] = []
    is_made = Connection.is_made

    def ask(connection: Connection) -> bool:
        asked.append(near and is_made(connection))
        return asked[-1]

    monkeypatch.setattr(Connection, "is_made", ask)
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), close=True), certificate.context if secure else None)
    total = _run(_target(server.url, ca=certificate.path if secure else None, new_connections=True))
    assert (total.ok, total.opened, dict(total.errors)) == (40, 40, {})
    assert asked == ([True] * 40 if near else [False])


def test_connections_are_kept_unless_new_ones_are_asked_for(serve: Serve) -> None:
    server = serve()
    total = _run(_target(server.url))
    assert (total.ok, total.reused) == (40, 40 - server.connections)
    assert b"Connection:" not in server.requests[0]


def test_the_beginning_of_an_answer_is_not_taken_for_that_of_the_next_connection(serve: Serve) -> None:
    server = serve(
        lambda n: Reply(answer(TOKEN.format(n=n))[: 1000 if n % 2 else 20], close=True)  # every other one breaks off
    )
    total = _run(_target(server.url, new_connections=True))
    assert (total.ok, dict(total.errors)) == (20, {"reset": 20})


@pytest.mark.parametrize("poller", [make_poller, SelectorPoller])
def test_new_connections_keep_to_the_limit(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, poller: Callable[[], Poller]
) -> None:
    """Also those that their peer has ended, which are closed after the next request has left, if there is room."""
    opened: list[int] = []
    closed: list[int] = []
    most: list[int] = []
    init, close = Connection.__init__, Connection.close

    def count_opened(connection: Connection, *arguments: Any) -> None:
        init(connection, *arguments)
        opened.append(connection.descriptor)
        most.append(len(opened) - len(closed))

    def count_closed(connection: Connection) -> None:
        closed.append(connection.descriptor)
        close(connection)

    monkeypatch.setattr(Connection, "__init__", count_opened)
    monkeypatch.setattr(Connection, "close", count_closed)
    monkeypatch.setattr(reactor, "make_poller", poller)
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n), 200, "Connection: close"), delay_s=0.05, close=True))
    target = _target(server.url, new_connections=True)
    engine = Engine(target, token_exchange(target), Constant(200.0, 0.3), most_connections=4)
    engine.run()
    total = _totals(engine)[""]
    assert (total.ok, total.opened) == (60, 60)
    assert total.queue.total > 30
    assert max(most) == 4
    assert sorted(closed) == sorted(opened)


def test_what_its_peer_should_have_ended_makes_way(serve: Serve) -> None:
    """A peer that keeps connections, though it was told that each is for one request, holds no request up."""
    target = _target(serve().url, new_connections=True, timeout_s=1.0)
    engine = Engine(target, token_exchange(target), Constant(200.0, 0.5), most_connections=2)
    engine.run()
    total = _totals(engine)[""]
    assert (total.ok, total.opened, dict(total.errors)) == (100, 100, {})  # without, some 25 find room in time


def _tls(certificate: Certificate, highest: ssl.TLSVersion, *, tickets: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.path.with_name("key.pem"))
    context.maximum_version = highest
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_sessions_are_resumed_on_both_sides(
    serve: Serve, certificate: Certificate, version: ssl.TLSVersion
) -> None:
    context = _tls(certificate, version, tickets=True)
    close = ("Connection: close",)
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n), 200, *close), close=True), context)
    total = _run(_target(server.url, ca=certificate.path, new_connections=True), rate=50.0, seconds=0.6)
    assert (total.ok, dict(total.errors), total.handshakes) == (30, {}, 30)
    assert 0 < total.resumed < total.handshakes
    assert context.session_stats()["hits"] == total.resumed


def test_tls_sessions_are_not_resumed_where_that_is_not_wanted(serve: Serve, certificate: Certificate) -> None:
    context = _tls(certificate, ssl.TLSVersion.TLSv1_3, tickets=True)
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n), 200, "Connection: close"), close=True), context)
    total = _run(_target(server.url, ca=certificate.path, new_connections=True, resumption=False), rate=50.0)
    assert (total.handshakes, total.resumed, context.session_stats()["hits"]) == (20, 0, 0)


def test_a_server_without_sessions_is_spoken_to_all_the_same(serve: Serve, certificate: Certificate) -> None:
    context = _tls(certificate, ssl.TLSVersion.TLSv1_3, tickets=False)
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n), 200, "Connection: close"), close=True), context)
    total = _run(_target(server.url, ca=certificate.path, new_connections=True), rate=50.0)
    assert (total.ok, total.resumed, dict(total.errors)) == (20, 0, {})


class _Established:
    """A connection as the dialer sees it."""

    def __init__(self, session: object, *, offered: bool, resumed: bool) -> None:
        self.session, self.offered, self.resumed = session, offered, resumed


def test_a_session_is_kept_until_the_server_refuses_it_and_then_each_is_used_once(certificate: Certificate) -> None:
    dialer = Dialer(_target("https://127.0.0.1/token", ca=certificate.path))
    kept: list[object] = []
    first = (("a", False, False), ("b", False, False), ("c", True, True), ("d", True, True))
    for session, offered, resumed in (*first, ("e", True, False), ("f", True, True), ("g", True, True)):
        dialer.remember(_Established(session, offered=offered, resumed=resumed))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a stand-in
        kept.append(dialer.session)
    assert kept == ["a", "a", "a", "a", "e", "f", "g"]  # b began before there was a session, e's was refused


def test_when_to_come_again_is_counted_with_protection_only(serve: Serve) -> None:
    def behave(n: int) -> Reply:
        status = (200, 429, 503, 400)[n % 4]
        body = TOKEN.format(n=n) if status == 200 else '{"error":"invalid_request"}'
        return Reply(answer(body, status, *(("Retry-After: 5",) if n % 8 < 4 else ())))

    total = _run(_target(serve(behave).url), rate=100.0, seconds=0.8)
    assert total.protected == Counter({"429": 20, "503": 20})
    assert total.retry_after == Counter({"429": 10, "503": 10})
    assert total.errors == Counter({"invalid_request": 20})


def test_the_loops_own_delay_is_watched(serve: Serve) -> None:
    total = _run(_target(serve().url))
    assert total.loop.total >= 1
