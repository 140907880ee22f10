"""The connections of a scenario and the requests on them: takes what is due, and counts what becomes of it."""

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Final

from grantproof.load.connection import BUSY, CLOSED, CONNECTING, ENDING, IDLE, Connection, UntouchedError
from grantproof.load.dialer import STARVATION, kind_of
from grantproof.load.histogram import Histogram
from grantproof.load.http1 import MalformedAnswerError
from grantproof.load.judge import MALFORMED, PROTECTIVE
from grantproof.load.poller import READABLE, TROUBLE, WRITABLE
from grantproof.load.pool import BOTH, Pool
from grantproof.load.tally import Tally

if TYPE_CHECKING:
    from grantproof.load.exchange import Exchange
    from grantproof.load.reactor import Reactor
    from grantproof.load.target import Target

_PAUSE_S: Final = 0.05
_STALE_S: Final = 1.0
_ENDING_S: Final = 0.1
_AT_ONCE: Final = 0.0
_TIRED: Final = 408  # on a kept-alive connection: the peer waited for a request, and ours had not come yet


class Traffic:
    """Requests under way. All times are on the clock `perf_counter`.

    A request that is due takes a free connection. Where none is free it waits, and another connection is opened up to
    the limit; whichever connection is free first takes the request that has waited longest. Where the target asks for
    new connections, each request has one opened for it, and making it is part of its service.

    Args:
        target: where requests go.
        exchange: what is sent and how it is judged.
        most_connections: how many connections may be open at once.
        reactor: waits for them.
        paced: a schedule says when requests are due (open loop); without one they are meant to leave when they do.

    Attributes:
        tally: counts of the current second; the engine changes it.
        busy: how many requests are on a connection.
        waiting: when requests without a connection were due, and whether they were sent before.
        paused_until: after a failed connection nothing new is begun before, where there is a choice.
    """

    def __init__(
        self, target: "Target", exchange: "Exchange", most_connections: int, reactor: "Reactor", *, paced: bool
    ) -> None:
        self.tally = Tally(t=1)
        self.busy = 0
        self.waiting: deque[tuple[float, bool]] = deque()
        self.paused_until = 0.0
        self._judge, self._next_request = exchange.judge.__call__, exchange.next_request
        self._paced, self._at_once = paced, Histogram()
        self._timeout_s = target.timeout_s
        self._anew, self._remembers = target.new_connections, target.resumption and target.secure
        self._reactor = reactor
        self._pool = Pool(target, most_connections, reactor, self)
        self._idle = self._pool.idle

    def probe(self) -> bool:
        """Whether the target takes connections at all; if not, that is counted."""
        try:
            self._pool.dialer.probe()
        except OSError as error:
            self._count_error(kind_of(error))
            return False
        return True

    def take(self, due: float, now: float) -> bool:
        """Takes a request that is due; False when it has to wait outside, because all connections are taken.

        Args:
            due: when it is meant to leave.
            now: the time.
        """
        if self._idle:
            self._send(self._idle.pop(), due, self.tally.lag, 0)
            return True
        return self._queue(due, now, self.tally.lag)

    def take_late(self, due: float, now: float) -> bool:
        """Takes a request that had to wait outside before, as `take` does."""
        if self._idle:
            self._send(self._idle.pop(), due, self.tally.queue, 0)
            return True
        return self._queue(due, now, self.tally.queue)

    def fill(self, users: int, now: float) -> None:
        """Takes requests of the closed loop, which are meant to leave when they do, until so many are under way."""
        idle = self._idle
        for _ in range(users - self.busy - len(self.waiting)):
            if idle:
                self._send(idle.pop(), _AT_ONCE, None, 0)
            elif not self._queue(perf_counter(), now, None) or now < self.paused_until:
                return

    def _queue(self, due: float, now: float, lateness: Histogram | None) -> bool:
        room = self._pool.has_room()
        if self._anew and room:
            if lateness is not None:
                lateness.record(perf_counter() - due)
        elif self._anew or (len(self.waiting) >= self._pool.connecting and not room):
            return False
        self.waiting.append((due, False))
        self._open_enough(now)
        return True

    def sweep(self, now: float) -> None:
        """Gives up what has taken too long, and sees to it that what waits has a connection to wait for."""
        self._reactor.now = now
        tally = self.tally
        for histogram in (self._at_once, tally.latency, tally.service, tally.lag, tally.queue):
            histogram.settle()
        oldest, starved_s = now - self._timeout_s, 0.0
        while self.waiting and self.waiting[0][0] <= oldest:
            self.count_timeout(now - self.waiting.popleft()[0])
        for connection in self._pool:
            if connection.state == BUSY and connection.intended_s <= oldest:
                self.count_timeout(now - connection.intended_s)
                self.tally.service.record(now - connection.sent_s)
                if not (connection.served or self._anew):
                    self.tally.unserved += 1
                    starved_s = max(starved_s, connection.sent_s)
                self._drop(connection)
            elif (connection.state == CONNECTING and connection.since_s <= oldest) or (
                connection.state == ENDING and connection.rested_s <= now - _ENDING_S
            ):
                self._drop(connection)
        if starved_s:
            serving = sum(connection.served and connection.rested_s > starved_s for connection in self._pool)
            self.tally.serving = max(self.tally.serving, serving)
        if now >= self.paused_until:
            self._open_enough(now)

    def count_timeout(self, age_s: float) -> None:
        """Counts a request that has had no answer in time."""
        self.tally.errors["timeout"] += 1
        self.tally.latency.record(age_s)

    def close_second(self, elapsed_s: float) -> Tally:
        """Gives the tally of the second that is over, and begins the next one."""
        tally, at_once, self._at_once = self.tally, self._at_once, Histogram()
        tally.latency.merge(at_once)
        tally.service.merge(at_once)
        self.tally = Tally(t=max(tally.t, int(elapsed_s)) + 1)
        return tally

    def cut_off(self, due: float, now: float) -> bool:
        """Counts what was due and will get no answer. It weighs with its age: its latency would have been more."""
        self.tally.abandoned += 1
        self.tally.latency.record(now - due)
        return True

    def abandon(self) -> None:
        """Ends everything; what is under way is cut off."""
        now = perf_counter()
        while self.waiting:
            self.cut_off(self.waiting.popleft()[0], now)
        for connection in self._pool:
            if connection.state == BUSY:
                self.cut_off(connection.intended_s, now)
            self._drop(connection)

    # Connections

    def _open_enough(self, now: float) -> None:
        """Opens another connection unless as many are on their way as requests wait."""
        if len(self.waiting) > self._pool.connecting and self._pool.has_room():
            self._open(now)

    def _open(self, now: float) -> None:
        try:
            made = self._pool.open(now)
        except OSError as error:
            if error.errno in STARVATION:
                self.tally.starved = True
                self.paused_until = now + _PAUSE_S
            else:
                self._miss(kind_of(error), now)
            return
        self.tally.opened += 1
        if made is not None:
            self.turn(made, 0)
            if self._reactor.retired:
                self._reactor.retired.pop().close()

    def _drop(self, connection: Connection) -> None:
        self.busy -= connection.state == BUSY
        self._pool.drop(connection)

    def _rest(self, connection: Connection) -> None:
        """Gives a free connection to the request that waits longest, or keeps it for the next one."""
        if self.waiting:
            due, retried = self.waiting.popleft()
            self._send(connection, due, self.tally.queue if self._paced else None, retried)
        else:
            connection.state = IDLE
            self._idle.append(connection)

    def _end(self, connection: Connection) -> None:
        """Lets the peer end a connection that was for one request, so that the waiting for stray octets is its."""
        if connection.multiplexed:
            self._drop(connection)
            return
        self.busy -= 1
        self._pool.end(connection)
        self.turn(connection, READABLE)

    def turn(self, connection: Connection, mask: int) -> None:
        """Any event but an answer on a connection that waits for one."""
        try:
            if connection.state == CONNECTING:
                self._establish(connection, mask)
            elif connection.state == ENDING:
                if connection.receive() is not None:
                    self._pool.retire(connection)
            elif connection.state == IDLE:
                if connection.receive() is not None:
                    self._drop(connection)
            else:
                if mask & WRITABLE and connection.flush():
                    self._reactor.modify(connection.descriptor, READABLE)
                if mask & ~WRITABLE:
                    self.read(connection)
        except OSError as error:
            self._lose(connection, error)
        if (mask & TROUBLE or connection.full) and connection.state != CLOSED:
            self._look_again(connection)

    def _look_again(self, connection: Connection) -> None:
        """Has told again what is there: more than was taken, or the end behind it."""
        connection.full = False
        unmade = connection.state == CONNECTING and not connection.made
        self._reactor.modify(connection.descriptor, BOTH if unmade or connection.left else READABLE)

    def _establish(self, connection: Connection, mask: int) -> None:
        ready = connection.establish()
        if mask & WRITABLE or connection.left:
            self._reactor.modify(connection.descriptor, BOTH if connection.left else READABLE)
        if not ready:
            return
        self._pool.connecting -= 1
        if self._pool.dialer.secure:
            self.tally.handshakes += 1
            self.tally.resumed += connection.resumed
            self.tally.multiplexed += connection.multiplexed
        self._rest(connection)

    # Requests and answers

    def _send(self, connection: Connection, due: float, lateness: Histogram | None, attempts: int) -> None:
        tally = self.tally
        connection.state = BUSY
        connection.sent_s = sent = perf_counter()
        connection.intended_s = due or sent
        connection.retried = attempts > 0
        next_request = self._next_request  # calling an attribute that is no method takes longer
        connection.request = request = next_request()
        self.busy += 1
        if self._anew:
            connection.sent_s = max(connection.since_s, due)  # its lag was counted when it was taken
        elif lateness is not None:
            lateness.record(sent - due)
        tally.sent += 1
        if attempts:
            tally.retried += 1
        if connection.served:
            tally.reused += 1
        try:
            if not connection.send(request):
                self._reactor.modify(connection.descriptor, BOTH)
        except OSError as error:
            self._lose(connection, error)

    def read(self, connection: Connection) -> None:  # noqa: C901, PLR0912 - each request comes here: calls would be felt
        """Octets of an answer may have come."""
        reader = connection.reader
        try:
            data = connection.receive()
            if data and len(data) == reader.usual_size and data.startswith(reader.usual_head):
                reader.body = data[reader.usual_start :]
            elif (not data or not reader.feed(data)) and not self._is_complete(connection, data):
                return
            elif reader.closes and self._is_tired(connection):
                self._repeat(connection)
                return
        except OSError as error:
            self._lose(connection, error)
            return
        except MalformedAnswerError:
            self._count_error(MALFORMED)
            self._drop(connection)
            return
        judge, tally, now = self._judge, self.tally, self._reactor.now
        kind = judge(reader.status, reader.body, connection.request, reader.location)
        tally.received += len(reader.body)
        if not kind:
            tally.ok += 1
            sent, intended = connection.sent_s, connection.intended_s
            if sent == intended:
                self._at_once.record(now - sent)  # its latency and its service
            else:
                tally.latency.record(now - intended)
                tally.service.record(now - sent)
        else:
            self._count_refusal(kind, retry_after=reader.head.retry_after)
        if self._remembers and not connection.served:
            self._pool.dialer.remember(connection)
        if self._anew:
            self._end(connection)
        elif reader.closes or connection.ended or (connection.left and not connection.multiplexed):
            self._drop(connection)  # of an answer that came before its request had left, too
        else:
            if connection.full:
                self._look_again(connection)
            self.busy -= 1
            connection.served = True
            connection.rested_s = now
            if self.waiting:
                self._rest(connection)
            else:
                connection.state = IDLE
                self._idle.append(connection)

    def _is_complete(self, connection: Connection, data: bytes | None) -> bool:
        """Whether what came last completes an answer by being its end; whoever ends otherwise is lost."""
        if data is None or (data and not connection.ended):
            if connection.full:
                self._look_again(connection)
            return False
        if connection.reader.end():
            return True
        self._lose(connection, None)
        return False

    def _is_tired(self, connection: Connection) -> bool:
        """Whether the peer had waited too long for a request when it answered, so that this one is sent once more."""
        return connection.reader.status == _TIRED and connection.served and not connection.retried

    def _count_refusal(self, kind: str, *, retry_after: bool) -> None:
        """Counts an answer that is no good one."""
        self._count_error(kind)
        if retry_after and kind in PROTECTIVE:
            self.tally.retry_after[kind] += 1

    def _lose(self, connection: Connection, error: OSError | None) -> None:
        """A connection ended by itself. Where a kept-alive one ended before it took its request, that is sent again.

        The peer may end an idle connection at any time; a request that is on its way then finds an ordinary end, which
        is told as a broken pipe once the request is refused. A reset in the midst of traffic is the target's doing.
        """
        state, kind = connection.state, kind_of(error) if error is not None else "reset"
        stale = connection.sent_s - connection.rested_s >= _STALE_S
        gone = error is None or isinstance(error, BrokenPipeError) or stale
        refused = isinstance(error, UntouchedError) or (gone and connection.served)
        if state == BUSY and refused and not (connection.reader.begun or connection.retried):
            self._repeat(connection)
            return
        self._drop(connection)
        if state == CONNECTING:
            self._miss(kind, perf_counter())
        elif state == BUSY:
            self._count_error(kind)

    def _repeat(self, connection: Connection) -> None:
        """Sends the request of a connection that ends without having taken it on another one."""
        self._drop(connection)
        self.waiting.appendleft((connection.intended_s, True))
        self._open_enough(perf_counter())

    def _miss(self, kind: str, now: float) -> None:
        """A connection could not be made: the request that waits longest fails with it."""
        self.paused_until = now + _PAUSE_S
        if self.waiting:
            self.waiting.popleft()
            self._count_error(kind)

    def _count_error(self, kind: str) -> None:
        (self.tally.protected if kind in PROTECTIVE else self.tally.errors)[kind] += 1
