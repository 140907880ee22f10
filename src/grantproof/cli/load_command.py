"""`grantproof load`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grantproof.load import LoadPlan, LoadResult, Progress

INTERNAL = 4


@click.command("load")
@click.option("--idp", required=True, metavar="P", help="A profile's path, the name of a shipped one, or embedded.")
@click.option(
    "--rate",
    "rate_per_s",
    type=click.FloatRange(0, min_open=True),
    metavar="R",
    help="Requests per second (open loop).",
)
@click.option("--users", type=click.IntRange(1), metavar="N", help="Closed loop: as fast as N connections go.")
@click.option("--duration", default="30s", show_default=True, metavar="D", help="30s, 2m, 1h30m.")
@click.option("--arrival", type=click.Choice(["constant", "poisson"]), default="constant", show_default=True)
@click.option(
    "--scenario", default="token_endpoint", show_default=True, metavar="S", help="A Locust file of loadtests."
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that share the rate.")
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="RULE", help='Instead of the profile\'s: "p99 < 250ms".'
)
@click.option("--seed", type=int, default=0, show_default=True, help="Makes Poisson arrivals repeatable.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the report goes.")
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    idp: str,
    rate_per_s: float | None,
    users: int | None,
    duration: str,
    arrival: str,
    scenario: str,
    workers: int,
    thresholds: "Sequence[str]",
    seed: int,
    out: Path | None,
) -> int:
    """Loads the token endpoint; latency counts from when each request was due. Thresholds decide the exit code."""
    from grantproof.load import LoadPlan, parse_duration
    from grantproof.load.ledger import default_folder

    plan = LoadPlan(
        idp=idp,
        rate_per_s=rate_per_s,
        users=users,
        duration_s=parse_duration(duration),
        arrival=arrival,
        scenario=scenario,
        out=out or default_folder(Path(idp).name.removesuffix(".toml")),
        seed=seed,
        workers=workers,
        thresholds=tuple(thresholds) or None,
    )
    return run_load(plan)


def run_load(plan: "LoadPlan", *, page: bool = True) -> int:
    """Runs a plan, prints its figures, writes its page; the exit code of the contract."""
    from dataclasses import replace

    from grantproof.load import EngineCrashedError, run

    with ExitStack() as stack:
        if plan.idp == "embedded":
            from grantproof.embedded import start

            plan = replace(plan, idp=str(stack.enter_context(start())))
        try:
            result = run(plan, _show)
        except EngineCrashedError as problem:
            click.echo(f"grantproof: the load engine ended without a result: {problem}", err=True)
            return INTERNAL
    click.echo(summary(result))
    if page and plan.out is not None:
        click.echo(f"report: {write_page(plan.out)}")
    return result.exit_code


def write_page(folder: Path) -> Path:
    """Makes report.html of what a run's folder holds."""
    import json

    from grantproof.report.writer import write_load_page

    load = json.loads((folder / "load.json").read_text("utf-8"))
    return write_load_page(folder, load=load)["html"]


def _show(progress: "Progress") -> None:
    """One line a second, on standard error."""
    from sys import stderr

    figures = (
        f"due {progress.offered}/s  ok {progress.ok}/s  errors {progress.errors}  p99 {1000 * progress.p99:.1f} ms"
    )
    line = f"{progress.t:4d} s  {figures}"
    if stderr.isatty():
        click.echo(f"\r\x1b[K{line}", err=True, nl=False)
    elif progress.t % 5 == 0:
        click.echo(line, err=True)


def summary(result: "LoadResult") -> str:
    """What an operator wants to know, in a few lines."""
    from sys import stderr

    latency = result.latency_s
    due = "as fast as it goes" if result.offered_per_s is None else f"{result.offered_per_s:g}/s due"
    errors, protected = sum(result.errors.values()), sum(result.protected.values())
    figures = "  ".join(
        f"{name} {1000 * latency[name]:.1f} ms" for name in ("p50", "p90", "p99", "p99_9", "max") if name in latency
    )
    lines = [
        ("\r\x1b[K" if stderr.isatty() else "")
        + f"{result.target.get('name', '')}  {result.scenario}, {due}, {result.seconds:.0f} s",
        f"  achieved {result.achieved_per_s:,.1f}/s   ok {result.ok:,}   errors {errors:,}   protected {protected:,}",
        f"  latency  {figures}",
    ]
    lines += [f"    {kind}: {number:,}" for kind, number in result.errors.items() if number]
    lines += [f"  {'kept   ' if limit.kept else 'CROSSED'}  {limit.rule}" for limit in result.thresholds]
    if result.limited:
        why = result.generator.get("reason") or "these figures say nothing of the target"
        lines.append(f"  the generator was the limit: {why}")
    return "\n".join(lines)
