"""Whole runs: Locust as its own process, alone, with workers, and refusing."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from grantproof.errors import GrantproofError
from grantproof.load import EngineCrashedError, LoadInterrupted, LoadPlan, Progress, run, runner
from grantproof.load.command import command_line
from grantproof.load.plan import locust_file
from tests.unit.load.conftest import SECRET, Reply, Serve, TokenServer, answer, issue, write_profile


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that the profile needs."""
    monkeypatch.setenv("TINY_SECRET", SECRET)


def test_a_run_gives_its_result_and_tells_how_it_goes(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    told: list[Progress] = []
    plan = LoadPlan(write_profile(tmp_path, server), rate_per_s=100.0, duration_s=2.0, out=tmp_path / "out")
    result = run(plan, told.append)
    assert (result.ok, result.offered, server.count) == (200, 200, 200)
    assert result.kept
    assert [limit.rule for limit in result.thresholds] == ["errors < 1%"]
    assert result.seconds == pytest.approx(2.0, abs=0.5)
    assert max(row.t for row in told) >= 2
    assert SECRET.encode() in server.requests[0]
    assert SECRET not in (tmp_path / "out" / "load.json").read_text()


def test_the_command_line_holds_no_secret_and_no_shell_words(serve: Serve, tmp_path: Path) -> None:
    idp = write_profile(tmp_path, serve())
    plan = LoadPlan(idp, users=4, out=tmp_path, workers=2, thresholds=("p99 < 1s; rm",)[:0] or ("p99 < 1s",))
    words = command_line(plan)
    assert words[:4] == [sys.executable, "-m", "grantproof.load.locust_child", "-f"]
    assert f"--idp={idp}" in words
    assert "--threshold=p99 < 1s" in words
    assert not any(SECRET in word for word in words)


def test_workers_share_the_rate_and_their_figures_are_merged(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    plan = LoadPlan(write_profile(tmp_path, server), rate_per_s=200.0, duration_s=1.0, out=tmp_path / "out", workers=2)
    result = run(plan)
    assert (result.ok, result.offered, server.count) == (200, 200, 200)
    assert result.generator["workers"] == 2
    assert "lost" not in result.generator["reason"]


def test_locusts_own_command_and_statistics_work(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda n: Reply(answer('{"error":"invalid_client"}', 401)) if n % 4 == 0 else issue(n))
    command = [sys.executable, "-m", "locust", "-f", str(locust_file("token_endpoint")), "--headless"]
    command += ["--idp", write_profile(tmp_path, server), "--users", "3", "--spawn-rate", "3", "--run-time", "1s"]
    command += ["--out", str(tmp_path / "out"), "--csv", str(tmp_path / "locust")]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr.decode()
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert result["offered_per_s"] is None
    assert result["ok"] + result["errors"]["invalid_client"] == server.count
    stats = (tmp_path / "locust_stats.csv").read_text()
    assert f"POST,token,{server.count},{result['errors']['invalid_client']}," in stats
    assert "invalid_client" in (tmp_path / "locust_failures.csv").read_text()
    assert SECRET not in done.stderr.decode() + done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--threshold", "p99 < 1us"), 1, "crossed: p99 < 1us"),
        (("--threshold", "errors < 60%"), 0, ""),
        (("--connections", "0"), 2, "--connections: 0 connections carry no request"),
    ],
)
def test_locusts_own_command_ends_with_our_codes(
    serve: Serve, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """A failed request alone, after which Locust ends with 1, crosses no threshold."""
    server = serve(lambda n: Reply(answer('{"error":"invalid_client"}', 401)) if n % 4 == 0 else issue(n))
    command = [sys.executable, "-m", "locust", "-f", str(locust_file("token_endpoint")), "--headless"]
    command += ["--idp", write_profile(tmp_path, server), "--rate", "40", "--run-time", "1s", *words]
    done = subprocess.run([*command, "--out", "out"], capture_output=True, timeout=60, check=False, cwd=tmp_path)
    assert (done.returncode, said in done.stderr.decode()) == (code, True), done.stderr.decode()


@pytest.mark.parametrize(("rule", "code"), [("p99 < 1us", 1), ("errors < 1%", 0)])
def test_locusts_own_command_ends_with_our_codes_when_it_is_interrupted(
    serve: Serve, tmp_path: Path, rule: str, code: int
) -> None:
    """Without a run time an interruption is how a run ends."""
    server = serve()
    command = [sys.executable, "-m", "locust", "-f", str(locust_file("token_endpoint")), "--headless"]
    command += ["--idp", write_profile(tmp_path, server), "--rate", "40", "--threshold", rule, "--out", "out"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        try:
            while server.count < 20 and process.poll() is None:
                sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert (process.returncode, result["exit_code"]) == (code, code), said.decode()
    assert result["ok"] == server.count


def test_locusts_own_page_starts_and_stops_runs(serve: Serve, tmp_path: Path) -> None:
    """Two runs in one process, the second at another rate: each has its books and Locust's statistics."""
    server = serve()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        page = f"http://127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "locust", "-f", str(locust_file("token_endpoint")), "--rate", "10", "--out", "out"]
    command += ["--idp", write_profile(tmp_path, server), "--web-host", "127.0.0.1", "--web-port", page[17:]]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path) as process:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as patient:
                patient.get(page)
            for rate in (40, 80):
                _run_once(page, server, tmp_path, rate)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def _run_once(page: str, server: TokenServer, folder: Path, rate: float) -> None:
    wanted = server.count + 30
    httpx.post(f"{page}/swarm", data={"user_count": 1, "spawn_rate": 1, "rate": rate}).raise_for_status()
    _wait_until(lambda: server.count >= wanted)
    httpx.post(f"{page}/stop").raise_for_status()
    _wait_until(lambda: _result_in(folder).get("offered_per_s") == rate)
    result = _result_in(folder)
    assert (result["ok"], result["exit_code"], result["planned_s"]) == (server.count - wanted + 30, 0, None)
    assert f"POST,token,{result['ok']},0," in httpx.get(f"{page}/stats/requests/csv").text


def _result_in(folder: Path) -> dict[str, Any]:
    path = folder / "out" / "load.json"
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return result


def _wait_until(reached: Callable[[], bool]) -> None:
    end = monotonic() + 30
    while not reached():
        assert monotonic() < end
        sleep(0.05)


ODD = """
import time
from dataclasses import replace
from loadtests import token_endpoint
class Odd(token_endpoint.TokenEndpoint):
    scenario = "odd"
    @classmethod
    def make_exchange(cls, work):
        try:
            open({mark!r}, "x").close()
        except FileExistsError:
            return super().make_exchange(work)
        {does}
"""


def _with_an_odd_worker(tmp_path: Path, does: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """A command and its environment for two workers, of which the first to prepare does something else."""
    (tmp_path / "odd.py").write_text(ODD.format(mark=str(tmp_path / "mark"), does=does))
    command = [sys.executable, "-m", "locust", "-f", "odd.py", "--headless", "--processes", "2", "--rate", "40"]
    path = os.pathsep.join((str(locust_file("token_endpoint").parents[1]), *sys.path))
    return [*command, "--out", "out", *words], os.environ | {"PYTHONPATH": path}


def test_an_error_of_ours_in_one_of_several_workers_is_told_as_one(serve: Serve, tmp_path: Path) -> None:
    words = ("--idp", write_profile(tmp_path, serve()), "--run-time", "3s")
    command, environment = _with_an_odd_worker(tmp_path, 'raise RuntimeError("one of them breaks")', *words)
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 4, done.stderr.decode()
    assert "RuntimeError: one of them breaks" in done.stderr.decode()
    assert json.loads((tmp_path / "out" / "load.json").read_text())["generator"]["lost"] == 1


def test_a_worker_that_does_not_reach_the_target_leaves_no_silent_gap(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    words = ("--idp", write_profile(tmp_path, server), "--run-time", "1s")
    elsewhere = "return replace(super().make_exchange(work), target=replace(work.target, url='http://127.0.0.1:1/'))"
    command, environment = _with_an_odd_worker(tmp_path, elsewhere, *words)
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 3, done.stderr.decode()
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert result["generator"]["reason"] == "1 of 2 workers did not reach a target, to which they sent nothing"
    assert (result["ok"], server.count) == (20, 20)


QUITTING = """
import gevent
from locust import events
from loadtests.token_endpoint import TokenEndpoint
@events.test_start.add_listener
def stop_soon(environment, **_):
    gevent.spawn_later(1, environment.runner.quit)
"""


@pytest.mark.parametrize(("rule", "code"), [("p99 < 1us", 1), ("errors < 1%", 3)])
def test_a_run_that_somebody_stops_before_its_time_is_no_pass(
    serve: Serve, tmp_path: Path, rule: str, code: int
) -> None:
    (tmp_path / "quitting.py").write_text(QUITTING)
    command = [sys.executable, "-m", "locust", "-f", "quitting.py", "--headless", "--rate", "40", "--run-time", "60s"]
    command += ["--idp", write_profile(tmp_path, serve()), "--threshold", rule, "--out", "out"]
    path = os.pathsep.join((str(locust_file("token_endpoint").parents[1]), *sys.path))
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, timeout=40, check=False, cwd=tmp_path, env=environment)
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert (done.returncode, result["exit_code"]) == (code, code), done.stderr.decode()
    assert result["planned_s"] == 60.0
    assert result["seconds"] < 60
    assert result["generator"]["reason"].startswith("the run was stopped after ")
    assert not result["generator"]["limited"]


def test_a_run_that_is_interrupted_before_all_are_ready_sends_nothing_and_says_so(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    words = ("--idp", write_profile(tmp_path, server), "--run-time", "60s")
    command, environment = _with_an_odd_worker(tmp_path, "time.sleep(60)", *words)
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path, env=environment,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            while not (tmp_path / "mark").exists() and process.poll() is None:
                sleep(0.05)
            sleep(1)  # for the other one to be ready
            process.send_signal(signal.SIGINT)
            process.wait(30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert (process.returncode, result["exit_code"], server.count) == (3, 3, 0)
    assert result["generator"]["missing"] == 0


def test_what_was_not_reached_is_no_targets_fault_by_locusts_own_command_either(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    idp = write_profile(tmp_path, server)
    server.stop()
    command = [sys.executable, "-m", "locust", "-f", str(locust_file("token_endpoint")), "--headless", "--idp", idp]
    command += ["--rate", "40", "--run-time", "1s", "--out", "out"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 3, done.stderr.decode()


def test_a_worker_has_to_know_its_masters_target() -> None:
    with pytest.raises(GrantproofError, match="a worker loads what its master loads"):
        runner.work("embedded", "127.0.0.1")


def test_a_profile_that_does_not_allow_load_is_refused(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    idp = write_profile(tmp_path, server, allowed=False)
    with pytest.raises(GrantproofError, match="does not allow load"):
        run(LoadPlan(idp, rate_per_s=10.0, duration_s=1.0, out=tmp_path / "out"))
    command = [sys.executable, "-m", "locust", "-f", str(locust_file("token_endpoint")), "--headless", "--idp", idp]
    done = subprocess.run([*command, "--run-time", "1s"], capture_output=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert b"does not allow load" in done.stderr
    assert server.count == 0


def test_nothing_but_the_plan_says_what_is_run(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locust reads options from its environment and from files too."""
    idp = write_profile(tmp_path, serve())
    (tmp_path / "locust.conf").write_text("run-time = 1s\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCUST_RUN_TIME", "1s")
    monkeypatch.setenv("LOCUST_USERS", "nonsense")
    result = run(LoadPlan(idp, rate_per_s=20.0, duration_s=2.0, out=tmp_path / "out"))
    assert (result.offered, result.ok) == (40, 40)


def test_an_earlier_runs_results_are_gone_when_one_begins(serve: Serve, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("report.html", "junit.xml", "summary.md", "latency-old.hgrm", "mine.txt"):
        (out / name).write_text("old")
    plan = LoadPlan(write_profile(tmp_path, serve()), rate_per_s=20.0, duration_s=1.0, out=out)
    run(plan)
    assert {path.name for path in out.iterdir() if path.read_text() == "old"} == {"mine.txt"}
    (out / "load.json").unlink()
    (out / "load.json").mkdir()
    with pytest.raises(GrantproofError, match="an earlier result cannot go"):
        run(plan)


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [(2, GrantproofError, "the server shows a page"), (4, EngineCrashedError, "Locust ended with code 4")],
)
def test_a_result_does_not_hide_that_a_run_broke(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception], said: str
) -> None:
    out = tmp_path / "out"
    plan = LoadPlan(write_profile(tmp_path, serve()), rate_per_s=20.0, duration_s=1.0, out=out)
    run(plan)
    written = (out / "load.json").read_text()
    lines = "[now] vm/WARNING/locust.x: no\n[now] vm/ERROR/grantproof.load.y: the server shows a page\n  try: z\n"
    lines += "[now] vm/ERROR/grantproof.load.z: crossed: x\nType  Name\n"
    program = f"import sys; open({str(out / 'load.json')!r}, 'w').write({written!r}); sys.stderr.write({lines!r})"
    program += f"; sys.exit({code})"

    def break_down(_: LoadPlan) -> list[str]:
        return [sys.executable, "-c", program]

    monkeypatch.setattr(runner, "command_line", break_down)
    with pytest.raises(error, match=said) as caught:
        run(plan)
    assert ("WARNING" in str(caught.value)) is ("crossed" in str(caught.value)) is (code == 4)
    assert (out / "load.json").exists() is (code == 4)


def test_a_crash_is_told_with_what_was_said_but_no_secret(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idp = write_profile(tmp_path, serve())
    program = f"import sys; sys.stderr.write('it broke: {SECRET}'); sys.exit(7)"

    def break_down(plan: LoadPlan) -> list[str]:
        return [sys.executable, "-c", program, plan.idp]

    monkeypatch.setattr(runner, "command_line", break_down)
    with pytest.raises(EngineCrashedError, match="code 7") as caught:
        run(LoadPlan(idp, rate_per_s=10.0, duration_s=1.0, out=tmp_path / "out"))
    assert "it broke: ***" in str(caught.value)


def test_an_interruption_leaves_what_was_gathered(serve: Serve, tmp_path: Path) -> None:
    def interrupt(row: Progress) -> None:
        if row.ok:
            raise KeyboardInterrupt

    plan = LoadPlan(write_profile(tmp_path, serve()), rate_per_s=50.0, duration_s=60.0, out=tmp_path / "out")
    with pytest.raises(LoadInterrupted) as caught:
        run(plan, interrupt)
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert caught.value.result.ok == result["ok"]
    assert 40 <= result["ok"] < 1000
    assert os.environ["TINY_SECRET"] not in json.dumps(result)


def test_a_folder_may_have_the_name_of_an_option(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(LoadPlan(write_profile(tmp_path, serve()), rate_per_s=40.0, duration_s=0.5, out=Path("-x")))
    assert (result.ok, (tmp_path / "-x" / "load.json").is_file()) == (20, True)
