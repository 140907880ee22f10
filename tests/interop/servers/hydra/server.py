"""Ory Hydra, built from its Go module, with a login and consent application as its users write one."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import random_secret, reserved_secret, write_private_key
from tests.interop.server import Running, cache_folder, installation, run_tool, spawn
from tests.interop.servers.hydra.deploy import ADDRESSES

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
MODULE = "github.com/ory/hydra/v2"
BUILD = ("go", "build", "-buildvcs=false", "-tags", "sqlite,sqlite_omit_load_extension,json1")
"""The database in memory is SQLite, which is only in builds that ask for it, and needs a C compiler."""
BUILD_PATIENCE_S = 3600


@dataclass(frozen=True)
class Hydra:
    """Hydra with a database in memory; clients are registered by its admin API at start."""

    name: str = "hydra"

    def install(self) -> None:
        """Builds the program from the modules of the lock, which takes minutes."""
        folder = self._folder
        with installation(folder, f"{self.name} (go build, which takes some minutes)") as due:
            if due:
                run_tool(["gcc", "--version"])
                shutil.copy(HERE / "go.mod", folder)
                shutil.copy(HERE / "go.sum", folder)
                run_tool([*BUILD, "-o", "hydra", MODULE], cwd=folder, patience_s=BUILD_PATIENCE_S)

    @property
    def _folder(self) -> Path:
        return cache_folder(self.name, HERE / "go.mod", HERE / "go.sum")

    def start(self, state_dir: Path) -> Running:
        """Starts the program and the application with an empty database and fresh secrets."""
        shared = {
            "GRANTPROOF_HYDRA_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_HYDRA_POST_SECRET": random_secret(),
            "GRANTPROOF_HYDRA_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_HYDRA_CODE_APP_SECRET": random_secret(),
            "GRANTPROOF_HYDRA_WEB_APP_SECRET": random_secret(),
            "GRANTPROOF_HYDRA_ALICE_PASSWORD": random_secret(),
            "GRANTPROOF_HYDRA_BOB_PASSWORD": random_secret(),
            "GRANTPROOF_HYDRA_CLIENT_KEY": str(write_private_key(state_dir / "client-key.pem")),
        }
        own = {
            "GRANTPROOF_STATE_DIR": str(state_dir),
            "SECRETS_SYSTEM": random_secret(),
            "SECRETS_COOKIE": random_secret(),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        log = state_dir / "server.log"
        command: list[str | Path] = [sys.executable, "-m", "tests.interop.servers.hydra.deploy", self._folder / "hydra"]
        process, base_url = spawn(command, cwd=ROOT, log=log, environ={**own, **shared})
        addresses = json.loads((state_dir / ADDRESSES).read_text("utf-8"))
        return Running(base_url, process, log, {"GRANTPROOF_HYDRA_ISSUER": base_url, **addresses, **shared})
