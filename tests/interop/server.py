"""What every server of the interoperability runs has in common: installed once, run on loopback, ended by its pid.

Rules of this file:
- What is installed lives outside the source tree, in a folder named after its lock's checksum, and stays as it is.
- A server chooses a free port itself and says it in its log.
- Secrets are random for each start and go by environment variables.
"""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from grantproof.errors import GrantproofError

PATIENCE_S = 60.0
"""How long a server may take to come up, unless it says that it needs longer."""
LISTENS = re.compile(r"^listening (https?://127\.0\.0\.1:\d+)$", re.MULTILINE)
"""What a server of ours writes to its log once it listens."""
_END_S = 5.0
_KEPT = ("PATH", "JAVA_HOME", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Running:
    """A started server. `environ` is what its profile needs: the issuer and secrets, so the repr leaves it out."""

    base_url: str
    process: "subprocess.Popen[bytes]" = field(repr=False)
    log: Path
    environ: Mapping[str, str] = field(repr=False)

    @property
    def pid(self) -> int:
        """The process that was started, which leads its own process group."""
        return self.process.pid

    def stop(self) -> None:
        """Ends the server's process group, and no other process."""
        end_group(self.process)


class Server(Protocol):
    """An authorization server that a script can install and run."""

    @property
    def name(self) -> str:
        """Its name on the command line, which is also its profile's."""
        ...

    def install(self) -> None:
        """Puts the server and all it needs into the cache, unless it is there; says what it does.

        Raises:
            GrantproofError: something that it needs is missing, or the installation fails.
        """
        ...

    def start(self, state_dir: Path) -> Running:
        """Starts the server with fresh secrets; everything it writes goes to this folder.

        Raises:
            GrantproofError: it does not come up.
        """
        ...


@contextlib.contextmanager
def running(server: Server, state_dir: Path) -> Generator[Running]:
    """Starts a server while the context lasts; it ends with the context, also when this process is terminated."""
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        started = server.start(state_dir)
        try:
            yield started
        finally:
            started.stop()
    finally:
        signal.signal(signal.SIGTERM, previous)


def cache_folder(name: str, *locks: Path) -> Path:
    """Where a server is installed: another folder for every content of its locks."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    checksum = hashlib.sha256(b"\0".join(lock.read_bytes() for lock in locks)).hexdigest()
    return root / "grantproof" / "interop" / f"{name}-{checksum[:16]}"


@contextlib.contextmanager
def installation(folder: Path, what: str) -> Generator[bool]:
    """Whether the body has to install into this folder; what an interrupted installation left is removed first."""
    complete = folder / ".complete"
    if complete.exists():
        yield False
        return
    print(f"installing {what} into {folder} ...", flush=True)  # noqa: T201 - tells why the first run is slow
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield True
    complete.touch()


def run_tool(command: Sequence[str | Path], *, cwd: Path | None = None, patience_s: float = 600) -> None:
    """Runs a tool to its end.

    Raises:
        GrantproofError: it is not there, or it fails; the end of its output is the hint.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=patience_s, check=False)
    except FileNotFoundError:
        raise GrantproofError(f"{words[0]} is needed and not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise GrantproofError(f"no end after {patience_s / 60:g} minutes: {' '.join(words)}") from None
    if done.returncode:
        raise GrantproofError(f"failed: {' '.join(words)}", hint=_tail(done.stdout + done.stderr))


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now, for programs that cannot choose one themselves."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    environ: Mapping[str, str],
    listens: re.Pattern[str] = LISTENS,
    patience_s: float = PATIENCE_S,
) -> "tuple[subprocess.Popen[bytes], str]":
    """Starts a server and waits until its log says where it listens; gives the process and the base URL.

    Args:
        command: the server's program and arguments.
        cwd: its working directory.
        log: the file that takes its output.
        environ: its environment, beside the few variables that every program needs.
        listens: what it writes once it listens; the first group is the base URL.
        patience_s: how long that may take.

    Raises:
        GrantproofError: it ended, or it did not say in time where it listens.
    """
    inherited = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**inherited, **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        base_url = _wait_until_up(process, log, listens, patience_s)
    except BaseException:
        end_group(process)  # nobody knows it yet who could
        raise
    if base_url:
        return process, base_url
    end_group(process)
    raise GrantproofError("the server does not come up", where=str(log), hint=_tail(log.read_text("utf-8", "replace")))


def _wait_until_up(
    process: "subprocess.Popen[bytes]", log: Path, listens: re.Pattern[str], patience_s: float
) -> str | None:
    """The base URL that a starting server writes to its log; None where it ends or takes too long."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        found = listens.search(log.read_text("utf-8", "replace"))
        if found:
            return found[1]
        if ended:
            break
        time.sleep(0.05)
    return None


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Asks the process group that this process leads to end, then ends it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
            return


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-15:])


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(143)
