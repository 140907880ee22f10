"""Our options on Locust's command line, and what they mean for a worker, a master or a single process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from locust import events

from grantproof.errors import GrantproofError
from grantproof.load.engine import MOST_CONNECTIONS
from grantproof.load.plan import parse_duration
from grantproof.load.schedule import ARRIVALS, Schedule, make_schedule

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser
    from locust.env import Environment

USAGE_ERROR = 2


def on(event: Any, listener: Callable[..., None]) -> None:
    """Has a function called at one of Locust's events, which are untyped."""
    event.add_listener(listener)


def add_options(parser: "LocustArgumentParser", **_: object) -> None:
    """Adds them; `--users`, `--run-time` and all the others stay Locust's."""
    group = parser.add_argument_group("grantproof", "The target, and when requests are due")
    group.add_argument("--idp", metavar="P", help="profile of the target: a name, a path, or embedded")
    group.add_argument(
        "--rate",
        type=float,
        help="requests due per second (open loop); without it, --users send as fast as they are answered",
    )
    group.add_argument("--arrival", choices=ARRIVALS, default="constant", help="how requests are spaced at a rate")
    group.add_argument("--seed", type=int, default=0, help="makes Poisson arrivals repeatable")
    group.add_argument("--duration", metavar="TIME", help="how long requests are sent; --run-time means the same")
    group.add_argument("--connections", type=int, default=MOST_CONNECTIONS, help="open at most, over all workers")
    group.add_argument(
        "--threshold", action="append", metavar="RULE", help='instead of the profile\'s, e.g. "p99 < 250ms"'
    )
    group.add_argument("--out", metavar="DIR", help="folder of load.json; default: reports/<profile>-<UTC time>")
    group.add_argument("--progress", action="store_true", help="print a JSON line each second")
    actions: Any = group._group_actions  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - groups lack Locust's keyword
    for action in actions:
        action.include_in_web_ui = action.dest in {"rate", "arrival", "seed"}


@dataclass(frozen=True)
class Options:
    """Our options, read and checked. `duration_s` None is until Locust stops the test."""

    idp: str
    rate_per_s: float | None
    arrival: str
    seed: int
    duration_s: float | None
    connections: int
    thresholds: tuple[str, ...] | None
    out: Path | None
    progress: bool
    workers: int
    token_url: str

    @classmethod
    def of(cls, environment: "Environment") -> "Options":
        """Reads them from what Locust parsed; on a worker, from what the master sent.

        Raises:
            GrantproofError: one is missing or wrong.
        """
        given: Any = environment.parsed_options
        if not given.idp:
            raise GrantproofError("no target is given", "--idp", "a profile's name or path, or --idp embedded")
        return cls(
            idp=given.idp,
            rate_per_s=float(given.rate) if given.rate else None,
            arrival=given.arrival,
            seed=int(given.seed),
            duration_s=parse_duration(str(given.duration)) if given.duration else None,
            connections=int(given.connections),
            thresholds=tuple(given.threshold) if given.threshold else None,
            out=Path(given.out) if given.out else None,
            progress=bool(given.progress),
            workers=max(int(getattr(given, "sharing_workers", 1)), 1),
            token_url=getattr(given, "found_token_url", ""),
        )

    @property
    def schedule(self) -> Schedule | None:
        """When requests are due over all workers; None in the closed loop."""
        if self.rate_per_s is None:
            return None
        return make_schedule(self.arrival, self.rate_per_s, self.duration_s, self.seed)


def take_over_run_time(environment: "Environment") -> None:
    """Lets the engine end the test instead of Locust, which would cut off what is under way; sizes a master's users."""
    given: Any = environment.parsed_options
    if given.headless and given.run_time and not given.duration:
        given.duration, given.run_time = f"{given.run_time}s", None
    if given.rate and given.num_users is None:
        given.num_users = given.spawn_rate = max(given.expect_workers if given.master else 1, 1)


def leave(error: GrantproofError) -> NoReturn:
    """Ends the process as every command does whose use or profile is wrong."""
    sys.stderr.write(f"{error}\n")
    sys.exit(USAGE_ERROR)


on(events.init_command_line_parser, add_options)
