"""The share of requests over a limit as a curve in the rate, and the rate at which it meets its threshold.

Near the knee the logarithm of the share is close to a straight line in the rate (it is one for M/M/1). The line is
fitted by quasi-Poisson regression over all seconds of all probes near the knee. How sure it is comes from how much the
counts of whole batches of seconds vary, never from the assumption that requests are independent: one unlucky bunch of
arrivals makes many of them late together. The interval is the profile quasi-likelihood's.

Bunches are few, so what the batches say about the variance is uncertain itself; it is never taken to be less than what
theory expects of a queue with Poisson arrivals and exponential service.

Sources: McCullagh and Nelder, Generalized Linear Models, chapter 9 (quasi-likelihood, dispersion, profiles); for
batches, Law, Simulation Modeling and Analysis, section 9.5.3; for the theory, Whitt, Management Science 35 (1989),
1341-1366 (how long simulations of queues have to be).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from grantproof.load.capacity_linear import solve, student_quantile

_BATCHES: Final = (1, 2, 4)
_ROUNDS: Final = 5
_STEEP: Final = 5.0
_LEAST_BROKEN: Final = 8.0
_FLATTEST: Final = 0.05
STEEPEST: Final = 3000.0
_STEEPNESS: Final = 3.0
_NEAREST: Final = 0.01
_FREEDOM: Final = 12.0
_FULL: Final = 0.93


def expected_dispersion(load: float, variability: float = 1.0) -> float:
    """How many times as much as independent ones the counts of late requests vary in theory.

    The number of requests that one bunch makes late grows like (load / (1 - load))^2, times the sum of the squared
    coefficients of variation of arrivals (1) and service (`variability`).

    Args:
        load: the rate as a share of the saturation throughput.
        variability: of the service times, 1 for exponential ones, 0 for fixed ones.
    """
    load = min(load, _FULL)
    return 1 + 2 * (1 + variability) * (load / (1 - load)) ** 2


def steepest(share: float, knee_per_s: float, saturation_per_s: float) -> float:
    """How steep the curve can be at most: in theory it flattens on its way from the knee to 1 at saturation.

    Without a bound two rates next to each other, one of them with bad luck, would make a step, and a step has a knee
    that is known far too well. For M/D/c and M/M/c the slope at the knee is about that of the straight way.
    """
    way = max(saturation_per_s / knee_per_s - 1, _NEAREST)
    return min(_STEEPNESS * math.log(1 / share) / way, STEEPEST)


@dataclass(frozen=True)
class Second:
    """What one second of a probe says about one rule.

    Args:
        rate_per_s: the rate that was offered.
        requests: how many were counted.
        broken: how many of them broke the rule.
        dispersion: how many times as much as independent ones they are expected to vary.
        control: what the luck of the arrivals was, see `capacity_control`; empty where it does not help.
        probe: which probe it belongs to.
    """

    rate_per_s: float
    requests: float
    broken: float
    dispersion: float = 1.0
    control: tuple[float, ...] = ()
    probe: int = 0


@dataclass(frozen=True)
class Curve:
    """ln(share) = level + slope * (rate / pivot - 1), and how far it may be off.

    Attributes:
        spread: how many times as much as expected the counts vary.
        seconds: how many seconds it stands on.
        steepest: the bound of the slope.
    """

    pivot: float
    level: float
    slope: float
    spread: float
    seconds: int
    steepest: float
    _points: tuple[tuple[float, float, float], ...] = field(repr=False)

    def share(self, rate_per_s: float) -> float:
        """The share that is expected at a rate."""
        return math.exp(min(self.level + self.slope * (rate_per_s / self.pivot - 1), 0.0))

    def rate_at(self, share: float) -> float:
        """The rate at which the share is expected."""
        return self.pivot * (1 + (math.log(share) - self.level) / self.slope)

    def interval(self, share: float, within: tuple[float, float], confidence: float = 0.95) -> tuple[float, float]:
        """All rates at which this share cannot be ruled out, by profile quasi-likelihood.

        Args:
            share: the share at the knee.
            within: the lowest and the highest rate that is possible at all; ends that stay open are cut off there.
            confidence: how often such intervals hold the truth.
        """
        t = student_quantile(0.5 + confidence / 2, _FREEDOM)
        allowed = t * t * self.spread / 2
        best = self._likelihood(self.level, self.slope)
        centre = min(max(self.rate_at(share), within[0]), within[1])

        def outside(rate: float) -> bool:
            return best - self._profile(math.log(share), rate / self.pivot - 1) > allowed

        return _edge(outside, centre, within[0]), _edge(outside, centre, within[1])

    def _likelihood(self, level: float, slope: float) -> float:
        """The Poisson quasi-log-likelihood: observed * eta - expected, each over its expected dispersion."""
        return sum(y * (level + slope * x) - n * math.exp(min(level + slope * x, _STEEP)) for x, n, y in self._points)

    def _profile(self, level: float, place: float) -> float:
        """The best likelihood of all lines that pass through `level` at `place` and do not fall."""

        def falls(slope: float) -> bool:
            means = ((x - place, n * math.exp(min(level + slope * (x - place), _STEEP)), y) for x, n, y in self._points)
            return sum((y - mean) * gap for gap, mean, y in means) < 0

        slope = _turn(falls, 0.0, self.steepest)
        return self._likelihood(level - slope * place, slope)


def _edge(outside: Callable[[float], bool], inner: float, outer: float) -> float:
    """Where `outside` turns true between two rates; the outer one when it never does."""
    if not outside(outer):
        return outer
    for _ in range(20):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if outside(middle) else (middle, outer)
    return (inner + outer) / 2


def _turn(past: Callable[[float], bool], low: float, high: float) -> float:
    """Where `past` turns true between two numbers, to a millionth."""
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if past(middle) else (middle, high)
        if high - low <= 1e-6 * high:
            break
    return (low + high) / 2


def fit(seconds: Sequence[Second], pivot: float, steepest: float = STEEPEST) -> Curve | None:
    """The curve through these seconds; None when less than eight requests broke the rule or only one rate was tried."""
    broken = [second.broken for second in seconds]
    if sum(broken) < _LEAST_BROKEN or len({s.rate_per_s for s in seconds}) < 2:
        return None
    level, slope = _best_line(_joined(seconds, broken, pivot), steepest)
    width = len(seconds[0].control)
    for _ in range(_ROUNDS if width else 0):
        means = _means(seconds, pivot, level, slope)
        weights = _luck_weights(seconds, means, width)
        luck = [sum(w * c for w, c in zip(weights, s.control, strict=True)) for s in seconds]
        steered = [s.broken - mean * each for s, mean, each in zip(seconds, means, luck, strict=True)]
        if sum(steered) < _LEAST_BROKEN / 2:
            break
        broken = steered
        level, slope = _best_line(_joined(seconds, broken, pivot), steepest)
    spread = _spread(seconds, _means(seconds, pivot, level, slope), broken, width + 2)
    return Curve(pivot, level, slope, spread, len(seconds), steepest, _joined(seconds, broken, pivot))


def _best_line(points: Sequence[tuple[float, float, float]], steepest: float) -> tuple[float, float]:
    """Level and slope of the greatest likelihood. The slope stays between almost flat and the steepest."""
    total = sum(y for _, _, y in points)

    def shares(slope: float) -> tuple[float, list[float]]:
        """The level that goes with a slope, and which part of all that is broken each point gets."""
        most = max(slope * x for x, _, _ in points)
        parts = [n * math.exp(slope * x - most) for x, n, _ in points]
        whole = sum(parts)
        return math.log(max(total, 1e-300) / whole) - most, [part / whole for part in parts]

    def falls(slope: float) -> bool:
        _, parts = shares(slope)
        return sum((y - total * part) * x for (x, _, y), part in zip(points, parts, strict=True)) < 0

    slope = _turn(falls, _FLATTEST, steepest)
    return shares(slope)[0], slope


def _luck_weights(seconds: Sequence[Second], means: Sequence[float], width: int) -> list[float]:
    """How much of each control is in what the line leaves over, by weighted least squares."""
    square = [[0.0] * width for _ in range(width)]
    right = [0.0] * width
    for second, mean in zip(seconds, means, strict=True):
        for i in range(width):
            right[i] += second.control[i] * (second.broken - mean) / second.dispersion
            for j in range(width):
                square[i][j] += mean * second.control[i] * second.control[j] / second.dispersion
    return solve(square, right) or [0.0] * width


def _joined(seconds: Sequence[Second], broken: Sequence[float], pivot: float) -> tuple[tuple[float, float, float], ...]:
    """One point (place, requests, broken), weighted, for each rate: the likelihood needs no more."""
    sums: dict[float, list[float]] = {}
    for second, found in zip(seconds, broken, strict=True):
        entry = sums.setdefault(second.rate_per_s / pivot - 1, [0.0, 0.0])
        entry[0] += second.requests / second.dispersion
        entry[1] += found / second.dispersion
    return tuple((x, n, y) for x, (n, y) in sums.items())


def _spread(seconds: Sequence[Second], means: Sequence[float], broken: Sequence[float], parameters: int) -> float:
    """How many times as much as expected the counts of batches vary, and never less than once.

    Batches of 1, 2 and 4 seconds of one probe are tried and the largest figure counts: it grows with the batch as long
    as neighbours are correlated.
    """
    worst = 1.0
    for length in _BATCHES:
        batches: dict[tuple[int, int], list[float]] = {}
        place: dict[int, int] = {}
        for second, mean, found in zip(seconds, means, broken, strict=True):
            index = place[second.probe] = place.get(second.probe, -1) + 1
            batch = batches.setdefault((second.probe, index // length), [0.0, 0.0])
            batch[0] += (found - mean) / second.dispersion
            batch[1] += mean / second.dispersion
        left = len(batches) - parameters
        total = sum(mean for _, mean in batches.values())
        if left >= 2 and total > 0:
            worst = max(worst, sum(error**2 for error, _ in batches.values()) / total * len(batches) / left)
    return worst


def _means(seconds: Sequence[Second], pivot: float, level: float, slope: float) -> list[float]:
    return [s.requests * math.exp(min(level + slope * (s.rate_per_s / pivot - 1), _STEEP)) for s in seconds]
