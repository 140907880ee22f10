"""What a master tells a worker's engine, kept while the worker still prepares."""

from collections.abc import Sequence
from typing import Protocol

Shares = Sequence[tuple[int, int]]


class Orders(Protocol):
    """Takes what a master says. `stopped` says that nothing more is to be sent."""

    stopped: bool

    def take_over(self, shares: Shares, since_s: float) -> None:
        """Sends another worker's requests too that are due from a moment on."""
        ...

    def retire(self, *, handed_over: bool = False) -> None:
        """Sends nothing more; where others have taken over, what was due is theirs."""
        ...


class Inbox:
    """Hands orders to the engine of a test, now or once there is one."""

    def __init__(self) -> None:
        self._orders: Orders | None = None
        self._early: list[tuple[Shares, float]] = []

    def open(self, orders: Orders) -> None:
        """From now on there is one; it gets what has come already."""
        self._orders = orders
        for shares, since_s in self._early:
            orders.take_over(shares, since_s)
        self._early.clear()

    def clear(self) -> None:
        """Another test begins: what was said in the former one is over."""
        self._orders = None
        self._early.clear()

    def put(self, shares: Shares, since_s: float) -> None:
        """What another worker should have sent is to be taken over from a moment on."""
        if self._orders is None:
            self._early.append((shares, since_s))
        else:
            self._orders.take_over(shares, since_s)

    def retire(self) -> None:
        """Others have taken over what this one should send."""
        if self._orders is not None:
            self._orders.retire(handed_over=True)
