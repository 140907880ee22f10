"""The wheel: what is in it, and that it works where there is nothing else of ours."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from grantproof import __version__
from grantproof.report.record import Run

ROOT = Path(__file__).parents[2]
CHECK = "test_success_has_status_200"


def run(
    folder: Path, environ: Mapping[str, str], *command: object, code: int = 0
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env=environ,
        check=False,
    )
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT, os.environ, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel; dependencies come from the one that runs the tests, the clone does not."""

    python: Path
    site: Path
    before: frozenset[str]
    environ: Mapping[str, str]

    def __call__(self, folder: Path, *arguments: object, code: int = 0) -> str:
        """Runs the console script in a folder; what it printed."""
        return run(folder, self.environ, self.python.with_name("grantproof"), *arguments, code=code).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Installed:
    """The wheel in a fresh environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    said = run(folder, environ, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    site = Path(said.stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    before = frozenset(path.name for path in site.iterdir())
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check"]
    run(folder, environ, *pip, "--no-index", "--no-deps", "--ignore-installed", "--no-compile", wheel)
    return Installed(python, site, before, environ)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_nothing_but_our_package_is_in_it(names: set[str]) -> None:
    assert {name.partition("/")[0] for name in names} == {"grantproof", f"grantproof-{__version__}.dist-info"}
    assert [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".orig", ".rej"))] == []


@pytest.mark.parametrize("folder", ["conformance", "loadtests", "profiles", "src/grantproof"])
def test_all_of_our_content_is_in_it(names: set[str], folder: str) -> None:
    home = "grantproof" if folder.startswith("src/") else f"grantproof/{folder}"
    kinds = {".py", ".toml", ".json", ".j2", ".css", ".js", ".typed", ".pem", ".txt", ".sh"}
    there = {
        f"{home}/{path.relative_to(ROOT / folder).as_posix()}"
        for path in (ROOT / folder).rglob("*")
        if path.suffix in kinds and "__pycache__" not in path.parts
    }
    assert there
    assert there - names == set()


@pytest.mark.parametrize(
    "name",
    [
        "conformance/rfc6749/clauses.toml",
        "conformance/rfc6749/test_5_1_success.py",
        "loadtests/token_endpoint.py",
        "profiles/example.toml",
        "report/templates/report.html.j2",
        "report/results.schema.json",
        "load/capacity.schema.json",
        "load/load.schema.json",
        "py.typed",
    ],
)
def test_what_users_and_tools_look_for_is_in_it(names: set[str], name: str) -> None:
    assert f"grantproof/{name}" in names


def test_it_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = f"grantproof-{__version__}.dist-info"
        entry_points = archive.read(f"{about}/entry_points.txt").decode()
        metadata = archive.read(f"{about}/METADATA").decode()
        licenses = [name for name in archive.namelist() if name.startswith(f"{about}/licenses/")]
    assert "[console_scripts]\ngrantproof = grantproof.cli:main" in entry_points
    assert "[pytest11]\ngrantproof = grantproof.plugin" in entry_points
    assert f"Version: {__version__}\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata
    assert licenses == [f"{about}/licenses/LICENSE"]


def test_installing_adds_our_package_only(installed: Installed) -> None:
    assert {path.name for path in installed.site.iterdir()} - installed.before == {
        "grantproof",
        f"grantproof-{__version__}.dist-info",
    }


@pytest.mark.parametrize("name", ["conformance", "loadtests", "profiles"])
def test_the_content_is_inside_the_package(installed: Installed, empty: Path, name: str) -> None:
    assert installed(empty, "path", name) == f"{installed.site / 'grantproof' / name}\n"


def test_the_command_checks_and_reports_under_the_current_folder(installed: Installed, empty: Path) -> None:
    shipped = set((installed.site / "grantproof").rglob("*"))
    said = installed(empty, "check", "--idp", "embedded", "rfc6749:5.1/status-200")
    assert "Keeps the one requirement judged." in said
    (reports,) = empty.iterdir()
    (folder,) = reports.iterdir()
    assert reports.name == "reports"
    assert Run.read(folder).exit_code == 0
    assert set((installed.site / "grantproof").rglob("*")) == shipped


def test_pytest_runs_the_checks_by_the_packages_name(installed: Installed, empty: Path, tmp_path: Path) -> None:
    options = ["--idp", "embedded", "-k", CHECK, "--grantproof-clause", "rfc6749:5.1", "--grantproof-report", "json"]
    packaged = [installed.python, "-m", "pytest", "--pyargs", "grantproof.conformance", *options]
    said = run(empty, installed.environ, *packaged, "--grantproof-out", "out", "-p", "no:cacheprovider").stdout
    assert " passed" in said
    from_the_wheel = {check.id: check.verdict for check in Run.read(empty / "out").checks}
    clone = [sys.executable, "-m", "pytest", ROOT / "conformance", *options, "--grantproof-out", tmp_path / "clone"]
    run(empty, installed.environ, *clone, "-p", "no:cacheprovider")
    from_the_clone = {check.id: check.verdict for check in Run.read(tmp_path / "clone").checks}
    assert from_the_wheel
    assert from_the_wheel == from_the_clone
    assert all(check.startswith(f"rfc6749/test_5_1_success.py::{CHECK}[") for check in from_the_wheel)


def test_a_load_test_is_found_and_run(installed: Installed, empty: Path, lawful_profile: Path) -> None:
    run_for_a_second = ["--rate", 5, "--duration", "1s", "--threshold", "p99 < 1us", "--out", "out"]
    said = installed(empty, "load", "--idp", lawful_profile, *run_for_a_second, code=1)
    assert "CROSSED  p99 < 1us" in said
    assert {"load.json", "report.html"} <= {path.name for path in (empty / "out").iterdir()}
