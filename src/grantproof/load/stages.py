"""Schedules whose rate changes, recorded ones, and parts of a schedule.

A stage has a rate, or a ramp between two; steps, spikes and soaks are rows of stages. The n-th arrival is due when the
integral of the rate reaches n (evenly spaced) or the n-th arrival of a Poisson process at one per second (time-scaled),
so every worker finds the same times for itself.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate, count, islice, pairwise
from typing import TYPE_CHECKING, Any, Final

from grantproof.load.schedule import unit_arrivals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from grantproof.load.schedule import Schedule

_GOLDEN: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Stage:
    """A while at one rate, or from one to another in a straight line. Rates are per second and may be 0."""

    duration_s: float
    rate_per_s: float
    to_per_s: float

    @property
    def arrivals(self) -> float:
        """How many arrivals it has on average, not rounded."""
        return self.duration_s * (self.rate_per_s + self.to_per_s) / 2

    def moment_of(self, work: float) -> float:
        """When so many arrivals, not rounded, are due, in seconds from its start."""
        slope = (self.to_per_s - self.rate_per_s) / self.duration_s
        root = math.sqrt(max(self.rate_per_s**2 + 2 * slope * work, 0.0))
        return min(2 * work / (self.rate_per_s + root), self.duration_s) if work > 0 else 0.0


@dataclass(frozen=True)
class Staged:
    """One stage after another; `poisson` makes the arrivals random, the same ones for the same seed."""

    stages: tuple[Stage, ...]
    poisson: bool = False
    seed: int = 0
    first: int = 0
    step: int = 1

    @property
    def duration_s(self) -> float:
        """All stages together."""
        return sum(stage.duration_s for stage in self.stages)

    @property
    def rate_per_s(self) -> float:
        """The mean rate of the whole, not of a share."""
        return sum(stage.arrivals for stage in self.stages) / self.duration_s

    def __iter__(self) -> "Iterator[float]":
        works = map(float, count()) if not self.poisson else unit_arrivals(self.seed)
        return self._moments(islice(works, self.first, None, self.step))

    def _moments(self, works: "Iterable[float]") -> "Iterator[float]":
        stages = self.stages
        starts = [0.0, *accumulate(stage.duration_s for stage in stages)]
        before = [0.0, *accumulate(stage.arrivals for stage in stages)]
        for work in works:
            place = bisect_right(before, work) - 1
            if place >= len(stages):
                return
            yield starts[place] + stages[place].moment_of(work - before[place])

    def share(self, index: int, of: int) -> "Staged":
        """Every `of`-th arrival."""
        return replace(self, first=self.first + index * self.step, step=self.step * of)


@dataclass(frozen=True)
class Trace:
    """Recorded arrivals: when each was due, in seconds from the start, never falling."""

    times: tuple[float, ...]
    first: int = 0
    step: int = 1

    @property
    def duration_s(self) -> float:
        """Up to the last arrival, and so much beyond that it still counts."""
        return math.nextafter(self.times[-1], math.inf)

    @property
    def rate_per_s(self) -> float:
        """The mean rate of the whole, not of a share; of arrivals at one moment, their number."""
        return len(self.times) / (self.times[-1] or 1.0)

    def __iter__(self) -> "Iterator[float]":
        return islice(self.times, self.first, None, self.step)

    def share(self, index: int, of: int) -> "Trace":
        """Every `of`-th arrival."""
        return replace(self, first=self.first + index * self.step, step=self.step * of)


@dataclass(frozen=True)
class Part:
    """Those arrivals of a schedule that fall to one of several scenarios, evenly mixed.

    `low` and `high`, between 0 and 1, are the scenario's place; neighbours that share a bound share no arrival.
    """

    whole: "Schedule"
    low: float
    high: float
    first: int = 0
    step: int = 1

    @property
    def duration_s(self) -> float | None:
        """That of the whole."""
        return self.whole.duration_s

    def __iter__(self) -> "Iterator[float]":
        low, high = self.low, self.high
        mine = (due for number, due in enumerate(self.whole) if low <= number * _GOLDEN % 1.0 < high)
        return islice(mine, self.first, None, self.step)

    def share(self, index: int, of: int) -> "Part":
        """Every `of`-th arrival."""
        return replace(self, first=self.first + index * self.step, step=self.step * of)


def divide(whole: "Schedule", weights: "Iterable[float]") -> "list[Schedule]":
    """A schedule for each weight; together they are the whole."""
    weighed = list(weights)
    bounds = [0.0, *accumulate(weight / sum(weighed) for weight in weighed)]
    bounds[-1] = 1.0
    return [Part(whole, low, high) for low, high in pairwise(bounds)] if len(weighed) > 1 else [whole]


def to_data(schedule: "Staged | Trace") -> dict[str, Any]:
    """A form for other processes, which may not have its file."""
    if isinstance(schedule, Trace):
        return {"times": list(schedule.times)}
    rows = [[stage.duration_s, stage.rate_per_s, stage.to_per_s] for stage in schedule.stages]
    return {"stages": rows, "poisson": schedule.poisson, "seed": schedule.seed}


def from_data(data: "Mapping[str, Any]") -> "Staged | Trace":
    """The schedule again."""
    if "times" in data:
        return Trace(tuple(data["times"]))
    return Staged(tuple(Stage(*row) for row in data["stages"]), bool(data["poisson"]), int(data["seed"]))
