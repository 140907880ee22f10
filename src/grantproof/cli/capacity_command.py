"""`grantproof capacity`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grantproof.load.capacity_result import CapacityResult


@click.command("capacity")
@click.option("--idp", required=True, metavar="P", help="A profile's path, the name of a shipped one, or embedded.")
@click.option("--budget", default="60s", show_default=True, metavar="D", help="How long it may take: 60s, 5m.")
@click.option(
    "--precision",
    type=click.FloatRange(0.1, 50),
    default=3.0,
    show_default=True,
    metavar="%",
    help="It ends sooner once the interval's half-width is so many percent of the capacity.",
)
@click.option(
    "--threshold", "thresholds", multiple=True, metavar="RULE", help='Instead of the profile\'s: "p99 < 250ms".'
)
@click.option("--connections", type=click.IntRange(1), default=1000, show_default=True, help="Open at once, at most.")
@click.option("--seed", type=int, default=0, show_default=True, help="Makes the arrivals repeatable.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the report goes.")
def command(
    idp: str,
    budget: str,
    precision: float,
    thresholds: "Sequence[str]",
    connections: int,
    seed: int,
    out: Path | None,
) -> int:
    """Finds the saturation throughput and the highest rate (Poisson arrivals) that keeps the thresholds."""
    from grantproof.load import parse_duration
    from grantproof.load.capacity import SearchInterrupted, run_capacity
    from grantproof.load.capacity_plan import CapacityPlan
    from grantproof.load.ledger import default_folder
    from grantproof.report.tally import ExitCode

    folder = out or default_folder(Path(idp).name.removesuffix(".toml"))
    with ExitStack() as stack:
        if idp == "embedded":
            from grantproof.embedded import start

            idp = str(stack.enter_context(start()))
        plan = CapacityPlan(
            idp=idp,
            budget_s=parse_duration(budget),
            precision=precision / 100,
            thresholds=tuple(thresholds) or None,
            connections=connections,
            seed=seed,
            out=folder,
        )
        try:
            result = run_capacity(plan, _Teller().tell)
            code = result.exit_code
        except SearchInterrupted as stopped:
            result, code = stopped.result, ExitCode.INTERRUPTED
    click.echo(summary(result))
    click.echo(f"report: {write_page(folder, result)}")
    return code


def write_page(folder: Path, result: "CapacityResult") -> Path:
    """Makes report.html and summary.md of the result; with a load.json beside it, of both."""
    import json

    from grantproof.report.writer import write_load_page

    beside = folder / "load.json"
    load = json.loads(beside.read_text("utf-8")) if beside.is_file() else None
    return write_load_page(folder, load=load, capacity=result.to_data())["html"]


class _Teller:
    """One line a step, on standard error; on a terminal the seconds of a probe stay on one line."""

    def __init__(self) -> None:
        self._last = ""

    def tell(self, text: str) -> None:
        """Shows how it goes."""
        from sys import stderr

        subject = text.partition(":")[0]
        if stderr.isatty():
            before = "\r\x1b[K" if subject == self._last else "\n" if self._last else ""
            click.echo(before + text, err=True, nl=False)
        else:
            click.echo(text, err=True)
        self._last = subject


def summary(result: "CapacityResult") -> str:
    """What an operator wants to know, in a few lines."""
    from sys import stderr

    lines = [("\n" if stderr.isatty() else "") + f"{result.target.get('name', '')}  capacity, {result.seconds:.0f} s"]
    if result.saturation_per_s is not None:
        lines.append(f"  saturation {result.saturation_per_s:,.1f}/s")
    if result.interval_95 is not None and result.capacity_per_s is not None:
        low, high = result.interval_95
        lines.append(f"  capacity   {result.capacity_per_s:,.1f}/s   95 % interval {low:,.1f} to {high:,.1f}")
        lines.append(f"  {result.sentence}")
    if (queue := result.queue) is not None and queue["fits"]:
        workers = f"{queue['workers']} worker{'s' if queue['workers'] > 1 else ''} at one queue"
        lines.append(
            f"  behind it  {workers}, {1000 * queue['service_s']:.3g} ms each, variability {queue['variability']:.2f}"
        )
        if not queue["agrees"]:
            lines.append("             the curve of latencies says otherwise: the interval spans both")
    if result.connections["restrained"]:
        lines.append(f"  the target served no more than {result.connections['most']:,} connections at a time")
    words = {True: "kept   ", False: "CROSSED", None: "unknown"}
    lines += [f"  {words[state.kept]}  {state.rule}" for state in result.thresholds]
    if result.limited_by == "generator":
        lines.append(f"  the generator was the limit: {result.reason}")
    elif result.reason:
        lines.append(f"  {result.reason}")
    return "\n".join(lines)
