"""Runs with several workers: the rate is exact, a worker that dies is noticed, and machines may be apart."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grantproof.errors import GrantproofError
from grantproof.load import Fleet, LoadPlan, LoadResult, Progress, command, run
from grantproof.load.handover import Inbox
from tests.unit.load.conftest import SECRET, Serve, issue, write_profile


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that the profile needs."""
    monkeypatch.setenv("TINY_SECRET", SECRET)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _workers(idp: str, host: str, port: int, prefixes: list[list[str]]) -> Generator[list["subprocess.Popen[bytes]"]]:
    """Workers as on other machines, each by a command of its own, ended by their pids if they do not end."""
    command = [sys.executable, "-m", "grantproof", "load", "--idp", idp, "--worker", host, "--port", str(port)]
    started = [
        subprocess.Popen([*prefix, *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        for prefix in prefixes
    ]
    try:
        yield started
    finally:
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@pytest.mark.parametrize("arrival", ["constant", "poisson"])
def test_any_number_of_workers_sends_the_same_requests(serve: Serve, tmp_path: Path, arrival: str) -> None:
    found: set[tuple[int, int]] = set()
    for workers in (1, 3):
        server = serve()
        idp = write_profile(tmp_path, server)
        plan = LoadPlan(
            idp, rate_per_s=150.0, duration_s=1.0, arrival=arrival, seed=7, workers=workers, out=tmp_path / "out"
        )
        result = run(plan)
        assert result.ok == result.offered == server.count
        assert (result.duplicates, result.generator["workers"]) == ({"found": 0, "checked_share": 1.0}, workers)
        assert not any(result.errors.values())
        found.add((result.ok, result.offered))
    assert len(found) == 1


def test_a_schedule_is_shared_by_workers_too(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    stages = tmp_path / "spike.toml"
    stages.write_text('[[stages]]\nduration = "1s"\nrate = 20\n[[stages]]\nduration = "1s"\nrate = 100\nto = 40\n')
    plan = LoadPlan(write_profile(tmp_path, server), schedule_file=stages, workers=2, out=tmp_path / "out")
    result = run(plan)
    assert (result.ok, result.offered, server.count) == (90, 90, 90)
    assert (result.arrival, result.schedule, result.offered_per_s) == ("constant", "spike.toml", 45.0)
    assert [row["offered"] for row in result.series][:2] == [20, 70]


def test_a_token_that_goes_to_two_workers_is_found(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda n: issue((n + 1) // 2))
    plan = LoadPlan(write_profile(tmp_path, server), rate_per_s=100.0, duration_s=1.0, workers=2, out=tmp_path / "out")
    result = run(plan)
    assert result.ok == 100
    assert result.duplicates == {"found": 50, "checked_share": 1.0}


def _children(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return sorted(int(each) for text in lists for each in text.split())


def _workers_of_this_process() -> list[int]:
    """The grandchildren that are workers: children of the Locust master that is our child."""
    masters = [pid for pid in _children(os.getpid()) if b"locust" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return [worker for master in masters for worker in _children(master)]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="worker processes are found through /proc")
@pytest.mark.parametrize("delay_s", [0.0, 1.0], ids=["at once", "a second each"])
def test_a_worker_that_is_killed_is_noticed_and_its_rate_given_to_the_others(
    serve: Serve, tmp_path: Path, delay_s: float
) -> None:
    server = serve(lambda n: replace(issue(n), delay_s=delay_s))
    killed: list[int] = []

    def kill(row: Progress) -> None:
        if row.t >= 2 and not killed:
            killed.append(_workers_of_this_process()[-1])
            os.kill(killed[0], signal.SIGKILL)

    out = tmp_path / "out"
    plan = LoadPlan(write_profile(tmp_path, server), rate_per_s=90.0, duration_s=14.0, workers=3, out=out)
    result = run(plan, kill)
    assert killed
    generator = result.generator
    assert (generator["workers"], generator["lost"], result.exit_code) == (2, 1, 3)
    assert "1 of 3 workers were lost: worker " in generator["reason"]
    assert "the others sent the rest" in generator["reason"]
    assert result.offered == 1260
    assert 0 < generator["missing"] < 420
    assert result.requests + generator["missing"] == 1260
    assert [row["offered"] for row in result.series if row["offered"]] == [90] * 14
    assert result.series[13]["sent"] == 90
    assert result.requests <= server.count <= 1260


def _stop_one(row: Progress, stopped: list[int]) -> None:
    """Stops a worker in the second second."""
    if row.t >= 2 and not stopped:
        stopped.append(_workers_of_this_process()[-1])
        os.kill(stopped[0], signal.SIGSTOP)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="worker processes are found through /proc")
def test_a_worker_that_outlives_its_master_keeps_nobody_waiting(serve: Serve, tmp_path: Path) -> None:
    stopped: list[int] = []
    plan = LoadPlan(write_profile(tmp_path, serve()), rate_per_s=40.0, duration_s=5.0, workers=2, out=tmp_path / "out")
    result = run(plan, lambda row: _stop_one(row, stopped))
    assert (result.exit_code, result.generator["lost"]) == (3, 1)
    assert not Path(f"/proc/{stopped[0]}/exe").exists()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="worker processes are found through /proc")
def test_what_was_not_due_yet_when_a_run_is_interrupted_is_not_missing(serve: Serve, tmp_path: Path) -> None:
    stopped: list[int] = []

    def stop(row: Progress) -> None:
        _stop_one(row, stopped)
        if stopped:
            raise KeyboardInterrupt

    server, out = serve(), tmp_path / "out"
    plan = LoadPlan(write_profile(tmp_path, server), rate_per_s=80.0, duration_s=60.0, workers=2, out=out)
    with pytest.raises(KeyboardInterrupt):
        run(plan, stop)
    result = LoadResult.read(out)
    assert result.generator["lost"] == 1
    assert 0 < result.generator["missing"] < 40 * 8
    assert result.requests + result.generator["missing"] + result.generator["abandoned"] == result.offered


def test_what_a_worker_takes_over_while_it_prepares_is_not_forgotten() -> None:
    class Heir:
        """Notes what it is told."""

        stopped = False

        def __init__(self) -> None:
            self.told: list[object] = []

        def retire(self, *, handed_over: bool = False) -> None:
            """Notes it."""
            self.told.append(handed_over)

        def take_over(self, shares: Sequence[tuple[int, int]], since_s: float) -> None:
            """Notes it."""
            self.told.append((shares, since_s))

    inbox, first, second = Inbox(), Heir(), Heir()
    inbox.retire()  # of a test before
    inbox.put([(1, 2)], 0.0)
    inbox.open(first)
    inbox.put([(0, 3)], 0.5)
    inbox.clear()
    inbox.open(second)
    inbox.retire()
    assert (first.told, second.told) == ([([(1, 2)], 0.0), ([(0, 3)], 0.5)], [True])


def test_workers_on_other_machines_take_their_share(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    idp, port = write_profile(tmp_path, server), _free_port()
    plan = LoadPlan(idp, rate_per_s=100.0, duration_s=1.5, fleet=Fleet(2, "127.0.0.1", port), out=tmp_path / "out")
    with _workers(idp, "127.0.0.1", port, [[], []]) as started:
        result = run(plan)
    assert (result.ok, result.offered, server.count, result.generator["workers"]) == (150, 150, 150, 2)
    assert result.duplicates == {"found": 0, "checked_share": 1.0}
    assert [process.returncode for process in started] == [0, 0]


def test_workers_that_never_come_are_told(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setattr(command, "_FLEET_WAIT_S", 1)
    fleet = Fleet(1, "127.0.0.1", _free_port())
    plan = LoadPlan(write_profile(tmp_path, server), rate_per_s=10.0, fleet=fleet, out=tmp_path / "out")
    with pytest.raises(GrantproofError, match="not all workers came"):
        run(plan)
    assert server.count == 0


@contextlib.contextmanager
def _namespaces(number: int) -> Generator[tuple[str, list[list[str]]]]:
    """Network namespaces, each joined to a bridge of this one; our address on it, and prefixes that run commands there.

    Skips where they cannot be made, and leaves nothing behind.
    """
    bridge, base = f"gp{os.getpid() % 100_000}", f"10.231.{os.getpid() % 250}"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)

    names = [f"{bridge}-{place}" for place in range(number)]
    try:
        try:
            ip("link", "add", bridge, "type", "bridge")
            ip("addr", "add", f"{base}.1/24", "dev", bridge)
            ip("link", "set", bridge, "up")
            for place, name in enumerate(names):
                ip("netns", "add", name)
                ip("link", "add", f"{bridge}h{place}", "type", "veth", "peer", "name", f"{bridge}n{place}")
                ip("link", "set", f"{bridge}n{place}", "netns", name)
                ip("link", "set", f"{bridge}h{place}", "master", bridge, "up")
                ip("-n", name, "addr", "add", f"{base}.{place + 2}/24", "dev", f"{bridge}n{place}")
                ip("-n", name, "link", "set", f"{bridge}n{place}", "up")
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        yield f"{base}.1", [["ip", "netns", "exec", name] for name in names]
    finally:
        for words in (*(("netns", "del", name) for name in names), ("link", "del", bridge)):
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                ip(*words)


def test_workers_in_network_namespaces_take_their_share(serve: Serve, tmp_path: Path) -> None:
    with _namespaces(2) as (address, prefixes):
        server = serve(host=address)
        idp, port = write_profile(tmp_path, server), _free_port()
        plan = LoadPlan(idp, rate_per_s=100.0, duration_s=1.5, fleet=Fleet(2, address, port), out=tmp_path / "out")
        with _workers(idp, address, port, prefixes):
            result = run(plan)
    assert (result.ok, result.offered, server.count, result.generator["workers"]) == (150, 150, 150, 2)


def test_a_worker_without_the_profiles_secret_says_so_and_sends_nothing(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    idp, port = write_profile(tmp_path, server), _free_port()
    monkeypatch.delenv("TINY_SECRET")
    with _workers(idp, "127.0.0.1", port, [[]]) as started:
        _, errors = started[0].communicate(timeout=60)
    assert started[0].returncode == 2
    assert b"TINY_SECRET" in errors
    assert server.count == 0
