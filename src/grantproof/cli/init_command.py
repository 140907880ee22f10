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
@click.option("--client-id", default="", help="A public client's id, so that the login page can be looked at.")
@click.option("--redirect-uri", default="", help="One of this client's redirect URIs.")
def command(url: str, output: Path | None, ca: Path | None, client_id: str, redirect_uri: str) -> None:
    """Reads a server's metadata and writes a commented profile with what it found and what is left to fill in.

    Its login page is looked at too: with --client-id and --redirect-uri, or where the server shows it to anybody.
    """
    from grantproof.cli.first_look import look_at_login
    from grantproof.idp import Idp
    from grantproof.profile.addresses import VALUE, issuer_problem, without_query
    from grantproof.profile.init import KnownClient, draft
    from grantproof.profile.model import Profile, Target, Tls

    issuer = _issuer_of(url)
    if objection := issuer_problem(issuer):
        shown = without_query(url) if {"@", "?"} & set(url) else url
        raise GrantproofError(objection.replace(VALUE, repr(shown)), hint="give the issuer, such as https://as.example")
    if bool(client_id) != bool(redirect_uri):
        raise GrantproofError("--client-id and --redirect-uri belong together")
    if output is not None and output.exists():
        raise GrantproofError(f"{output} exists", hint="choose another name with -o")
    with Idp.open(Profile(name="init", target=Target(issuer=issuer), tls=Tls(ca=ca))) as target:
        if not target.documents:
            raise GrantproofError(
                f"no connection to {issuer}", hint="is the server running, and its CA trusted (--ca)?"
            )
        known = KnownClient(client_id, redirect_uri)
        trusted = _as_seen_from(output, ca) if ca is not None else ""
        text = draft(issuer, target.metadata, trusted, login=look_at_login(target, known), client=known)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as problem:
        raise GrantproofError(f"cannot write the profile: {problem.strerror}", where=str(output)) from None
    named = output if output.suffix == ".toml" or "/" in str(output) else f"./{output}"
    click.echo(f"wrote {output}; fill in what it asks for, then: grantproof preflight --idp {named}")


def _issuer_of(url: str) -> str:
    """The issuer of a metadata address in either of its two shapes, or the URL itself."""
    before, found, after = url.partition("/.well-known/")
    _, slash, path = after.partition("/")
    return before + slash + path if found and not after.startswith("openid-configuration") else before


def _as_seen_from(output: Path | None, ca: Path) -> str:
    """A file as a profile names it: bare where both stand in one folder."""
    beside = output is not None and output.absolute().parent == ca.absolute().parent
    return ca.name if beside else str(ca.absolute())
