"""Rules that a run has to keep."""

from dataclasses import dataclass

import pytest

from grantproof.errors import GrantproofError
from grantproof.load.thresholds import Threshold, parse_threshold, parse_thresholds


@dataclass
class _Measured:
    """Latency equals its percent in milliseconds."""

    rate_per_s: float = 190.0
    errors: float | None = 0.001
    protected: float | None = 0.0
    empty: bool = False

    def latency(self, percent: float) -> float | None:
        return None if self.empty else percent / 1000

    def share(self, kind: str) -> float | None:
        return self.errors if kind == "errors" else self.protected


@pytest.mark.parametrize(
    ("rule", "measure", "comparison", "limit"),
    [
        ("p99 < 250ms", "p99", "<", 0.25),
        ("  p99_9<=1s ", "p99_9", "<=", 1.0),
        ("p99.9 < 1.5 s", "p99.9", "<", 1.5),
        ("p50 < 800us", "p50", "<", 0.0008),
        ("max < 2s", "max", "<", 2.0),
        ("errors < 0.1%", "errors", "<", 0.001),
        ("protected <= 5 %", "protected", "<=", 0.05),
        ("rate > 190/s", "rate", ">", 190.0),
        ("rate >= 1 /s", "rate", ">=", 1.0),
    ],
)
def test_rules_are_read(rule: str, measure: str, comparison: str, limit: float) -> None:
    found = parse_threshold(rule)
    assert (found.measure, found.comparison) == (measure, comparison)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    "rule",
    [
        "", "p99", "p99 < ", "p99 < 250", "p99 < 250 m", "p99 = 1s", "p999 < 1s", "mean < 1s", "errors < 1",
        "errors < 1ms",
        "rate > 10", "rate > 10%", "p99 < -1s", "p99 < 1s; rm", "p99 < 1e3ms", "P99 < 1s",
    ],
)  # fmt: skip
def test_other_rules_are_refused_with_a_hint(rule: str) -> None:
    with pytest.raises(GrantproofError) as caught:
        parse_threshold(rule)
    assert "p99 < 250ms" in caught.value.hint


@pytest.mark.parametrize(
    ("rule", "value", "kept"),
    [
        ("p99 < 100ms", 0.099, True),
        ("p99 < 99ms", 0.099, False),
        ("p99 <= 99ms", 0.099, True),
        ("p99_9 < 99.8ms", 0.0999, False),
        ("max < 1s", 0.1, True),
        ("errors < 0.1%", 0.001, False),
        ("errors <= 0.1%", 0.001, True),
        ("protected < 1%", 0.0, True),
        ("rate > 190/s", 190.0, False),
        ("rate >= 190/s", 190.0, True),
    ],
)
def test_rules_are_kept_or_crossed(rule: str, value: float, *, kept: bool) -> None:
    threshold = parse_threshold(rule)
    assert threshold.value(_Measured()) == pytest.approx(value)
    assert threshold.kept(_Measured()) is kept


@pytest.mark.parametrize("rule", ["p99 < 1s", "p99 > 0s", "max < 1s", "errors < 100%"])
def test_what_was_not_measured_is_not_kept(rule: str) -> None:
    measures = _Measured(errors=None, empty=True)
    assert parse_threshold(rule).value(measures) is None
    assert not parse_threshold(rule).kept(measures)


def test_the_rule_is_shown_as_it_was_written_but_for_its_spaces() -> None:
    assert parse_thresholds([" p99  <  1s "]) == (Threshold("p99 < 1s", "p99", "<", 1.0),)
