"""What the user asks of a capacity search, as data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grantproof.errors import GrantproofError
from grantproof.load.capacity_rules import share_rules
from grantproof.load.engine import MOST_CONNECTIONS

_LEAST_BUDGET_S: Final = 20.0


@dataclass(frozen=True)
class CapacityPlan:
    """What the user asks for.

    Args:
        idp: a profile's name or path.
        budget_s: how long the search may take; it ends sooner when it knows enough.
        precision: the half-width of the interval, relative to the capacity, that is enough.
        thresholds: rules that replace the profile's; None keeps those.
        connections: how many may be open at once.
        seed: makes the arrivals repeatable.
        out: the run's folder; None is `reports/<profile>-<UTC time>`.
    """

    idp: str
    budget_s: float = 60.0
    precision: float = 0.03
    thresholds: tuple[str, ...] | None = None
    connections: int = MOST_CONNECTIONS
    seed: int = 0
    out: Path | None = None

    def __post_init__(self) -> None:
        if self.budget_s < _LEAST_BUDGET_S:
            raise GrantproofError(f"a search needs {_LEAST_BUDGET_S:g} s at least", "--budget")
        if not 0 < self.precision < 1:
            raise GrantproofError("the precision is a share between 0 and 1", "--precision")
        if self.connections < 1:
            raise GrantproofError("there must be a connection", "--connections")
        if self.thresholds is not None:
            share_rules(self.thresholds)
