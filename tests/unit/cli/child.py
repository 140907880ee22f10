"""Runs the real command line as a child process, on profiles that differ from the lawful one by a word."""

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

STATUS_200 = "rfc6749:5.1/status-200"
"""A clause that a handful of quick checks decide."""


@dataclass(frozen=True)
class Ran:
    """What a child process said and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """`python -m grantproof` in a folder of its own."""

    folder: Path
    environ: Mapping[str, str]

    def __call__(self, *arguments: object) -> Ran:
        """Runs one command to its end; only an error of ours may show a traceback."""
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            env=self.environ,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 4 or "Traceback" not in said, said
        return Ran(done.returncode, done.stdout, done.stderr)

    def command(self, *arguments: object) -> list[str]:
        """The arguments of the process."""
        return [sys.executable, "-m", "grantproof", *map(str, arguments)]

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Starts one command and leaves it running. It hears SIGINT, even where the tests do not."""
        former = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                self.command(*arguments),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=self.folder,
                env=self.environ,
            )
        finally:
            signal.signal(signal.SIGINT, former)


Variant = Callable[..., Path]


def value_of(profile: Path, table: str, key: str) -> str:
    """A string of the profile."""
    lines = profile.read_text("utf-8").partition(f"[{table}]")[2].splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith(f"{key} ="))


def line_of(profile: Path, text: str) -> int:
    """The number of the first line that begins with a text."""
    lines = profile.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(text))


def secrets_of(profile: Path) -> list[str]:
    """Every secret and password of the profile."""
    lines = profile.read_text("utf-8").splitlines()
    return [line.split('"')[1] for line in lines if line.startswith(("secret =", "password ="))]
