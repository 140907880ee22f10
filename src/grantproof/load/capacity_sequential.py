"""A test that stops as soon as it knows whether a rate keeps a threshold.

Wald's sequential probability ratio test for a share of 2/3 of the limit against twice the limit, on counts whose
variance is as many times that of independent requests as theory expects at that load, or as batches of seconds show
where that is more. Between the two shares either answer
is right. It steers the search and ends probes that have said enough; the capacity and its interval come from the curve
through all probes, so a wrong turn costs time and not the truth.

Source: Wald, Sequential Analysis (1947), chapter 3; with overdispersed counts the ratio is that of the quasi-likelihood
(McCullagh and Nelder, Generalized Linear Models, section 9.3).
"""

import math
from typing import Final

GOOD: Final = 2 / 3
BAD: Final = 2.0
ERROR: Final = 0.05
_BATCHES: Final = (1, 2, 4)


class ShareTest:
    """Whether the share of requests that break a rule stays below a limit.

    Args:
        limit: the share at which the rule is crossed.
        dispersion: how many times as much as independent ones the requests are expected to vary.
        error: how often each of the two answers may be wrong where it matters.
    """

    def __init__(self, limit: float, dispersion: float, error: float = ERROR) -> None:
        self.limit = limit
        self._expected = dispersion
        self._bound = math.log((1 - error) / error)
        self._seconds: list[tuple[float, float]] = []

    def add(self, requests: float, broken: float) -> None:
        """Counts one second."""
        self._seconds.append((requests, broken))

    @property
    def kept(self) -> bool | None:
        """True and False once it is known, None before."""
        ratio = self._ratio()
        return None if abs(ratio) < self._bound else ratio < 0

    @property
    def leaning(self) -> bool:
        """What it would say if it had to."""
        return self._ratio() <= 0

    def _ratio(self) -> float:
        requests = sum(number for number, _ in self._seconds)
        broken = sum(number for _, number in self._seconds)
        plain = broken * math.log(BAD / GOOD) - requests * self.limit * (BAD - GOOD)
        return plain / self._dispersion(broken / requests if requests else 0.0)

    def _dispersion(self, share: float) -> float:
        """Of batches of seconds about their common share; what is expected until they say more."""
        worst = self._expected
        for length in _BATCHES:
            starts = range(0, len(self._seconds) - length + 1, length)
            if len(starts) < 2 or not share:
                continue
            batches = [self._seconds[start : start + length] for start in starts]
            errors = (sum(y - n * share for n, y in batch) ** 2 for batch in batches)
            expected = sum(n * share for batch in batches for n, _ in batch) / len(batches)
            worst = max(worst, sum(errors) / (len(batches) - 1) / expected)
        return worst
