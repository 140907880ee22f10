"""Runs a plan: Locust as a process of its own, because it patches the process it is imported into."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import IO, Final

import msgspec

from grantproof.errors import GrantproofError
from grantproof.load.ledger import default_folder, make_folder
from grantproof.load.plan import LoadPlan, locust_file
from grantproof.load.result import FILE_NAME, LoadResult
from grantproof.load.target import Target, load_target
from grantproof.load.thresholds import parse_thresholds

_START_S: Final = 60.0
_TAIL_LINES: Final = 30
_LONGEST_LINE: Final = 2000
USAGE_ERROR: Final = 2


class Progress(msgspec.Struct, frozen=True):
    """One second of a run that is under way, over the workers that have reported it; `p99` in seconds."""

    t: int
    offered: int
    sent: int
    ok: int
    errors: int
    protected: int
    p99: float


class EngineCrashedError(Exception):
    """Locust ended without a result: an error of ours, with the end of what it said."""


def run(plan: LoadPlan, progress: Callable[[Progress], None] | None = None) -> LoadResult:
    """Runs the plan to its end.

    Args:
        plan: what to run; where it names no folder, one is made under `reports`.
        progress: called about once a second.

    Raises:
        GrantproofError: the profile is wrong or does not allow load, or a threshold is none.
        EngineCrashedError: Locust ended without a result.
        KeyboardInterrupt: the user interrupted; load.json holds what was gathered.
    """
    target = load_target(plan.idp)
    parse_thresholds(plan.thresholds if plan.thresholds is not None else target.thresholds)
    folder = make_folder(plan.out or default_folder(target.profile_name))
    (folder / FILE_NAME).unlink(missing_ok=True)
    return _Child(replace(plan, out=folder), target).watch(progress or (lambda _: None))


def command_line(plan: LoadPlan) -> list[str]:
    """The command that runs a plan; it holds the profile's path and no secret."""
    command = [sys.executable, "-m", "locust", "-f", str(locust_file(plan.scenario))]
    command += ["--headless", "--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0", "--progress"]
    command += [
        "--idp",
        plan.idp,
        "--duration",
        f"{plan.duration_s}s",
        "--out",
        str(plan.out),
        "--seed",
        str(plan.seed),
    ]
    command += ["--connections", str(plan.connections)]
    if plan.rate_per_s is not None:
        command += ["--rate", str(plan.rate_per_s), "--arrival", plan.arrival]
    users = plan.users if plan.users is not None else plan.workers
    command += ["--users", str(users), "--spawn-rate", str(users)]
    if plan.workers > 1:
        here, port = "127.0.0.1", str(_free_port())
        command += ["--processes", str(plan.workers), "--expect-workers-max-wait", "30"]
        command += [
            "--master-bind-host",
            here,
            "--master-bind-port",
            port,
            "--master-host",
            here,
            "--master-port",
            port,
        ]
    return command + [part for rule in plan.thresholds or () for part in ("--threshold", rule)]


class _Child:
    """Locust's process, in a session of its own so that an interruption reaches it once and on our word."""

    def __init__(self, plan: LoadPlan, target: Target) -> None:
        self._folder = plan.out or Path()
        self._secrets = target.secrets
        self._deadline = monotonic() + plan.duration_s + target.timeout_s + _START_S
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command_line(plan),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def watch(self, progress: Callable[[Progress], None]) -> LoadResult:
        """Waits for the end and gives the result."""
        process = self._process
        listener = threading.Thread(target=self._listen, args=(process.stderr,), daemon=True)
        guard = threading.Timer(max(self._deadline - monotonic(), 0), self._kill)
        guard.daemon = True
        listener.start()
        guard.start()
        try:
            self._follow(process.stdout, progress)
            code = process.wait()
        except BaseException:
            self._interrupt()
            raise
        finally:
            guard.cancel()
            self._kill()
            listener.join(5)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        return self._read_result(code)

    def _follow(self, stream: "IO[bytes] | None", progress: Callable[[Progress], None]) -> None:
        for line in stream or ():
            try:
                row = msgspec.json.decode(line, type=Progress)
            except msgspec.DecodeError:
                continue
            progress(row)

    def _listen(self, stream: "IO[bytes] | None") -> None:
        for line in stream or ():
            self._tail.append(line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip())

    def _interrupt(self) -> None:
        """Lets it write what it has; whoever cannot wait interrupts again."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            return

    def _kill(self) -> None:
        """Ends the session that we started, workers included, if it is still there."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _read_result(self, code: int) -> LoadResult:
        if (self._folder / FILE_NAME).is_file():
            return LoadResult.read(self._folder)
        said = scrub("\n".join(self._tail), self._secrets)
        if code == USAGE_ERROR and said:
            raise GrantproofError(said)
        raise EngineCrashedError(f"Locust ended with code {code} and no result; it said:\n{said or '(nothing)'}")


def scrub(text: str, secrets: frozenset[str]) -> str:
    """The text without these secrets, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _free_port() -> int:
    import socket  # noqa: PLC0415 - only runs with several workers need it

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
