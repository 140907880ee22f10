"""Waits until sockets are ready or a moment has come, to about a tenth of a millisecond."""

import select
import selectors
from typing import TYPE_CHECKING, Final, Protocol

from grantproof.load import native

if TYPE_CHECKING:
    from collections.abc import Callable

READABLE: Final = 1
WRITABLE: Final = 4
TROUBLE: Final = ~(READABLE | WRITABLE)
_ONCE: Final = getattr(select, "EPOLLET", 0) | getattr(select, "EPOLLRDHUP", 0)
_MOST_EVENTS: Final = 64
_FINE_WAIT_S: Final = 0.002


class Poller(Protocol):
    """Ready sockets by descriptor. Masks are those of poll(2): `READABLE`, `WRITABLE`, others mean `TROUBLE`.

    What has been told may not be told again until something else happens. Who has not taken all that has come, or was
    told of trouble beside it, has it told again by `modify`.
    """

    def register(self, descriptor: int, mask: int) -> None:
        """Watches a socket."""
        ...

    def modify(self, descriptor: int, mask: int) -> None:
        """Watches for something else."""
        ...

    def unregister(self, descriptor: int) -> None:
        """Watches no more; the socket is closed next."""
        ...

    def wait(self, timeout_s: float) -> list[tuple[int, int]]:
        """Descriptors with their masks; empty when nothing was ready in time."""
        ...

    def close(self) -> None:
        """Gives the kernel's object back."""
        ...


class EpollPoller:
    """Linux. epoll counts in whole milliseconds, so a short wait goes through select(2) on the epoll descriptor.

    Edge-triggered: otherwise the kernel would look at each socket a second time, to find that nothing more has come.
    """

    def __init__(self) -> None:
        self._epoll = native.epoll()
        self.close = self._epoll.close
        self._ready: Callable[[float, int], list[tuple[int, int]]] = self._epoll.poll
        self._descriptor: int = self._epoll.fileno()
        self._select = native.select if self._descriptor < 1024 else None

    def register(self, descriptor: int, mask: int) -> None:
        """Watches a socket."""
        self._epoll.register(descriptor, mask | _ONCE)

    def modify(self, descriptor: int, mask: int) -> None:
        """Watches for something else, or for the same once more."""
        self._epoll.modify(descriptor, mask | _ONCE)

    def unregister(self, descriptor: int) -> None:
        """Nothing to do: the kernel forgets a socket that is closed."""

    def wait(self, timeout_s: float) -> list[tuple[int, int]]:
        """Descriptors with their masks; empty when nothing was ready in time."""
        if timeout_s <= 0:
            return self._ready(0, _MOST_EVENTS)
        if timeout_s >= _FINE_WAIT_S:  # half a millisecond less, because epoll rounds up: the rest is waited for finely
            return self._ready((int(timeout_s * 1000) - 0.5) / 1000, _MOST_EVENTS)
        if self._select is None:
            return self._ready(timeout_s, _MOST_EVENTS)
        ready, _, _ = self._select((self._descriptor,), (), (), timeout_s)
        return self._ready(0, _MOST_EVENTS) if ready else []


class SelectorPoller:
    """Everywhere else, through the standard library's best selector."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, descriptor: int, mask: int) -> None:
        """Watches a socket."""
        self._selector.register(descriptor, _to_selector(mask))

    def modify(self, descriptor: int, mask: int) -> None:
        """Watches for something else."""
        self._selector.modify(descriptor, _to_selector(mask))

    def unregister(self, descriptor: int) -> None:
        """Watches no more."""
        self._selector.unregister(descriptor)

    def wait(self, timeout_s: float) -> list[tuple[int, int]]:
        """Descriptors with their masks; empty when nothing was ready in time."""
        return [
            (
                key.fd,
                (READABLE if mask & selectors.EVENT_READ else 0) | (WRITABLE if mask & selectors.EVENT_WRITE else 0),
            )
            for key, mask in self._selector.select(max(timeout_s, 0))
        ]

    def close(self) -> None:
        """Gives the kernel's object back."""
        self._selector.close()


def _to_selector(mask: int) -> int:
    return (selectors.EVENT_READ if mask & READABLE else 0) | (selectors.EVENT_WRITE if mask & WRITABLE else 0)


def make_poller() -> Poller:
    """The fastest one that the platform has."""
    return EpollPoller() if native.epoll is not None else SelectorPoller()
