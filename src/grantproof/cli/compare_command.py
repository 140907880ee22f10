"""`grantproof compare RUN...`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the page, as HTML.")
@click.option("--title", default="Authorization servers side by side", show_default=True, help="The page's heading.")
def command(runs: "Sequence[Path]", out: Path | None, title: str) -> int:
    """Shows several runs side by side, clause by clause. RUN is a run's folder or its results.json."""
    from grantproof import __version__
    from grantproof.clauses import load_registry
    from grantproof.errors import GrantproofError
    from grantproof.report.comparison import Column, compare_runs
    from grantproof.report.record import Run

    comparison = compare_runs([Column.of(Run.read(run)) for run in runs], list(load_registry()))
    click.echo(comparison.render())
    if out is not None:
        from grantproof.report.comparison_page import render_comparison
        from grantproof.report.files import replace_file

        try:
            replace_file(out, render_comparison(comparison, title=title, tool_version=__version__))
        except OSError as problem:
            raise GrantproofError(f"cannot write the page: {problem.strerror}", where=str(out)) from None
        click.echo(f"page: {out}")
    return 0
