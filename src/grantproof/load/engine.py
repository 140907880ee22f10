"""The engine: sends requests when they are due, whatever the answers do, and takes the time from when they were due.

One thread, one loop, many connections. In the open loop a schedule says when requests are due; in the closed loop
each of a number of users sends its next request when it has its answer. The same code runs in Locust's worker and
without it.
"""

from collections import deque
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

from grantproof.load.histogram import Histogram
from grantproof.load.tally import Tally
from grantproof.load.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grantproof.load.exchange import Exchange
    from grantproof.load.schedule import Schedule
    from grantproof.load.target import Target

MOST_CONNECTIONS: Final = 1000
_NEVER: Final = float("inf")
_TICK_S: Final = 0.05


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
        self._judge = exchange.judge
        self._timeout_s = target.timeout_s
        self._traffic = Traffic(target, exchange, most_connections)
        self._open_loop = schedule is not None
        self._times: Iterator[float] = iter(schedule) if schedule is not None else iter(())
        self._duration_s = schedule.duration_s if schedule is not None else duration_s
        self._start = self._next = self._end = self._cut_off = _NEVER
        self._ended = self._next_tick = self._cpu = 0.0
        self._second, self._offered, self._blocked = 1, 0, False
        self._grace_s: float | None = None

    @property
    def elapsed_s(self) -> float:
        """How long the run took so far, from the moment when the first request could leave to the last answer."""
        return 0.0 if self._start == _NEVER else (self._ended or perf_counter()) - self._start

    def stop(self, grace_s: float = 0.0) -> None:
        """Sends nothing more and waits no longer than this for what is under way. For other threads."""
        self._grace_s = grace_s

    def run(self) -> None:
        """Runs to the end of the schedule or to `stop`, and until what is under way is resolved."""
        self._cpu = process_time()
        try:
            reachable = self._traffic.probe()
            self._start = perf_counter()
            if reachable:
                self._next = self._start + next(self._times, _NEVER)
                self._end = self._start + (_NEVER if self._duration_s is None else self._duration_s)
                self._loop()
        finally:
            self._conclude()

    def _loop(self) -> None:
        traffic, dispatch = self._traffic, self._dispatch_open if self._open_loop else self._dispatch_closed
        while True:
            now = perf_counter()
            if now >= self._next_tick and not self._tick(now):
                return
            dispatch(now)
            if (
                self._next == _NEVER
                and not traffic.busy
                and not traffic.waiting
                and (self._open_loop or now >= self._end)
            ):
                return
            until = self._next_tick if self._blocked or self._next > self._next_tick else self._next
            traffic.handle(until - perf_counter())

    def _dispatch_open(self, now: float) -> None:
        """Hands over what is due. What finds no connection stays in the schedule, however long the backlog grows."""
        traffic = self._traffic
        while self._next <= now:
            due = self._next
            if now - due >= self._timeout_s:
                traffic.count_timeout(now - due)
            elif not traffic.take(due, now, late=self._blocked):
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
        traffic = self._traffic
        while now < self._end and traffic.busy + len(traffic.waiting) < self.users and now >= traffic.paused_until:
            if not traffic.take(perf_counter(), now):
                return

    def _tick(self, now: float) -> bool:
        """What is done now and then; False when the run is to end at once."""
        self._traffic.sweep(now)
        if now - self._start >= self._traffic.tally.t:
            self._close_second(now)
        if self._grace_s is not None and self._cut_off == _NEVER:
            self._times, self._next, self._end, self._cut_off = iter(()), _NEVER, now, now + self._grace_s
            self._blocked = False
        self._next_tick = min(now + _TICK_S, self._start + self._traffic.tally.t)
        return now < self._cut_off

    def _note_offered(self) -> None:
        if self._offered:
            offered = self._traffic.tally.offered
            offered[self._second] = offered.get(self._second, 0) + self._offered
            self._offered = 0

    def _close_second(self, now: float) -> None:
        self._note_offered()
        tally, cpu_s = self._traffic.tally, process_time()
        tally.cpu_s, self._cpu = cpu_s - self._cpu, cpu_s
        tally.notes = self._judge.take_notes()
        if not self._open_loop:
            tally.lag, tally.queue = Histogram(), Histogram()  # a closed loop means its requests to leave when they do
        self._traffic.tally = Tally(t=max(tally.t, int(now - self._start)) + 1)
        self.finished.append(tally)

    def _conclude(self) -> None:
        self._traffic.abandon()
        self._ended = now = perf_counter()
        self._start = min(self._start, now)
        self._close_second(now)
        if self._grace_s is None and self._end < _NEVER:
            self._ended = max(now, self._end)  # the last request may be answered before the time is up
