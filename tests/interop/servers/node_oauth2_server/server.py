"""@node-oauth/oauth2-server, with its wrapper for Express."""

from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import random_secret, reserved_secret
from tests.interop.node import install_packages, start_node
from tests.interop.server import Running

HERE = Path(__file__).parent


@dataclass(frozen=True)
class NodeOAuth2Server:
    """An Express application with a token endpoint and a model in memory."""

    name: str = "node-oauth2-server"

    def install(self) -> None:
        """Installs the packages of the lock."""
        install_packages(self.name, HERE)

    def start(self, state_dir: Path) -> Running:
        """Starts the application; what it knows is in its memory."""
        secrets = {
            "GRANTPROOF_NODE_OAUTH2_SERVER_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_NODE_OAUTH2_SERVER_OTHER_SECRET": random_secret(),
            "GRANTPROOF_NODE_OAUTH2_SERVER_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_NODE_OAUTH2_SERVER_CODE_APP_SECRET": random_secret(),
        }
        process, base_url, log = start_node(HERE, install_packages(self.name, HERE), state_dir, secrets)
        return Running(base_url, process, log, {"GRANTPROOF_NODE_OAUTH2_SERVER_URL": base_url, **secrets})
