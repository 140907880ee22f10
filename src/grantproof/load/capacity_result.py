"""The result of a capacity search: capacity.json, exactly as it is written, and what it means."""

import json
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from grantproof.load.capacity_insight import Insight
    from grantproof.load.capacity_probe import Probe
    from grantproof.load.capacity_rules import ShareRule
    from grantproof.load.capacity_saturation import Saturation
    from grantproof.load.capacity_scalability import Scalability
    from grantproof.load.thresholds import Threshold

SCHEMA: Final = "grantproof/capacity/1"
FILE_NAME: Final = "capacity.json"
TARGET: Final = "target"
GENERATOR: Final = "generator"


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold, and whether the capacity keeps it; None where the search could not tell."""

    rule: str
    kept: bool | None


class CapacityResult(msgspec.Struct, frozen=True, kw_only=True):
    """capacity.json as data. Rates are per second, durations in seconds; what was not found is None."""

    schema: str = SCHEMA
    target: dict[str, str]
    scenario: str
    saturation_per_s: float | None
    capacity_per_s: float | None
    interval_95: tuple[float, float] | None
    thresholds: list[RuleState]
    limited_by: str
    probes: list[dict[str, Any]]
    seconds: float
    sentence: str
    reason: str
    first_broken: str
    saturation: dict[str, Any] | None
    scalability: dict[str, Any] | None
    queue: dict[str, Any] | None
    connections: dict[str, Any]
    exit_code: int

    def to_json(self) -> str:
        """The text of capacity.json."""
        return json.dumps(self.to_data(), indent=1, ensure_ascii=False) + "\n"

    def to_data(self) -> dict[str, Any]:
        """The members of capacity.json."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data | {"interval_95": list(self.interval_95) if self.interval_95 is not None else None}

    def write(self, folder: Path) -> Path:
        """Puts capacity.json into the run's folder, all at once; gives its path."""
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".capacity-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.to_json())
            Path(name).chmod(0o644)
            return Path(name).replace(folder / FILE_NAME)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def describe_probe(probe: "Probe", rules: Sequence["ShareRule"]) -> dict[str, Any]:
    """A member of `probes`. `kept` is what its own requests did, however few they were."""
    p50, p99 = probe.latency.percentiles((50.0, 99.0))
    shares = {rule.rule: round(probe.share(index), 6) for index, rule in enumerate(rules)}
    return {
        "offered_per_s": rounded(probe.rate_per_s),
        "kept": bool(probe.seconds) and all(shares[rule.rule] < rule.share for rule in rules),
        "p99": rounded(p99),
        "p50": rounded(p50),
        "answered_per_s": rounded(probe.answered / probe.seconds) if probe.seconds else 0.0,
        "requests": int(sum(max(requests for requests, _ in row) for row in probe.counts)),
        "broken": shares,
        "seconds": probe.seconds,
    }


def describe_saturation(saturation: "Saturation") -> dict[str, Any]:
    """The member `saturation`: how sure it is, what it took, and the throughput of each number of users."""
    return {
        "half_width_95": rounded(saturation.half_width) if math.isfinite(saturation.half_width) else None,
        "users": saturation.users,
        "warm_up_s": round(saturation.warm_up_s, 3),
        "settled": saturation.settled,
        "levels": [{"users": level.users, "per_s": rounded(level.per_s)} for level in saturation.levels],
    }


def describe_law(law: "Scalability | None") -> dict[str, Any] | None:
    """The member `scalability`."""
    if law is None:
        return None
    return {
        "fits": law.fits,
        "worst_error": round(law.worst_error, 4),
        "alone_per_s": rounded(law.alone_per_s),
        "contention": round(law.contention, 6),
        "coherence": round(law.coherence, 8),
        "best_users": round(law.best_users, 1) if math.isfinite(law.best_users) else None,
    }


def describe_queue(insight: "Insight") -> dict[str, Any]:
    """The member `queue`."""
    station = insight.station
    if station is None:
        return {"fits": False, "reason": insight.reason}
    return {
        "fits": True,
        "reason": "",
        "workers": station.workers,
        "service_s": rounded(station.mean_s),
        "variability": round(station.variability, 4),
        "offset_s": rounded(station.offset_s - station.late_s),
        "agrees": insight.agrees,
    }


def least_rate_states(rules: Sequence["Threshold"], interval: tuple[float, float] | None) -> list[RuleState]:
    """Rules such as `rate > 190/s`: kept when the whole interval keeps them, crossed when none of it does."""
    states: list[RuleState] = []
    for rule in rules:
        ends = [rule.compare(end) for end in interval] if interval is not None else [True, False]
        states.append(RuleState(rule=rule.rule, kept=ends[0] if ends[0] == ends[1] else None))
    return states


def is_vague(capacity: float, low: float) -> bool:
    """Whether the lower end of its interval is too far from a capacity to plan with it."""
    return low < 0.5 * capacity


def sentence(
    capacity: float,
    interval: tuple[float, float],
    rules: Sequence["ShareRule"],
    first_broken: str,
    connections: int = 0,
) -> str:
    """What an operator can use; with the number of connections where the target served no more at a time."""
    named = " and ".join(rule.rule for rule in rules if rule.given) or first_broken
    if capacity <= 0:
        return f"this deployment keeps {named} at no rate: {first_broken} is crossed at {interval[1]:,.4g}/s already"
    low, high = (f"{end:,.0f}" if end >= 100 else f"{end:,.1f}" for end in interval)
    top = f"{capacity:,.0f}" if capacity >= 100 else f"{capacity:,.1f}"
    text = f"with {named} this deployment sustains {top}/s, {low} to {high}"
    if connections:
        text += f", over no more than {connections:,} connection{'s' if connections > 1 else ''} at a time"
    if is_vague(capacity, interval[0]):
        return f"{text}; that is too vague to plan with: give it a longer --budget"
    return f"{text}; plan 1 node like it per {low}/s"


def rounded(value: float) -> float:
    """Six digits."""
    return float(f"{value:.6g}")
