"""Thousands of plain clients, as a load test of many clients needs them; none of their secrets is stored."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from .clients import Client, Credentials

CROWD = 2000


def crowd_secrets(credentials: Credentials) -> dict[str, str]:
    """The secret of each, by its client identifier; the same whenever the credentials are."""
    return _derive(credentials.secrets["service"])


def crowd_of(credentials: Credentials) -> dict[str, Client]:
    """The clients, by their identifier."""
    return _register(credentials.secrets["service"])


def crowd_file(credentials: Credentials) -> str:
    """The file of `[load] clients`: an identifier and a secret a line."""
    return "id,secret\n" + "".join(f"{name},{secret}\n" for name, secret in crowd_secrets(credentials).items())


@lru_cache(maxsize=4)
def _derive(key: str) -> dict[str, str]:
    names = (f"crowd-{number:04d}" for number in range(1, CROWD + 1))
    return {name: hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest() for name in names}


@lru_cache(maxsize=4)
def _register(key: str) -> dict[str, Client]:
    return {name: Client(name, name, secret, "One of many") for name, secret in _derive(key).items()}
