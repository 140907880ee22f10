"""oauth2-mock-server, without any settings."""

from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import random_secret
from tests.interop.node import install_packages, start_node
from tests.interop.server import Running

HERE = Path(__file__).parent


@dataclass(frozen=True)
class OAuth2MockServer:
    """The mock server as its README starts it. It knows no client, so the secrets are only the profile's."""

    name: str = "oauth2-mock-server"

    def install(self) -> None:
        """Installs the packages of the lock."""
        install_packages(self.name, HERE)

    def start(self, state_dir: Path) -> Running:
        """Starts the server with a fresh signing key."""
        process, base_url, log = start_node(HERE, install_packages(self.name, HERE), state_dir, {})
        environ = {
            "GRANTPROOF_OAUTH2_MOCK_SERVER_ISSUER": base_url,
            "GRANTPROOF_OAUTH2_MOCK_SERVER_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_OAUTH2_MOCK_SERVER_RESTRICTED_SECRET": random_secret(),
        }
        return Running(base_url, process, log, environ)
