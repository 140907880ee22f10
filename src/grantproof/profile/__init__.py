"""The profile of a target: model, loading, discovery, and what the target offers.

The names below are imported when they are first used, so that a command which needs no profile pays for no model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grantproof.profile.discovery import Metadata, fill_endpoints, metadata_sources, metadata_urls, read_metadata
    from grantproof.profile.init import draft
    from grantproof.profile.loading import load, locate
    from grantproof.profile.model import (
        Call,
        Claims,
        Client,
        Endpoints,
        Load,
        Login,
        LoginStep,
        Politeness,
        Profile,
        Target,
        Tls,
        User,
        Waiver,
    )
    from grantproof.profile.offer import Offer, Offered
    from grantproof.profile.problems import Problem, ProfileError
    from grantproof.profile.schema import json_schema
    from grantproof.profile.shipped import profiles_root, shipped_profiles

__all__ = [
    "Call",
    "Claims",
    "Client",
    "Endpoints",
    "Load",
    "Login",
    "LoginStep",
    "Metadata",
    "Offer",
    "Offered",
    "Politeness",
    "Problem",
    "Profile",
    "ProfileError",
    "Target",
    "Tls",
    "User",
    "Waiver",
    "draft",
    "fill_endpoints",
    "json_schema",
    "load",
    "locate",
    "metadata_sources",
    "metadata_urls",
    "profiles_root",
    "read_metadata",
    "shipped_profiles",
]

_HOMES = {
    **dict.fromkeys(("Metadata", "fill_endpoints", "metadata_sources", "metadata_urls", "read_metadata"), "discovery"),
    "draft": "init",
    **dict.fromkeys(("load", "locate"), "loading"),
    **dict.fromkeys(("Offer", "Offered"), "offer"),
    **dict.fromkeys(("Problem", "ProfileError"), "problems"),
    "json_schema": "schema",
    **dict.fromkeys(("profiles_root", "shipped_profiles"), "shipped"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
