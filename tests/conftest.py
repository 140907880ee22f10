"""What the tests of the tester share: one embedded server a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from grantproof import embedded


@pytest.fixture(scope="session")
def lawful_profile() -> Iterator[Path]:
    """The profile of a lawful embedded server that runs for the session."""
    with embedded.start() as path:
        yield path
