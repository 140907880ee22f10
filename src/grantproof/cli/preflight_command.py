"""`grantproof preflight --idp P`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grantproof.preflight import Finding
    from grantproof.profile.model import Profile


PAGES = Path("reports", "preflight")


@click.command("preflight")
@click.option("--idp", required=True, metavar="P", help="A profile's path, the name of a shipped one, or embedded.")
def command(idp: str) -> int:
    """Proves a profile: endpoints reachable, credentials right, the login reaches the redirect URI."""
    from grantproof.idp import Idp
    from grantproof.login import require_driver
    from grantproof.preflight import examine
    from grantproof.profile.loading import load

    with ExitStack() as stack:
        if idp == "embedded":
            from grantproof.embedded import start

            idp = str(stack.enter_context(start()))
        profile = load(idp)
        require_driver(profile)
        target = stack.enter_context(Idp.open(profile, pages=PAGES))
        findings: list[Finding] = []
        for finding in examine(target):
            findings.append(finding)
            click.echo(target.transport.recorder.redactor.text(_line(profile, finding)))
    broken = [finding for finding in findings if not finding.ok]
    if any("the page is kept as " in finding.message for finding in broken):
        click.echo(f"the pages are in {PAGES}")
    if not findings:
        click.echo("nothing to prove: the profile has no client")
        return 2
    click.echo(f"{len(findings) - len(broken)} of {len(findings)} hold" if broken else f"all {len(findings)} hold")
    if not broken:
        return 0
    return 3 if all(finding.unreachable for finding in broken) else 2


def _line(profile: "Profile", finding: "Finding") -> str:
    if finding.ok:
        return f"ok    {finding.key}: {finding.message}"
    from grantproof.profile import locate

    place = locate(profile, finding.key)
    return f"WRONG {place}: {finding.key}: {finding.message}"
