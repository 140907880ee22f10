"""Some workers at one queue: the moments at which requests were due and answered, and what the workers make of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapreplace
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array


@dataclass(frozen=True)
class Passages:
    """When the requests of a probe were due and when their answers came, in seconds, in the order of the former.

    Only whole ones: the list ends before the first request whose answer was not waited for.

    Args:
        rate_per_s: the rate that was offered.
        due: rising.
        done: as long.
        warm_up_s: what was due before is looked at but does not count.
        late_s: by how much requests left late on average, which is no fault of the target's.
    """

    rate_per_s: float
    due: "array[float]"
    done: "array[float]"
    warm_up_s: float = 0.0
    late_s: float = 0.0


@dataclass(frozen=True)
class Station:
    """Workers at one queue.

    Attributes:
        workers: how many requests are served at once.
        services: how long each took, in seconds, in the order in which they began.
        offset_s: what each answer takes besides, on its way.
        late_s: how much of that is the generator's own lateness.
    """

    workers: int
    services: "array[float]"
    offset_s: float
    late_s: float = 0.0

    @property
    def mean_s(self) -> float:
        """The mean service time."""
        return fmean(self.services)

    @property
    def most_per_s(self) -> float:
        """The most that the workers can do."""
        return self.workers / self.mean_s

    @property
    def variability(self) -> float:
        """The squared coefficient of variation of the service times: 0 for fixed, 1 for exponential ones."""
        mean = self.mean_s
        return fmean((each - mean) ** 2 for each in self.services) / mean**2


class NoStationError(Exception):
    """The target is not some workers at one queue. The text says what contradicts it."""


def served(probe: Passages, workers: int, offset_s: float) -> Iterator[tuple[float, float, float]]:
    """For each request when it was due, when its service began, and how long that took."""
    free = [-math.inf] * workers
    for due, answered in zip(probe.due, probe.done, strict=True):
        done = answered - offset_s
        began = max(free[0], due)
        yield due, began, done - began
        heapreplace(free, done)
