"""The command and the engine behind it, against servers on loopback."""

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from grantproof.cli import main
from grantproof.errors import GrantproofError
from grantproof.load.capacity import run_capacity
from grantproof.load.capacity_engine import EngineProber
from grantproof.load.capacity_guard import Guard, StarvedError, TargetLostError
from grantproof.load.capacity_plan import CapacityPlan
from grantproof.load.capacity_saturation import find_saturation
from grantproof.load.native import socket_class
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.conftest import TOKEN, Reply, Serve, answer

_SECRET = "a-secret-that-nobody-prints"


def _target(url: str, timeout_s: float = 5.0) -> Target:
    fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
    return Target("server", url, fields, b"grant_type=client_credentials", timeout_s=timeout_s)


def _profile(folder: Path, url: str, *, allowed: bool = True, thresholds: str = '"p99 < 250ms"') -> str:
    path = folder / "tiny.toml"
    path.write_text(f"""
[endpoints]
token = "{url}"
[target]
name = "tiny"
[clients.service]
id = "service"
secret = "{_SECRET}"
auth_methods = ["client_secret_basic"]
grants = ["client_credentials"]
[load]
allowed = {str(allowed).lower()}
thresholds = [{thresholds}]
""")
    return str(path)


def _code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["capacity", *arguments])
    return int(str(ended.value.code))


def _closed_port() -> int:
    with socket_class() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_a_probe_sends_poisson_arrivals_and_gives_whole_seconds(serve: Serve) -> None:
    server = serve()
    prober = EngineProber(_target(server.url), Guard(), 50)
    tallies = list(prober.send(200.0, 2, 9))
    due = list(prober.arrivals(200.0, 2, 9))
    assert [tally.t for tally in tallies] == [1, 2]
    offered = sum(sum(tally.offered.values()) for tally in tallies)
    assert 0 < offered <= len(due)  # a starved machine may be cut off before the last ones are due
    assert sum(tally.ok for tally in tallies) <= server.count <= len(due)


def test_a_probe_that_ends_early_leaves_no_queue_behind(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=1.5))
    prober = EngineProber(_target(server.url), Guard(), 100)
    sent = prober.send(20.0, 30, 5)
    assert next(sent).t == 1
    sent.close()
    passages = prober.passages()
    assert passages is not None
    assert len(passages.done) == server.count > 10


def test_a_probe_knows_when_each_request_was_due_and_answered(serve: Serve) -> None:
    delays = [0.0, 0.02, 0.005]
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delays[n % 3]))
    prober = EngineProber(_target(server.url), Guard(), 50)
    assert prober.passages() is None
    tallies = list(prober.send(100.0, 2, 9))
    passages = prober.passages()
    assert passages is not None
    assert list(passages.due) == list(prober.arrivals(100.0, 2, 9))[: len(passages.due)]
    latencies = sorted(done - due for due, done in zip(passages.due, passages.done, strict=True))
    assert len(latencies) >= sum(tally.ok for tally in tallies) > 100
    assert latencies[0] > 0
    assert latencies[len(latencies) * 3 // 4] > 0.02


def test_what_was_not_all_answered_well_says_nothing_of_services(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n), 500 if n == 20 else 200)))
    prober = EngineProber(_target(server.url), Guard(), 50)
    assert len(list(prober.send(100.0, 1, 9))) == 1
    assert prober.passages() is None


def test_a_probe_ends_when_nobody_asks_for_more(serve: Serve) -> None:
    server = serve()
    prober = EngineProber(_target(server.url), Guard(), 50)
    seconds = prober.send(100.0, 60, 1)
    next(seconds)
    seconds.close()
    count = server.count
    assert 0 < count < 6_000
    assert not [thread for thread in threading.enumerate() if thread.name == "capacity"]


def test_saturation_is_what_a_server_with_a_hard_limit_gives(serve: Serve) -> None:
    lock = threading.Lock()
    free = [0.0]

    def behave(n: int) -> Reply:
        import time  # noqa: PLC0415 - the server's own clock

        with lock:
            now = time.monotonic()
            free[0] = max(free[0], now) + 0.01
            return Reply(answer(TOKEN.format(n=n)), delay_s=free[0] - now)

    prober = EngineProber(_target(serve(behave).url), Guard(), 50)
    with prober.crowd() as crowd:
        found = find_saturation(crowd, 8, 4.0)
    assert 0 < found.per_s < 110  # the limit; a starved machine stays below it
    assert [level.users for level in found.levels][:3] == [1, 2, 4]


def test_a_target_that_resets_is_left_alone_within_the_second(serve: Serve) -> None:
    server = serve(lambda n: Reply(reset=True) if n > 100 else Reply(answer(TOKEN.format(n=n))))
    prober = EngineProber(_target(server.url), Guard(), 50)
    with pytest.raises(TargetLostError, match=r"lost \(reset\)"):
        list(prober.send(200.0, 60, 1))
    assert server.count < 12_000  # sixty seconds of it were offered


def test_stragglers_after_the_last_request_do_not_make_a_target_dead() -> None:
    guard = Guard()
    guard.start()
    for second in range(1, 6):
        guard.look(Tally(t=second, sent=1000, ok=990, offered={second: 1000}))
    guard.look(Tally(t=15, errors=Counter(timeout=50)))
    with pytest.raises(TargetLostError, match="60 of 1,000 requests of a second were lost"):
        guard.look(Tally(t=16, errors=Counter(timeout=60)))
    guard.start()  # what another probe sent counts no more
    with pytest.raises(TargetLostError, match="5 of 5 requests of a second were lost"):
        guard.look(Tally(t=1, errors=Counter(timeout=5)))
    guard.start(always_busy=True)  # users have no stragglers: they would send if they had their answers
    guard.look(Tally(t=1, sent=1000, ok=1000))
    with pytest.raises(TargetLostError, match="20 of 20 requests of a second failed"):
        guard.look(Tally(t=2, sent=20, errors=Counter(status_500=20)))


def test_a_target_that_takes_few_connections_is_told_from_one_that_fails(serve: Serve) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n)), delay_s=0.05))
    server.room = 3
    prober = EngineProber(_target(server.url, timeout_s=0.5), Guard(), 50)
    with pytest.raises(StarvedError, match="try fewer --connections") as raised:
        list(prober.send(100.0, 10, 1))
    assert raised.value.serving == 3
    prober.restrain(raised.value.serving)
    sent = list(prober.send(40.0, 2, 1))
    assert (prober.connections, sum(tally.opened for tally in sent)) == (3, 3)
    assert not any(tally.errors for tally in sent)
    prober.restrain(50)
    assert prober.connections == 3


def test_a_target_that_is_not_there_is_inconclusive(tmp_path: Path) -> None:
    idp = _profile(tmp_path, f"http://127.0.0.1:{_closed_port()}/token")
    result = run_capacity(CapacityPlan(idp, 20.0, out=tmp_path / "out"))
    assert (result.exit_code, result.capacity_per_s, result.limited_by) == (3, None, "target")
    assert result.reason.startswith("the target was left alone")
    assert json.loads((tmp_path / "out" / "capacity.json").read_text())["exit_code"] == 3


def test_wrong_credentials_are_told_and_not_repeated(
    serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(lambda _: Reply(answer('{"error":"invalid_client"}', 401)))
    assert _code("--idp", _profile(tmp_path, server.url), "--out", str(tmp_path / "out")) == 1
    said = capsys.readouterr()
    assert "invalid_client" in said.out
    assert (tmp_path / "out" / "report.html").is_file()
    assert "invalid_client" in (tmp_path / "out" / "summary.md").read_text()
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert _SECRET not in said.out + said.err + written


def test_no_load_is_sent_where_none_is_allowed(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    assert _code("--idp", _profile(tmp_path, server.url, allowed=False), "--out", str(tmp_path)) == 2
    assert server.count == 0


@pytest.mark.parametrize(
    "arguments", [("--budget", "1s"), ("--threshold", "speed < 1"), ("--threshold", "rate > 5/s"), ("--budget", "soon")]
)
def test_wrong_options_are_usage_errors(serve: Serve, tmp_path: Path, arguments: tuple[str, str]) -> None:
    server = serve()
    assert _code("--idp", _profile(tmp_path, server.url), "--out", str(tmp_path), *arguments) == 2
    assert server.count == 0


def test_a_profile_without_thresholds_is_told_what_is_missing(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    with pytest.raises(GrantproofError, match="no threshold says what a kept rate is"):
        run_capacity(CapacityPlan(_profile(tmp_path, server.url, thresholds=""), 20.0, out=tmp_path))
    assert server.count == 0


def test_an_interruption_leaves_what_was_gathered(serve: Serve, tmp_path: Path) -> None:
    def interrupt(text: str) -> None:
        if text.startswith("saturation:") and "/s" in text:
            raise KeyboardInterrupt

    idp = _profile(tmp_path, serve().url)
    with pytest.raises(KeyboardInterrupt):
        run_capacity(CapacityPlan(idp, 20.0, out=tmp_path / "out"), interrupt)
    result = json.loads((tmp_path / "out" / "capacity.json").read_text())
    assert result["saturation_per_s"] > 0
    assert (result["reason"], result["capacity_per_s"]) == ("interrupted", None)
