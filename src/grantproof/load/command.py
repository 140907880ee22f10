"""The commands that run Locust. They hold the profile's path and no secret."""

import socket
import sys
from typing import TYPE_CHECKING, Final

from grantproof.load.plan import known_scenarios, locust_file

if TYPE_CHECKING:
    from grantproof.load.plan import LoadPlan

_LOCUST: Final = (sys.executable, "-m", "grantproof.load.locust_child", "-f")
_EXPECTED_WAIT_S: Final = 30
_FLEET_WAIT_S: Final = 600


def command_line(plan: "LoadPlan") -> list[str]:
    """The command that runs a plan."""
    files = ",".join(str(locust_file(name)) for name in plan.rates)
    command = [*_LOCUST, files]
    command += ["--headless", "--only-summary", "--loglevel", "WARNING", "--exit-code-on-error", "0", "--progress"]
    command += [f"--idp={plan.idp}", f"--out={plan.out}", "--seed", str(plan.seed)]
    command += ["--connections", str(plan.connections)]
    if plan.schedule_file is not None:
        command += [f"--schedule={plan.schedule_file}"]
    else:
        command += ["--duration", f"{plan.duration_s}s"]
    if plan.users is None:
        command += ["--arrival", plan.arrival]
    if plan.rate_per_s is not None:
        command += ["--rate", str(plan.rate_per_s)]
    command += [part for name, rate in plan.rates.items() if rate for part in ("--scenario-rate", f"{name}={rate}")]
    command += ["--new-connections"] if plan.new_connections else []
    command += [] if plan.resumption else ["--no-resumption"]
    command += ["--http2"] if plan.http2 else []
    command += ["--otel"] if plan.otel else []
    users = plan.users if plan.users is not None else plan.processes
    command += ["--users", str(users), "--spawn-rate", str(users), *_workers(plan)]
    return command + [f"--threshold={rule}" for rule in plan.thresholds or ()]


def _workers(plan: "LoadPlan") -> list[str]:
    fleet = plan.fleet
    if fleet is not None:
        waits = ["--expect-workers", str(fleet.workers), "--expect-workers-max-wait", str(_FLEET_WAIT_S)]
        return ["--master", *waits, "--master-bind-host", fleet.bind, "--master-bind-port", str(fleet.port)]
    if plan.workers < 2:
        return []
    here, port = "127.0.0.1", str(_free_port())
    waits = ["--processes", str(plan.workers), "--expect-workers-max-wait", str(_EXPECTED_WAIT_S)]
    binds = ["--master-bind-host", here, "--master-bind-port", port]
    return [*waits, *binds, "--master-host", here, "--master-port", port]


def worker_command(idp: str, host: str, port: int, *, otel: bool = False) -> list[str]:
    """The command of a worker for a master on another machine. The master says which scenarios to run, and when."""
    files = ",".join(str(locust_file(name)) for name in known_scenarios())
    command = [*_LOCUST, files, "--worker", "--loglevel", "WARNING", f"--idp={idp}"]
    return [*command, "--master-host", host, "--master-port", str(port), *(["--otel"] if otel else [])]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
