"""The directions of the house: import-linter's contracts hold, and the content folders import only grantproof."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"httpx", "hypothesis", "locust", "lxml", "pydantic", "jwt", "starlette"}
CONTENT = {
    "conformance": {"grantproof", "pytest", "hypothesis"},
    "loadtests": {"grantproof", "locust"},
}


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("folder", CONTENT)
def test_content_imports_only_grantproof(folder: str) -> None:
    strange = {
        str(path.relative_to(ROOT)): sorted(names)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (names := imported(path) - CONTENT[folder] - set(sys.stdlib_module_names))
    }
    assert strange == {}


def test_nothing_imports_the_content() -> None:
    guilty = [
        path for path in (ROOT / "src").rglob("*.py") if {"conformance", "loadtests", "profiles"} & imported(path)
    ]
    assert guilty == []


def test_only_the_locust_modules_import_locust_and_gevent() -> None:
    guilty = [
        path.name
        for path in (ROOT / "src").rglob("*.py")
        if {"locust", "gevent"} & imported(path)
        and not (path.parent.name == "load" and path.name.startswith("locust_"))
    ]
    assert guilty == []


def test_importing_the_plugin_is_cheap() -> None:
    code = f"import sys, grantproof.plugin; print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib, grantproof.cli as cli; "
        "c = contextlib.suppress(SystemExit); c.__enter__(); cli.root.main(['--help'], standalone_mode=False); "
        f"print(sorted(({HEAVY} | {{'pytest', 'jinja2'}}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
