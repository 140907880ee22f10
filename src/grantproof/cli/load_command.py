"""`grantproof load`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grantproof.load import LoadPlan


@click.command("load")
@click.option("--idp", required=True, metavar="P", help="A profile's path, the name of a shipped one, or embedded.")
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="S[=RATE]",
    help="A Locust file of loadtests, with a rate of its own; may be repeated.  [default: token_endpoint]",
)
@click.option(
    "--rate",
    "rate_per_s",
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    help="Requests per second (open loop), of each scenario without a rate of its own.",
)
@click.option(
    "--schedule",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="When requests are due: stages (.toml), or a recorded trace.",
)
@click.option("--users", type=click.IntRange(1), metavar="N", help="Closed loop: as fast as N connections go.")
@click.option("--duration", metavar="D", help="30s, 2m, 1h30m; a schedule has its own.  [default: 30s]")
@click.option(
    "--arrival",
    type=click.Choice(["constant", "poisson"]),
    help="How requests are spaced at a rate.  [default: constant]",
)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Open at most, over all workers and scenarios.",
)
@click.option("--new-connections", is_flag=True, help="A new connection for each request.")
@click.option("--no-resumption", is_flag=True, help="A full TLS handshake for each new connection.")
@click.option("--http2", is_flag=True, help="HTTP/2 where the server agrees to it.")
@click.option("--otel", is_flag=True, help="Export metrics by OpenTelemetry, as its variables say.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that share the rate.  [default: 1]")
@click.option("--master", is_flag=True, help="Wait for workers on other machines, which --expect-workers counts.")
@click.option("--expect-workers", type=click.IntRange(1), metavar="N", help="How many workers the master waits for.")
@click.option("--bind", default="*", show_default=True, metavar="ADDRESS", help="Where the master listens.")
@click.option("--worker", "master_host", metavar="HOST", help="Work for the master on this host.")
@click.option("--port", type=click.IntRange(1, 65535), default=5557, show_default=True, help="The master's port.")
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="RULE", help='Instead of the profile\'s: "p99 < 250ms".'
)
@click.option("--seed", type=int, default=0, show_default=True, help="Makes Poisson arrivals repeatable.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the report goes.")
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    context: click.Context,
    idp: str,
    scenarios: "Sequence[str]",
    rate_per_s: float | None,
    schedule: Path | None,
    users: int | None,
    duration: str | None,
    arrival: str | None,
    connections: int,
    workers: int | None,
    expect_workers: int | None,
    bind: str,
    master_host: str | None,
    port: int,
    thresholds: "Sequence[str]",
    seed: int,
    out: Path | None,
    *,
    new_connections: bool,
    no_resumption: bool,
    http2: bool,
    otel: bool,
    master: bool,
) -> int:
    """Loads a server; latency counts from when each request was due. Thresholds decide the exit code."""
    from grantproof.load import Fleet, LoadPlan, parse_duration, work
    from grantproof.load.ledger import default_folder

    _check_fleet(master=master, expect_workers=expect_workers, master_host=master_host, workers=workers)
    if master_host is not None:
        _check_worker(context)
        return work(idp, master_host, port, otel=otel)
    if schedule is not None and duration is not None:
        raise click.UsageError("a schedule has its own duration: leave out --duration")
    if arrival is not None and (schedule is not None or users is not None):
        raise click.UsageError("--arrival says how requests are spaced at a rate: leave it out")
    plan = LoadPlan(
        idp=idp,
        rate_per_s=rate_per_s,
        users=users,
        duration_s=parse_duration(duration or "30s"),
        arrival=arrival or "constant",
        scenarios=_read_scenarios(scenarios),
        schedule_file=schedule,
        out=out or default_folder(Path(idp).name.removesuffix(".toml")),
        seed=seed,
        workers=workers or 1,
        connections=connections,
        thresholds=tuple(thresholds) or None,
        new_connections=new_connections,
        resumption=not no_resumption,
        http2=http2,
        otel=otel,
        fleet=Fleet(expect_workers, bind, port) if expect_workers is not None else None,
    )
    return run_load(plan)


def _check_fleet(*, master: bool, expect_workers: int | None, master_host: str | None, workers: int | None) -> None:
    if sum((master, master_host is not None, workers is not None)) > 1:
        raise click.UsageError("give one of --workers, --master and --worker")
    if master != (expect_workers is not None):
        raise click.UsageError("--master and --expect-workers N go together")


def _check_worker(context: click.Context) -> None:
    """A worker does what the master was told: what it is told itself would be lost."""
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name not in {"idp", "master_host", "port", "otel"}
        and context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"a worker does what its master was told: leave out {', '.join(given)}")


def _read_scenarios(texts: "Sequence[str]") -> "dict[str, float | None]":
    """Names with their rates, of `S` or `S=RATE` each."""
    from grantproof.load.rates import parse_rates

    names = [text.partition("=")[0] for text in texts]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(f"the scenario {name} is given more than once")
    own = parse_rates([text for text in texts if "=" in text], "--scenario")
    return {name: own.get(name) for name in names}


def run_load(plan: "LoadPlan", *, page: bool = True) -> int:
    """Runs a plan, prints its figures, writes its page; the exit code of the contract."""
    from dataclasses import replace

    from grantproof.cli.load_display import Display, summary
    from grantproof.load import EngineCrashedError, LoadInterrupted, run
    from grantproof.report.tally import ExitCode

    with ExitStack() as stack:
        if plan.idp == "embedded":
            from grantproof.embedded import start

            plan = replace(plan, idp=str(stack.enter_context(start())))
        display = Display(plan.processes)
        try:
            result = run(plan, display.show)
            code = result.exit_code
        except LoadInterrupted as stopped:
            result, code = stopped.result, ExitCode.INTERRUPTED
        except EngineCrashedError as problem:
            click.echo(f"grantproof: the load engine ended without a result: {problem}", err=True)
            return ExitCode.INTERNAL
        finally:
            display.end()
    written = write_page(plan.out) if page and plan.out is not None else None  # first, since nobody may read the rest
    click.echo(summary(result))
    if written is not None:
        click.echo(f"report: {written}")
    return code


def write_page(folder: Path) -> Path:
    """Makes report.html of what a run's folder holds."""
    import json

    from grantproof.report.writer import write_load_page

    load = json.loads((folder / "load.json").read_text("utf-8"))
    return write_load_page(folder, load=load)["html"]
