"""What the user asks for: a run of load as data."""

import re
from dataclasses import dataclass
from pathlib import Path

import grantproof
from grantproof.errors import GrantproofError
from grantproof.load.engine import MOST_CONNECTIONS
from grantproof.load.schedule import Schedule, make_schedule
from grantproof.load.thresholds import parse_thresholds

_DURATION = re.compile(r"(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s?)?")


@dataclass(frozen=True)
class LoadPlan:
    """A run at a rate (open loop) or with a number of users (closed loop), never both.

    Args:
        idp: a profile's name or path.
        rate_per_s: requests that are due per second, whatever the answers do.
        users: how many clients send their next request as soon as they have an answer.
        duration_s: how long requests are sent.
        arrival: `constant` or `poisson`.
        scenario: a Locust file among the load tests, without `.py`.
        out: the run's folder; None is `reports/<profile>-<UTC time>`.
        seed: makes Poisson arrivals repeatable.
        workers: processes that share the rate.
        connections: how many connections all workers together may have open.
        thresholds: rules that replace the profile's; None keeps those.
    """

    idp: str
    rate_per_s: float | None = None
    users: int | None = None
    duration_s: float = 30.0
    arrival: str = "constant"
    scenario: str = "token_endpoint"
    out: Path | None = None
    seed: int = 0
    workers: int = 1
    connections: int = MOST_CONNECTIONS
    thresholds: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.rate_per_s is None) == (self.users is None):
            raise GrantproofError("give either a rate or a number of users", "--rate, --users")
        if self.users is not None and self.users < 1:
            raise GrantproofError(f"the number of users must be at least 1, not {self.users}", "--users")
        make_schedule(self.arrival, 1.0 if self.rate_per_s is None else self.rate_per_s, self.duration_s, self.seed)
        if self.workers < 1 or (self.users is not None and self.users < self.workers):
            raise GrantproofError(f"{self.workers} workers have nothing to share", "--workers")
        if self.connections < self.workers:
            raise GrantproofError("each worker needs a connection", "--connections")
        parse_thresholds(self.thresholds or ())
        locust_file(self.scenario)

    @property
    def schedule(self) -> Schedule | None:
        """When requests are due; None in the closed loop."""
        if self.rate_per_s is None:
            return None
        return make_schedule(self.arrival, self.rate_per_s, self.duration_s, self.seed)


def parse_duration(text: str) -> float:
    """Seconds of `30s`, `2m`, `1h30m`, `45` or `1.5s`.

    Raises:
        GrantproofError: it is no duration above zero.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    try:
        parts = [float(part or 0) for part in found.groups()] if found else []
    except ValueError:
        parts = []
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if seconds <= 0:
        raise GrantproofError(f"{text!r} is no duration", "--duration", "write it like 30s, 2m or 1h30m")
    return seconds


def load_tests() -> Path:
    """The folder of Locust files: inside the package where it is installed, beside `src` in a clone."""
    package = Path(grantproof.__file__).resolve().parent
    inside = package / "loadtests"
    return inside if inside.is_dir() else package.parents[1] / "loadtests"


def locust_file(scenario: str) -> Path:
    """The Locust file of a scenario.

    Raises:
        GrantproofError: there is none of that name.
    """
    folder = load_tests()
    known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    if scenario not in known:
        raise GrantproofError(f"no scenario {scenario!r}", "--scenario", f"one of {', '.join(known)}")
    return folder / f"{scenario}.py"
