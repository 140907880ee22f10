"""What stands behind the answers: some workers at one queue, if that explains every moment at which an answer came.

Where requests are served first come, first served, by a number of workers that take one each, the moments at which
requests were due and answered say exactly when each service began and how long it took: request i begins when it
arrives or when the first worker is free, and workers are free when their last answer came. So a search knows the
service times themselves, and thousands of them where it has seen only a few bunches of late answers.

It is a hypothesis, and it is tested before anything is concluded from it: no service may take less than no time, busy
workers must be as fast as idle ones, together they must give the measured saturation throughput, and the latencies must
be those that the same arrivals get when the same services come in any other order. A target that shares its processor
among requests, slows down under load, stalls, or has a queue for each worker fails one of these, and nothing is
concluded.

Sources: Lindley, Proc. Cambridge Phil. Soc. 48 (1952); Kiefer and Wolfowitz, Trans. AMS 78 (1955) (the recursion for
several workers); Larson, Management Science 36 (1990), 586-601 (inferring a queue from its transactions).
"""

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapreplace
from statistics import fmean
from typing import Final

from grantproof.load.capacity_station import NoStationError, Passages, Station, served

_LEAST_SERVICES: Final = 1000
_LEAST_EACH: Final = 50
_LEAST_BLOCKS: Final = 10
_BLOCKS: Final = (2, 8, 32, 128, 512)
_PLACES: Final = tuple((index + 0.5) / 100 for index in range(100))
_SURE: Final = 3.0
_SAME_SERVICE: Final = 0.02
_SAME_DISPERSION: Final = 0.05
_LIKE: Final = 0.05
_HELD_S: Final = 5.0
_NEGATIVE_S: Final = 0.0005
_NEGATIVE: Final = 0.1
_NEGATIVES: Final = 0.01
_CANDIDATES: Final = 3
_TRIED: Final = 24
_ENOUGH: Final = 20_000
_MOST_WORKERS: Final = 128
_FEWEST: Final = 0.4
_MOST: Final = 1.4
_MOST_OFFSET: Final = 1.0
_CONSISTENT: Final = 0.05
_PERMUTATIONS: Final = 24
_DEVIATIONS: Final = 4.0
_SAME_LATENCY: Final = 0.02
_SAME_COUNT: Final = 0.1


def find_station(probes: Sequence[Passages], saturation_per_s: float, alone_per_s: float, seed: int = 0) -> Station:
    """The station that explains all probes.

    Args:
        probes: what was seen.
        saturation_per_s: the most that came back in a closed loop.
        alone_per_s: what one user got in a closed loop.
        seed: of the permutations.

    Raises:
        NoStationError: there is none.
    """
    if alone_per_s <= 0 or saturation_per_s <= 0:
        raise NoStationError("the closed loop says nothing of how long one request takes")
    numbers = _numbers(saturation_per_s / alone_per_s)
    some = _some(probes)
    ranked = [(each.unlike, number) for number in numbers if (each := _Observed.of(some, number)) is not None]
    problem = NoStationError("requests overtake each other, or too few were answered")
    for rank, (_, number) in enumerate(sorted(ranked)[:_CANDIDATES]):
        try:
            return _check(_Observed.of(probes, number), probes, saturation_per_s, seed)
        except NoStationError as found_out:
            problem = problem if rank else found_out
    raise problem


def _numbers(about: float) -> range:
    """How many workers there may be, where throughputs say that there are about so many."""
    least, most = max(1, math.floor(about * _FEWEST)), math.ceil(about * _MOST)
    if least > _MOST_WORKERS:
        raise NoStationError(f"it serves more than {_MOST_WORKERS} requests at once")
    return range(least, most + 1, max(1, (most - least) // _TRIED))


def _some(probes: Sequence[Passages]) -> list[Passages]:
    """The first probes, as many as are enough to tell numbers of workers apart."""
    chosen: list[Passages] = []
    for probe in probes:
        if sum(len(each.due) for each in chosen) < _ENOUGH:
            chosen.append(probe)
    return chosen


def _check(observed: "_Observed | None", probes: Sequence[Passages], saturation_per_s: float, seed: int) -> Station:
    """Tests the hypothesis; gives the station that it says.

    Raises:
        NoStationError: it is refuted.
    """
    if observed is None:
        raise NoStationError("requests overtake each other")
    station = observed.station
    observed.check_waits()
    observed.check_neighbours()
    unsure = 3 * math.sqrt(station.variability / (_HELD_S * saturation_per_s))
    if abs(station.most_per_s / saturation_per_s - 1) > _CONSISTENT + unsure:
        raise NoStationError(
            f"its services would allow {station.most_per_s:,.1f}/s, but {saturation_per_s:,.1f}/s came back"
        )
    dice = random.Random(f"orders {seed}")  # noqa: S311 - no secrets
    if observed.is_unlike(dice) or station.offset_s > _MOST_OFFSET * station.mean_s:
        raise NoStationError("workers that were idle serve differently from busy ones")
    _compare_with_other_orders(probes, station, dice)
    return station


@dataclass(frozen=True)
class _Observed:
    """What one number of workers makes of the probes.

    Attributes:
        waits: how long each request waited for its service, in seconds.
        unlike: how different the services of idle and of busy workers are, as a share of their mean.
        likeness_limit: how different they may be.
        gap_s: how much longer those of idle workers are, where that is sure.
    """

    station: Station
    waits: "array[float]"
    unlike: float
    likeness_limit: float
    gap_s: float

    @classmethod
    def of(cls, probes: Sequence[Passages], workers: int) -> "_Observed | None":
        """None when it cannot be so many."""
        made = cls._at_offset(probes, workers, 0.0)
        if made is None or not made.gap_s:
            return made
        again = cls._at_offset(probes, workers, made.gap_s)
        return again and cls._at_offset(probes, workers, made.gap_s + again.gap_s)

    @classmethod
    def _at_offset(cls, probes: Sequence[Passages], workers: int, offset_s: float) -> "_Observed | None":
        services, waits = array("d"), array("d")
        for probe in probes:
            for due, began, service in served(probe, workers, offset_s):
                if due >= probe.warm_up_s:
                    services.append(service)
                    waits.append(began - due)
        if len(services) < _LEAST_SERVICES or fmean(services) <= 0:
            return None
        least = -min(_NEGATIVE_S, _NEGATIVE * fmean(services))
        if sum(service < least for service in services) > _NEGATIVES * len(services):
            return None
        idle = sorted(service for service, wait in zip(services, waits, strict=True) if not wait)
        busy = sorted(service for service, wait in zip(services, waits, strict=True) if wait)
        if len(idle) < _LEAST_EACH or len(busy) < _LEAST_EACH:
            return None
        gap, doubt = fmean(idle) - fmean(busy), math.hypot(_error(idle), _error(busy))
        kept = array("d", (max(service, 0.0) for service in services))
        unlike = _distance(idle, busy) / fmean(kept)
        late_s = fmean(probe.late_s for probe in probes)
        station = Station(workers, kept, offset_s, min(late_s, offset_s))
        limit = _LIKE + _SURE * math.sqrt(station.variability / min(len(idle), len(busy)))
        return cls(station, waits, unlike, limit, gap if offset_s + gap > _SURE * doubt else 0.0)

    def is_unlike(self, dice: random.Random) -> bool:
        """Whether idle and busy workers serve so differently that it is no chance.

        Of rare and long services one group may well have twice as many as the other: where the plain limit is crossed,
        the same services are dealt to the groups at random, and the distance has to stand out from those as well.
        """
        if self.unlike <= self.likeness_limit:
            return False
        step = len(self.waits) // _ENOUGH + 1
        services, idle = self.station.services[::step], sum(not wait for wait in self.waits[::step])
        if not 0 < idle < len(services):
            return True
        dealt: list[float] = []
        for _ in range(_PERMUTATIONS):
            dice.shuffle(services)
            dealt.append(_distance(sorted(services[:idle]), sorted(services[idle:])) / self.station.mean_s)
        middle = fmean(dealt)
        deviation = math.sqrt(fmean((value - middle) ** 2 for value in dealt))
        return self.unlike > _LIKE + middle + _DEVIATIONS * deviation

    def check_waits(self) -> None:
        """A service that comes after a long wait is as long as any other.

        Raises:
            NoStationError: it is not.
        """
        services, waits = self.station.services, self.waits
        mean, middle = self.station.mean_s, fmean(waits)
        square = sum((wait - middle) ** 2 for wait in waits)
        slope = sum((s - mean) * (w - middle) for s, w in zip(services, waits, strict=True)) / square
        deviation = math.sqrt(self.station.variability * mean * mean / square)
        far = math.sqrt(square / len(waits))
        if abs(slope) > _DEVIATIONS * deviation + _SAME_SERVICE * mean / far:
            raise NoStationError("services take longer or shorter under load")

    def check_neighbours(self) -> None:
        """Neighbouring services together vary as those that know nothing of each other: their index of dispersion.

        What is little beside the variability of arrivals, which is 1, does no harm.

        Raises:
            NoStationError: they vary more.
        """
        services, mean, alone = self.station.services, self.station.mean_s, self.station.variability
        for length in _BLOCKS:
            starts = range(0, len(services) - length + 1, length)
            if len(starts) < _LEAST_BLOCKS:
                break
            squares = ((sum(services[start : start + length]) / length / mean - 1) ** 2 for start in starts)
            together = length * fmean(squares)
            if together > alone * (1 + _DEVIATIONS * math.sqrt(2 / len(starts))) + _SAME_DISPERSION * (1 + alone):
                raise NoStationError("there are times of long and times of short services")


def _error(values: Sequence[float]) -> float:
    """The standard error of a mean."""
    mean = fmean(values)
    return math.sqrt(fmean((value - mean) ** 2 for value in values) / len(values))


def _distance(these: Sequence[float], those: Sequence[float]) -> float:
    """The mean distance between the same quantiles of two ordered samples."""
    return fmean(abs(_at(these, place) - _at(those, place)) for place in _PLACES)


def _at(ordered: Sequence[float], place: float) -> float:
    """A quantile."""
    return ordered[int(place * len(ordered))]


def _compare_with_other_orders(probes: Sequence[Passages], station: Station, dice: random.Random) -> None:
    """A permutation test: if services know nothing of each other and of the queue, their order does not matter.

    Raises:
        NoStationError: it does.
    """
    orders = [_Latencies() for _ in range(_PERMUTATIONS)]
    seen = _Latencies()
    for probe in probes:
        rows = list(served(probe, station.workers, station.offset_s))
        services = [max(service, 0.0) for _, _, service in rows]
        seen.replay(probe, services, station)
        for order in orders:
            dice.shuffle(services)
            order.replay(probe, services, station)
    for name, least in (("mean_s", _SAME_LATENCY), ("squares", _SAME_COUNT)):
        values = [float(getattr(order, name)) for order in orders]
        middle = fmean(values)
        deviation = math.sqrt(fmean((value - middle) ** 2 for value in values))
        if abs(getattr(seen, name) - middle) > _DEVIATIONS * deviation + least * middle:
            raise NoStationError("latencies are not those of services that know nothing of each other")


@dataclass
class _Latencies:
    """Sums over the latencies of probes."""

    number: int = 0
    total: float = 0.0
    total_squares: float = 0.0

    @property
    def mean_s(self) -> float:
        """Their mean."""
        return self.total / max(self.number, 1)

    @property
    def squares(self) -> float:
        """The mean of their squares."""
        return self.total_squares / max(self.number, 1)

    def replay(self, probe: Passages, services: Sequence[float], station: Station) -> None:
        """Adds what a probe's arrivals get from these services, one after the other."""
        free = [-math.inf] * station.workers
        warm_up_s = probe.warm_up_s
        number, total, squares = 0, 0.0, 0.0
        for due, service in zip(probe.due, services, strict=True):
            first = free[0]
            done = max(due, first) + service
            heapreplace(free, done)
            if due >= warm_up_s:
                latency = done - due
                number += 1
                total += latency
                squares += latency * latency
        self.number += number
        self.total += total
        self.total_squares += squares
