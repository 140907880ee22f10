"""Our options on Locust's command line, and what they mean for a worker, a master or a single process."""

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import gevent
from locust import events

from grantproof.errors import GrantproofError
from grantproof.load.durations import parse_duration
from grantproof.load.engine import MOST_CONNECTIONS
from grantproof.load.rates import parse_rates
from grantproof.load.schedule import ARRIVALS, Schedule, make_schedule
from grantproof.load.schedule_file import read_schedule
from grantproof.load.stages import Trace, from_data, to_data

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser
    from locust.env import Environment

USAGE_ERROR = 2
INTERNAL_ERROR = 4
_log = logging.getLogger(__name__)


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
    group.add_argument(
        "--scenario-rate",
        action="append",
        metavar="S=RATE",
        help="a rate of its own for one of several scenarios; may be repeated",
    )
    group.add_argument("--schedule", metavar="FILE", help="when requests are due: stages (.toml), or a recorded trace")
    group.add_argument("--arrival", choices=ARRIVALS, default="constant", help="how requests are spaced at a rate")
    group.add_argument("--seed", type=int, default=0, help="makes Poisson arrivals repeatable")
    group.add_argument("--duration", metavar="TIME", help="how long requests are sent; --run-time means the same")
    group.add_argument("--connections", type=int, default=MOST_CONNECTIONS, help="open at most, over all workers")
    group.add_argument("--new-connections", action="store_true", help="a new connection for each request")
    group.add_argument("--no-resumption", action="store_true", help="a full TLS handshake for each new connection")
    group.add_argument("--http2", action="store_true", help="HTTP/2 where the server agrees to it")
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
    """Our options, read and checked. `duration_s` None is until Locust stops the test.

    `shares` says which worker sends which share; `local` that all workers are forks of one process.
    """

    idp: str
    rate_per_s: float | None
    rates: Mapping[str, float]
    schedule: "Schedule | None"
    schedule_file: str
    arrival: str
    seed: int
    duration_s: float | None
    connections: int
    new_connections: bool
    resumption: bool
    http2: bool
    thresholds: tuple[str, ...] | None
    out: Path | None
    progress: bool
    users: int
    workers: int
    shares: Mapping[str, int] | None
    scenarios: tuple[str, ...] | None
    local: bool
    token_url: str

    @classmethod
    def of(cls, environment: "Environment") -> "Options":
        """Reads them from what Locust parsed; on a worker, from what the master sent.

        Raises:
            GrantproofError: one is missing or wrong.
        """
        given: Any = environment.parsed_options
        own = getattr(given, "own_idp", None)
        idp = own if own and own != "embedded" else given.idp
        if not idp:
            raise GrantproofError("no target is given", "--idp", "a profile's name or path, or --idp embedded")
        schedule = _schedule_of(given)
        duration_s = parse_duration(str(given.duration)) if given.duration else None
        if schedule is not None and (duration_s is not None or given.rate):
            raise GrantproofError("a schedule has its own rate and duration", "--schedule", "leave out the others")
        if int(given.connections) < 1:
            raise GrantproofError(
                f"{given.connections} connections carry no request", "--connections", "give 1 or more"
            )
        shares = getattr(given, "shares", None)
        return cls(
            idp=idp,
            rate_per_s=float(given.rate) if given.rate else None,
            rates=parse_rates(given.scenario_rate or (), "--scenario-rate"),
            schedule=schedule,
            schedule_file=Path(given.schedule).name if given.schedule else "",
            arrival=given.arrival,
            seed=int(given.seed),
            duration_s=schedule.duration_s if schedule is not None else duration_s,
            connections=int(given.connections),
            new_connections=bool(given.new_connections),
            resumption=not given.no_resumption,
            http2=bool(given.http2),
            thresholds=tuple(given.threshold) if given.threshold else None,
            out=Path(given.out) if given.out else None,
            progress=bool(given.progress),
            users=int(given.num_users or 1),
            workers=max(len(shares), 1) if shares is not None else 1,
            shares=shares,
            scenarios=tuple(given.scenario_names) if getattr(given, "scenario_names", None) else None,
            local=shares is None or bool(getattr(given, "forked", False)),
            token_url=getattr(given, "found_token_url", ""),
        )

    def schedule_of(self, scenario: str) -> "tuple[Schedule | None, float | None]":
        """When a scenario's requests are due over all workers, and the mean rate; None and None in the closed loop.

        Raises:
            GrantproofError: the scenario has no rate while others have.
        """
        rate = self.rates.get(scenario, self.rate_per_s)
        if rate is not None:
            return make_schedule(self.arrival, rate, self.duration_s, self.seed), rate
        if self.schedule is not None:
            mean: float = getattr(self.schedule, "rate_per_s", 0.0)
            return self.schedule, mean
        if self.rates:
            where = f"--scenario-rate {scenario}="
            raise GrantproofError(f"the scenario {scenario} has no rate, and others have", where, "or give --rate")
        return None, None

    @property
    def arrival_name(self) -> str:
        """How requests are spaced, as load.json says it."""
        if self.schedule is not None:
            return "trace" if isinstance(self.schedule, Trace) else _spacing(self.schedule)
        return self.arrival if self.rate_per_s is not None or self.rates else "closed"


def _spacing(schedule: "Schedule") -> str:
    return "poisson" if getattr(schedule, "poisson", False) else "constant"


def _schedule_of(given: Any) -> "Schedule | None":
    if not given.schedule:
        return None
    sent: Mapping[str, Any] | None = getattr(given, "found_schedule", None)
    return from_data(sent) if sent else read_schedule(Path(given.schedule), seed=int(given.seed))


def find_schedule(environment: "Environment") -> None:
    """Reads the schedule's file once, for workers that may not have it.

    Raises:
        GrantproofError: it cannot be used.
    """
    given: Any = environment.parsed_options
    if given.schedule:
        given.found_schedule = to_data(read_schedule(Path(given.schedule), seed=int(given.seed)))


def take_over_run_time(environment: "Environment") -> None:
    """Lets the engine end the test instead of Locust, which would cut off what is under way; sizes a master's users."""
    given: Any = environment.parsed_options
    if given.headless and given.run_time and not given.duration and not given.schedule:
        given.duration, given.run_time = f"{given.run_time}s", None
    if (given.rate or given.schedule or given.scenario_rate) and given.num_users is None:
        given.num_users = given.spawn_rate = max(given.expect_workers if given.master else 1, 1)


def leave(error: GrantproofError) -> NoReturn:
    """Ends the process as every command does whose use or profile is wrong."""
    sys.stderr.write(f"{error}\n")
    sys.exit(USAGE_ERROR)


def give_up(environment: "Environment", error: BaseException, code: int) -> None:
    """Says why and ends this process; a master counts it as lost."""
    _log.error("%s", error, exc_info=error if code == INTERNAL_ERROR else None)
    environment.process_exit_code = code
    runner: Any = environment.runner
    gevent.spawn(runner.quit)


on(events.init_command_line_parser, add_options)
