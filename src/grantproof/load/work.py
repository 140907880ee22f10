"""A scenario as the engine needs it: parts with weights, and what each worker makes of its share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grantproof.load.findings import Findings
from grantproof.load.stages import divide

if TYPE_CHECKING:
    from grantproof.load.exchange import Exchange
    from grantproof.load.schedule import Schedule
    from grantproof.load.target import Target


@dataclass(frozen=True)
class Work:
    """What one worker has to do of one part.

    Attributes:
        target: what is loaded.
        schedule: when this worker's requests are due; None is the closed loop.
        duration_s: how long requests are sent; None is until the run is stopped.
        findings: where judges note what they notice.
        users: in the closed loop, how many requests are under way over all workers.
    """

    target: "Target"
    schedule: "Schedule | None" = None
    duration_s: float | None = None
    findings: Findings = field(default_factory=Findings)
    users: int = 1


@dataclass(frozen=True)
class Part:
    """One kind of request of a scenario, measured apart. `make` may take its time: it is called ahead of the run."""

    name: str
    make: Callable[[Work], "Exchange"]
    weight: float = 1.0


def schedules_of(parts: Sequence[Part], whole: "Schedule | None") -> "list[Schedule | None]":
    """Each part's arrivals: together they are the whole."""
    if whole is None:
        return [None] * len(parts)
    return [*divide(whole, [part.weight for part in parts])]


def share_users(users: int, weights: Sequence[float]) -> list[int]:
    """How many of the users each part has: by weight, as near as whole numbers go."""
    total, given, wanted = sum(weights), 0, 0.0
    shares: list[int] = []
    for weight in weights:
        wanted += users * weight / total
        shares.append(round(wanted) - given)
        given += shares[-1]
    return shares


@dataclass(frozen=True)
class LanePlan:
    """One part with its place in the run. `schedule` is over all workers; `rate_per_s` is its mean."""

    scenario: str
    part: Part
    schedule: "Schedule | None"
    rate_per_s: float | None

    def chain(self, shares: Sequence[tuple[int, int]]) -> "Schedule | None":
        """A share of a share of ...: what a worker has to do, or has taken over."""
        found = self.schedule
        for index, of in shares:
            found = found.share(index, of) if found is not None else None
        return found


def plan_lanes(
    scenarios: Mapping[str, Sequence[Part]], schedule_of: "Callable[[str], tuple[Schedule | None, float | None]]"
) -> list[LanePlan]:
    """A lane for each part of each scenario. `schedule_of` gives a scenario's arrivals and their mean rate."""
    lanes: list[LanePlan] = []
    for name, parts in scenarios.items():
        whole, rate = schedule_of(name)
        total = sum(part.weight for part in parts)
        lanes += [
            LanePlan(name, part, schedule, rate * part.weight / total if rate is not None else None)
            for part, schedule in zip(parts, schedules_of(parts, whole), strict=True)
        ]
    return lanes
