"""Servers that are not what a capacity search would like them to be, simulated event by event, and the truth of them.

Some are workers at one queue with unusual service times, behind a network, or with pauses. The others share their
processor, slow down, let requests overtake each other, or have a queue for each worker: of these the search must not
believe that they are workers at one queue.
"""

import heapq
import math
import random
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from grantproof.load.capacity_probe import WARM_UP
from grantproof.load.capacity_station import Passages
from grantproof.load.schedule import Poisson
from grantproof.load.tally import Tally

_NEVER = math.inf
_SERVICE_S = 0.005
_TRUTH_ARRIVALS = 1_500_000
_MOST_WAITING = 3000

# How long a service takes that begins at a moment, with so many requests in the house.
Service = Callable[[float, int], float]


class Server(Protocol):
    """Serves; time passes by its next completion."""

    def arrive(self, now: float, request: int) -> None:
        """A request comes."""
        ...

    def next_s(self) -> float:
        """When something happens next."""
        ...

    def complete(self) -> tuple[float, int] | None:
        """Lets it happen: the moment and the request that was answered, if one was."""
        ...


class Workers:
    """Workers at one queue, who take the request that `pick` chooses; answers travel for a while."""

    def __init__(
        self,
        number: int,
        service: Service,
        pick: Callable[[deque[int]], int] = lambda waiting: waiting.popleft(),
        travel: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._number, self._service, self._pick, self._travel = number, service, pick, travel
        self._waiting: deque[int] = deque()
        self._busy: list[tuple[float, int]] = []
        self._under_way: list[tuple[float, int]] = []

    def arrive(self, now: float, request: int) -> None:
        """A request comes."""
        self._waiting.append(request)
        self._fill(now)

    def next_s(self) -> float:
        """When something happens next."""
        return min(_first(self._busy), _first(self._under_way))

    def complete(self) -> tuple[float, int] | None:
        """Lets it happen."""
        if _first(self._under_way) <= _first(self._busy):
            return heapq.heappop(self._under_way)
        moment, request = heapq.heappop(self._busy)
        self._fill(moment)
        heapq.heappush(self._under_way, (moment + self._travel(), request))
        return None

    def _fill(self, now: float) -> None:
        while self._waiting and len(self._busy) < self._number:
            request = self._pick(self._waiting)
            inside = len(self._waiting) + len(self._busy) + 1
            heapq.heappush(self._busy, (now + self._service(now, inside), request))


class Sharing:
    """A processor that all requests share evenly."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._given, self._now = 0.0, 0.0
        self._jobs: list[tuple[float, int]] = []

    def arrive(self, now: float, request: int) -> None:
        """A request comes."""
        self._pass(now)
        heapq.heappush(self._jobs, (self._given + self._service(now, len(self._jobs) + 1), request))

    def next_s(self) -> float:
        """When something happens next."""
        return self._now + (self._jobs[0][0] - self._given) * len(self._jobs) if self._jobs else _NEVER

    def complete(self) -> tuple[float, int] | None:
        """Lets it happen."""
        moment = self.next_s()
        self._pass(moment)
        return moment, heapq.heappop(self._jobs)[1]

    def _pass(self, now: float) -> None:
        if self._jobs:
            self._given += (now - self._now) / len(self._jobs)
        self._now = now


class Several:
    """A queue for each server, and somebody who sends requests to one of them."""

    def __init__(self, servers: Sequence[Server], choose: Callable[[int], int]) -> None:
        self._servers, self._choose, self._count = servers, choose, 0

    def arrive(self, now: float, request: int) -> None:
        """A request comes."""
        self._servers[self._choose(self._count)].arrive(now, request)
        self._count += 1

    def next_s(self) -> float:
        """When something happens next."""
        return min(server.next_s() for server in self._servers)

    def complete(self) -> tuple[float, int] | None:
        """Lets it happen."""
        return min(self._servers, key=lambda server: server.next_s()).complete()


def _first(heap: Sequence[tuple[float, int]]) -> float:
    return heap[0][0] if heap else _NEVER


@dataclass(frozen=True)
class OddQueue:
    """A kind of server.

    Attributes:
        is_station: it is workers at one queue, as far as anybody can see.
        build: makes one with its own dice.
    """

    name: str
    limit_s: float
    is_station: bool
    build: Callable[[random.Random], Server]
    share: float = 0.01

    @property
    def knee_per_s(self) -> float:
        """The rate at which the share is late, within 0.5 %, by long simulations."""
        return _knee_per_s(self)

    def is_over(self, rate_per_s: float) -> bool:
        """Whether more than the share is late at a rate."""
        server, arrived, late, served = self.build(random.Random(9)), dict[int, float](), 0, 0
        for number, due in enumerate(Poisson(rate_per_s, _TRUTH_ARRIVALS / rate_per_s, 77)):
            while server.next_s() <= due:
                if done := server.complete():
                    late += done[0] - arrived.pop(done[1]) > self.limit_s
                    served += 1
            if len(arrived) > _MOST_WAITING:
                return True
            arrived[number] = due
            server.arrive(due, number)
        return late > self.share * served


@lru_cache(maxsize=64)
def _knee_per_s(queue: OddQueue) -> float:
    low, high = 10.0, 1000.0
    while high - low > 0.003 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if queue.is_over(middle) else (middle, high)
    return (low + high) / 2


def _exponential(dice: random.Random, mean_s: float = _SERVICE_S) -> Service:
    return lambda _now, _inside: dice.expovariate(1 / mean_s)


def _fixed(_now: float, _inside: int) -> float:
    return _SERVICE_S


def _spread_out(dice: random.Random) -> Service:
    return lambda _now, _inside: dice.expovariate(1 / (0.002 if dice.random() < 0.8 else 0.017))


def _log_normal(dice: random.Random) -> Service:
    return lambda _now, _inside: math.exp(dice.gauss(math.log(_SERVICE_S) - 0.32, 0.8))


def _pausing(dice: random.Random) -> Service:
    return lambda _now, _inside: 0.004 + (0.1 if dice.random() < 0.003 else 0.0)


def _stalling(dice: random.Random) -> Service:
    return lambda now, _inside: dice.expovariate(1 / _SERVICE_S) + max(0.0, 0.15 - (now + 2) % 5)


def _held_up(dice: random.Random) -> Service:
    """Fixed, but for 110 ms in which nobody serves, every fifteen seconds on average."""
    windows = deque([dice.expovariate(1 / 15.0)])

    def service(now: float, _inside: int) -> float:
        while now > windows[0] + 0.11:
            windows.append(windows.popleft() + 0.11 + dice.expovariate(1 / 15.0))
        return _SERVICE_S + (windows[0] + 0.11 - now if now >= windows[0] else 0.0)

    return service


def _slower(dice: random.Random) -> Service:
    return lambda _now, inside: dice.expovariate(1 / _SERVICE_S) * (1.25 if inside > 4 else 1.0)


def _ever_slower(_now: float, inside: int) -> float:
    return _SERVICE_S * (1 + 0.02 * min(inside, 20))


def _phases(dice: random.Random, length_s: float, fast_s: float, slow_s: float) -> Service:
    return lambda now, _inside: dice.expovariate(1 / (fast_s if int(now / length_s) % 2 else slow_s))


def _any(dice: random.Random) -> Callable[[deque[int]], int]:
    def pick(waiting: deque[int]) -> int:
        index = dice.randrange(len(waiting))
        waiting[0], waiting[index] = waiting[index], waiting[0]
        return waiting.popleft()

    return pick


ODD = (
    OddQueue(
        "4 workers behind a network",
        0.05,
        is_station=True,
        build=lambda r: Workers(4, _exponential(r), travel=lambda: 0.001 + 0.0005 * r.random()),
    ),
    OddQueue("hyperexponential, 1 worker", 0.15, is_station=True, build=lambda r: Workers(1, _spread_out(r))),
    OddQueue("hyperexponential, 4 workers", 0.08, is_station=True, build=lambda r: Workers(4, _spread_out(r))),
    OddQueue("log-normal, 2 workers", 0.06, is_station=True, build=lambda r: Workers(2, _log_normal(r))),
    OddQueue("3 of 1,000 services pause for 100 ms", 0.15, is_station=True, build=lambda r: Workers(1, _pausing(r))),
    OddQueue("stalls for 150 ms every 5 s", 0.2, is_station=True, build=lambda r: Workers(1, _stalling(r))),
    OddQueue("4 workers, held up for 110 ms at times", 0.1, is_station=True, build=lambda r: Workers(4, _held_up(r))),
    OddQueue("processor sharing, exponential", 0.1, is_station=False, build=lambda r: Sharing(_exponential(r))),
    OddQueue("processor sharing, fixed", 0.06, is_station=False, build=lambda _: Sharing(_fixed)),
    OddQueue("a quarter slower when five are inside", 0.1, is_station=False, build=lambda r: Workers(1, _slower(r))),
    OddQueue("slower with each that waits", 0.05, is_station=False, build=lambda _: Workers(1, _ever_slower)),
    OddQueue(
        "2 s fast, 2 s slow",
        0.1,
        is_station=False,
        build=lambda r: Workers(1, _phases(r, 2.0, 0.004, 0.006)),
    ),
    OddQueue(
        "0.2 s fast, 0.2 s slow",
        0.1,
        is_station=False,
        build=lambda r: Workers(1, _phases(r, 0.2, 0.003, 0.007)),
    ),
    OddQueue(
        "a queue for each of 2 workers, by chance",
        0.1,
        is_station=False,
        build=lambda r: Several([Workers(1, _exponential(r)) for _ in range(2)], lambda _: r.randrange(2)),
    ),
    OddQueue(
        "a queue for each of 2 workers, by turns",
        0.1,
        is_station=False,
        build=lambda r: Several([Workers(1, _exponential(r)) for _ in range(2)], lambda number: number % 2),
    ),
    OddQueue(
        "2 queues of 2 workers",
        0.06,
        is_station=False,
        build=lambda r: Several([Workers(2, _exponential(r)) for _ in range(2)], lambda _: r.randrange(2)),
    ),
    OddQueue(
        "last come, first served",
        0.1,
        is_station=False,
        build=lambda r: Workers(1, _exponential(r), lambda waiting: waiting.pop()),
    ),
    OddQueue("random order, 4 workers", 0.05, is_station=False, build=lambda r: Workers(4, _exponential(r), _any(r))),
)


class OddCrowd:
    """Users in a closed loop."""

    def __init__(self, server: Server, pass_time: Callable[[float], float]) -> None:
        self._server, self._pass_time, self._users, self._now = server, pass_time, 0, pass_time(0.0)

    def resize(self, users: int) -> None:
        """More of them."""
        for number in range(self._users, users):
            self._server.arrive(self._now, number)
        self._users = users

    def advance(self, seconds: float) -> Sequence[float]:
        """Serves for so long."""
        self._now = self._pass_time(seconds)
        times: list[float] = []
        while self._server.next_s() <= self._now:
            if done := self._server.complete():
                times.append(done[0])
                self._server.arrive(*done)
        return times


class OddProber:
    """A `Prober` without a network; its clock is the simulation's."""

    limitation = ""
    connections = 1000

    def __init__(self, queue: OddQueue, seed: int) -> None:
        self.elapsed_s = 0.0
        self._queue, self._dice = queue, random.Random(f"odd {seed}")
        self._passages: Passages | None = None

    def _pass(self, seconds: float) -> float:
        self.elapsed_s += seconds
        return self.elapsed_s

    def restrain(self, connections: int) -> None:
        """Opens fewer."""
        self.connections = connections

    def crowd(self) -> AbstractContextManager[OddCrowd]:
        """A closed loop."""
        return nullcontext(OddCrowd(self._queue.build(self._dice), self._pass))

    def arrivals(self, rate_per_s: float, seconds: int, seed: int) -> Iterator[float]:
        """When requests are due."""
        return iter(Poisson(rate_per_s, float(seconds), seed))

    def passages(self) -> Passages | None:
        """Of the last probe."""
        return self._passages

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator[Tally]:
        """Seconds of a probe."""
        due = array("d", self.arrivals(rate_per_s, seconds, seed))
        done = self._serve(due, self.elapsed_s, seconds + 1.0)
        answered = deque(sorted((moment, moment - due[number]) for number, moment in done.items()))
        given = 0
        try:
            for second in range(1, seconds + 1):
                tally = Tally(t=second, sent=sum(second - 1 <= moment < second for moment in due))
                tally.offered[second] = tally.sent
                while answered and answered[0][0] <= second:
                    tally.ok += 1
                    tally.latency.record(answered.popleft()[1])
                self._pass(1.0)
                given = second
                yield tally
        finally:
            whole = next(
                (n for n, moment in enumerate(due) if moment >= given or done.get(n, _NEVER) > given + 1), len(due)
            )
            self._passages = Passages(rate_per_s, due[:whole], array("d", (done[n] for n in range(whole))), WARM_UP)

    def _serve(self, due: "array[float]", start_s: float, until_s: float) -> dict[int, float]:
        """When each request is answered, of those that are."""
        server, done = self._queue.build(self._dice), dict[int, float]()

        def turn(until: float) -> None:
            while server.next_s() <= until + start_s:
                if answer := server.complete():
                    done[answer[1]] = answer[0] - start_s

        for number, moment in enumerate(due):
            turn(moment)
            server.arrive(moment + start_s, number)
        turn(until_s)
        return done
