"""`grantproof init URL`."""

from pathlib import Path

import click

from grantproof.errors import GrantproofError


@click.command("init")
@click.argument("url")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; standard output without it.",
)
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM of the CA to trust.")
def command(url: str, output: Path | None, ca: Path | None) -> None:
    """Reads a server's metadata and writes a commented profile with what it found and what is left to fill in."""
    from grantproof.idp import Idp
    from grantproof.profile.init import draft
    from grantproof.profile.model import Profile, Target, Tls

    if "://" not in url:
        raise GrantproofError(f"{url!r} is no issuer URL", hint="it begins with https://")
    issuer = url.partition("/.well-known/")[0]
    with Idp.open(Profile(name="init", target=Target(issuer=issuer), tls=Tls(ca=ca))) as target:
        if not target.documents:
            raise GrantproofError(
                f"no connection to {issuer}", hint="is the server running, and its CA trusted (--ca)?"
            )
        text = draft(issuer, target.metadata)
    if output is None:
        click.echo(text, nl=False)
        return
    if output.exists():
        raise GrantproofError(f"{output} exists", hint="choose another name with -o")
    output.write_text(text, "utf-8")
    click.echo(f"wrote {output}; fill in what it asks for, then: grantproof preflight --idp {output}")
