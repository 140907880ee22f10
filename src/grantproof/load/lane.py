"""One scenario inside an engine: when its requests are due, and its traffic."""

from collections import deque
from heapq import merge
from itertools import chain, dropwhile
from typing import TYPE_CHECKING, Final

from grantproof.load.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from grantproof.load.exchange import Exchange
    from grantproof.load.reactor import Reactor
    from grantproof.load.schedule import Schedule
    from grantproof.load.tally import Tally
    from grantproof.load.target import Target

NEVER: Final = float("inf")


class Lane:
    """Requests of one exchange to one target, by a schedule (open loop) or by a number of users (closed loop).

    Attributes:
        name: the scenario's, for its tallies.
        users: how many requests are under way at any time in the closed loop; may change while it runs.
        traffic: its connections.
        next_s: when the next request is due, on `perf_counter`.
        blocked: what is due waits for a connection, so there is nothing to wake up for.
    """

    def __init__(
        self,
        target: "Target",
        exchange: "Exchange",
        schedule: "Schedule | None",
        reactor: "Reactor",
        *,
        name: str = "",
        users: int = 0,
        duration_s: float | None = None,
        most_connections: int,
    ) -> None:
        self.name, self.users = name, users
        self.traffic = Traffic(target, exchange, most_connections, reactor, paced=schedule is not None)
        self.next_s, self.blocked = NEVER, False
        self.duration_s = schedule.duration_s if schedule is not None else duration_s
        self.end_s = NEVER
        self._judge = exchange.judge
        self._timeout_s = target.timeout_s
        self.open_loop = schedule is not None
        self._times: Iterator[float] = iter(schedule) if schedule is not None else iter(())
        self._start = NEVER
        self._second, self._offered = 1, 0
        self._taken_over: deque[Iterator[float]] = deque()

    def begin(self, start_s: float) -> None:
        """Sets the moment from which its schedule counts."""
        self._start = start_s
        self.next_s = start_s + next(self._times, NEVER)
        self.end_s = start_s + (NEVER if self.duration_s is None else self.duration_s)

    def take_over(self, schedule: "Schedule", since_s: float) -> None:
        """Sends another schedule's requests too that are due from a moment on. For other threads."""
        rest = dropwhile(lambda due: due < since_s, schedule)
        self._taken_over.append(chain((next(rest, NEVER),), rest))

    def dispatch(self, now: float) -> None:
        """Hands over what is due."""
        if self.open_loop:
            self._dispatch_open(now)
        else:
            self._dispatch_closed(now)

    def _dispatch_open(self, now: float, take: "Callable[[float, float], bool] | None" = None) -> None:
        """What finds no connection stays in the schedule, however long the backlog grows."""
        traffic = self.traffic
        take = take or (traffic.take_late if self.blocked else traffic.take)
        while self.next_s <= now:
            due = self.next_s
            if now - due >= self._timeout_s:
                traffic.count_timeout(now - due)
            elif not take(due, now):
                self.blocked = True
                return
            self._offered += 1
            following = next(self._times, NEVER)
            self.next_s = self._start + following
            if following >= self._second:
                self._note_offered()
                self._second = int(following) + 1 if following < NEVER else self._second
        self.blocked = False

    def _dispatch_closed(self, now: float) -> None:
        traffic = self.traffic
        if now >= self.end_s or now < traffic.paused_until:
            return
        traffic.fill(self.users, now)

    def tick(self, now: float) -> None:
        """What is done now and then."""
        self.traffic.sweep(now)
        self._judge.settle()
        while self._taken_over:
            mine = chain((self.next_s - self._start,), self._times)
            self._times = merge(mine, self._taken_over.popleft())
            self.next_s = self._start + next(self._times)

    def stop(self, now: float, *, handed_over: bool = False) -> None:
        """Sends nothing more. What was due until now counts as cut off, unless another engine sends it."""
        if self.open_loop and not handed_over:
            self._dispatch_open(now, self.traffic.cut_off)
        self._times, self.next_s, self.end_s, self.blocked = iter(()), NEVER, now, False

    def is_done(self, now: float) -> bool:
        """Whether all that was due is resolved."""
        traffic = self.traffic
        waits = self.next_s < NEVER or traffic.busy or traffic.waiting or self._taken_over
        return not waits and (self.open_loop or now >= self.end_s)

    def close_second(self, elapsed_s: float) -> "Tally":
        """Gives the tally of the second that is over, and begins the next one."""
        self._note_offered()
        tally = self.traffic.close_second(elapsed_s)
        tally.scenario = self.name
        tally.notes, tally.hashes = self._judge.take_notes(), self._judge.take_hashes()
        return tally

    def _note_offered(self) -> None:
        if self._offered:
            offered = self.traffic.tally.offered
            offered[self._second] = offered.get(self._second, 0) + self._offered
            self._offered = 0
