"""`grantproof check`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("check", context_settings={"ignore_unknown_options": False})
@click.option("--idp", required=True, metavar="P", help="A profile's path, the name of a shipped one, or embedded.")
@click.option(
    "--rulebook", "rulebooks", multiple=True, metavar="NAME", help="rfc6749 (default), bcp9700, oidc, rfc9068, oauth21."
)
@click.option("--grant", "grants", multiple=True, metavar="GRANT", help="client_credentials or implicit only.")
@click.option(
    "--level", type=click.Choice(["must", "should", "may"], case_sensitive=False), help="This level and stronger only."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where the report goes.")
@click.option("-n", "workers", metavar="N", help="Worker processes, or auto.")
@click.option("--examples", type=click.IntRange(1), default=25, show_default=True, help="Fuzzing examples a property.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the fuzzing.")
@click.option(
    "--report", "formats", default="json,html,junit,markdown,har,sarif", show_default=True, help="Report formats."
)
@click.option("--allure", is_flag=True, help="Also write allure-results.")
@click.option(
    "--baseline", type=click.Path(exists=True, path_type=Path), help="An earlier run: only what is worse counts."
)
@click.option("--dry-run", is_flag=True, help="Show what would be checked and its side effects; send nothing.")
@click.argument("selection", nargs=-1)
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    idp: str,
    rulebooks: "Sequence[str]",
    grants: "Sequence[str]",
    level: str | None,
    out: Path | None,
    workers: str | None,
    examples: int,
    seed: int,
    formats: str,
    *,
    allure: bool,
    baseline: Path | None,
    dry_run: bool,
    selection: "Sequence[str]",
) -> int:
    """Checks a target against the specifications.

    SELECTION names clauses, sections or specifications (rfc6749:5.2/unsupported-grant-type, rfc6749:5.2, rfc9068);
    after -- stands whatever pytest selects by (-k, -x, -m).
    """
    from grantproof.cli.conformance import Plan, run_checks

    chosen, extra = split(selection)
    plan = Plan(
        idp=idp,
        rulebooks=tuple(rulebooks),
        grants=tuple(grants),
        level=level,
        folder=out,
        workers=workers,
        examples=examples,
        seed=seed,
        formats=formats,
        allure=allure,
        baseline=baseline,
        dry_run=dry_run,
        clauses=tuple(chosen),
        pytest_args=tuple(extra),
        quiet=bool(os.environ.get("GRANTPROOF_QUIET")),
    )
    return run_checks(plan)


def split(selection: "Sequence[str]") -> tuple[list[str], list[str]]:
    """Clause names first; from the first word that begins with a dash on, everything is pytest's."""
    for place, word in enumerate(selection):
        if word.startswith("-"):
            return list(selection[:place]), list(selection[place:])
    return list(selection), []
