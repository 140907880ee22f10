"""Runs a plan: Locust as a process of its own, because it patches the process it is imported into."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Final

import msgspec

from grantproof.errors import GrantproofError
from grantproof.load.command import command_line, worker_command
from grantproof.load.ledger import default_folder, make_folder
from grantproof.load.plan import MASTER_PORT, LoadPlan, check_telemetry
from grantproof.load.result import FILE_NAME, LoadResult
from grantproof.load.target import Target, load_target
from grantproof.load.thresholds import parse_thresholds

_START_S: Final = 60.0
_AHEAD_S: Final = 900.0
_TAIL_LINES: Final = 30
_LONGEST_LINE: Final = 2000
USAGE_ERROR: Final = 2
_UNANSWERED: Final = 1


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
    target = target.over_http2() if plan.http2 else target
    parse_thresholds(plan.thresholds if plan.thresholds is not None else target.thresholds)
    folder = make_folder(plan.out or default_folder(target.profile_name))
    (folder / FILE_NAME).unlink(missing_ok=True)
    return _Child(replace(plan, out=folder), target).watch(progress or (lambda _: None))


def work(idp: str, host: str, port: int = MASTER_PORT, *, otel: bool = False) -> int:
    """Works for a master on another machine until it has no more to do; gives the exit code.

    Args:
        idp: the profile, which this machine has for itself, with its secrets.
        host: the master's.
        port: the master's.
        otel: metrics are exported by OpenTelemetry.

    Raises:
        GrantproofError: the profile is wrong or does not allow load, or an extra is not installed.
    """
    if idp == "embedded":
        raise GrantproofError("a worker loads what its master loads", "--idp", "give the profile that the master has")
    load_target(idp)
    if otel:
        check_telemetry()
    words = worker_command(idp, host, port, otel=otel)
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL)  # noqa: S603 - our own, no shell
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # it reaches the worker as well, which ends by itself
            continue


class _Child:
    """Locust's process, in a session of its own so that an interruption reaches it once and on our word."""

    def __init__(self, plan: LoadPlan, target: Target) -> None:
        self._folder = plan.out or Path()
        self._secrets = target.secrets
        self._lasts_s = plan.lasts_s + target.timeout_s + _START_S
        self._begun, self._expects = False, plan.fleet is not None
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
        guard = threading.Thread(target=self._guard, daemon=True)
        listener.start()
        guard.start()
        try:
            self._follow(process.stdout, progress)
            code = process.wait()
        except BaseException:
            self._interrupt()
            raise
        finally:
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
            self._begun = True
            progress(row)

    def _listen(self, stream: "IO[bytes] | None") -> None:
        for line in stream or ():
            self._tail.append(line[:_LONGEST_LINE].decode("utf-8", "replace").rstrip())

    def _guard(self) -> None:
        """Ends what does not end by itself; what is made ahead of a run may take long."""
        end = monotonic() + _AHEAD_S + self._lasts_s
        begun = False
        while self._process.poll() is None and monotonic() < end:
            if self._begun and not begun:
                begun, end = True, monotonic() + self._lasts_s
            sleep(0.5)
        self._kill()

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
        if code == _UNANSWERED and self._expects:
            raise GrantproofError("not all workers came", "--expect-workers", said.rpartition("\n")[2])
        raise EngineCrashedError(f"Locust ended with code {code} and no result; it said:\n{said or '(nothing)'}")


def scrub(text: str, secrets: frozenset[str]) -> str:
    """The text without these secrets, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
