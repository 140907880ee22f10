"""Rules that a run has to keep: `p99 < 250ms`, `errors < 0.1%`, `rate > 190/s`.

A rule is a measure, a comparison and a limit. Measures: `p50`, `p99`, `p99_9` and every other percentile of the
latency, and `max`, in `us`, `ms` or `s`; `errors` and `protected` (answers 429 and 503), the share of all requests in
`%`; `rate`, valid answers in `/s`.
"""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from grantproof.errors import GrantproofError

_RULE = re.compile(r"\s*([a-z]+[0-9_.]*)\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(us|µs|ms|s|%|/s)?\s*")
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:[_.][0-9]{1,4})?)")
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SECONDS: Final = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_HINT: Final = 'write it like "p99 < 250ms", "max < 2s", "errors < 0.1%", "protected < 1%" or "rate > 190/s"'


class Measures(Protocol):
    """What a run measured."""

    def latency(self, percent: float) -> float | None:
        """A percentile of the latency in seconds, 100 being the longest; None when nothing was measured."""
        ...

    def share(self, kind: str) -> float | None:
        """The share of all requests, 0 to 1, that were "errors" or "protected"; None without requests."""
        ...

    @property
    def rate_per_s(self) -> float:
        """Valid answers per second."""
        ...


@dataclass(frozen=True)
class Threshold:
    """One rule. `limit` is in seconds, a share from 0 to 1, or per second, by the measure."""

    rule: str
    measure: str
    comparison: str
    limit: float

    def value(self, measures: Measures) -> float | None:
        """What the rule looks at; None when nothing was measured."""
        if self.measure == "rate":
            return measures.rate_per_s
        if self.measure in {"errors", "protected"}:
            return measures.share(self.measure)
        return measures.latency(_percent(self.measure))

    def kept(self, measures: Measures) -> bool:
        """Whether the run kept it; what was not measured is not kept."""
        value = self.value(measures)
        return value is not None and self.compare(value)

    def compare(self, value: float) -> bool:
        """Whether a value keeps the rule."""
        return _COMPARE[self.comparison](value, self.limit)


def parse_threshold(rule: str) -> Threshold:
    """Reads one rule.

    Raises:
        GrantproofError: it is none; the hint shows how rules look.
    """
    found = _RULE.fullmatch(rule)
    if found is None:
        raise GrantproofError(f"{rule!r} is no threshold", "thresholds", _HINT)
    measure, comparison, number, unit = found[1], found[2], float(found[3]), found[4] or ""
    if measure == "rate":
        fits, limit = unit == "/s", number
    elif measure in {"errors", "protected"}:
        fits, limit = unit == "%", number / 100
    elif measure == "max" or _PERCENTILE.fullmatch(measure):
        fits, limit = unit in _SECONDS, number * _SECONDS.get(unit, 1)
    else:
        raise GrantproofError(f"{measure!r} in {rule!r} is nothing that a run measures", "thresholds", _HINT)
    if not fits:
        raise GrantproofError(f"{unit or 'no unit'} does not go with {measure} in {rule!r}", "thresholds", _HINT)
    return Threshold(" ".join(rule.split()), measure, comparison, limit)


def parse_thresholds(rules: Iterable[str]) -> tuple[Threshold, ...]:
    """Reads rules.

    Raises:
        GrantproofError: one is none.
    """
    return tuple(parse_threshold(rule) for rule in rules)


def _percent(measure: str) -> float:
    return 100.0 if measure == "max" else float(measure[1:].replace("_", "."))
