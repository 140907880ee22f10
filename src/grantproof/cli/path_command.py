"""`grantproof path NAME`."""

import click

from grantproof.clauses import content_root


@click.command("path")
@click.argument("name", type=click.Choice(["conformance", "loadtests", "profiles"]))
def command(name: str) -> None:
    """Prints where the installed conformance, loadtests or profiles are."""
    click.echo(content_root(name))
