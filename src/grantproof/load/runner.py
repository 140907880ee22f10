"""Runs a plan: Locust as a process of its own, because it patches the process it is imported into."""

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
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
INTERNAL_ERROR: Final = 4
_LOOK_S: Final = 0.1
_WORKERS_S: Final = 2.0
_WRITING_S: Final = 15.0
_RESULTS: Final = (FILE_NAME, "report.html", "junit.xml", "summary.md")
_LOGGED: Final = re.compile(r"^\[[^\]\n]*\] [^\s/]+/([A-Z]+)/([\w.]+): ", re.MULTILINE)
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


class LoadInterrupted(KeyboardInterrupt):
    """The user interrupted a run, of which something was gathered: `result`, which load.json holds."""

    def __init__(self, result: LoadResult) -> None:
        super().__init__()
        self.result = result


def run(plan: LoadPlan, progress: Callable[[Progress], None] | None = None) -> LoadResult:
    """Runs the plan to its end.

    Args:
        plan: what to run; where it names no folder, one is made under `reports`.
        progress: called about once a second.

    Raises:
        GrantproofError: the profile is wrong or does not allow load, or a threshold is none.
        EngineCrashedError: Locust ended without a result.
        LoadInterrupted: the user interrupted; load.json holds what was gathered.
        KeyboardInterrupt: the user interrupted, and nothing was gathered.
    """
    target = load_target(plan.idp)
    target = target.over_http2() if plan.http2 else target
    parse_thresholds(plan.thresholds if plan.thresholds is not None else target.thresholds)
    folder = make_folder(plan.out or default_folder(target.profile_name))
    _clear(folder)
    child = _Child(replace(plan, out=folder), target)
    try:
        return child.watch(progress or (lambda _: None))
    except KeyboardInterrupt:
        if not (folder / FILE_NAME).is_file():
            raise
        raise LoadInterrupted(LoadResult.read(folder)) from None


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


def _clear(folder: Path) -> None:
    """Takes an earlier run's results away, so that none is taken for this one's if it ends early.

    Raises:
        GrantproofError: one of them cannot go.
    """
    for path in [*(folder / name for name in _RESULTS), *folder.glob("*.hgrm")]:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            hint = "give --out an empty folder"
            raise GrantproofError(f"an earlier result cannot go: {error.strerror}", str(path), hint) from None


class _Child:
    """Locust's process, in a session of its own so that an interruption reaches it once and on our word."""

    def __init__(self, plan: LoadPlan, target: Target) -> None:
        self._folder = plan.out or Path()
        self._secrets = target.secrets
        self._lasts_s = plan.lasts_s + target.timeout_s + _START_S
        self._begun, self._expects = False, plan.fleet is not None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._lock = threading.Lock()
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
            while not self._ended():
                sleep(_LOOK_S)
        except BaseException:
            self._interrupt()
            raise
        finally:
            self._kill()
            listener.join(5)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        return self._read_result(process.returncode)

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
        """Ends what does not end by itself; what is made ahead of a run may take long.

        Workers that outlive their master hold its pipes, on which we would wait for ever.
        """
        end = monotonic() + _AHEAD_S + self._lasts_s
        begun = False
        while not self._ended() and monotonic() < end:
            if self._begun and not begun:
                begun, end = True, monotonic() + self._lasts_s
            sleep(_LOOK_S)
        sleep(_WORKERS_S)
        self._kill(reap=False)

    def _interrupt(self) -> None:
        """Lets it write what it has; whoever cannot wait interrupts again."""
        with self._lock:
            if self._process.returncode is None:
                os.kill(self._process.pid, signal.SIGINT)
        end = monotonic() + _WRITING_S
        while not self._ended() and monotonic() < end:
            sleep(_LOOK_S)

    def _ended(self) -> bool:
        """Whether the process is over. Until it is waited for, its number stays that of its session."""
        with self._lock:
            if self._process.returncode is not None:
                return True
            if not hasattr(os, "waitid"):
                return self._process.poll() is not None
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _kill(self, *, reap: bool = True) -> None:
        """Ends the session that we started, workers included, whatever of it is still there."""
        with self._lock:
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                if reap:
                    self._process.wait()

    def _read_result(self, code: int) -> LoadResult:
        if code not in {USAGE_ERROR, INTERNAL_ERROR} and (self._folder / FILE_NAME).is_file():
            return LoadResult.read(self._folder)
        said = scrub("\n".join(self._tail), self._secrets)
        if code == USAGE_ERROR and said:
            _clear(self._folder)  # of a run that could not begin
            raise GrantproofError(_first_error(said))
        if code == _UNANSWERED and self._expects:
            raise GrantproofError("not all workers came", "--expect-workers", said.rpartition("\n")[2])
        raise EngineCrashedError(f"Locust ended with code {code} and no result; it said:\n{said or '(nothing)'}")


def _first_error(said: str) -> str:
    """What our part of Locust's log first called an error, from which others follow; all of it where there is none."""
    found = _LOGGED.split(said)
    errors = [
        text for level, name, text in zip(found[1::3], found[2::3], found[3::3], strict=True) if _is_ours(level, name)
    ]
    return errors[0].strip() if errors else said


def _is_ours(level: str, name: str) -> bool:
    return level == "ERROR" and name.startswith("grantproof.")


def scrub(text: str, secrets: frozenset[str]) -> str:
    """The text without these secrets, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
