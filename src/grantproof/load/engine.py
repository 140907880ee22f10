"""The engine: sends requests when they are due, whatever the answers do, and takes the time from when they were due.

One thread, one loop, many connections. In the open loop a schedule says when requests are due; where no connection is free
another is opened up to a limit, and beyond it requests wait while their latency goes on counting. In the closed loop each of a
number of users sends its next request when it has its answer. The same code runs in Locust's worker and without it.
"""

from collections import deque
from collections.abc import Iterator
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

from grantproof.load.connection import BUSY, CONNECTING, IDLE, Connection
from grantproof.load.dialer import STARVATION, Dialer, kind_of
from grantproof.load.histogram import Histogram
from grantproof.load.http1 import MalformedAnswerError
from grantproof.load.judge import MALFORMED, PROTECTIVE
from grantproof.load.poller import READABLE, WRITABLE, make_poller
from grantproof.load.tally import Tally

if TYPE_CHECKING:
    from grantproof.load.exchange import Exchange
    from grantproof.load.schedule import Schedule
    from grantproof.load.target import Target

MOST_CONNECTIONS: Final = 1000
_NEVER: Final = float("inf")
_TICK_S: Final = 0.05
_PAUSE_S: Final = 0.05
_HURRY: Final = READABLE | WRITABLE


class Engine:
    """One run of one exchange against one target.

    Args:
        target: where requests go.
        exchange: what is sent and how it is judged.
        schedule: when requests are due; None is the closed loop.
        users: how many requests are under way at any time in the closed loop; may change while it runs.
        duration_s: how long the closed loop sends; None is until `stop`.
        most_connections: how many connections may be open at once.

    Attributes:
        finished: tallies of seconds that are over, for whoever takes them out while the engine runs.
    """

    def __init__(
        self,
        target: "Target",
        exchange: "Exchange",
        schedule: "Schedule | None" = None,
        *,
        users: int = 0,
        duration_s: float | None = None,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self.users = users
        self.finished: deque[Tally] = deque()
        self._dialer = Dialer(target)
        self._timeout_s = target.timeout_s
        self._judge, self._next_request, self._exchange = exchange.judge, exchange.next_request, exchange
        self._times: Iterator[float] = iter(schedule) if schedule is not None else iter(())
        self._open_loop = schedule is not None
        self._duration_s = schedule.duration_s if schedule is not None else duration_s
        self._limit = most_connections
        self._poller = make_poller()
        self._connections: dict[int, Connection] = {}
        self._idle: list[Connection] = []
        self._waiting: deque[tuple[float, bool]] = deque()
        self._tally = Tally(t=1)
        self._busy, self._blocked = 0, False
        self._start = self._now = self._next = self._end = self._abandon = _NEVER
        self._next_tick = self._paused = 0.0
        self._second, self._offered = 1, 0
        self._grace_s: float | None = None
        self._ended = 0.0

    @property
    def elapsed_s(self) -> float:
        """How long the run took so far, from the moment when the first request could leave to the last answer."""
        return 0.0 if self._start == _NEVER else (self._ended or perf_counter()) - self._start

    def stop(self, grace_s: float = 0.0) -> None:
        """Sends nothing more and waits no longer than this for what is under way. For other threads."""
        self._grace_s = grace_s

    def run(self) -> None:
        """Runs to the end of the schedule or to `stop`, and until what is under way is resolved."""
        try:
            if self._begin():
                self._loop()
        finally:
            self._conclude()

    def _begin(self) -> bool:
        """Whether the target takes connections; if not, that is all there is to count."""
        self._cpu = process_time()
        try:
            self._dialer.probe()
        except OSError as error:
            self._start = self._now = perf_counter()
            self._tally.errors[kind_of(error)] += 1
            return False
        self._start = self._now = perf_counter()
        if self._open_loop:
            self._next = self._start + next(self._times, _NEVER)
        self._end = self._start + (_NEVER if self._duration_s is None else self._duration_s)
        return True

    def _loop(self) -> None:
        clock, wait, connections = perf_counter, self._poller.wait, self._connections
        dispatch = self._dispatch_open if self._open_loop else self._dispatch_closed
        while True:
            now = self._now = clock()
            if now >= self._next_tick and not self._tick(now):
                return
            dispatch(now)
            until = self._next_tick if self._blocked or self._next > self._next_tick else self._next
            if self._next == _NEVER and not self._busy and not self._waiting and self._over(now):
                return
            events = wait(until - clock())
            if events:
                now = self._now = clock()
                for descriptor, mask in events:
                    connection = connections.get(descriptor)
                    if connection is None or connection.since_s > now:
                        continue  # closed by an earlier event, and its number perhaps taken by a new connection
                    if mask == READABLE and connection.state == BUSY:
                        self._read(connection)
                    else:
                        self._turn(connection, mask)

    def _over(self, now: float) -> bool:
        return self._open_loop or now >= self._end

    # What is due

    def _dispatch_open(self, now: float) -> None:
        while self._next <= now:
            due = self._next
            if now - due >= self._timeout_s:
                self._count_timeout(now - due)
            elif self._idle:
                self._send(self._idle.pop(), due, waited=self._blocked)
            elif len(self._connections) < self._limit:
                self._waiting.append((due, False))
                self._open(now)
            else:
                self._blocked = True
                return
            self._offered += 1
            following = next(self._times, _NEVER)
            self._next = self._start + following
            if following >= self._second:
                self._note_offered()
                self._second = int(following) + 1 if following < _NEVER else self._second
        self._blocked = False

    def _dispatch_closed(self, now: float) -> None:
        if now >= self._end or now < self._paused:
            return
        while self._busy + len(self._waiting) < self.users:
            if self._idle:
                self._send(self._idle.pop(), perf_counter(), waited=False)
            else:
                self._waiting.append((now, False))
                self._open(now)
                if self._paused > now:
                    return

    def _note_offered(self) -> None:
        if self._offered:
            self._tally.offered[self._second] = self._tally.offered.get(self._second, 0) + self._offered
            self._offered = 0

    # Connections

    def _open(self, now: float) -> None:
        try:
            connection = self._dialer.dial(now)
        except OSError as error:
            if error.errno in STARVATION:
                self._tally.starved = True
                self._limit = max(1, len(self._connections))
                self._paused = now + _PAUSE_S
            else:
                self._miss(kind_of(error), now)
            return
        self._connections[connection.descriptor] = connection
        self._poller.register(connection.descriptor, _HURRY)
        self._tally.opened += 1

    def _drop(self, connection: Connection) -> None:
        if connection.state == IDLE:
            self._idle.remove(connection)
        elif connection.state == BUSY:
            self._busy -= 1
        del self._connections[connection.descriptor]
        self._poller.unregister(connection.descriptor)
        connection.close()

    def _rest(self, connection: Connection) -> None:
        """Gives a free connection to the request that waits longest, or keeps it for the next one."""
        if self._waiting:
            due, retried = self._waiting.popleft()
            self._send(connection, due, waited=True, retried=retried)
        else:
            connection.state = IDLE
            self._idle.append(connection)

    def _turn(self, connection: Connection, mask: int) -> None:
        """Any event but an answer on a connection that waits for one."""
        try:
            if connection.state == CONNECTING:
                self._establish(connection)
            elif connection.state == IDLE:
                if connection.receive() is not None:
                    self._drop(connection)
            else:
                if mask & WRITABLE and connection.flush():
                    self._poller.modify(connection.descriptor, READABLE)
                if mask & ~WRITABLE:
                    self._read(connection)
        except OSError as error:
            self._lose(connection, error)

    def _establish(self, connection: Connection) -> None:
        ready = connection.establish()
        self._poller.modify(connection.descriptor, READABLE | (WRITABLE if connection.unsent else 0))
        if ready:
            self._rest(connection)

    # Requests and answers

    def _send(self, connection: Connection, due: float, *, waited: bool, retried: bool = False) -> None:
        tally = self._tally
        connection.state = BUSY
        connection.intended_s = due
        connection.sent_s = sent = perf_counter()
        connection.retried = retried
        self._busy += 1
        (tally.queue if waited else tally.lag).record(sent - due)
        tally.sent += 1
        if connection.served:
            tally.reused += 1
        try:
            if not connection.send(self._next_request()):
                self._poller.modify(connection.descriptor, _HURRY)
        except OSError as error:
            self._lose(connection, error)

    def _read(self, connection: Connection) -> None:
        reader = connection.reader
        try:
            data = connection.receive()
            if data is None or (data and not reader.feed(data)):
                return
            if not data and not reader.end():
                self._lose(connection, None)
                return
        except OSError as error:
            self._lose(connection, error)
            return
        except MalformedAnswerError:
            self._count_error(MALFORMED)
            self._drop(connection)
            return
        self._settle(connection, self._judge(reader.status, reader.body))

    def _settle(self, connection: Connection, kind: str) -> None:
        tally, reader = self._tally, connection.reader
        tally.received += len(reader.body)
        if not kind:
            tally.ok += 1
            tally.latency.record(self._now - connection.intended_s)
            tally.service.record(self._now - connection.sent_s)
        else:
            self._count_error(kind)
        if reader.closes:
            self._drop(connection)
            return
        self._busy -= 1
        connection.served += 1
        self._rest(connection)

    def _lose(self, connection: Connection, error: OSError | None) -> None:
        """A connection ended by itself. A kept-alive one may have ended before it took the request: that one is sent again."""
        now, state = self._now, connection.state
        again = state == BUSY and connection.served and not connection.reader.begun and not connection.retried
        self._drop(connection)
        if state == CONNECTING:
            self._miss(kind_of(error) if error is not None else "reset", now)
        elif again:
            self._tally.retried += 1
            self._waiting.appendleft((connection.intended_s, True))
            self._open(now)
        elif state == BUSY:
            self._count_error(kind_of(error) if error is not None else "reset")

    def _miss(self, kind: str, now: float) -> None:
        """A connection could not be made: the request that waits longest fails with it."""
        self._paused = now + _PAUSE_S
        if self._waiting:
            self._waiting.popleft()
            self._count_error(kind)

    def _count_error(self, kind: str) -> None:
        (self._tally.protected if kind in PROTECTIVE else self._tally.errors)[kind] += 1

    def _count_timeout(self, age_s: float) -> None:
        self._tally.errors["timeout"] += 1
        self._tally.latency.record(age_s)

    # What is done now and then

    def _tick(self, now: float) -> bool:
        """Gives up what takes too long and closes the second; False when the run is to end at once."""
        oldest = now - self._timeout_s
        while self._waiting and self._waiting[0][0] <= oldest:
            self._count_timeout(now - self._waiting.popleft()[0])
        connecting = 0
        for connection in list(self._connections.values()):
            if connection.state == BUSY and connection.intended_s <= oldest:
                self._count_timeout(now - connection.intended_s)
                self._tally.service.record(now - connection.sent_s)
                self._drop(connection)
            elif connection.state == CONNECTING:
                connecting += 1
                if connection.since_s <= oldest:
                    self._drop(connection)
        if len(self._waiting) > connecting and len(self._connections) < self._limit and now >= self._paused:
            self._open(now)
        if now - self._start >= self._tally.t:
            self._close_second(now)
        if self._grace_s is not None and self._abandon == _NEVER:
            self._times, self._next, self._end, self._abandon = iter(()), _NEVER, now, now + self._grace_s
            self._blocked = False
        self._next_tick = min(now + _TICK_S, self._start + self._tally.t)
        return now < self._abandon

    def _close_second(self, now: float) -> None:
        cpu_s = process_time()
        tally, self._cpu, spent = self._tally, cpu_s, cpu_s - self._cpu
        tally.cpu_s = spent
        tally.notes = self._judge.take_notes()
        if not self._open_loop:
            tally.lag, tally.queue = Histogram(), Histogram()  # a closed loop means its requests to leave when they do
        self._note_offered()
        self._tally = Tally(t=max(tally.t, int(now - self._start)) + 1)
        self.finished.append(tally)

    def _conclude(self) -> None:
        self._tally.abandoned = self._busy + len(self._waiting)
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._ended = now = perf_counter()
        self._close_second(now)
        if self._grace_s is None and self._end < _NEVER:
            self._ended = max(now, self._end)  # the last request may be answered before the time is up
        self._poller.close()
