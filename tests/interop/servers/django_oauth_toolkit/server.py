"""Django OAuth Toolkit, in a virtual environment of its own."""

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import random_secret, reserved_secret, write_private_key
from tests.interop.server import Running, cache_folder, installation, run_tool, spawn

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class DjangoOAuthToolkit:
    """A Django project with the toolkit, served by waitress."""

    name: str = "django-oauth-toolkit"

    def install(self) -> None:
        """Makes the virtual environment from the lock, hashes checked."""
        folder = self._folder
        with installation(folder, f"{self.name} (pip)") as due:
            if due:
                run_tool([sys.executable, "-m", "venv", folder / "venv"])
                pip: list[str | Path] = [
                    folder / "venv/bin/python",
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ]
                run_tool([*pip, "--no-deps", "--require-hashes", "-r", LOCK])

    @property
    def _folder(self) -> Path:
        return cache_folder(f"{self.name}-{PYTHON}", LOCK)

    def start(self, state_dir: Path) -> Running:
        """Starts the project with an empty database, which it fills with the clients and users of the profile."""
        secrets = {
            "GRANTPROOF_DOT_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_DOT_OTHER_SECRET": random_secret(),
            "GRANTPROOF_DOT_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_DOT_CODE_APP_SECRET": random_secret(),
            "GRANTPROOF_DOT_WEB_APP_SECRET": random_secret(),
            "GRANTPROOF_DOT_ALICE_PASSWORD": random_secret(),
            "GRANTPROOF_DOT_BOB_PASSWORD": random_secret(),
        }
        own = {
            "GRANTPROOF_STATE_DIR": str(state_dir),
            "GRANTPROOF_DOT_SECRET_KEY": random_secret(),
            "GRANTPROOF_DOT_KEY": str(write_private_key(state_dir / "oidc-key.pem")),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        python = self._folder / "venv/bin/python"
        log = state_dir / "server.log"
        process, base_url = spawn([python, "-m", "project.serve"], cwd=HERE, log=log, environ={**own, **secrets})
        return Running(base_url, process, log, {"GRANTPROOF_DOT_URL": base_url, **secrets})
