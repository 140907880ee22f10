"""`grantproof schema`."""

import json

import click


@click.command("schema")
def command() -> None:
    """Prints the JSON Schema of profiles, for `#:schema` and editors."""
    from grantproof.profile import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
