"""The most that comes back: a closed loop with ever more users, until more of them get no more.

Each level of users doubles the one before, which also gives the curve of throughput by concurrency. When two doublings
in a row gain less than 5 %, the best level is held until its rate has settled and is known well enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from grantproof.load.capacity_stationary import mean_interval, settled_from

BUDGET_S: Final = 10.0
GAIN: Final = 1.05
_SAME: Final = 0.98
_HOLD_S: Final = 0.4
_LONGEST_HOLD_S: Final = 1.5
_HOLD_ANSWERS: Final = 40
_SLICE_S: Final = 0.1
_SLICE_ANSWERS: Final = 5
_LEAST_S: Final = 3.0
_PRECISE: Final = 0.002


class Crowd(Protocol):
    """A number of users, each of whom sends its next request when it has its answer."""

    def resize(self, users: int) -> None:
        """So many users from now on."""
        ...

    def advance(self, seconds: float) -> Sequence[float]:
        """Lets time pass; gives when valid answers came, in seconds on one clock.

        Raises:
            TargetLostError: the target does not stand it.
        """
        ...


@dataclass(frozen=True)
class Level:
    """What so many users got."""

    users: int
    per_s: float


@dataclass(frozen=True)
class Saturation:
    """The saturation throughput.

    Attributes:
        per_s: valid answers per second once the rate had settled.
        half_width: of its 95 % interval.
        users: how many it took.
        warm_up_s: how long the rate took to settle at that level.
        settled: whether it did.
        levels: throughput by number of users.
    """

    per_s: float
    half_width: float
    users: int
    warm_up_s: float
    settled: bool
    levels: tuple[Level, ...]


def find_saturation(crowd: Crowd, most_users: int, budget_s: float = BUDGET_S, patience_s: float = 0.0) -> Saturation:
    """Finds it within a budget of seconds.

    Args:
        crowd: the users.
        most_users: so many at the most.
        budget_s: how long it may take.
        patience_s: how long it may take where the rate has not settled by then.

    Raises:
        TargetLostError: the target does not stand it.
    """
    levels, spent = _climb(crowd, most_users, budget_s / 2)
    best = max(level.per_s for level in levels)
    users = max(level.users for level in levels if level.per_s >= _SAME * best)
    crowd.resize(users)
    slice_s = max(_SLICE_S, _SLICE_ANSWERS / best) if best else _SLICE_S
    times: list[float] = []
    held = 0.0
    while True:
        times += crowd.advance(1.0)
        held += 1.0
        found = _conclude(times, slice_s, users, levels)
        if held < _LEAST_S:
            continue
        precise = found.settled and found.half_width <= _PRECISE * found.per_s
        if precise or spent + held >= (budget_s if found.settled else max(budget_s, patience_s)):
            return found


def _climb(crowd: Crowd, most_users: int, budget_s: float) -> tuple[tuple[Level, ...], float]:
    """Doubles the users until that gains nothing; the levels and the seconds that it took."""
    levels: list[Level] = []
    users, spent, idle, best = 1, 0.0, 0, 0.0
    while users <= most_users and idle < 2 and (spent < budget_s or not levels):
        crowd.resize(users)
        rate, seconds = _hold(crowd)
        spent += seconds
        levels.append(Level(users, rate))
        idle = 0 if rate > GAIN * best else idle + 1
        best = max(best, rate)
        users *= 2
    return tuple(levels), spent


def _hold(crowd: Crowd) -> tuple[float, float]:
    """The rate of one level, its first third left out, and how long it took."""
    times: list[float] = []
    seconds = 0.0
    while seconds < _HOLD_S or (len(times) < _HOLD_ANSWERS and seconds < _LONGEST_HOLD_S):
        times += crowd.advance(_HOLD_S / 2)
        seconds += _HOLD_S / 2
    return _rate(times[len(times) // 3 :]), seconds


def _rate(times: Sequence[float]) -> float:
    """Answers per second between the first and the last."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0


def _conclude(times: Sequence[float], slice_s: float, users: int, levels: tuple[Level, ...]) -> Saturation:
    if len(times) < 2:
        return Saturation(0.0, 0.0, users, 0.0, settled=False, levels=levels)
    slices = [0] * int((times[-1] - times[0]) / slice_s)
    for moment in times:
        place = int((moment - times[0]) / slice_s)
        if place < len(slices):
            slices[place] += 1
    start = settled_from(slices)
    begin = times[0] + (len(slices) // 2 if start is None else start) * slice_s
    kept = [moment for moment in times if moment >= begin]
    rest = slices[len(slices) // 2 if start is None else start :]
    _, half = mean_interval([number / slice_s for number in rest]) if rest else (0.0, 0.0)
    return Saturation(_rate(kept), half, users, begin - times[0], settled=start is not None, levels=levels)
