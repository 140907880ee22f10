"""The rate at which a station crosses a latency limit, and how sure that is.

The station (workers, one queue, its own service times) gets a million imaginary Poisson arrivals at each rate that is
tried, always the same ones, stretched. Its services are drawn from those that were seen. A twin of it with exponential
services gets the same arrivals and the same luck, or, where services hardly vary, a single fast server with fixed ones
the same arrivals; what the twin should see is known exactly (Erlang; M/D/1), and how far it is off corrects the count
(a control variate). How sure the rate is comes from leaving out one twentieth of
the search after the other (the jackknife), whole stretches of time, so that services which depend on each other widen
the interval.

Sources: Erlang's delay formula; Lavenberg and Welch, Management Science 27 (1981) (control variates); Miller,
Biometrika 61 (1974), 1-15 (the jackknife).
"""

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import heapreplace
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Final

from grantproof.load.capacity_control import depth_for, tail_found
from grantproof.load.capacity_linear import student_quantile

if TYPE_CHECKING:
    from grantproof.load.capacity_station import Station

_ARRIVALS: Final = 1_000_000
_BATCHES: Final = 40
_SECTIONS: Final = 20
_PART: Final = 150_000
_LOWEST: Final = 0.02
_HIGHEST: Final = 0.985
_STEP: Final = 0.02
_FLATTEST: Final = 0.1
_TURNS: Final = 12
_FAR: Final = 3.0
_SAME: Final = 1e-3
_LEAST_OFF: Final = 0.0075
_FIXED: Final = 0.3


@dataclass(frozen=True)
class Knee:
    """A rate, in requests per second, and its 95 % interval."""

    per_s: float
    low: float
    high: float


def find_knee(station: "Station", limit_s: float, share: float) -> Knee | None:
    """The rate at which `share` of the answers take longer than `limit_s`.

    Returns:
        None when that is crossed without any load, or not within what the station can do.
    """
    limit_s -= station.offset_s - station.late_s
    services = array("d", sorted(station.services))
    if services[int((1 - share) * len(services))] >= limit_s:
        return None
    part = _Imaginary(station.workers, services, limit_s, share, _PART)
    low, high = _LOWEST * station.most_per_s, _HIGHEST * station.most_per_s
    if part.off(high)[0] < 0:
        return None
    about = _cross(part, low, high)
    step = min(_STEP * about, (high - about) / 2)
    slope = max((part.off(about + step)[0] - part.off(about - step)[0]) / (2 * step), _FLATTEST / about)
    rate, doubt = about, 0.0
    for _ in range(2):
        off, doubt = part.with_arrivals(_ARRIVALS).off(rate)
        rate = min(max(rate - off / slope, low), high)
    here = part.off(rate)[0]
    shifts = [(part.with_services(rest).off(rate)[0] - here) / slope for rest in _sections(station.services)]
    middle = fmean(shifts)
    spread = math.sqrt((_SECTIONS - 1) / _SECTIONS * sum((shift - middle) ** 2 for shift in shifts))
    half = student_quantile(0.975, _SECTIONS - 1) * math.hypot(spread, doubt / slope, _LEAST_OFF * rate)
    return Knee(rate, max(rate - half, 0.0), min(rate + half, station.most_per_s))


def _cross(imaginary: "_Imaginary", low: float, high: float) -> float:
    """About the rate at which the share is the threshold's, by regula falsi (Illinois) on its bounded logarithm."""

    def off(rate: float) -> float:
        return min(max(imaginary.off(rate)[0], -_FAR), _FAR)

    below, above = off(low), off(high)
    rate, side = low, 0
    for _ in range(_TURNS):
        former, rate = rate, (low * above - high * below) / (above - below)
        found = off(rate)
        if abs(rate / former - 1) < _SAME or not found:
            break
        if found > 0:
            high, above = rate, found
            below, side = (below / 2, 1) if side == 1 else (below, 1)
        else:
            low, below = rate, found
            above, side = (above / 2, -1) if side == -1 else (above, -1)
    return rate


def _sections(services: Sequence[float]) -> "list[array[float]]":
    """All services but one stretch of them, for each stretch."""
    size = len(services) / _SECTIONS
    cuts = [round(size * index) for index in range(_SECTIONS + 1)]
    return [array("d", sorted([*services[:begin], *services[end:]])) for begin, end in pairwise(cuts)]


@dataclass(frozen=True)
class _Imaginary:
    """A simulation that gets the same luck at every rate. `services` must be sorted."""

    workers: int
    services: "array[float]"
    limit_s: float
    share: float
    arrivals: int

    def with_services(self, services: "array[float]") -> "_Imaginary":
        """The same with other services."""
        return replace(self, services=services)

    def with_arrivals(self, number: int) -> "_Imaginary":
        """The same for so many arrivals."""
        return replace(self, arrivals=number)

    def off(self, rate_per_s: float) -> tuple[float, float]:
        """The logarithm of how many times as many as allowed are late, and its standard error."""
        mean = fmean(self.services)
        if fmean((service - mean) ** 2 for service in self.services) < _FIXED * mean * mean:
            load = rate_per_s * mean / self.workers
            depth = depth_for(load, self.share)
            twins, expected = self._fixed_twin(rate_per_s, mean / self.workers, depth), tail_found(load)[depth]
        else:
            limit = twin_limit(self.workers, mean, rate_per_s, self.share)
            twins = self._markovian_twin(rate_per_s, mean, limit)
            expected = markovian(self.workers, mean, rate_per_s, limit)
        late = self._late(rate_per_s)
        middle, twin_middle = fmean(late), fmean(twins)
        square = sum((twin - twin_middle) ** 2 for twin in twins)
        weight = (
            sum((a - middle) * (b - twin_middle) for a, b in zip(late, twins, strict=True)) / square if square else 0.0
        )
        steered = middle - weight * (twin_middle - expected)
        left = [a - middle - weight * (b - twin_middle) for a, b in zip(late, twins, strict=True)]
        if steered <= 0:
            return -math.inf, math.inf
        error = math.sqrt(sum(each * each for each in left) / (len(left) - 2) / len(left))
        return math.log(steered / self.share), error / steered

    def _batches(self) -> "Iterator[tuple[array[float], array[float]]]":
        """Gaps between arrivals at one per second, and the luck of each arrival, from 0 to 1."""
        gaps, luck = _luck()
        size = self.arrivals // _BATCHES
        for begin in range(0, size * _BATCHES, size):
            yield gaps[begin : begin + size], luck[begin : begin + size]

    def _late(self, rate_per_s: float) -> list[float]:
        """For each batch the share of late answers."""
        services, number, limit_s = self.services, len(self.services), self.limit_s
        free, now, scale = [0.0] * self.workers, 0.0, 1 / rate_per_s
        shares: list[float] = []
        for gaps, luck in self._batches():
            over = 0
            for gap, chance in zip(gaps, luck, strict=True):
                now += gap * scale
                first = free[0]
                done = (first if first > now else now) + services[int(chance * number)]  # noqa: FURB136 - it would be felt
                heapreplace(free, done)
                over += done - now > limit_s
            shares.append(over / len(gaps))
        return shares

    def _markovian_twin(self, rate_per_s: float, mean_s: float, limit_s: float) -> list[float]:
        """The same for as many workers with exponential services, and another limit."""
        free, now, scale, log = [0.0] * self.workers, 0.0, 1 / rate_per_s, math.log
        shares: list[float] = []
        for gaps, luck in self._batches():
            over = 0
            for gap, chance in zip(gaps, luck, strict=True):
                now += gap * scale
                first = free[0]
                done = (first if first > now else now) - mean_s * log(1 - chance)  # noqa: FURB136 - it would be felt
                heapreplace(free, done)
                over += done - now > limit_s
            shares.append(over / len(gaps))
        return shares

    def _fixed_twin(self, rate_per_s: float, service_s: float, depth: int) -> list[float]:
        """For each batch the share that finds `depth` requests at a single server with fixed services."""
        free, now, scale, many = 0.0, 0.0, 1 / rate_per_s, (depth - 1) * service_s
        shares: list[float] = []
        for gaps, _ in self._batches():
            over = 0
            for gap in gaps:
                now += gap * scale
                over += free - now > many
                free = (free if free > now else now) + service_s  # noqa: FURB136 - it would be felt
            shares.append(over / len(gaps))
        return shares


@lru_cache(maxsize=1)
def _luck() -> "tuple[array[float], array[float]]":
    """Gaps between arrivals at one per second, and for each arrival a number from 0 to 1."""
    dice = random.Random("knee")  # noqa: S311 - repeatable, no secrets
    gaps = array("d", (dice.expovariate(1.0) for _ in range(_ARRIVALS)))
    return gaps, array("d", (dice.random() for _ in range(_ARRIVALS)))


def markovian(workers: int, mean_s: float, rate_per_s: float, limit_s: float) -> float:
    """The share of answers that take longer than a limit where service is exponential: Erlang's formula."""
    one, load = 1 / mean_s, rate_per_s * mean_s
    blocked = 1.0
    for count in range(1, workers + 1):
        blocked = load * blocked / (count + load * blocked)
    waits = blocked / (1 - load / workers * (1 - blocked))
    drain = workers * one - rate_per_s
    alone, queued = math.exp(-one * limit_s), math.exp(-drain * limit_s)
    if abs(drain - one) < 1e-6 * one:
        return alone * (1 + waits * one * limit_s)
    return (1 - waits) * alone + waits * (drain * alone - one * queued) / (drain - one)


def twin_limit(workers: int, mean_s: float, rate_per_s: float, share: float) -> float:
    """The limit that `share` of the twin's answers exceed."""
    low, high = 0.0, mean_s
    while markovian(workers, mean_s, rate_per_s, high) > share:
        low, high = high, 2 * high
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if markovian(workers, mean_s, rate_per_s, middle) > share else (low, middle)
    return (low + high) / 2
