"""The universal scalability law: throughput by number of users, with contention and coherence.

X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1)). Its inverse, N / X, is linear in three unknowns, so it is fitted
by least squares of relative errors. A server with a hard limit (some workers and a queue) does not follow it, and then
nobody is told that it does.

Source: Gunther, Guerrilla Capacity Planning (2007), chapter 4 and 5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grantproof.load.capacity_linear import solve

LARGEST_ERROR: Final = 0.05
_LEAST_LEVELS: Final = 5


@dataclass(frozen=True)
class Scalability:
    """The law's coefficients.

    Attributes:
        alone_per_s: gamma, what one user gets.
        contention: alpha, the share that is done one at a time.
        coherence: beta, what each pair of users costs.
        worst_error: the largest relative distance of a level from the curve.
        fits: whether the law may be believed: no level is off by more than 5 %, and there are five at least.
    """

    alone_per_s: float
    contention: float
    coherence: float
    worst_error: float
    fits: bool

    def throughput(self, users: float) -> float:
        """Requests per second with so many users."""
        slowed = 1 + self.contention * (users - 1) + self.coherence * users * (users - 1)
        return self.alone_per_s * users / slowed

    @property
    def best_users(self) -> float:
        """The number of users beyond which more of them get less; infinite without coherence."""
        return math.sqrt((1 - self.contention) / self.coherence) if self.coherence > 0 else math.inf


def fit_law(levels: Sequence[tuple[int, float]]) -> Scalability | None:
    """The law through (users, requests per second); None when there are less than three levels to fit."""
    points = [(users, rate) for users, rate in levels if rate > 0]
    if len({users for users, _ in points}) < 3:
        return None
    for columns in ((0, 1, 2), (0, 1), (0, 2), (0,)):
        found = _least_squares(points, columns)
        if found is not None and found[0] > 0 and min(found) >= 0 and found[1] <= found[0]:
            break
    else:
        return None
    level, contention, coherence = found
    law = Scalability(1 / level, contention / level, coherence / level, 0.0, fits=False)
    worst = max(abs(law.throughput(users) / rate - 1) for users, rate in points)
    fits = worst <= LARGEST_ERROR and len(points) >= _LEAST_LEVELS
    return Scalability(law.alone_per_s, law.contention, law.coherence, worst, fits)


def _least_squares(points: Sequence[tuple[int, float]], columns: Sequence[int]) -> list[float] | None:
    """Coefficients of N/X = c0 + c1 (N - 1) + c2 N (N - 1), those not in `columns` zero, by relative errors."""
    rows = [
        [(1.0, users - 1.0, users * (users - 1.0))[column] * rate / users for column in columns]
        for users, rate in points
    ]
    square = [[sum(row[i] * row[j] for row in rows) for j in range(len(columns))] for i in range(len(columns))]
    right = [sum(row[i] for row in rows) for i in range(len(columns))]
    solved = solve(square, right)
    if solved is None:
        return None
    found = [0.0, 0.0, 0.0]
    for column, value in zip(columns, solved, strict=True):
        found[column] = value
    return found
