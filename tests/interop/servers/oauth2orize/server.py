"""oauth2orize, with the packages that its README names."""

from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import random_secret, reserved_secret
from tests.interop.node import install_packages, start_node
from tests.interop.server import Running

HERE = Path(__file__).parent


@dataclass(frozen=True)
class OAuth2orize:
    """An Express application with oauth2orize and Passport."""

    name: str = "oauth2orize"

    def install(self) -> None:
        """Installs the packages of the lock."""
        install_packages(self.name, HERE)

    def start(self, state_dir: Path) -> Running:
        """Starts the application; what it knows is in its memory."""
        secrets = {
            "GRANTPROOF_OAUTH2ORIZE_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_OAUTH2ORIZE_OTHER_SECRET": random_secret(),
            "GRANTPROOF_OAUTH2ORIZE_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_OAUTH2ORIZE_WEB_APP_SECRET": random_secret(),
            "GRANTPROOF_OAUTH2ORIZE_ALICE_PASSWORD": random_secret(),
            "GRANTPROOF_OAUTH2ORIZE_BOB_PASSWORD": random_secret(),
        }
        process, base_url, log = start_node(HERE, install_packages(self.name, HERE), state_dir, secrets)
        return Running(base_url, process, log, {"GRANTPROOF_OAUTH2ORIZE_URL": base_url, **secrets})
