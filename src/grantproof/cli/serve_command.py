"""`grantproof serve`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Loopback port; 0 takes a free one.")
@click.option("--fault", "faults", multiple=True, metavar="ID", help="Break one rule; may be repeated.")
@click.option("--oddity", "oddities", multiple=True, metavar="ID", help="Be lawful but unusual; may be repeated.")
@click.option("--tls", is_flag=True, help="HTTPS with a throw-away CA; the profile trusts it.")
@click.option("--issuer", metavar="URL", help="Behind a reverse proxy: the address that clients use.")
@click.option("--list", "listed", is_flag=True, help="Show faults and oddities and exit.")
def command(
    port: int, faults: "Sequence[str]", oddities: "Sequence[str]", issuer: str | None, *, tls: bool, listed: bool
) -> None:
    """Runs the embedded authorization server in the foreground; the first line printed is its profile's path.

    With --issuer a second line says where it listens itself.
    """
    from grantproof.reference import variants

    if listed:
        for fault in variants.all_faults().values():
            click.echo(f"fault   {fault.id:<52} {fault.clause}")
        for oddity in variants.all_oddities().values():
            click.echo(f"oddity  {oddity.id:<52} {oddity.describe}")
        return
    from grantproof.errors import GrantproofError
    from grantproof.reference.server import serve

    try:
        serve(
            port=port,
            faults=tuple(faults),
            oddities=tuple(oddities),
            tls=tls,
            issuer=issuer or "",
            on_ready=lambda path, address: click.echo(f"{path}\nlistening {address}" if issuer else str(path)),
        )
    except OSError as problem:
        raise GrantproofError(f"cannot serve on port {port}: {problem.strerror}", where="--port") from None
