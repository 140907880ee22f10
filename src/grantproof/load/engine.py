"""The engine: sends requests when they are due, whatever the answers do, and takes the time from when they were due.

One thread, one loop, many connections. In the open loop a schedule says when requests are due; in the closed loop
each of a number of users sends its next request when it has its answer. Several scenarios may share the loop, each in a
lane of its own. The same code runs in Locust's worker and without it.
"""

import gc
from collections import deque
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

from grantproof.load.lane import NEVER, Lane
from grantproof.load.reactor import Reactor

if TYPE_CHECKING:
    from grantproof.load.exchange import Exchange
    from grantproof.load.schedule import Schedule
    from grantproof.load.tally import Tally
    from grantproof.load.target import Target

MOST_CONNECTIONS: Final = 1000
_TICK_S: Final = 0.05


class Engine:
    """One run of one exchange against one target, or of several once more lanes are added.

    Args:
        target: where requests go.
        exchange: what is sent and how it is judged.
        schedule: when requests are due; None is the closed loop.
        users: how many requests are under way at any time in the closed loop; may change while it runs.
        duration_s: how long the closed loop sends; None is until `stop`.
        most_connections: how many connections may be open at once.
        name: the scenario's, for its tallies.

    Attributes:
        finished: tallies of seconds that are over, for whoever takes them out while the engine runs.
        lanes: the scenarios.
        unreached: the target of one took no connection at the start, so that nothing was sent there.
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
        name: str = "",
    ) -> None:
        self.finished: deque[Tally] = deque()
        self.lanes: list[Lane] = []
        self.unreached = False
        self._reactor = Reactor()
        self._start = self._cut_off = NEVER
        self._ended = self._next_tick = self._cpu = 0.0
        self._second = 1
        self._stop_s, self._handed_over = NEVER, False
        self.add(
            target,
            exchange,
            schedule,
            name=name,
            users=users,
            duration_s=duration_s,
            most_connections=most_connections,
        )

    def add(
        self,
        target: "Target",
        exchange: "Exchange",
        schedule: "Schedule | None" = None,
        *,
        users: int = 0,
        duration_s: float | None = None,
        most_connections: int = MOST_CONNECTIONS,
        name: str = "",
    ) -> Lane:
        """Adds another scenario, before the engine runs; the arguments are those of the engine."""
        lane = Lane(
            target,
            exchange,
            schedule,
            self._reactor,
            name=name,
            users=users,
            duration_s=duration_s,
            most_connections=most_connections,
        )
        self.lanes.append(lane)
        return lane

    @property
    def users(self) -> int:
        """The users of the first lane."""
        return self.lanes[0].users

    @users.setter
    def users(self, number: int) -> None:
        self.lanes[0].users = number

    @property
    def start_s(self) -> float:
        """The moment from which schedules count, on `perf_counter`; infinite before."""
        return self._start

    @property
    def elapsed_s(self) -> float:
        """How long the run took so far, from the moment when the first request could leave to the last answer."""
        return 0.0 if self._start == NEVER else (self._ended or perf_counter()) - self._start

    def stop(self, grace_s: float = 0.0, *, handed_over: bool = False) -> None:
        """Sends nothing more and waits no longer than this for what is under way. For other threads.

        What was due and not sent counts as cut off, unless it is handed over to another engine.
        """
        self._handed_over = handed_over
        self._stop_s = min(self._stop_s, perf_counter() + grace_s)

    def run(self) -> None:
        """Runs to the end of the schedules or to `stop`, and until what is under way is resolved."""
        self._cpu = process_time()
        gc.freeze()  # what is there stays there: a full collection of it would make requests late
        try:
            reachable = [lane for lane in self.lanes if lane.traffic.probe()]
            self.unreached = len(reachable) < len(self.lanes)
            self._start = perf_counter()
            for lane in reachable:
                lane.begin(self._start)
            if reachable:
                self._loop(reachable)
        finally:
            self._conclude()
            gc.unfreeze()

    def _loop(self, lanes: list[Lane]) -> None:
        handle, single = self._reactor.handle, lanes[0] if len(lanes) == 1 else None
        while True:
            now = perf_counter()
            if now >= self._next_tick and not self._tick(now, lanes):
                return
            if single is not None:
                single.dispatch(now)
                if single.next_s == NEVER and single.is_done(now):
                    return
                until = self._next_tick if single.blocked or single.next_s > self._next_tick else single.next_s
            else:
                for lane in lanes:
                    lane.dispatch(now)
                if all(lane.is_done(now) for lane in lanes):
                    return
                until = min(self._next_tick, *(lane.next_s for lane in lanes if not lane.blocked), NEVER)
            handle(until - perf_counter())

    def _tick(self, now: float, lanes: list[Lane]) -> bool:
        """What is done now and then; False when the run is to end at once."""
        if self._next_tick:
            lanes[0].traffic.tally.loop.record(now - self._next_tick)
        for lane in lanes:
            lane.tick(now)
        if now - self._start >= self._second:
            self._close_second(now)
        if self._stop_s < self._cut_off:
            for lane in lanes if self._cut_off == NEVER else ():
                lane.stop(now, handed_over=self._handed_over)
            self._cut_off = self._stop_s
        self._next_tick = min(now + _TICK_S, self._start + self._second)
        return now < self._cut_off

    def _close_second(self, now: float) -> None:
        elapsed_s, cpu_s = now - self._start, process_time()
        tallies = [lane.close_second(elapsed_s) for lane in self.lanes]
        sent = sum(tally.sent for tally in tallies)
        for tally in tallies:
            tally.cpu_s = (cpu_s - self._cpu) * (tally.sent / sent if sent else 1 / len(tallies))
        self._cpu = cpu_s
        self._second = max(self._second, int(elapsed_s)) + 1
        self.finished.extend(tallies)

    def _conclude(self) -> None:
        for lane in self.lanes:
            lane.traffic.abandon()
        self._reactor.close()
        self._ended = now = perf_counter()
        self._start = min(self._start, now)
        self._close_second(now)
        ends = [lane.end_s for lane in self.lanes if lane.end_s < NEVER]
        if self._stop_s == NEVER and ends:
            self._ended = max(now, *ends)  # the last request may be answered before the time is up
