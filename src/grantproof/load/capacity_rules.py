"""Thresholds as a capacity search sees them: how large a share of the requests may break each.

`p99 < 250ms` says that less than 1 % of the answers may take longer than 250 ms, `errors < 0.1%` that less than 0.1 %
of the requests may fail. A share can be tested while it is measured, and has an interval; a percentile has neither.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from grantproof.errors import GrantproofError
from grantproof.load.histogram import bucket_middle
from grantproof.load.thresholds import Threshold, parse_thresholds

if TYPE_CHECKING:
    from grantproof.load.histogram import Histogram
    from grantproof.load.tally import Tally

LEAST_SHARE: Final = 1e-4
PROTECTED: Final = "protected < 1%"
_HINT: Final = 'a search needs a limit that load can cross: "p99 < 250ms", "errors < 0.1%"'


@dataclass(frozen=True)
class ShareRule:
    """A threshold as a share of requests that must stay below `share`.

    Args:
        rule: as it was written.
        kind: `latency`, `errors` or `protected`.
        share: the share at which the threshold is crossed, 0 to 1.
        limit_s: for latencies, what is too long.
        given: somebody asked for it; the search adds one of its own.
    """

    rule: str
    kind: str
    share: float
    limit_s: float = 0.0
    given: bool = True

    def count(self, tally: "Tally") -> tuple[float, int]:
        """How many requests of a second broke the rule, and of how many."""
        if self.kind == "latency":
            return over(tally.latency, self.limit_s), tally.latency.total
        broken = tally.errors if self.kind == "errors" else tally.protected
        return float(broken.total()), tally.resolved


def over(histogram: "Histogram", limit_s: float) -> float:
    """How many durations are over a limit; a bucket on the limit counts by the part of it that lies above."""
    found = 0.0
    for index, number in histogram.buckets():
        middle = bucket_middle(index)
        half = (bucket_middle(index + 1) - middle) / 2
        found += number * min(1.0, max(0.0, (middle + half - limit_s) / (2 * half)))
    return found


def share_rules(rules: Sequence[str]) -> tuple[ShareRule, ...]:
    """The rules that load can cross, with one against a target that turns requests away if none is given.

    Raises:
        GrantproofError: one is no threshold, needs more requests than a search sends, or none can be crossed by load.
    """
    found = [rule for threshold in parse_thresholds(rules) if (rule := _share_rule(threshold))]
    if not found:
        raise GrantproofError("no threshold says what a kept rate is", "thresholds", _HINT)
    if not any(rule.kind == "protected" for rule in found):
        found.append(ShareRule(PROTECTED, "protected", 0.01, given=False))
    return tuple(found)


def least_rates(rules: Iterable[str]) -> tuple[Threshold, ...]:
    """The rules that the capacity itself has to keep: `rate > 190/s`."""
    return tuple(threshold for threshold in parse_thresholds(rules) if threshold.measure == "rate")


def _share_rule(threshold: Threshold) -> ShareRule | None:
    measure, rule = threshold.measure, threshold.rule
    if measure == "rate":
        return None
    if not threshold.comparison.startswith("<"):
        raise GrantproofError(f"{rule!r} demands that the target is slow or fails", "thresholds", _HINT)
    if measure in {"errors", "protected"}:
        made = ShareRule(rule, measure, threshold.limit)
    else:
        percent = 100.0 if measure == "max" else float(measure[1:].replace("_", "."))
        made = ShareRule(rule, "latency", round(1 - percent / 100, 9), threshold.limit)
    if made.share < LEAST_SHARE:
        hint = f"the smallest share that a search can test is {LEAST_SHARE:.2%}: p99_99, errors < 0.01%"
        raise GrantproofError(f"{rule!r} allows too few requests to break it", "thresholds", hint)
    return made
