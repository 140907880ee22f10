"""When a series has settled: warm-up is detected, not guessed.

The start of a series is cut off where the rest becomes most precise (MSER), and what is left has to be without a trend
(Mann and Kendall). A start that takes more than half of the series, or a trend, says that it has not settled yet.

Sources: White, Simulation 69 (1997), 323-334 (MSER); Mann, Econometrica 13 (1945), 245-259, with the normal
approximation of Kendall, Rank Correlation Methods (1955).
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Final

from grantproof.load.capacity_linear import normal_quantile, student_quantile

_LEAST: Final = 8
_DOUBT: Final = 0.01
_BATCHES: Final = 10
_ROUNDING: Final = 0.25


def settled_from(series: Sequence[float]) -> int | None:
    """The index from which a series of counts is stationary; None when it is too short, still moves, or has a trend.

    Whole numbers differ by one without any reason, so that much is no movement.
    """
    size = len(series)
    if size < 2 * _LEAST:
        return None
    best, found = math.inf, 0
    for start in range(size - _LEAST + 1):
        rest = series[start:]
        mean = fmean(rest)
        score = (sum((value - mean) ** 2 for value in rest) / len(rest) + _ROUNDING) / len(rest)
        if score < best:
            best, found = score, start
    if found > size // 2 or has_trend(series[found:]):
        return None
    return found


def has_trend(series: Sequence[float], doubt: float = _DOUBT) -> bool:
    """Whether a series rises or falls more steadily than chance lets it, in `doubt` of all cases by chance alone.

    Neighbouring values are joined first to at most twenty, so that their correlation weighs little.
    """
    length = max(1, len(series) // 20)
    values = [fmean(series[start : start + length]) for start in range(0, len(series) - length + 1, length)]
    size = len(values)
    if size < _LEAST:
        return False
    signs = sum(
        (later > value) - (later < value) for index, value in enumerate(values) for later in values[index + 1 :]
    )
    deviation = math.sqrt(size * (size - 1) * (2 * size + 5) / 18)
    return max(abs(signs) - 1, 0) / deviation > normal_quantile(1 - doubt / 2)


def mean_interval(series: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The mean of a stationary series and the half-width of its interval, by ten batch means.

    Source: Law, Simulation Modeling and Analysis, section 9.5.3.
    """
    length = max(1, len(series) // _BATCHES)
    means = [fmean(series[start : start + length]) for start in range(0, len(series) - length + 1, length)]
    middle = fmean(series)
    if len(means) < 2:
        return middle, math.inf
    variance = sum((mean - fmean(means)) ** 2 for mean in means) / (len(means) - 1)
    return middle, student_quantile(0.5 + confidence / 2, len(means) - 1) * math.sqrt(variance / len(means))
