"""Waits for all connections of an engine at once and hands what happens to whoever owns them."""

from time import perf_counter
from typing import TYPE_CHECKING

from grantproof.load.connection import BUSY
from grantproof.load.poller import READABLE, make_poller

if TYPE_CHECKING:
    from grantproof.load.connection import Connection


class Reactor:
    """The connections of one engine.

    Attributes:
        now: the time of the events that are being dealt with, on `perf_counter`.
        retired: connections that their peers have ended, which are closed before the next waiting at the latest.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.retired: list[Connection] = []
        self._poller = make_poller()
        self._connections: dict[int, Connection] = {}
        self.modify = self._poller.modify

    def add(self, connection: "Connection", mask: int) -> None:
        """Watches a connection; what happens on it goes to its owner."""
        self._connections[connection.descriptor] = connection
        self._poller.register(connection.descriptor, mask)

    def remove(self, connection: "Connection") -> None:
        """Watches it no more."""
        del self._connections[connection.descriptor]
        self._poller.unregister(connection.descriptor)

    def retire(self, connection: "Connection") -> None:
        """Watches no more a connection that its peer has ended, and closes it a little later.

        Closing tells the peer, and whoever tells a peer that sleeps pays for its waking. After a request, which wakes
        it anyway, that costs nothing.
        """
        self.remove(connection)
        self.retired.append(connection)

    def close_retired(self) -> None:
        """Closes all that are retired."""
        while self.retired:
            self.retired.pop().close()

    def close(self) -> None:
        """Ends its own work, when its connections are closed."""
        self.close_retired()
        self._poller.close()

    def handle(self, wait_s: float) -> None:
        """Waits at most so long for something to happen and has it dealt with."""
        if self.retired:
            self.close_retired()
        events = self._poller.wait(wait_s)
        if not events:
            return
        now = self.now = perf_counter()
        connections = self._connections
        for descriptor, mask in events:
            connection = connections.get(descriptor)
            if connection is None or connection.since_s > now:
                continue  # closed by an earlier event, and its number perhaps taken by a new connection
            if mask == READABLE and connection.state == BUSY:
                connection.owner.read(connection)
            else:
                connection.owner.turn(connection, mask)
