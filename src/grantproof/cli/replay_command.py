"""`grantproof replay RUN CHECK`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grantproof.report.record import CheckResult, Run


@click.command("replay")
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.argument("check")
@click.option("--idp", metavar="P", help="The profile; that of the run if left out.")
def command(run: Path, check: str, idp: str | None) -> int:
    """Sends a finding's exchange again, with its control, and shows both answers.

    CHECK is a check's id in the run, or a part that only one finding's has. Secrets come from the profile, since the
    run keeps none; fuzzed checks draw the same values by the run's seed. The exit code is the new verdict's.
    """
    from grantproof.report.record import Run

    before = Run.read(run)
    found = _find(before, check)
    again = _send(before, found, idp)
    if isinstance(again, int):
        return again
    click.echo("\n".join(_lines(before, found, again)))
    return again.exit_code


def _send(before: "Run", found: "CheckResult", idp: str | None) -> "Run | int":
    """The run of the one check.

    Raises:
        GrantproofError: nobody says which profile it is.
    """
    from tempfile import TemporaryDirectory

    from grantproof.cli.conformance import Plan, run_again
    from grantproof.errors import GrantproofError

    profile = idp or before.target.profile
    if not profile:
        raise GrantproofError("the run does not say which profile it used", hint="name it with --idp")
    plan = Plan(
        idp=profile, rulebooks=before.rulebooks, seed=before.seed, formats="none", checks=(found.id,), announce=False
    )
    with TemporaryDirectory(prefix="grantproof-") as folder:
        return run_again(plan, Path(folder))


def _find(run: "Run", wanted: str) -> "CheckResult":
    """The check of this id, or the only one whose id has this part; a finding comes before what passed.

    Raises:
        GrantproofError: there is none, or there are several.
    """
    from grantproof.errors import GrantproofError
    from grantproof.verdict import Verdict

    exact = [each for each in run.checks if each.id == wanted]
    part = [each for each in run.checks if wanted in each.id or wanted in each.clauses]
    findings = [each for each in part if each.verdict in {Verdict.FAIL, Verdict.WARN, Verdict.WAIVED}]
    found = exact or findings or part
    if not found:
        raise GrantproofError(f"the run has no check {wanted!r}", hint="report.html and results.json name them")
    if len(found) > 1:
        names = "\n    ".join(each.id for each in found[:8])
        raise GrantproofError(f"{len(found)} checks have {wanted!r} in their id", hint=f"one of\n    {names}")
    return found[0]


def _lines(before: "Run", found: "CheckResult", again: "Run") -> "Iterator[str]":
    new = next((each for each in again.checks if each.id == found.id), None)
    yield found.id
    yield from _told("then", before, found)
    if new is None:
        yield "now   not run: the profile has nobody for it any more"
        return
    yield from _told("now", again, new)


def _told(when: str, run: "Run", check: "CheckResult") -> "Iterator[str]":
    """One side: verdict, message, and the newest exchange, which is the one that decided."""
    from grantproof.report.evidence import show
    from grantproof.report.visible import one_line, visible

    yield f"\n{when:<5} {check.verdict.replace('_', ' ')}  {one_line(check.message, 400)}".rstrip()
    deciding = next((each for each in run.exchanges if check.exchanges and each["n"] == check.exchanges[-1]), None)
    if deciding is None:
        yield "  no exchange is kept"
        return
    shown = show(deciding)
    for mark, side in ((">", shown.request), ("<", shown.response)):
        yield f"  {mark} {visible(side.start)}" if shown.status or mark == ">" else f"  < {visible(shown.failure)}"
        yield from (f"  {mark} {visible(name)}: {visible(value)}" for name, value in side.headers)
        yield from (f"  {mark} {visible(line)}" for line in side.body.splitlines())
