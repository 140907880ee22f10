"""The knee of each rule by a curve through the probes near it: what they say, and what the luck of the arrivals did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from grantproof.load.capacity_control import ALIKE, depth_for, likeness
from grantproof.load.capacity_fit import Curve, Second, expected_dispersion, fit, steepest

if TYPE_CHECKING:
    from grantproof.load.capacity_probe import Probe, Prober
    from grantproof.load.capacity_rules import ShareRule

LOWEST: Final = 0.01
_NEAR: Final = 1.25
_FITTED: Final = 15.0
_CLEARLY: Final = 0.15


@dataclass(frozen=True)
class Estimate:
    """Where a rule's knee is. `curve` is None where only two rates are known between which it lies."""

    rule: "ShareRule"
    per_s: float
    low: float
    high: float
    curve: Curve | None

    def is_known(self, precision: float) -> bool:
        """Whether half of its interval is at most this share of it."""
        return self.high - self.low <= 2 * precision * self.per_s


class Curves:
    """Fits them.

    Args:
        prober: knows when requests were due.
        rules: what has to hold.
        saturation_per_s: the most that came back.
    """

    def __init__(self, prober: "Prober", rules: Sequence["ShareRule"], saturation_per_s: float) -> None:
        self._prober, self._rules, self._saturation_per_s = prober, rules, saturation_per_s

    def worst(self, probe: "Probe") -> "ShareRule":
        """The rule that a probe broke most."""
        indices = range(len(self._rules))
        return self._rules[max(indices, key=lambda index: probe.share(index) / self._rules[index].share)]

    def estimates(self, probes: Sequence["Probe"], low: float, high: float) -> list[Estimate]:
        """The knees of the rules that break; at least one.

        Args:
            probes: what was tried.
            low: a rate that seemed to keep all rules.
            high: one that seemed to break one.
        """
        found = [self._fit(probes, index, low, high) for index in range(len(self._rules))]
        curves = [estimate for estimate in found if estimate is not None]
        if curves:
            return curves
        worst = self.worst(min((p for p in probes if p.rate_per_s >= high), key=lambda p: p.rate_per_s))
        return [Estimate(worst, (low + high) / 2, low, high, None)]

    def _fit(self, tried: Sequence["Probe"], index: int, low: float, high: float) -> Estimate | None:
        """A rule's knee by its curve, from the probes whose rates are near it.

        Far above it the line is not to be trusted, but the knee is no higher than a rate that was seen to break the
        rule clearly. A line that says so all the same, because what it stands on is all but flat, gets that rate too.
        """
        rule = self._rules[index]
        curve: Curve | None = None
        near: set[int] = set()
        top = max(self._saturation_per_s, high)
        for _ in range(3):
            centre = curve.rate_at(rule.share) if curve is not None else (low + high) / 2
            centre = min(max(centre, low / 2, LOWEST * top), top)
            chosen = [probe for probe in tried if _is_near(probe, rule, curve, high)]
            bound = steepest(rule.share, centre, top)
            latest = fit(self._seconds(chosen, index, centre), centre, bound)
            if latest is None and curve is None:
                chosen = [*tried]
                latest = fit(self._seconds(chosen, index, centre), centre, bound)
            if latest is None:
                break
            curve, near = latest, {probe.number for probe in chosen}
        if curve is None:
            return None
        far = [probe.rate_per_s for probe in tried if probe.number not in near and probe.share(index) >= _CLEARLY]
        limit = min([top, *far])
        if curve.rate_at(rule.share) > limit:
            chosen = [probe for probe in tried if probe.number in near or probe.rate_per_s <= limit]
            curve = fit(self._seconds(chosen, index, curve.pivot), curve.pivot, curve.steepest) or curve
        ends = curve.interval(rule.share, (0.0, limit))
        return Estimate(rule, min(max(curve.rate_at(rule.share), ends[0]), ends[1]), *ends, curve)

    def _seconds(self, probes: Sequence["Probe"], index: int, knee_per_s: float) -> list[Second]:
        """What the fit gets: counts, and with a target that is like the imaginary server what the arrivals did."""
        load, share = knee_per_s / self._saturation_per_s, self._rules[index].share
        depths = (depth_for(load, share), max(1, depth_for(load, 4 * share)))
        lucks = [probe.luck(self._prober, 1 / self._saturation_per_s, depths, share / 10) for probe in probes]
        pairs = [
            [(latency, luck.found) for latency, luck in zip(probe.means_s, row, strict=True)]
            for probe, row in zip(probes, lucks, strict=True)
        ]
        alike = likeness(pairs)
        helps = alike >= ALIKE
        found: list[Second] = []
        for probe, row in zip(probes, lucks, strict=True):
            dispersion = expected_dispersion(probe.rate_per_s / self._saturation_per_s, 0.0 if helps else 1.0)
            if helps:
                dispersion = 1 + (dispersion - 1) * (1 - alike * alike)
            found += [
                Second(probe.rate_per_s, *counts[index], dispersion, luck.off if helps else (), probe.number)
                for counts, luck in zip(probe.counts, row, strict=True)
            ]
        return found


def _is_near(probe: "Probe", rule: "ShareRule", curve: Curve | None, high: float) -> bool:
    """Whether the line may be trusted at a rate. Far below the knee it says zero, and there is nothing to spoil."""
    if curve is None:
        return probe.rate_per_s <= _NEAR * high
    return curve.share(probe.rate_per_s) <= min(rule.share * _FITTED, 0.5)
