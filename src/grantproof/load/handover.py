"""What a master tells a worker to take over, kept while the worker still prepares."""

from collections.abc import Sequence
from typing import Protocol

Shares = Sequence[tuple[int, int]]


class Heir(Protocol):
    """Sends what others should have sent."""

    def take_over(self, shares: Shares, since_s: float) -> None:
        """Sends another worker's requests too that are due from a moment on."""
        ...


class Inbox:
    """Hands orders to the heir of a test, now or once there is one."""

    def __init__(self) -> None:
        self._heir: Heir | None = None
        self._early: list[tuple[Shares, float]] = []

    def open(self, heir: Heir) -> None:
        """From now on there is one; it gets what has come already."""
        self._heir = heir
        for shares, since_s in self._early:
            heir.take_over(shares, since_s)
        self._early.clear()

    def clear(self) -> None:
        """Another test begins: what was said in the former one is over."""
        self._heir = None
        self._early.clear()

    def put(self, shares: Shares, since_s: float) -> None:
        """An order has come."""
        if self._heir is None:
            self._early.append((shares, since_s))
        else:
            self._heir.take_over(shares, since_s)
