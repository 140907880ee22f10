"""The search: steps towards the knee with sequential tests, then measures around it and fits the curve.

Every probe is used. The first ones halve the range of rates that may be the knee and end as soon as they know; the
others are held for a fixed time at the knee and above it, where requests that break the rule are many enough to count.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from grantproof.load.capacity_curves import LOWEST, Curves, Estimate
from grantproof.load.capacity_fit import expected_dispersion
from grantproof.load.capacity_guard import TargetLostError
from grantproof.load.capacity_insight import Insight
from grantproof.load.capacity_probe import WARM_UP, Probe, Prober
from grantproof.load.capacity_result import is_vague
from grantproof.load.capacity_sequential import ShareTest

if TYPE_CHECKING:
    from grantproof.load.capacity_rules import ShareRule
    from grantproof.load.capacity_station import Passages

_FIRST: Final = 0.75
_NEAR: Final = 1.25
_STEP_S: Final = 5
_ROUND_S: Final = 6
_LEAST_ROUND_S: Final = 3
_THINKING_S: Final = 3.0
_TARGETS: Final = (1.0, 6.0, 2.0)
_REST: Final = 0.02
_FLAT: Final = 3.0
_ATTEMPTS: Final = 3
_LOWER: Final = 0.9
_SLOWER: Final = 3.0
_SLOWER_S: Final = 0.001
_STALL_S: Final = 2
_EASY: Final = 0.5
_EASY_S: Final = 3
_AROUND: Final = (0.85, 1.1)
_BELOW: Final = 0.7
_CONTRADICTIONS: Final = {
    "latency": "latencies do not follow the rate: something else made answers late",
    "errors": "errors do not follow the rate: something else made requests fail",
    "protected": "what is turned away (429, 503) does not follow the rate: something else decides about it",
}


@dataclass
class Search:
    """One search.

    Args:
        prober: sends.
        rules: what has to hold.
        saturation_per_s: the most that came back.
        alone_per_s: what one user got in a closed loop.
        budget_s: when the whole search has to be over, on the prober's clock.
        precision: the half-width, relative to the capacity, at which it is known well enough.
        seed: makes the arrivals repeatable.
        on_probe: called after each second with the probe, and after each probe.

    Attributes:
        probes: what was tried, in order.
        limitation: why the generator was the limit; empty when it was not.
        contradiction: why the probes bear no estimate; empty when they do.
        insight: what stands behind the answers.
    """

    prober: Prober
    rules: Sequence["ShareRule"]
    saturation_per_s: float
    alone_per_s: float
    budget_s: float
    precision: float = 0.03
    seed: int = 0
    on_probe: Callable[[Probe], None] = lambda _: None
    probes: list[Probe] = field(default_factory=list[Probe])
    limitation: str = ""
    contradiction: str = ""
    kept: dict[int, bool] = field(default_factory=dict[int, bool])
    insight: Insight = field(init=False)
    _curves: Curves = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.insight = Insight(self.saturation_per_s, self.alone_per_s, self.seed)
        self._curves = Curves(self.prober, self.rules, self.saturation_per_s)

    def run(self) -> Estimate | None:
        """The rule that breaks first and where; None when the budget was too short or the generator was the limit.

        Raises:
            TargetLostError: the target does not stand it; `probes` holds what was tried.
        """
        low, high = self._approach()
        if self.limitation or high == math.inf:
            return None
        if high <= LOWEST * self.saturation_per_s:
            return Estimate(self._curves.worst(self.probes[-1]), 0.0, 0.0, high, None)
        found = self._curves.estimates(self.probes, low, high)
        rounds = 0
        while not self.limitation and self._left >= _LEAST_ROUND_S + WARM_UP and not self._known(found, rounds):
            self._measure(self._next(_first(found), rounds), min(_ROUND_S, int(self._left) - WARM_UP))
            rounds += 1
            found = self._curves.estimates(self.probes, *self._bracket())
        estimate = _first(found)
        if estimate.curve is not None and estimate.per_s <= LOWEST * self.saturation_per_s:
            # The steps end at such rates by themselves. A curve that only leads there would accuse without a witness.
            self.contradiction = _CONTRADICTIONS[estimate.rule.kind]
        if self.limitation or self.contradiction:
            return None
        return self.witnessed(_first(self.insight.sharpen(found, self._passages())))

    def witnessed(self, estimate: Estimate) -> Estimate:
        """Its interval reaches up to the highest rate that was seen to keep all rules beyond doubt."""
        seen = [
            probe.rate_per_s
            for probe in self.probes
            if probe.seconds >= _STEP_S and all(test.kept for test in self._tests(probe))
        ]
        return replace(estimate, high=max([estimate.high, *seen]))

    @property
    def _left(self) -> float:
        return self.budget_s - _THINKING_S - self.prober.elapsed_s

    def _known(self, found: list[Estimate], rounds: int) -> bool:
        if rounds < len(_TARGETS):
            return False
        passages = self._passages()
        return _first(found).is_known(self.precision) or (
            self.insight.promises(passages, self.precision)
            and _first(self.insight.sharpen(found, passages)).is_known(self.precision)
        )

    def _passages(self) -> "list[Passages]":
        return [probe.passages for probe in self.probes if probe.passages is not None]

    def _approach(self) -> tuple[float, float]:
        """Steps until the knee lies between two rates that are near each other; those two."""
        low, high, rate = 0.0, math.inf, _FIRST * self.saturation_per_s
        while self._left > _LEAST_ROUND_S + WARM_UP:
            kept = self._step(rate)
            if self.limitation:
                break
            low, high = (max(low, rate), high) if kept else (low, min(high, rate))
            if high < math.inf and (high <= _NEAR * low or high <= LOWEST * self.saturation_per_s):
                break
            if high == math.inf:
                rate = (rate + self.saturation_per_s) / 2 if rate < 0.9 * self.saturation_per_s else 1.2 * rate
            else:
                rate = math.sqrt(low * high) if low else high / 2
        return low, high

    def _step(self, rate_per_s: float) -> bool:
        """Tries a rate until it is known whether it keeps all rules, or for some seconds.

        What crosses one within two seconds alone is tried again, and the second time counts: a single stall is no rate
        that is too high.
        """

        def enough(probe: Probe) -> bool:
            known = [test.kept for test in self._tests(probe)]
            return False in known or all(known)

        seconds = min(max(_STEP_S, math.ceil(200 / rate_per_s)), int(self._left) - WARM_UP)
        probe = self._measure(rate_per_s, seconds, enough)
        self.kept[probe.number] = kept = self._keeps(probe)
        again = not kept and not self.limitation and self._left > seconds + _LEAST_ROUND_S + WARM_UP
        if again and self._keeps_but_for_a_stall(probe):
            del self.kept[probe.number]
            probe = self._measure(rate_per_s, seconds, enough)
            self.kept[probe.number] = kept = self._keeps(probe)
        return kept

    def _keeps(self, probe: Probe) -> bool:
        """Whether a rate seems to keep all rules."""
        tests = self._tests(probe)
        return False not in {test.kept for test in tests} and all(test.leaning for test in tests)

    def _takes(self, probe: Probe) -> bool:
        """Whether a rate seems to be answered as soon as the rules want it; no where none of them is about time."""
        return any(rule.kind == "latency" for rule in self.rules) and self._keeps(probe)

    def _keeps_but_for_a_stall(self, probe: Probe) -> bool:
        """Whether the rules would be kept without the two neighbouring seconds in which most was broken."""
        broken = [sum(number for _, number in row) for row in probe.counts]
        worst = max(range(len(broken)), key=lambda index: sum(broken[index : index + _STALL_S]))
        left = probe.counts[:worst] + probe.counts[worst + _STALL_S :]
        return not left or all(test.leaning for test in self._tests(probe, left))

    def _tests(self, probe: Probe, rows: "Sequence[Sequence[tuple[float, float]]] | None" = None) -> list[ShareTest]:
        """What the probe, or some of its seconds, says about each rule so far."""
        dispersion = expected_dispersion(probe.rate_per_s / self.saturation_per_s)
        tests = [ShareTest(rule.share, dispersion) for rule in self.rules]
        for row in probe.counts if rows is None else rows:
            for test, (requests, broken) in zip(tests, row, strict=True):
                test.add(requests, broken)
        return tests

    def _measure(
        self, rate_per_s: float, seconds: int, enough: Callable[[Probe], bool] = lambda _: False, *, again: bool = False
    ) -> Probe:
        """One probe, again when the generator was late: a busy machine may pass. What it limited is not used.

        Where the target seems to wear out it gets the same once more, and then half of it: something else may have held
        it up, or it was near its limit. What takes half of the rate as it is asked to is not worn out, however much
        faster it was before.

        Raises:
            TargetLostError: the target wears out.
        """
        number = len(self.probes)
        probe = Probe(rate_per_s, self.seed * 1000 + number, number)
        for attempt in range(_ATTEMPTS):
            probe = Probe(rate_per_s, self.seed * 1000 + number + 333 * attempt, number)
            self._send(probe, seconds, enough)
            if not self.limitation or self._left < seconds:
                break
        self.probes.append(probe)
        if self.limitation:
            return probe
        probe.passages = self.prober.passages()
        if worn := self._worn(probe):
            if not again:
                return self._measure(rate_per_s, seconds, enough, again=True)
            if self._left > _EASY_S + WARM_UP:
                eased = self._ease(rate_per_s)
                if not self.limitation and not self._takes(eased) and (still := self._worn(eased)):
                    raise TargetLostError(f"{worn}, and {still}")
        return probe

    def _ease(self, rate_per_s: float) -> Probe:
        """Half of a rate, for a little while."""
        number = len(self.probes)
        probe = Probe(_EASY * rate_per_s, self.seed * 1000 + number, number)
        self._send(probe, _EASY_S, lambda _: False)
        self.probes.append(probe)
        return probe

    def _send(self, probe: Probe, seconds: int, enough: Callable[[Probe], bool]) -> None:
        """Fills a probe. The first second, in which the queue fills, is not counted."""
        sent = self.prober.send(probe.rate_per_s, seconds + WARM_UP, probe.seed)
        with closing(sent):
            for index, tally in enumerate(sent):
                if index < WARM_UP:
                    continue
                probe.add(tally, self.rules)
                self.on_probe(probe)
                if enough(probe):
                    break
        self.limitation = self.prober.limitation

    def _worn(self, probe: Probe) -> str:
        """How a target wears out that is three times slower than it was at a higher rate before; empty otherwise."""
        now = probe.latency.percentile(50)
        for former in self.probes:
            then = former.latency.percentile(50)
            if former.rate_per_s * _LOWER >= probe.rate_per_s and then > 0 and now > _SLOWER * then + _SLOWER_S:
                return (
                    f"half of its answers took {1000 * now:.1f} ms at {probe.rate_per_s:,.0f}/s, "
                    f"after {1000 * then:.1f} ms at {former.rate_per_s:,.0f}/s"
                )
        return ""

    def _bracket(self) -> tuple[float, float]:
        """The two rates between which the steps saw the knee."""
        kept = [self.probes[number].rate_per_s for number, good in self.kept.items() if good]
        crossed = [self.probes[number].rate_per_s for number, good in self.kept.items() if not good]
        high = min(crossed, default=math.inf)
        return max((rate for rate in kept if rate < high), default=0.0), high

    def _next(self, estimate: Estimate, rounds: int) -> float:
        """Where to measure next: at the knee, where six times and where twice as many requests break the rule.

        Before that, half-way between the last steps: a curve that stands on two rates may be far too steep. Where three
        rounds leave the lower end open, well below: what is kept there says the most about it.
        """
        low, high = self._bracket()
        if not rounds and low:
            return math.sqrt(low * high)
        if low and rounds >= len(_TARGETS) and self.insight.station is None and is_vague(estimate.per_s, estimate.low):
            return _BELOW * low
        top = max(high, self.saturation_per_s * (1 - _REST))
        if estimate.curve is None or estimate.curve.slope < _FLAT:
            return min(_AROUND[0] * high if rounds % 2 else _AROUND[1] * high, top)
        rate = estimate.curve.rate_at(min(estimate.rule.share * _TARGETS[rounds % len(_TARGETS)], 0.3))
        return min(max(rate, _AROUND[0] * (low or high / 2)), _AROUND[1] * high, top)


def _first(estimates: Sequence[Estimate]) -> Estimate:
    """The knee of the rule that breaks first."""
    return min(estimates, key=lambda estimate: estimate.per_s)
