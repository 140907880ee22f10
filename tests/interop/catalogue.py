"""The servers by name, and where their profiles and recorded verdicts are."""

from collections.abc import Sequence
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.server import Server
from tests.interop.servers.django_oauth_toolkit.server import DjangoOAuthToolkit
from tests.interop.servers.embedded_tls.server import EmbeddedTls
from tests.interop.servers.hydra.server import Hydra
from tests.interop.servers.keycloak.server import Keycloak
from tests.interop.servers.node_oauth2_server.server import NodeOAuth2Server
from tests.interop.servers.oauth2_mock_server.server import OAuth2MockServer
from tests.interop.servers.oauth2orize.server import OAuth2orize
from tests.interop.servers.oidc_provider.server import OidcProvider
from tests.interop.servers.spring_authorization_server.server import SpringAuthorizationServer

ROOT = Path(__file__).parents[2]
SERVERS: dict[str, Server] = {
    server.name: server
    for server in (
        DjangoOAuthToolkit(),
        EmbeddedTls(),
        Hydra(),
        Keycloak(),
        NodeOAuth2Server(),
        OAuth2MockServer(),
        OAuth2orize(),
        OidcProvider(),
        SpringAuthorizationServer(),
    )
}


def find_server(name: str) -> Server:
    """The server of this name.

    Raises:
        GrantproofError: there is none.
    """
    if name not in SERVERS:
        raise GrantproofError(f"there is no server {name!r}", hint=f"servers: {', '.join(SERVERS)}")
    return SERVERS[name]


def profile_path(name: str) -> Path:
    """The profile of a server."""
    return ROOT / "profiles" / f"{name}.toml"


RULEBOOK = "rfc6749"


def recorded_path(name: str, rulebooks: Sequence[str] = (RULEBOOK,)) -> Path:
    """The verdicts that were recorded for a server under some rulebooks."""
    beside = "".join(f"+{rulebook}" for rulebook in sorted({*rulebooks} - {RULEBOOK}))
    return Path(__file__).parent / "recorded" / f"{name}{beside}.json"
