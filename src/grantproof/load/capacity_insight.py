"""Makes an estimate better where the target turns out to be a station: some workers at one queue.

The curve through the shares of late answers assumes nothing, and knows little where late answers are few. Where a
station explains every answer, its services say far more. Both have to agree: where they do not, the interval spans
both.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from grantproof.load.capacity_inference import find_station
from grantproof.load.capacity_knee import find_knee
from grantproof.load.capacity_station import NoStationError, Passages, Station

if TYPE_CHECKING:
    from grantproof.load.capacity_curves import Estimate

_MOST_SERVICES: Final = 100_000


class Insight:
    """Looks for the station behind the answers.

    Args:
        saturation_per_s: the most that came back.
        alone_per_s: what one user got in a closed loop.
        seed: makes it repeatable.

    Attributes:
        station: what stands behind the answers; None where that is not known.
        reason: why it is not known.
        agrees: its knees lie within the intervals of the curves.
    """

    def __init__(self, saturation_per_s: float, alone_per_s: float, seed: int) -> None:
        self.station: Station | None = None
        self.reason = "the search was too short"
        self.agrees = True
        self._saturation_per_s, self._alone_per_s, self._seed = saturation_per_s, alone_per_s, seed
        self._looked_at, self._half = 0, 0.0
        self._former: tuple[list[Estimate], list[Estimate]] = ([], [])

    def promises(self, probes: Sequence[Passages], precision: float) -> bool:
        """Whether looking may show enough by now: intervals shrink with the root of the number of services."""
        number = _number(probes)
        return not self._looked_at or self._half * math.sqrt(self._looked_at / max(number, 1)) <= precision

    def sharpen(self, estimates: list["Estimate"], probes: Sequence[Passages]) -> list["Estimate"]:
        """The estimates, with what the station says where it is surer than their curves."""
        if estimates == self._former[0] and _number(probes) == self._looked_at:
            return self._former[1]
        self.station, self.reason, self.agrees = None, "", True
        self._looked_at, self._half = _number(probes), math.inf
        try:
            near = _near(probes, min(estimate.per_s for estimate in estimates))
            self.station = find_station(near, self._saturation_per_s, self._alone_per_s, self._seed)
            sharper = [self._sharper(estimate, self.station) for estimate in estimates]
        except NoStationError as problem:
            self.reason, sharper = str(problem), estimates
        self._former = (estimates, sharper)
        return sharper

    def _sharper(self, estimate: "Estimate", station: Station) -> "Estimate":
        rule = estimate.rule
        knee = find_knee(station, rule.limit_s, rule.share) if rule.kind == "latency" else None
        if knee is None:
            return estimate
        self._half = min(self._half, (knee.high - knee.low) / 2 / knee.per_s)
        if not estimate.low <= knee.per_s <= estimate.high:
            self.agrees = False
            return replace(estimate, low=min(estimate.low, knee.low), high=max(estimate.high, knee.high))
        if knee.high - knee.low < estimate.high - estimate.low:
            return replace(estimate, per_s=knee.per_s, low=knee.low, high=knee.high)
        return estimate


def _number(probes: Sequence[Passages]) -> int:
    return sum(len(probe.due) for probe in probes)


def _near(probes: Sequence[Passages], rate_per_s: float) -> list[Passages]:
    """The probes whose rates are nearest to one, as many as can be looked at, in the order in which they were sent."""
    chosen: set[int] = set()
    left = _MOST_SERVICES
    for index in sorted(range(len(probes)), key=lambda index: abs(probes[index].rate_per_s - rate_per_s)):
        if not chosen or len(probes[index].due) <= left:
            chosen.add(index)
            left -= len(probes[index].due)
    return [probe for index, probe in enumerate(probes) if index in chosen]
