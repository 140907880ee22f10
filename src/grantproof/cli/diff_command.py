"""`grantproof diff OLD NEW`."""

from pathlib import Path

import click


@click.command("diff")
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
def command(old: Path, new: Path) -> int:
    """Shows what changed between two runs; exit 1 on a new fail, 3 where a pass became inconclusive."""
    from grantproof.report.diff import compare
    from grantproof.report.record import Run

    difference = compare(Run.read(old), Run.read(new))
    click.echo(difference.render())
    return difference.exit_code
