"""What profile and metadata say, side by side, and the words for what follows from it."""

from collections.abc import Callable
from typing import NamedTuple

from grantproof.profile.client import Client
from grantproof.profile.discovery import Metadata
from grantproof.profile.model import Profile


class Offered(NamedTuple):
    """Whether something is offered, None if that is unknown or cannot be proven, and why, in a sentence."""

    offered: bool | None
    reason: str


class Facts:
    """A profile and its target's metadata."""

    def __init__(self, profile: Profile, metadata: Metadata) -> None:
        self.profile = profile
        self.metadata = metadata

    def address(self, name: str) -> str | None:
        """An endpoint's URL: the profile's, else the metadata's."""
        own: str | None = getattr(self.profile.endpoints, name)
        return own or self.metadata.endpoint(name)

    def clients(self, wanted: Callable[[Client], bool]) -> tuple[Client, ...]:
        """The configured clients of a kind."""
        return tuple(client for client in self.profile.clients.values() if wanted(client))

    def claim(self, name: str) -> bool | None:
        """What [claims] says about a feature."""
        value = getattr(self.profile.claims, name)
        return value if isinstance(value, bool) else None

    def claimed(self, feature: str) -> Offered | None:
        """What follows from [claims] alone; None if it says nothing."""
        value = self.claim(feature)
        if value is None:
            return None
        return Offered(value, f"the profile's [claims] says {feature} = {str(value).lower()}")

    def said(self, feature: str, *, stated: bool | None, where: str) -> Offered:
        """The profile's claim, else what the metadata states there."""
        claimed = self.claimed(feature)
        if claimed:
            return claimed
        if stated is None:
            return unknown(f"neither the profile's [claims] nor the metadata's {where} says so")
        return Offered(stated, f"the metadata's {where} {'says so' if stated else 'does not have it'}")


def yes(reason: str) -> Offered:
    """It is offered."""
    return Offered(offered=True, reason=reason)


def no(reason: str) -> Offered:
    """It is not offered."""
    return Offered(offered=False, reason=reason)


def unknown(reason: str) -> Offered:
    """Nobody says."""
    return Offered(None, f"unknown: {reason}")


def provable(found: Offered, *needed: tuple[object, str]) -> Offered:
    """The same, or unprovable for the first thing needed that is not there."""
    if found.offered:
        for present, lack in needed:
            if not present:
                return Offered(None, f"unprovable: {found.reason}, but {lack}")
    return found
