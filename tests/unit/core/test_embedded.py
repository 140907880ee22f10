"""The life of the embedded server."""

import socket

import pytest

from grantproof import embedded
from grantproof.errors import GrantproofError
from grantproof.profile.loading import load


def test_it_ends_with_its_context_and_takes_its_secrets_along() -> None:
    with embedded.start() as path:
        profile = load(str(path))
        host, port = profile.target.issuer.removeprefix("http://").split(":")
        socket.create_connection((host, int(port)), 5).close()
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.parent.exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), 5)


def test_it_ends_when_the_run_breaks() -> None:
    server = embedded.start()
    path = server.__enter__()
    assert path.exists()
    assert not server.__exit__(RuntimeError, RuntimeError(), None)
    assert not path.exists()


@pytest.mark.parametrize(("faults", "oddities"), [(["success_has_status_2001"], []), ([], ["success_has_status_2001"])])
def test_it_says_why_it_does_not_start(faults: list[str], oddities: list[str]) -> None:
    with pytest.raises(GrantproofError, match="the embedded server does not start") as ending:
        embedded.start(faults, oddities).__enter__()
    assert "success_has_status_2001" in ending.value.hint
