"""Queues whose capacity and knee are known: a prober that simulates a server, and the truth about it."""

import heapq
import math
import random
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache

from grantproof.load.capacity_probe import WARM_UP
from grantproof.load.capacity_station import Passages
from grantproof.load.schedule import Poisson
from grantproof.load.tally import Tally


@dataclass(frozen=True)
class Queue:
    """Poisson arrivals, one queue, some workers, service times that are fixed or exponential."""

    name: str
    workers: int
    service_s: float
    random: bool
    limit_s: float
    share: float = 0.01

    @property
    def capacity_per_s(self) -> float:
        """The most that it can do."""
        return self.workers / self.service_s

    def over_limit(self, rate_per_s: float) -> float:
        """The share of requests that take longer than the limit, exact.

        M/M/c: Erlang's formula. M/D/c, for limits that are a multiple of the service time: the chain of the number of
        requests at multiples of the service time (Tijms, A First Course in Stochastic Models, section 9.6).
        """
        return self._markovian(rate_per_s) if self.random else self._deterministic(rate_per_s)

    @property
    def knee_per_s(self) -> float:
        """The rate at which that share is the threshold's."""
        return _knee_per_s(self)

    def knee_with_delay(self, delay_s: float) -> float:
        """The same where every answer comes so much later; for fixed service by a long simulation, within 0.3 %."""
        limit_s = self.limit_s - delay_s
        if self.random:
            return replace(self, limit_s=limit_s).knee_per_s
        knee, step = self.knee_per_s, 0.02 * self.knee_per_s
        now, lower = (math.log(self._simulated(knee, limit)) for limit in (self.limit_s, limit_s))
        slope = (now - math.log(self._simulated(knee - step, self.limit_s))) / step
        return knee - (lower - now) / slope

    def _simulated(self, rate_per_s: float, limit_s: float) -> float:
        """The share over a limit, from a million arrivals, the same ones at any rate."""
        free, late, arrived = [0.0] * self.workers, 0, 0
        for due in Poisson(rate_per_s, 1_000_000 / rate_per_s, 1):
            ended = max(free[0], due) + self.service_s
            heapq.heapreplace(free, ended)
            late += ended - due > limit_s
            arrived += 1
        return late / arrived

    def search_knee(self) -> float:
        """The same, computed anew."""
        low, high = 0.01 * self.capacity_per_s, 0.995 * self.capacity_per_s
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (low, middle) if self.over_limit(middle) > self.share else (middle, high)
        return (low + high) / 2

    def _markovian(self, rate_per_s: float) -> float:
        one, load = 1 / self.service_s, rate_per_s * self.service_s
        blocked = 1.0
        for count in range(1, self.workers + 1):
            blocked = load * blocked / (count + load * blocked)
        waits = blocked / (1 - load / self.workers * (1 - blocked))
        drain = self.workers * one - rate_per_s
        alone, queued = math.exp(-one * self.limit_s), math.exp(-drain * self.limit_s)
        if abs(drain - one) < 1e-6:
            return alone * (1 + waits * one * self.limit_s)
        return (1 - waits) * alone + waits * (drain * alone - one * queued) / (drain - one)

    def _deterministic(self, rate_per_s: float) -> float:
        services = round(self.limit_s / self.service_s) - 1
        mean = rate_per_s * self.service_s
        arriving = [math.exp(-mean)]
        while len(arriving) < 60:
            arriving.append(arriving[-1] * mean / len(arriving))
        found = [1.0] + [0.0] * 299
        for _ in range(4000):
            after = [0.0] * len(found)
            for left, weight in enumerate([sum(found[: self.workers + 1]), *found[self.workers + 1 :]]):
                if weight > 1e-13:
                    for more, chance in enumerate(arriving[: len(found) - left]):
                        after[left + more] += weight * chance
            change, found = max(abs(a - b) for a, b in zip(after, found, strict=True)), after
            if change < 1e-10:
                break
        return sum(found[(services + 1) * self.workers :])


@lru_cache(maxsize=32)
def _knee_per_s(queue: Queue) -> float:
    return queue.search_knee()


class SimulatedCrowd:
    """Users in a closed loop, served as the queue does."""

    def __init__(self, queue: Queue, service: Callable[[], float], pass_time: Callable[[float], None]) -> None:
        self._queue, self._service, self._pass_time = queue, service, pass_time
        self._busy: list[float] = []
        self._waiting = 0
        self._users = 0
        self._now = 0.0

    def resize(self, users: int) -> None:
        """More or fewer of them."""
        self._waiting += users - self._users
        self._users = users
        self._fill(self._now)

    def advance(self, seconds: float) -> Sequence[float]:
        """Serves for so long."""
        self._pass_time(seconds)
        self._now += seconds
        times: list[float] = []
        while self._busy and self._busy[0] <= self._now:
            moment = heapq.heappop(self._busy)
            times.append(moment)
            self._waiting += 1
            self._fill(moment)
        return times

    def _fill(self, now: float) -> None:
        while self._waiting > 0 and len(self._busy) < self._queue.workers:
            self._waiting -= 1
            heapq.heappush(self._busy, now + self._service())


class SimulatedProber:
    """A `Prober` without a network; its clock is the simulation's."""

    limitation = ""
    connections = 1000

    def __init__(self, queue: Queue, seed: int) -> None:
        self.queue = queue
        self.elapsed_s = 0.0
        self.sent = 0
        self._dice = random.Random(f"service {seed}")
        self._passages: Passages | None = None

    def _service(self) -> float:
        return self._dice.expovariate(1 / self.queue.service_s) if self.queue.random else self.queue.service_s

    def _pass(self, seconds: float) -> None:
        self.elapsed_s += seconds

    def restrain(self, connections: int) -> None:
        """Opens fewer."""
        self.connections = connections

    def crowd(self) -> AbstractContextManager[SimulatedCrowd]:
        """A closed loop."""
        return nullcontext(SimulatedCrowd(self.queue, self._service, self._pass))

    def arrivals(self, rate_per_s: float, seconds: int, seed: int) -> Iterator[float]:
        """When requests are due."""
        return iter(Poisson(rate_per_s, float(seconds), seed))

    def passages(self) -> Passages | None:
        """Of the last probe."""
        return self._passages

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator[Tally]:
        """Seconds of a probe."""
        free = [0.0] * self.queue.workers
        under_way: list[tuple[float, float]] = []
        due = deque(self.arrivals(rate_per_s, seconds, seed))
        self._passages = Passages(rate_per_s, array("d"), array("d"), WARM_UP)
        for second in range(1, seconds + 1):
            tally = Tally(t=second)
            while due and due[0] < second:
                arrived = due.popleft()
                ended = max(heapq.heappop(free), arrived) + self._service()
                heapq.heappush(free, ended)
                heapq.heappush(under_way, (ended, ended - arrived))
                self._passages.due.append(arrived)
                self._passages.done.append(ended)
                tally.sent += 1
            tally.offered[second] = tally.sent
            self.sent += tally.sent
            while under_way and under_way[0][0] <= second:
                tally.ok += 1
                tally.latency.record(heapq.heappop(under_way)[1])
            self.elapsed_s += 1
            yield tally


QUEUES = (
    Queue("M/D/1", 1, 0.005, random=False, limit_s=0.025),
    Queue("M/D/2", 2, 0.005, random=False, limit_s=0.025),
    Queue("M/M/1", 1, 0.005, random=True, limit_s=0.1),
    Queue("M/M/2", 2, 0.005, random=True, limit_s=0.05),
)
