"""A target that a test writes page by page, and the Idp that talks to it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from grantproof.idp import Idp
from grantproof.profile.loading import read
from tests.unit.login.server import Heard, Pages, Reply, Site, serve

PROFILE = """
[endpoints]
token = "{origin}/token"
authorization = "{origin}/authorize"
{endpoints}
[clients.service]
id = "service"
secret = "service-secret-0"
auth_methods = ["client_secret_basic", "client_secret_post"]
grants = ["client_credentials"]
scopes = ["read"]
[clients.restricted]
id = "restricted"
secret = "restricted-secret"
grants = []
[clients.spa]
id = "spa"
public = true
grants = ["implicit"]
redirect_uris = ["https://app.example/cb"]
[user]
username = "{user[0]}"
password = "{user[1]}"
{more}
"""
ALICE = ("alice", "alices-password")
TOKEN = "0paque-t0ken-of-the-target"


def as_json(members: Any, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(json.dumps(members), status, (("Content-Type", "application/json"),))


def issue(_heard: Heard) -> Reply:
    """A token response."""
    return as_json({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})


def refuse(error: str, status: int = 400) -> Callable[[Heard], Reply]:
    """An error response."""
    return lambda _heard: as_json({"error": error}, status)


class Connect(Protocol):
    """Serves some pages and opens the target that they are."""

    def __call__(
        self,
        pages: Pages,
        *,
        endpoints: str = "",
        more: str = "",
        user: tuple[str, str] = ALICE,
        counter: Path | None = None,
    ) -> tuple[Idp, Site]:
        """The target, and the server behind it."""
        ...


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again without waiting."""
    monkeypatch.setattr("grantproof.transport.client._PAUSES_S", (0.0, 0.0))


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Serves some pages and opens the target that they are."""
    with ExitStack() as stack:

        def make(
            pages: Pages,
            *,
            endpoints: str = "",
            more: str = "",
            user: tuple[str, str] = ALICE,
            counter: Path | None = None,
        ) -> tuple[Idp, Site]:
            site = stack.enter_context(serve(pages))
            text = PROFILE.format(
                origin=site.origin, endpoints=endpoints.format(origin=site.origin), user=user, more=more
            )
            idp = Idp.open(read(text, tmp_path / "target.toml"), counter=counter)
            return stack.enter_context(idp), site

        yield make
