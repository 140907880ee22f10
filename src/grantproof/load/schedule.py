"""When requests are meant to leave: arrival schedules of the open loop. Pure; nothing in here waits or sends.

A schedule is iterated anew for each run and yields intended send times in seconds from the start, never falling. What
the target does has no influence on it: that is what makes the loop open. Stages and recorded traces stand in `stages`.
The shares of workers are exact: together they are the whole schedule, arrival for arrival.
"""

import random
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TYPE_CHECKING, Protocol

from grantproof.errors import GrantproofError
from grantproof.load.rates import MOST_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator


class Schedule(Protocol):
    """Intended send times. Iterating has no effect: each iterator begins at the start."""

    @property
    def duration_s(self) -> float | None:
        """How long requests are sent; None is until the run is stopped."""
        ...

    def __iter__(self) -> "Iterator[float]": ...

    def share(self, index: int, of: int) -> "Schedule":
        """The part of worker `index` when `of` workers, counted from 0, share the schedule."""
        ...


@dataclass(frozen=True)
class Constant:
    """Evenly spaced arrivals: of all that the rate gives, counted from 0, every `step`-th from `first` on."""

    rate_per_s: float
    duration_s: float | None = None
    first: int = 0
    step: int = 1

    def __iter__(self) -> "Iterator[float]":
        rate = self.rate_per_s
        if self.duration_s is None:
            return (number / rate for number in count(self.first, self.step))
        return (number / rate for number in range(self.first, arrivals_before(self.duration_s, rate), self.step))

    def share(self, index: int, of: int) -> "Constant":
        """Every `of`-th arrival, so that all workers together are as even as one."""
        return replace(self, first=self.first + index * self.step, step=self.step * of)


@dataclass(frozen=True)
class Poisson:
    """Arrivals of many independent clients: exponential gaps, the same ones for the same seed."""

    rate_per_s: float
    duration_s: float | None = None
    seed: int = 0
    first: int = 0
    step: int = 1

    def __iter__(self) -> "Iterator[float]":
        return islice(self._all(), self.first, None, self.step)

    def _all(self) -> "Iterator[float]":
        rate, end = self.rate_per_s, self.duration_s
        for work in unit_arrivals(self.seed):
            now = work / rate
            if end is not None and now >= end:
                return
            yield now

    def share(self, index: int, of: int) -> "Poisson":
        """Every `of`-th arrival. All shares together are the one stream, however many workers there are."""
        return replace(self, first=self.first + index * self.step, step=self.step * of)


def unit_arrivals(seed: int) -> "Iterator[float]":
    """Poisson arrivals at one per second, without an end; the same ones for the same seed."""
    gap, now = random.Random(str(seed)).expovariate, 0.0  # noqa: S311 - repeatable arrivals, no secrets
    while True:
        now += gap(1.0)
        yield now


ARRIVALS = ("constant", "poisson")


def arrivals_before(duration_s: float, rate_per_s: float) -> int:
    """How many evenly spaced arrivals, the first at zero, come before the end."""
    if duration_s <= 0:
        return 0
    total = int(duration_s * rate_per_s)
    return total + 1 if total / rate_per_s < duration_s else total


def make_schedule(arrival: str, rate_per_s: float, duration_s: float | None, seed: int = 0) -> Schedule:
    """The schedule of that name.

    Raises:
        GrantproofError: unknown name, or a rate or duration that is not above zero.
    """
    if not 0 < rate_per_s <= MOST_PER_S:
        raise GrantproofError(
            f"the rate must be above 0 per second, and {MOST_PER_S:,.0f} at most, not {rate_per_s:g}", "--rate"
        )
    if duration_s is not None and not 0 < duration_s < float("inf"):
        raise GrantproofError(f"the duration must be above 0 seconds, not {duration_s:g}", "--duration")
    if arrival == "constant":
        return Constant(rate_per_s, duration_s)
    if arrival == "poisson":
        return Poisson(rate_per_s, duration_s, seed)
    raise GrantproofError(f"unknown arrival {arrival!r}", "--arrival", f"one of {', '.join(ARRIVALS)}")
