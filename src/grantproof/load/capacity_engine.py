"""Sends what a capacity search wants through the engine, in a thread of its own, and watches over the target."""

import math
import sys
import threading
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final

from grantproof.load.capacity_guard import Guard, TargetLostError
from grantproof.load.capacity_probe import WARM_UP, mean
from grantproof.load.capacity_station import Passages
from grantproof.load.engine import Engine
from grantproof.load.exchange import Exchange, Judge, token_exchange
from grantproof.load.generator import limitation
from grantproof.load.schedule import Poisson
from grantproof.load.tally import Tally

if TYPE_CHECKING:
    from collections import Counter

    from grantproof.load.target import Target

_GLANCE_S: Final = 0.02
_GRACE_S: Final = 1.0
_DRAIN_S: Final = 5.0
_SWITCH_S: Final = 0.0002


class _Witness:
    """A judge that notes when each valid answer came."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.moments: list[float] = []

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        kind = self._judge(status, body, request, location)
        if not kind:
            self.moments.append(perf_counter())
            self.note(request)
        return kind

    def note(self, request: bytes) -> None:
        """What was answered."""

    def settle(self) -> None:
        """Deals with what was put off."""
        self._judge.settle()

    def take_notes(self) -> "Counter[str]":
        return self._judge.take_notes()

    def take_hashes(self) -> bytes:
        return self._judge.take_hashes()


class _Numbered(bytes):
    """A request's octets and which of all it is."""

    number: int


class _Clerk(_Witness):
    """A witness that numbers the requests in the order in which they are due."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.judge)
        self._next_request, self._count = exchange.next_request, 0
        self._numbers: array[int] = array("q")

    def next_request(self) -> bytes:
        request = _Numbered(self._next_request())
        request.number = self._count
        self._count += 1
        return request

    def note(self, request: bytes) -> None:
        """Which one was answered."""
        if isinstance(request, _Numbered):
            self._numbers.append(request.number)

    def passages(self, schedule: Poisson, start_s: float, late_s: float) -> Passages:
        """What was due and answered, up to the first that was not."""
        answered = array("d", [math.inf]) * self._count
        for number, moment in zip(self._numbers, self.moments, strict=True):
            answered[number] = moment - start_s
        whole = next((number for number, moment in enumerate(answered) if moment == math.inf), self._count)
        due = array("d", islice(schedule, whole))
        return Passages(schedule.rate_per_s, due, answered[: len(due)], WARM_UP, late_s)


class _Run:
    """An engine at work."""

    def __init__(self, engine: Engine, *, open_loop: bool) -> None:
        self.engine = engine
        self.total = Tally()
        self._open_loop = open_loop
        self._problem: BaseException | None = None
        self._former = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)  # the thread that counts must not make the one that sends late
        self._thread = threading.Thread(target=self._work, name="capacity", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self.engine.run()
        except BaseException as problem:  # noqa: BLE001 - raised again where somebody can hear it
            self._problem = problem

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def take(self) -> Iterator[Tally]:
        """The seconds that are over and were not taken yet."""
        while self.engine.finished:
            tally = self.engine.finished.popleft()
            self.total.add(tally)
            yield tally

    def end(self, grace_s: float) -> str:
        """Ends it; says why the generator limited it, if it did.

        Raises:
            Exception: whatever broke the engine.
        """
        self.engine.stop(grace_s)
        self._thread.join()
        sys.setswitchinterval(self._former)
        for _ in self.take():
            pass
        if self._problem is not None:
            raise self._problem
        elapsed = self.engine.elapsed_s
        share = self.total.cpu_s / elapsed if elapsed else 0.0
        return limitation(self.total, share, open_loop=self._open_loop)


class EngineCrowd:
    """A closed loop whose number of users changes while it runs."""

    def __init__(self, run: _Run, witness: _Witness, guard: Guard) -> None:
        self._run, self._witness, self._guard = run, witness, guard

    def resize(self, users: int) -> None:
        """So many users from now on."""
        self._run.engine.users = users

    def advance(self, seconds: float) -> Sequence[float]:
        """Lets time pass; gives when valid answers came.

        Raises:
            TargetLostError: the target does not stand it.
        """
        until = perf_counter() + seconds
        while (left := until - perf_counter()) > 0 and not self._run.over:
            sleep(min(left, _GLANCE_S))
            self._look()
        self._look()
        if self._run.over:
            raise TargetLostError("the target takes no connections")
        count = len(self._witness.moments)
        taken, self._witness.moments[:count] = self._witness.moments[:count], []
        return taken

    def _look(self) -> None:
        for tally in self._run.take():
            self._guard.look(tally)


class EngineProber:
    """A `Prober` on the engine.

    Args:
        target: where requests go.
        guard: watches over it.
        most_connections: how many may be open at once.
    """

    def __init__(self, target: "Target", guard: Guard, most_connections: int) -> None:
        self._target, self._guard, self.connections = target, guard, most_connections
        self._began = perf_counter()
        self._passages: Passages | None = None
        self.limitation = ""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the search began."""
        return perf_counter() - self._began

    def restrain(self, connections: int) -> None:
        """Opens no more than so many from now on."""
        self.connections = min(connections, self.connections)

    @contextmanager
    def crowd(self) -> Generator[EngineCrowd]:
        """A closed loop that ends with the context."""
        exchange = token_exchange(self._target)
        witness = _Witness(exchange.judge)
        self._guard.start(always_busy=True)
        run = self._run(replace(exchange, judge=witness), None)
        grace = 0.0
        try:
            yield EngineCrowd(run, witness, self._guard)
            grace = _GRACE_S
        finally:
            self.limitation = run.end(grace)

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator[Tally]:
        """Offers Poisson arrivals and gives each second as it is over; whoever stops asking ends it.

        Raises:
            TargetLostError: the target does not stand it.
        """
        self._guard.start()
        self._passages = None
        exchange, schedule = token_exchange(self._target), Poisson(rate_per_s, float(seconds), seed)
        clerk = _Clerk(exchange)
        run = self._run(replace(exchange, next_request=clerk.next_request, judge=clerk), schedule)
        grace = 0.0
        try:
            while True:
                over = run.over
                for tally in run.take():
                    self._guard.look(tally)
                    if tally.t <= seconds:
                        yield tally
                if over:
                    break
                sleep(_GLANCE_S)
        except GeneratorExit:
            grace = _DRAIN_S  # what is given up stays in the target's queue, and the next probe would wait behind it
            raise
        finally:
            self.limitation = run.end(grace)
            if not (run.total.errors or run.total.protected or run.total.retried or self.limitation):
                self._passages = clerk.passages(schedule, run.engine.start_s, mean(run.total.lag))

    def passages(self) -> Passages | None:
        """When each request of the last `send` was due and answered; None where not all were answered well."""
        return self._passages

    def arrivals(self, rate_per_s: float, seconds: int, seed: int) -> Iterator[float]:
        """When the requests of `send` were due."""
        return iter(Poisson(rate_per_s, float(seconds), seed))

    def _run(self, exchange: Exchange, schedule: Poisson | None) -> _Run:
        engine = Engine(self._target, exchange, schedule, users=0, most_connections=self.connections)
        return _Run(engine, open_loop=schedule is not None)
