"""The open connections of a scenario: how many there may be, which are free, and which are about to end."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from grantproof.load.connection import CLOSED, CONNECTING, ENDING, IDLE, Connection
from grantproof.load.dialer import STARVATION, Dialer
from grantproof.load.http1 import AnswerReader
from grantproof.load.poller import READABLE, WRITABLE

if TYPE_CHECKING:
    from grantproof.load.connection import Owner
    from grantproof.load.reactor import Reactor
    from grantproof.load.target import Target

BOTH: Final = READABLE | WRITABLE
_MOST_READERS: Final = 64


class Pool:
    """Opens connections up to a limit and watches them.

    Args:
        target: where they go.
        most: how many may be open at once.
        reactor: waits for them.
        owner: deals with what happens on them.

    Attributes:
        dialer: makes them.
        idle: those that are free, the one that was last in use at the end.
        connecting: how many are on their way.
    """

    def __init__(self, target: "Target", most: int, reactor: "Reactor", owner: "Owner") -> None:
        self.dialer = Dialer(target)
        self.idle: list[Connection] = []
        self.connecting = 0
        self._most, self._reactor, self._owner = most, reactor, owner
        self._all: set[Connection] = set()
        self._ending: dict[Connection, None] = {}
        self._at_once = True
        self._readers: list[AnswerReader] = []

    def __iter__(self) -> Iterator[Connection]:
        """All of them, also while some are dropped."""
        return iter(tuple(self._all))

    def has_room(self) -> bool:
        """Whether one more may be open; one that only waits for its peer to end it makes way."""
        reactor = self._reactor
        if reactor.retired and len(self._all) + len(reactor.retired) >= self._most:
            reactor.close_retired()
        if len(self._all) >= self._most and self._ending:
            self.drop(next(iter(self._ending)))
        return len(self._all) < self._most

    def open(self, now: float) -> Connection | None:
        """Opens one more, and gives it where the peer has taken it already, so that no event need tell.

        Within a machine that is so; of a target where it once was not so, it is not asked again.

        Raises:
            OSError: it failed at once. Where the system has no more to give, no more than there are will be tried.
        """
        try:
            connection = self.dialer.dial(now)
        except OSError as error:
            if error.errno in STARVATION:
                self._most = max(1, len(self._all))
            raise
        connection.owner = self._owner
        connection.reader = self._readers.pop() if self._readers else AnswerReader()
        self._all.add(connection)
        self.connecting += 1
        self._at_once = self._at_once and connection.is_made()
        self._reactor.add(connection, READABLE if self._at_once else BOTH)
        return connection if self._at_once else None

    def end(self, connection: Connection) -> None:
        """Lets the peer end a connection that was for one request."""
        connection.state = ENDING
        connection.rested_s = self._reactor.now
        self._ending[connection] = None

    def retire(self, connection: Connection) -> None:
        """Has a connection closed that its peer has ended, as `end` wants, or that it sent too much on."""
        del self._ending[connection]
        connection.state = CLOSED
        self._all.remove(connection)
        self._reactor.retire(connection)
        self._keep_reader(connection)

    def drop(self, connection: Connection) -> None:
        """Ends a connection, whatever it is doing."""
        if connection.state == CONNECTING:
            self.connecting -= 1
        elif connection.state == IDLE:
            self.idle.remove(connection)
        elif connection.state == ENDING:
            del self._ending[connection]
        self._all.remove(connection)
        self._reactor.remove(connection)
        connection.close()
        self._keep_reader(connection)

    def _keep_reader(self, connection: Connection) -> None:
        """For the next connection: it knows the head that answers have here."""
        if not connection.reader.begun and len(self._readers) < _MOST_READERS:
            self._readers.append(connection.reader)
