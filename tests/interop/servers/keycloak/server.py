"""Keycloak from its distribution, with an in-memory database and one realm."""

import json
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import public_key_text, random_secret, reserved_secret, write_private_key
from tests.interop.java import fetch_artifact, find_java
from tests.interop.server import Running, cache_folder, installation, run_tool, spawn

HERE = Path(__file__).parent
DISTRIBUTION, REALM = HERE / "distribution.json", HERE / "realm.json"
OPTIONS = (
    "--optimized",
    "--import-realm",
    "--cache=local",  # no cluster: with one, it would listen on every address and look for others
    "--http-enabled=true",
    "--http-host=127.0.0.1",
    "--http-port=0",
    "--hostname-strict=false",
)
JVM = (
    "-XX:-UseG1GC",
    "-XX:+UseSerialGC",  # for one user and a small heap
    # The slow compiler takes only what runs very often, like signatures: a run is over before the rest would pay.
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
)
"""Beside the options of kc.sh, which are for servers that run for months."""
LISTENS = re.compile(r"Listening on: (http://127\.0\.0\.1:\d+)")
PATIENCE_S = 240.0


@dataclass(frozen=True)
class Keycloak:
    """Keycloak in production mode, which is what operators run, on plain http."""

    name: str = "keycloak"

    def install(self) -> None:
        """Fetches the distribution, checks its checksum, and has it build itself with the options that need it."""
        folder = self._folder
        with installation(folder, f"{self.name} (Maven, 170 MB; then it builds itself, half a minute)") as due:
            if due:
                wanted = json.loads(DISTRIBUTION.read_text("utf-8"))
                archive = fetch_artifact(wanted["artifact"], wanted["sha256"], folder)
                with zipfile.ZipFile(archive) as content:
                    content.extractall(folder)
                archive.unlink()
                next(folder.glob("keycloak-*")).rename(folder / "keycloak")
                run_tool(["sh", folder / "keycloak/bin/kc.sh", "build", *wanted["build"]])

    @property
    def _folder(self) -> Path:
        return cache_folder(self.name, DISTRIBUTION)

    def start(self, state_dir: Path) -> Running:
        """Starts it with an empty database, into which it imports the realm."""
        find_java()
        home = self._home_in(state_dir)
        key = write_private_key(state_dir / "client-key.pem")
        shared = {
            "GRANTPROOF_KEYCLOAK_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_KEYCLOAK_OTHER_SECRET": random_secret(),
            "GRANTPROOF_KEYCLOAK_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_KEYCLOAK_HMAC_SECRET": random_secret(),
            "GRANTPROOF_KEYCLOAK_CODE_APP_SECRET": random_secret(),
            "GRANTPROOF_KEYCLOAK_WEB_APP_SECRET": random_secret(),
            "GRANTPROOF_KEYCLOAK_ALICE_PASSWORD": random_secret(),
            "GRANTPROOF_KEYCLOAK_BOB_PASSWORD": random_secret(),
            "GRANTPROOF_KEYCLOAK_CLIENT_KEY": str(key),
        }
        own = {"GRANTPROOF_KEYCLOAK_CLIENT_PUBLIC_KEY": public_key_text(key)}
        log = state_dir / "server.log"
        process, base_url = spawn(
            ["sh", home / "bin/kc.sh", "start", *OPTIONS],
            cwd=home,
            log=log,
            environ={**own, **shared, "JAVA_OPTS_APPEND": " ".join(JVM)},
            listens=LISTENS,
            patience_s=PATIENCE_S,
        )
        issuer = {"GRANTPROOF_KEYCLOAK_ISSUER": f"{base_url}/realms/grantproof"}
        return Running(base_url, process, log, {**issuer, **shared})

    def _home_in(self, state_dir: Path) -> Path:
        """A home in which the server can write, with the installed libraries."""
        installed, home = self._folder / "keycloak", state_dir / "keycloak"
        for name in ("bin", "conf"):
            shutil.copytree(installed / name, home / name)
        for name in ("lib", "providers", "themes", "version.txt"):
            (home / name).symlink_to(installed / name)
        imports = home / "data/import"
        imports.mkdir(parents=True)
        shutil.copy(REALM, imports)
        return home
