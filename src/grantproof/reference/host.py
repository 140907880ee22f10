"""Many variants of the embedded server in one process, each under its own issuer path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from .app import OAUTH_WELL_KNOWN, OPENID_WELL_KNOWN, AuthorizationServer
from .clients import Credentials
from .profile import write_profile_files
from .variants import all_faults, all_oddities, rules_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

LAWFUL_VARIANT = "lawful"
JOINT = "+"
"""Joins the names of variants that one server has together."""


class VariantHost:
    """An ASGI application with an authorization server for each variant, at `/<variant id>`, made when first asked.

    `base_url` has no slash at its end. All state of a variant is its own; the signing keys are the process's, which no
    client can tell since a token counts only where it was issued.
    """

    def __init__(self, base_url: str, credentials: Credentials) -> None:
        self.base_url = base_url
        self.credentials = credentials
        self.variants = (LAWFUL_VARIANT, *all_faults(), *all_oddities())
        self._known = frozenset(self.variants)
        self._servers: dict[str, AuthorizationServer] = {}

    def server(self, variant: str) -> AuthorizationServer:
        """The server of a variant."""
        found = self._servers.get(variant)
        if found is None:
            found = AuthorizationServer(f"{self.base_url}/{variant}", self.credentials, rules_of(variant.split(JOINT)))
            self._servers[variant] = found
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands one request to the variant that its path names."""
        if scope["type"] != "http":
            return
        variant = self._variant(scope["path"])
        if variant is None:
            await Response("No variant is here.\n", 404, media_type="text/plain")(scope, receive, send)
            return
        await self.server(variant)(scope, receive, send)

    def _variant(self, path: str) -> str | None:
        """The variant whose issuer path stands at the beginning, or after the well-known part."""
        for well_known in (OAUTH_WELL_KNOWN, OPENID_WELL_KNOWN):
            if path.startswith(f"{well_known}/"):
                path = path.removeprefix(well_known)
        name = path[1:].partition("/")[0]
        return name if self._known.issuperset(name.split(JOINT)) else None


def write_profile(base_url: str, variant: str, directory: Path) -> Path:
    """Writes the profile of one variant of a host whose credentials are kept in the same directory.

    Raises:
        GrantproofError: The variant is not known.
    """
    rules_of(variant.split(JOINT))
    credentials = Credentials.load(directory)
    title = f"grantproof reference ({variant})"
    return write_profile_files(f"{base_url}/{variant}", credentials, title, directory / f"{variant}.toml")
