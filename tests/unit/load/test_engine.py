"""The engine against a server on loopback that delays, stalls and breaks as told."""

import contextlib
import socket
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from grantproof.load import reactor
from grantproof.load.engine import Engine
from grantproof.load.exchange import token_exchange
from grantproof.load.findings import UNSHAPED
from grantproof.load.native import socket_class
from grantproof.load.poller import SelectorPoller
from grantproof.load.schedule import Constant, Poisson, Schedule
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.conftest import TOKEN, Certificate, Reply, Serve, answer, issue


def _target(url: str, timeout_s: float = 5.0, ca: Path | None = None) -> Target:
    fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
    return Target("server", url, fields, b"grant_type=client_credentials", ca, timeout_s)


def _total(engine: Engine) -> Tally:
    total = Tally()
    for tally in engine.finished:
        total.add(tally)
    return total


def _run(target: Target, schedule: Schedule | None = None, users: int = 0, most_connections: int = 100) -> Tally:
    duration_s = None if schedule is not None else 0.5
    engine = Engine(
        target, token_exchange(target), schedule, users=users, duration_s=duration_s, most_connections=most_connections
    )
    engine.run()
    return _total(engine)


@pytest.mark.parametrize("schedule", [Constant(400.0, 0.5), Poisson(400.0, 0.5, seed=1)])
def test_every_request_that_is_due_is_sent_and_answered(serve: Serve, schedule: Schedule) -> None:
    server = serve()
    number = len(list(schedule))
    total = _run(_target(server.url), schedule)
    assert (total.ok, total.sent, server.count, sum(total.offered.values())) == (number, number, number, number)
    assert not total.errors
    assert total.latency.total == total.service.total == number
    assert total.lag.total + total.queue.total == number
    assert total.opened >= server.connections
    assert total.reused == number - server.connections
    assert total.notes == {"compared": number}
    assert server.requests[0].startswith(b"POST /token HTTP/1.1\r\nHost: 127.0.0.1:")
    assert server.requests[0].endswith(b"\r\n\r\ngrant_type=client_credentials")


def test_the_closed_loop_keeps_its_users_busy(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.02))
    total = _run(_target(server.url), users=5)
    assert total.ok == server.count
    assert 25 <= total.ok <= 130
    assert (total.opened, server.connections) == (5, 5)
    assert total.latency.percentile(50) >= 0.019
    assert (total.lag.total, total.offered) == (0, {})


def test_a_stall_is_in_the_latencies_of_all_requests_that_were_due(serve: Serve) -> None:
    begin = time.monotonic()

    def behave(n: int) -> Reply:
        age = time.monotonic() - begin
        return Reply(answer(TOKEN.format(n=n)), delay_s=0.8 - age if 0.4 <= age < 0.8 else 0.0)

    server = serve(behave)
    begin = time.monotonic()
    total = _run(_target(server.url), Constant(200.0, 1.2), most_connections=4)
    assert total.ok == 240
    assert total.latency.percentile(90) > 5 * total.service.percentile(90)
    assert total.latency.percentile(85) > 0.1
    assert total.latency.percentile(40) < 0.1
    assert total.queue.total > 20
    assert sum(total.offered.values()) == 240


def test_more_connections_are_opened_while_the_target_stalls(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.3))
    total = _run(_target(server.url), Constant(100.0, 0.5))
    assert total.ok == 50
    assert total.opened >= 20


_BROKEN = {
    "invalid_client": Reply(answer('{"error":"invalid_client"}', 401)),
    "status_500": Reply(answer("oops", 500)),
    "429": Reply(answer("", 429)),
    "503": Reply(answer("", 503)),
    "malformed": Reply(b"SSH-2.0-x\r\n"),
    "reset": Reply(reset=True),
    "timeout": Reply(silent=True),
}


@pytest.mark.parametrize("kind", [*_BROKEN])
def test_every_ending_is_counted_by_its_kind(serve: Serve, kind: str) -> None:
    server = serve(lambda n: _BROKEN[kind] if n % 2 else issue(n))
    total = _run(_target(server.url, timeout_s=0.4), Constant(50.0, 0.4))
    found = Counter(total.errors) + Counter(total.protected)
    assert set(found) == {kind}
    assert total.ok + found[kind] == 20
    assert found[kind] >= 5
    assert total.latency.total == total.ok + (found[kind] if kind == "timeout" else 0)


def test_time_outs_weigh_with_their_whole_age(serve: Serve) -> None:
    server = serve(lambda _: Reply(silent=True))
    total = _run(_target(server.url, timeout_s=0.3), Constant(100.0, 0.3), most_connections=3)
    assert total.errors == {"timeout": 30}
    assert total.latency.percentile(1) >= 0.29
    assert total.abandoned == 0


@pytest.mark.parametrize("ends", ["announced", "unannounced", "delimited", "chunked"])
def test_connections_that_the_server_ends_are_no_errors(serve: Serve, ends: str) -> None:
    def behave(n: int) -> Reply:
        token = TOKEN.format(n=n)
        return {
            "announced": Reply(answer(token, 200, "Connection: close"), close=True),
            "unannounced": Reply(answer(token), close=n % 5 == 0),
            "delimited": Reply(b"HTTP/1.1 200 OK\r\n\r\n" + token.encode(), close=True),
            "chunked": Reply(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
                % (len(token), token.encode())
            ),
        }[ends]

    total = _run(_target(serve(behave).url), Constant(200.0, 0.4))
    assert (total.ok, dict(total.errors)) == (80, {})
    assert (total.opened >= 80) is (ends in {"announced", "delimited"})


@pytest.mark.parametrize("kept", [True, False])
def test_who_tired_of_waiting_for_a_request_gets_it_anew(serve: Serve, *, kept: bool) -> None:
    """408 on a connection that was kept alive may have crossed the request; on a new one it is an answer."""
    seen: set[int] = set()
    server = serve()

    def behave(n: int) -> Reply:
        if kept and server.connections not in seen:
            seen.add(server.connections)
            return issue(n)
        return Reply(answer("", 408, "Connection: close"), close=True)

    server.behaviour = behave
    total = _run(_target(server.url), Constant(50.0, 0.4), most_connections=1)
    errors = {} if kept else {"status_408": 20}
    assert (total.ok, dict(total.errors)) == (20 - errors.get("status_408", 0), errors)
    assert (total.retried > 5) is kept
    assert total.notes[UNSHAPED] == len(errors) * 20


def test_a_connection_whose_request_had_not_left_when_it_was_answered_is_used_no_more() -> None:
    """What is left of the request would be taken for the beginning of the next one."""
    halted = threading.Event()

    def answer_early(listener: socket.socket) -> None:
        held: list[socket.socket] = []
        with contextlib.suppress(OSError):
            while not halted.is_set():
                held.append(listener.accept()[0])
                held[-1].recv(1000)
                held[-1].sendall(answer(TOKEN.format(n=len(held))))
        for each in held:
            each.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_early, args=(listener,))
        thread.start()
        body = b"grant_type=client_credentials&pad=" + b"x" * 20_000_000
        target = replace(_target(f"http://127.0.0.1:{listener.getsockname()[1]}/token"), body=body)
        total = _run(target, Constant(50.0, 0.2), most_connections=1)
        halted.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert (total.ok, dict(total.errors)) == (10, {})
    assert (total.opened, total.reused) == (10, 0)


def test_a_target_that_is_not_there_is_told_at_once() -> None:
    with socket_class() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    total = _run(_target(f"http://127.0.0.1:{port}/token"), Constant(100.0, 5.0))
    assert total.errors == {"refused": 1}
    assert total.sent == 0


def test_a_host_without_an_address_is_told_at_once() -> None:
    total = _run(_target("http://as.invalid/token"), Constant(100.0, 5.0))
    assert set(total.errors) <= {"unresolved", "unreachable"}
    assert total.errors.total() == 1


def test_a_target_that_goes_away_is_refused_from_then_on(serve: Serve) -> None:
    server = serve()
    target = _target(server.url)
    engine = Engine(target, token_exchange(target), Constant(100.0, 1.0))
    killer = threading.Timer(0.4, server.stop)
    killer.start()
    engine.run()
    killer.join()
    total = _total(engine)
    assert total.ok >= 20
    assert total.errors["refused"] >= 20
    assert total.ok + total.errors.total() == 100


def test_what_could_not_be_sent_again_is_not_counted_as_sent_again() -> None:
    """The connection ends before it takes its second request, and nobody takes another one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def behave() -> None:
            listener.accept()[0].close()  # a look whether anybody is there
            peer = listener.accept()[0]
            listener.close()
            with peer:
                peer.recv(4096)
                peer.sendall(answer(TOKEN.format(n=1)))
                peer.recv(4096)

        thread = threading.Thread(target=behave)
        thread.start()
        total = _run(_target(f"http://127.0.0.1:{port}/token"), Constant(20.0, 0.1))
        thread.join()
    assert (total.ok, total.sent, total.retried, total.errors) == (1, 2, 0, {"refused": 1})


def test_stopping_lets_what_is_under_way_end_within_the_grace(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.2 if n < 5 else 30))
    target = _target(server.url)
    engine = Engine(target, token_exchange(target), Constant(20.0))
    stopper = threading.Timer(0.5, engine.stop, [0.3])
    stopper.start()
    engine.run()
    stopper.join()
    total = _total(engine)
    assert total.ok == 4
    assert total.abandoned >= 3
    assert total.ok + total.abandoned == sum(total.offered.values())
    assert total.latency.total == total.ok + total.abandoned
    assert 0.7 <= engine.elapsed_s < 3


def test_what_was_due_when_a_run_is_stopped_is_not_forgotten(serve: Serve) -> None:
    """Two connections take 10/s of the 100/s that are due; those that wait are as late as they are old."""
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.2))
    target = _target(server.url)
    engine = Engine(target, token_exchange(target), Constant(100.0), most_connections=2)
    stoppers = [threading.Timer(1.0, engine.stop, [5.0]), threading.Timer(1.1, engine.stop)]
    for stopper in stoppers:
        stopper.start()
    engine.run()
    for stopper in stoppers:
        stopper.join()
    total = _total(engine)
    assert sum(total.offered.values()) == total.ok + total.abandoned >= 99
    assert total.ok <= 12
    assert total.latency.percentile(50) > 0.3
    assert engine.elapsed_s < 3  # the second word counts as well


def test_users_may_change_while_it_runs(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.01))
    target = _target(server.url)
    engine = Engine(target, token_exchange(target), users=1, duration_s=0.6)
    riser = threading.Timer(0.2, setattr, [engine, "users", 6])
    riser.start()
    engine.run()
    riser.join()
    assert server.connections == 6


def test_platforms_without_epoll_have_a_slower_way(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactor, "make_poller", SelectorPoller)
    total = _run(_target(serve().url), Constant(200.0, 0.3))
    assert (total.ok, dict(total.errors)) == (60, {})


def test_connections_are_opened_for_requests_that_wait_and_no_others(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.05))
    total = _run(_target(server.url), users=20)
    assert total.opened == server.connections == 20
    assert total.errors == {}


def test_what_times_out_on_connections_that_never_answer_is_told_apart(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.02))
    server.room = 2
    total = _run(_target(server.url, timeout_s=0.3), users=5)
    assert total.ok > 10
    assert total.errors["timeout"] == total.unserved >= 3
    mute = serve(lambda n: Reply(silent=True) if n > 5 else issue(n))
    total = _run(_target(mute.url, timeout_s=0.3), Constant(20.0, 0.3))
    assert (total.ok, total.errors["timeout"], total.unserved) == (5, 1, 0)  # it had answered on that one before


def test_tls_is_spoken_to_whom_the_profile_trusts(serve: Serve, certificate: Certificate) -> None:
    body = TOKEN.format(n=1)
    large = Reply(answer(body + " " * 60_000))
    server = serve(lambda n: large if n == 2 else issue(n + 1), certificate.context)
    total = _run(_target(server.url, ca=certificate.path), Constant(100.0, 0.4))
    assert (total.ok, dict(total.errors)) == (40, {})
    assert total.reused == 40 - server.connections


def test_tls_is_not_spoken_to_strangers(serve: Serve, certificate: Certificate) -> None:
    server = serve(issue, certificate.context)
    total = _run(_target(server.url, timeout_s=1.0), Constant(50.0, 0.2))
    assert (total.ok, server.count) == (0, 0)
    assert set(total.errors) == {"tls"}
    assert total.errors["tls"] == 10
