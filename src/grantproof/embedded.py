"""Starts the embedded authorization server for a run and ends it by its pid."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from grantproof.errors import GrantproofError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_PATIENCE_S = 20


@contextlib.contextmanager
def start(faults: "Sequence[str]" = (), oddities: "Sequence[str]" = (), *, tls: bool = False) -> "Generator[Path]":
    """Runs `grantproof serve` on a free loopback port while the context lasts; gives the path of its profile.

    Raises:
        GrantproofError: it does not come up.
    """
    command = [sys.executable, "-m", "grantproof", "serve", "--port", "0"]
    command += [part for fault in faults for part in ("--fault", fault)]
    command += [part for oddity in oddities for part in ("--oddity", oddity)]
    command += ["--tls"] if tls else []
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)  # noqa: S603 - our own command
        try:
            yield _wait_for_profile(process, errors.fileno())
        finally:
            _end(process)


def _wait_for_profile(process: "subprocess.Popen[bytes]", errors: int) -> Path:
    """The profile's path, which is the first line that the server prints."""
    import select  # noqa: PLC0415 - only runs on the embedded server need it

    output = process.stdout
    if output is None:
        raise GrantproofError("the embedded server has no output")
    ready, _, _ = select.select([output], [], [], _PATIENCE_S)
    line = output.readline().decode("utf-8", "replace").strip() if ready else ""
    if not line:
        _end(process)
        os.lseek(errors, 0, os.SEEK_SET)
        tail = os.read(errors, 65_536).decode("utf-8", "replace").strip().splitlines()[-3:]
        raise GrantproofError(
            "the embedded server does not start", hint=" / ".join(tail) or f"nothing came in {_PATIENCE_S} s"
        )
    return Path(line)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
    if process.stdout is not None:
        process.stdout.close()
