"""Servers that run on Node.js: their packages by npm from a lock, their own few files beside the packages."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.server import cache_folder, installation, run_tool, spawn

OLDEST_NODE = 20


def install_packages(name: str, source: Path) -> Path:
    """Installs what the lock in a source folder names, integrity checked; gives the folder with node_modules.

    Raises:
        GrantproofError: Node.js or npm is missing or too old, or the installation fails.
    """
    _check_node()
    manifest, lock = source / "package.json", source / "package-lock.json"
    folder = cache_folder(name, manifest, lock)
    with installation(folder, f"{name} (npm)") as due:
        if due:
            shutil.copy(manifest, folder)
            shutil.copy(lock, folder)
            run_tool(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    return folder


def start_node(
    source: Path, packages: Path, state_dir: Path, environ: Mapping[str, str]
) -> "tuple[subprocess.Popen[bytes], str, Path]":
    """Starts server.js from a copy beside the packages; gives the process, the base URL and the log.

    Node.js looks for packages upwards from the file that imports them, hence the copy in the state folder.
    """
    program, log = state_dir / "app", state_dir / "server.log"
    shutil.copytree(source, program, ignore=shutil.ignore_patterns("*.py", "__pycache__", "package-lock.json"))
    (program / "node_modules").symlink_to(packages / "node_modules", target_is_directory=True)
    variables = {"NODE_ENV": "production", **environ}
    process, base_url = spawn(["node", "server.js"], cwd=program, log=log, environ=variables)
    return process, base_url, log


def _check_node() -> None:
    try:
        answer = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        raise GrantproofError("node is needed and not on the PATH", hint=f"Node.js {OLDEST_NODE} or newer") from None
    major = answer.strip().removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        raise GrantproofError(f"Node.js {answer.strip()} is too old", hint=f"Node.js {OLDEST_NODE} or newer")
