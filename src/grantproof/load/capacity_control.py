"""What the luck of the arrivals did to a probe: a control variate from a queue whose distribution is known.

Poisson arrivals come in bunches, and much of what varies between two probes of the same length is how they fell. The
same arrivals, sent through an imaginary server that takes exactly 1/C for each request, find k or more requests before
them in a share whose expectation is known exactly. How far the imaginary share was off says how far the real one was,
and regression takes that part out. It is done only where the target's latencies move with the imaginary queue; the
estimate is one of the real target either way.

Source: control variates as in Lavenberg and Welch, "A perspective on the use of control variables to increase the
efficiency of Monte Carlo simulations", Management Science 27 (1981).
"""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_STABLE: Final = 0.98
_MOST: Final = 2000
_LEAST_SECONDS: Final = 8
ALIKE: Final = 0.8


@lru_cache(maxsize=512)
def tail_found(load: float) -> tuple[float, ...]:
    """For an M/D/1 queue the probability that an arrival finds at least k requests, for k = 0, 1, ...

    Departures leave behind what arrivals find, and the chain of departures is solved from the bottom: with a_j the
    Poisson probabilities of j arrivals in one service, pi_(n+1) a_0 = pi_n - pi_0 a_n - sum(pi_j a_(n-j+1), j=1..n).
    Sums of tails of a stand in for the differences, so that nothing cancels (Ramaswami's stable recursion, 1988).

    Args:
        load: the arrival rate times the service time, below 1.
    """
    above: list[float] = []  # above[j]: more than j arrivals in one service
    term, left = math.exp(-load), 1.0
    first = term
    for count in range(200):
        left -= term
        above.append(max(left, 0.0))
        term *= load / (count + 1)
        if left < 1e-15:
            break
    found = [1.0 - load]
    tails = [1.0]
    while tails[-1] > 1e-9 and len(found) < _MOST:
        tails.append(max(tails[-1] - found[-1], 0.0))
        n = len(found)
        reach = range(max(1, n - len(above) + 1), n)
        carried = found[0] * (above[n - 1] if n - 1 < len(above) else 0.0)
        carried += sum(found[j] * above[n - j] for j in reach if n - j < len(above))
        found.append(carried / first)
    return tuple(tails)


def depth_for(load: float, share: float) -> int:
    """The smallest k that at most `share` of the arrivals find or exceed, at least 1."""
    tails = tail_found(round(min(load, _STABLE), 4))
    return next((k for k, tail in enumerate(tails) if k and tail <= share), len(tails) - 1)


@dataclass(frozen=True)
class Luck:
    """What the imaginary server saw in one second.

    Attributes:
        off: for each depth how far the share that found so many was off its expectation, relative to that.
        found: how many requests an arrival found on average.
    """

    off: tuple[float, ...]
    found: float


def controls(
    arrivals: Iterable[float],
    rate_per_s: float,
    service_s: float,
    depths: tuple[int, ...],
    seconds: int,
    least_share: float = 0.0,
) -> list[Luck]:
    """What the imaginary server saw in each second.

    Args:
        arrivals: when requests were due, in seconds from the start, rising.
        rate_per_s: their rate.
        service_s: the imaginary server's time for a request.
        depths: how many requests count as many.
        seconds: how many seconds to give.
        least_share: what is expected more seldom is not looked at: relative to so little, any luck is huge.

    Returns:
        A row for each second; all zero where the imaginary server would be overloaded and has no expectation.
    """
    if rate_per_s * service_s >= _STABLE:
        return [Luck((0.0,) * len(depths), 0.0)] * seconds
    tails = tail_found(round(rate_per_s * service_s, 6))
    expected = [
        rate_per_s * tails[depth] if depth < len(tails) and tails[depth] >= least_share else 0.0 for depth in depths
    ]
    counts = [[0] * len(depths) for _ in range(seconds)]
    sums = [[0, 0] for _ in range(seconds)]
    leaving: deque[float] = deque()
    free = 0.0
    for due in arrivals:
        second = int(due)
        if second >= seconds:
            break
        while leaving and leaving[0] <= due:
            leaving.popleft()
        found = len(leaving)
        sums[second][0] += 1
        sums[second][1] += found
        for place, depth in enumerate(depths):
            counts[second][place] += found >= depth
        free = max(free, due) + service_s
        leaving.append(free)
    return [
        Luck(
            tuple(count / mean - 1 if mean else 0.0 for count, mean in zip(row, expected, strict=True)),
            total / number if number else 0.0,
        )
        for row, (number, total) in zip(counts, sums, strict=True)
    ]


def likeness(probes: Sequence[Sequence[tuple[float, float]]]) -> float:
    """How alike the target and the imaginary server are: the correlation of what they made of the same arrivals.

    Args:
        probes: for each probe, for each second, the mean latency of the target and the mean number that was found.

    Returns:
        The correlation of the logarithms within probes, from -1 to 1; 0 when there are too few seconds to tell.
    """
    products = [0.0, 0.0, 0.0]
    count = 0
    for probe in probes:
        pairs = [(math.log(latency), math.log(found)) for latency, found in probe if latency > 0 and found > 0]
        if len(pairs) < 3:
            continue
        means = [sum(column) / len(pairs) for column in zip(*pairs, strict=True)]
        for x, y in pairs:
            a, b = x - means[0], y - means[1]
            products = [products[0] + a * a, products[1] + b * b, products[2] + a * b]
        count += len(pairs)
    if count < _LEAST_SECONDS or products[0] <= 0 or products[1] <= 0:
        return 0.0
    return products[2] / math.sqrt(products[0] * products[1])
