"""The wheel in an environment of its own: only `grantproof` is added, and everything works."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SHIPPED = (
    "grantproof/py.typed",
    "grantproof/conformance/rfc6749/clauses.toml",
    "grantproof/conformance/rfc6749/test_5_1_success.py",
    "grantproof/loadtests/token_endpoint.py",
    "grantproof/profiles/example.toml",
    "grantproof/report/results.schema.json",
    "grantproof/load/load.schema.json",
)


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and its dependencies, and an empty folder to work in."""

    python: Path
    site_packages: Path
    before: frozenset[str]
    folder: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """A command of the environment, in the empty folder."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
        program = str(self.python.with_name(command[0]))
        return subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            timeout=180,
            cwd=self.folder,
            env=environment,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("src", "conformance", "loadtests", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment that sees this one's dependencies but not its grantproof."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    (site_packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    (own,) = {Path(path) for path in sys.path if path.endswith("site-packages") and Path(path, "pytest").is_dir()}
    for entry in own.iterdir():
        if "grantproof" not in entry.name and entry.suffix != ".pth":
            (dependencies / entry.name).symlink_to(entry)
    (site_packages / "dependencies.pth").write_text(f"{dependencies}\n", "utf-8")
    before = frozenset(entry.name for entry in site_packages.iterdir())
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    working = folder / "empty"
    working.mkdir()
    return Installed(python, site_packages, before, working)


def test_wheel_holds_one_package_and_all_content(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"grantproof"}
    assert [name for name in SHIPPED if name not in names] == []
    assert [name for name in names if "reports/" in name or name.startswith("tests/")] == []
    assert any(name.startswith("grantproof/report/templates/") for name in names)


def test_only_grantproof_is_added_to_site_packages(installed: Installed) -> None:
    added = {entry.name for entry in installed.site_packages.iterdir()} - installed.before
    assert {name.partition("-")[0] for name in added} == {"grantproof"}


def test_console_script_finds_the_installed_content(installed: Installed) -> None:
    done = installed.run("grantproof", "path", "conformance")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == installed.site_packages / "grantproof" / "conformance"


def test_plain_pytest_runs_the_installed_checks(installed: Installed) -> None:
    command = [
        "--pyargs",
        "grantproof.conformance",
        "--idp",
        "embedded",
        "-k",
        "test_5_1",
        "-q",
        "--grantproof-out",
        "out",
    ]
    done = installed.run("python", "-m", "pytest", *command)
    assert done.returncode == 0, done.stdout[-2000:]
    results = json.loads((installed.folder / "out" / "results.json").read_text("utf-8"))
    ids = {check["id"] for check in results["checks"]}
    assert "rfc6749/test_5_1_success.py::test_success_has_status_200[service-client_secret_basic]" in ids
    assert results["exit_code"] == 0


def test_check_writes_its_report_below_the_current_folder(installed: Installed) -> None:
    done = installed.run("grantproof", "check", "--idp", "embedded", "rfc6749:5.1/status-200")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (installed.folder / "reports").iterdir()
    assert {"results.json", "report.html", "junit.xml"} <= {path.name for path in folder.iterdir()}
