"""oidc-provider, with two pages of its own."""

from dataclasses import dataclass
from pathlib import Path

from tests.interop.credentials import random_secret, reserved_secret, write_private_key
from tests.interop.node import install_packages, start_node
from tests.interop.server import Running

HERE = Path(__file__).parent


@dataclass(frozen=True)
class OidcProvider:
    """oidc-provider on Node.js' own HTTP server."""

    name: str = "oidc-provider"

    def install(self) -> None:
        """Installs the packages of the lock."""
        install_packages(self.name, HERE)

    def start(self, state_dir: Path) -> Running:
        """Starts the provider; what it knows is in its memory."""
        shared = {
            "GRANTPROOF_OIDC_PROVIDER_SERVICE_SECRET": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_POST_SECRET": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_RESERVED_SECRET": reserved_secret(),
            "GRANTPROOF_OIDC_PROVIDER_HMAC_SECRET": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_CODE_APP_SECRET": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_WEB_APP_SECRET": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_ALICE_PASSWORD": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_BOB_PASSWORD": random_secret(),
            "GRANTPROOF_OIDC_PROVIDER_CLIENT_KEY": str(write_private_key(state_dir / "client-key.pem")),
        }
        own = {"GRANTPROOF_OIDC_PROVIDER_SIGNING_KEY": str(write_private_key(state_dir / "signing-key.pem"))}
        process, base_url, log = start_node(HERE, install_packages(self.name, HERE), state_dir, {**own, **shared})
        return Running(base_url, process, log, {"GRANTPROOF_OIDC_PROVIDER_ISSUER": base_url, **shared})
