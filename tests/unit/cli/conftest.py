"""The command line, and profiles that differ from a lawful one by a word."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from grantproof import embedded
from tests.unit.cli.child import STATUS_200, CommandLine, Variant

FAULT = "success_has_status_201"
"""Breaks STATUS_200 for every client."""


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of children: they keep rewritten modules, so that only the first has to read every check."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode")), "NO_COLOR": "1"}


@pytest.fixture
def grantproof(tmp_path: Path, environ: Mapping[str, str]) -> CommandLine:
    """The command line, in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    return CommandLine(folder, environ)


@pytest.fixture(scope="session")
def grantproof_command() -> Path:
    """The installed console script."""
    return Path(sys.executable).with_name("grantproof")


@pytest.fixture
def variant(tmp_path: Path, lawful_profile: Path) -> Variant:
    """Copies the lawful server's profile, with texts in it replaced and others put at its end."""

    def make(*changes: tuple[str, str], end: str = "") -> Path:
        folder = tmp_path / "profiles"
        shutil.copytree(lawful_profile.parent, folder, dirs_exist_ok=True)
        path = folder / lawful_profile.name
        text = path.read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(f"{text}\n{end}", "utf-8")
        return path

    return make


@pytest.fixture(scope="session")
def broken_profile() -> Iterator[Path]:
    """The profile of an embedded server that answers token requests with 201."""
    with embedded.start([FAULT]) as path:
        yield path


@pytest.fixture(scope="session")
def lawful_run(tmp_path_factory: pytest.TempPathFactory, environ: Mapping[str, str], lawful_profile: Path) -> Path:
    """The folder of a run in which STATUS_200 is kept."""
    return _run(CommandLine(tmp_path_factory.mktemp("lawful"), environ), lawful_profile)


@pytest.fixture(scope="session")
def broken_run(tmp_path_factory: pytest.TempPathFactory, environ: Mapping[str, str], broken_profile: Path) -> Path:
    """The folder of a run in which STATUS_200 is broken."""
    return _run(CommandLine(tmp_path_factory.mktemp("broken"), environ), broken_profile)


def _run(grantproof: CommandLine, profile: Path) -> Path:
    grantproof("check", "--idp", profile, "--out", "run", STATUS_200)
    return grantproof.folder / "run"
