"""`grantproof demo`."""

from pathlib import Path

import click

SHOWN = ("rfc6749:3.1.2", "rfc6749:4.2", "rfc6749:4.4", "rfc6749:5.1", "rfc6749:5.2")
"""The sections that make the two grants: what a demonstration has time for."""


@click.command("demo")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the report goes.")
@click.option("--duration", default="10s", show_default=True, help="How long the token endpoint is loaded.")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), default=200, show_default=True, help="Requests per second."
)
def command(out: Path | None, duration: str, rate: float) -> int:
    """Checks both grants of the embedded server, fuzzes briefly, loads its token endpoint, writes the report."""
    from grantproof.cli.conformance import Plan, run_checks
    from grantproof.cli.load_command import run_load, write_page
    from grantproof.embedded import start
    from grantproof.load import LoadPlan, parse_duration
    from grantproof.report.writer import default_folder

    folder = out or default_folder("embedded")
    with start() as profile:
        click.echo("1/2  checking the embedded server: client credentials, implicit, a little fuzzing", err=True)
        plan = Plan(idp=str(profile), folder=folder, clauses=SHOWN, examples=5, workers="2", announce=False)
        checked = run_checks(plan)
        click.echo(f"\n2/2  loading its token endpoint: {rate:g} requests a second for {duration}", err=True)
        load = LoadPlan(idp=str(profile), rate_per_s=rate, duration_s=parse_duration(duration), out=folder)
        loaded = run_load(load, page=False)
    click.echo("\nall clauses of all specifications: grantproof check --idp embedded")
    click.echo(f"report: {write_page(folder)}")
    return max(checked, loaded)
