"""`grantproof serve` behind nginx, which speaks TLS with a certificate of a throw-away authority."""

import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.server import Running, spawn
from tests.interop.servers.embedded_tls.deploy import SERVE_LOG

ROOT = Path(__file__).parents[4]
NGINX_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
"""Where nginx is, beside the folders of PATH: Debian's is not on the PATH of ordinary users."""


@dataclass(frozen=True)
class EmbeddedTls:
    """The embedded server with nginx as its TLS endpoint."""

    name: str = "embedded-tls"

    def install(self) -> None:
        """Looks for nginx, which comes from the operating system.

        Raises:
            GrantproofError: it is not there.
        """
        _find_nginx()

    def start(self, state_dir: Path) -> Running:
        """Starts both with fresh secrets and a fresh authority."""
        log = state_dir / "server.log"
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tests.interop.servers.embedded_tls.deploy",
            state_dir,
            _find_nginx(),
        ]
        process, base_url = spawn(command, cwd=ROOT, log=log, environ={"PYTHONDONTWRITEBYTECODE": "1"})
        environ = _environ((state_dir / SERVE_LOG).read_text("utf-8").splitlines()[0])
        shared = {"GRANTPROOF_EMBEDDED_TLS_ISSUER": base_url, "GRANTPROOF_EMBEDDED_TLS_CA": str(state_dir / "ca.pem")}
        return Running(base_url, process, log, {**shared, **environ})


def _environ(own_profile: str) -> dict[str, str]:
    """The secrets in the profile that `grantproof serve` wrote, by the names of our variables."""
    profile = tomllib.loads(Path(own_profile).read_text("utf-8"))
    secrets = {f"{name}_SECRET": client["secret"] for name, client in profile["clients"].items() if "secret" in client}
    found = {
        **secrets,
        "SERVICE_JWT_KEY": str(Path(own_profile).parent / profile["clients"]["service_jwt"]["private_key"]),
        "ALICE_PASSWORD": profile["user"]["password"],
        "BOB_PASSWORD": profile["user2"]["password"],
    }
    return {f"GRANTPROOF_EMBEDDED_TLS_{name.upper()}": value for name, value in found.items()}


def _find_nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path=":".join(NGINX_FOLDERS))
    if found is None:
        raise GrantproofError("nginx is needed and not there", hint="Debian and Ubuntu: apt-get install nginx-light")
    return found
