"""What the user asks for: a run of load as data."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import grantproof
from grantproof.errors import GrantproofError
from grantproof.load.engine import MOST_CONNECTIONS
from grantproof.load.schedule import Schedule, make_schedule
from grantproof.load.schedule_file import read_schedule
from grantproof.load.thresholds import parse_thresholds

MASTER_PORT = 5557
_EXPORTERS = {
    "grpc": "opentelemetry.exporter.otlp.proto.grpc",
    "http": "opentelemetry.exporter.otlp.proto.http",
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http",
}


@dataclass(frozen=True)
class Fleet:
    """Workers on other machines: how many are expected, and where they find this one."""

    workers: int
    bind: str = "*"
    port: int = MASTER_PORT


@dataclass(frozen=True)
class LoadPlan:
    """A run at a rate or by a schedule (open loop), or with a number of users (closed loop).

    Args:
        idp: a profile's name or path.
        rate_per_s: requests that are due per second, whatever the answers do.
        users: how many clients send their next request as soon as they have an answer.
        duration_s: how long requests are sent; a schedule has its own.
        arrival: `constant` or `poisson`.
        scenario: a Locust file among the load tests, without `.py`.
        out: the run's folder; None is `reports/<profile>-<UTC time>`.
        seed: makes Poisson arrivals repeatable.
        workers: processes that share the rate.
        connections: how many connections all workers together may have open.
        thresholds: rules that replace the profile's; None keeps those.
        scenarios: several scenarios instead of one, with their own rates; None is `rate_per_s` or the schedule.
        schedule_file: stages or a recorded trace instead of a rate.
        new_connections: a new connection for each request.
        resumption: new TLS connections resume an earlier session.
        http2: HTTP/2 where the server agrees to it.
        otel: metrics are exported by OpenTelemetry, as its environment variables say.
        fleet: workers on other machines, instead of processes on this one.
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
    scenarios: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    schedule_file: Path | None = None
    new_connections: bool = False
    resumption: bool = True
    http2: bool = False
    otel: bool = False
    fleet: Fleet | None = None

    def __post_init__(self) -> None:
        self._check_rate()
        if self.users is not None and self.users < 1:
            raise GrantproofError(f"the number of users must be at least 1, not {self.users}", "--users")
        for rate in (1.0, *(each for each in (self.rate_per_s, *self.rates.values()) if each is not None)):
            make_schedule(self.arrival, rate, self.duration_s, self.seed)
        if self.schedule_file is not None:
            read_schedule(self.schedule_file)
        if self.processes < 1 or (self.users is not None and self.users < self.processes):
            raise GrantproofError(f"{self.processes} workers have nothing to share", "--workers")
        if self.connections < self.processes:
            raise GrantproofError("each worker needs a connection", "--connections")
        if self.otel:
            check_telemetry()
        parse_thresholds(self.thresholds or ())
        for name in self.rates:
            locust_file(name)

    def _check_rate(self) -> None:
        given = (self.rate_per_s, self.schedule_file, self.users)
        number = sum(each is not None for each in given)
        own = [rate for rate in self.rates.values() if rate is not None]
        if number > 1 or (self.users is not None and own):
            raise GrantproofError("give one of a rate, a schedule and a number of users", "--rate, --schedule, --users")
        if not number and len(own) < len(self.rates):
            raise GrantproofError("give a rate, a schedule or a number of users", "--rate, --schedule, --users")

    @property
    def rates(self) -> Mapping[str, float | None]:
        """All scenarios with their own rates, where they have one."""
        return self.scenarios or {self.scenario: None}

    @property
    def processes(self) -> int:
        """How many workers share the work, here or elsewhere."""
        return self.workers if self.fleet is None else self.fleet.workers

    @property
    def schedule(self) -> Schedule | None:
        """When requests are due that have no rate of their own; None in the closed loop."""
        if self.schedule_file is not None:
            return read_schedule(self.schedule_file, seed=self.seed)
        if self.rate_per_s is None:
            return None
        return make_schedule(self.arrival, self.rate_per_s, self.duration_s, self.seed)

    @property
    def lasts_s(self) -> float:
        """How long requests are sent."""
        schedule = self.schedule
        return (schedule.duration_s if schedule is not None else None) or self.duration_s


def check_telemetry() -> None:
    """Sees to it that metrics can be exported.

    Raises:
        GrantproofError: the extra, or the exporter that its variables ask for, is not installed.
    """
    if not _is_installed("opentelemetry.sdk"):
        raise GrantproofError("OpenTelemetry needs an extra", "--otel", "pip install 'grantproof[otel]'")
    if "otlp" not in os.environ.get("OTEL_METRICS_EXPORTER", "otlp").lower().replace(" ", "").split(","):
        return
    given = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = (given or "grpc").lower().strip()
    module = _EXPORTERS.get(protocol)
    if module is None:
        raise GrantproofError(
            f"no exporter speaks {protocol!r}", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf or grpc"
        )
    if not _is_installed(module):
        hint = "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or pip install opentelemetry-exporter-otlp-proto-grpc"
        raise GrantproofError(f"the exporter for OpenTelemetry's {protocol} is not installed", "--otel", hint)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def load_tests() -> Path:
    """The folder of Locust files: inside the package where it is installed, beside `src` in a clone."""
    package = Path(grantproof.__file__).resolve().parent
    inside = package / "loadtests"
    return inside if inside.is_dir() else package.parents[1] / "loadtests"


def known_scenarios() -> list[str]:
    """The names of all Locust files."""
    return sorted(path.stem for path in load_tests().glob("[a-z]*.py"))


def locust_file(scenario: str) -> Path:
    """The Locust file of a scenario.

    Raises:
        GrantproofError: there is none of that name.
    """
    known = known_scenarios()
    if scenario not in known:
        raise GrantproofError(f"no scenario {scenario!r}", "--scenario", f"one of {', '.join(known)}")
    return load_tests() / f"{scenario}.py"
