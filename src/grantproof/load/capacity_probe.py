"""One rate that was tried, and what came back."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from grantproof.load.capacity_control import Luck, controls
from grantproof.load.histogram import Histogram, bucket_middle

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from grantproof.load.capacity_rules import ShareRule
    from grantproof.load.capacity_saturation import Crowd
    from grantproof.load.capacity_station import Passages
    from grantproof.load.tally import Tally

WARM_UP = 1


class Prober(Protocol):
    """Sends what the search wants and tells what comes back; the tests have one that simulates."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the search began."""
        ...

    @property
    def connections(self) -> int:
        """How many connections may be open at once."""
        ...

    def restrain(self, connections: int) -> None:
        """Opens no more than so many from now on."""
        ...

    def crowd(self) -> "AbstractContextManager[Crowd]":
        """A closed loop that ends with the context."""
        ...

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator["Tally"]:
        """Offers Poisson arrivals and gives each second as it is over; whoever stops asking ends it.

        Raises:
            TargetLostError: the target does not stand it.
        """
        ...

    def arrivals(self, rate_per_s: float, seconds: int, seed: int) -> Iterator[float]:
        """When the requests of `send` were due."""
        ...

    def passages(self) -> "Passages | None":
        """When each request of the last `send` was due and answered; None where not all were answered well."""
        ...

    @property
    def limitation(self) -> str:
        """Why the generator limited what was sent last; empty when it did not."""
        ...


@dataclass
class Probe:
    """A rate, and for each second and each rule how many requests were counted and how many broke it."""

    rate_per_s: float
    seed: int
    number: int
    counts: list[list[tuple[float, float]]] = field(default_factory=list[list[tuple[float, float]]])
    means_s: list[float] = field(default_factory=list[float])
    latency: Histogram = field(default_factory=Histogram)
    answered: int = 0
    passages: "Passages | None" = field(default=None, repr=False)
    _lucks: dict[tuple[float, tuple[int, ...], float], list[Luck]] = field(default_factory=dict[Any, Any], repr=False)

    def add(self, tally: "Tally", rules: Sequence["ShareRule"]) -> None:
        """Counts a second."""
        row = [(float(requests), broken) for broken, requests in (rule.count(tally) for rule in rules)]
        self.counts.append(row)
        self.means_s.append(mean(tally.latency))
        self.latency.merge(tally.latency)
        self.answered += tally.ok

    @property
    def seconds(self) -> int:
        """How many seconds were counted, without the first, in which the queue fills."""
        return len(self.counts)

    def share(self, rule: int) -> float:
        """The share of requests that broke a rule."""
        requests = sum(row[rule][0] for row in self.counts)
        return sum(row[rule][1] for row in self.counts) / requests if requests else 0.0

    def luck(self, prober: Prober, service_s: float, depths: tuple[int, ...], least_share: float) -> list[Luck]:
        """What an imaginary server made of the same arrivals, in each second that was counted."""
        setting = (service_s, depths, least_share)
        if setting not in self._lucks:
            last = self.seconds + WARM_UP
            arrivals = prober.arrivals(self.rate_per_s, last, self.seed)
            self._lucks[setting] = controls(arrivals, self.rate_per_s, service_s, depths, last, least_share)[WARM_UP:]
        return self._lucks[setting]


def mean(histogram: Histogram) -> float:
    """The mean of the durations, in seconds; 0 without any."""
    total = sum(number for _, number in histogram.buckets())
    return sum(bucket_middle(index) * number for index, number in histogram.buckets()) / total if total else 0.0
