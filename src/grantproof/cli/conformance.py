"""Runs the conformance checks through pytest and says how it went. Shared by `check` and `demo`."""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grantproof.clauses import content_root
from grantproof.errors import GrantproofError
from grantproof.transport import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from grantproof.report.record import Run

BROKEN, INTERNAL, INTERRUPTED = 1, 4, 130
_USAGE, _NOTHING = 4, 5
"""What pytest says of itself: a usage error, nothing collected."""


@dataclass(frozen=True)
class Plan:
    """One conformance run as the user asked for it."""

    idp: str
    rulebooks: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    level: str | None = None
    folder: Path | None = None
    workers: str | None = None
    examples: int = 25
    seed: int = 0
    formats: str = "json,html,junit,markdown,har,sarif"
    allure: bool = False
    baseline: Path | None = None
    dry_run: bool = False
    clauses: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    pytest_args: tuple[str, ...] = ()
    quiet: bool = False
    announce: bool = True

    def arguments(self, folder: Path) -> list[str]:
        """The command line of pytest; `checks` are ids of single checks instead of all."""
        root = content_root("conformance")
        found = [
            *([str(root / check) for check in self.checks] or [str(root)]),
            "--idp",
            self.idp,
            "--import-mode=importlib",
            "-q",
            "--tb=line",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:unraisableexception",  # it looks for what nobody has closed, five times over, at the end of each run
        ]
        found += ["--grantproof-out", str(folder), "--grantproof-report", self.formats]
        found += ["--grantproof-examples", str(self.examples), "--grantproof-seed", str(self.seed)]
        for option, values in (("rulebook", self.rulebooks), ("grant", self.grants), ("clause", self.clauses)):
            found += [part for value in values for part in (f"--grantproof-{option}", value)]
        if self.level:
            found += ["--grantproof-level", self.level.lower()]
        if self.baseline:
            found += ["--grantproof-baseline", str(self.baseline)]
        if self.workers:
            found += ["-n", self.workers, "--dist", "worksteal"]
        if self.allure:
            found += ["--alluredir", str(folder / "allure-results")]
        return [*found, "-c", "/dev/null", "--rootdir", str(content_root("conformance").parent), *self.pytest_args]


class Listener:
    """A pytest plugin of ours that hears of each verdict and takes the finished run over."""

    def __init__(self, folder: Path, progress: Any) -> None:
        self._folder = folder
        self._progress = progress
        self.scrub: Callable[[str], str] = Redactor().text
        self.run: Run | None = None
        self.written: Path | None = None
        self._total = 0
        self._done = 0

    def pytest_collection_finish(self, session: "pytest.Session") -> None:
        """The number of checks is known."""
        self._begin(session.config, len(session.items))

    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """The number of checks is known under xdist."""
        self._begin(node.config, len(ids))

    def _begin(self, config: "pytest.Config", total: int) -> None:
        """Listens to the run, and opens its log as soon as there is something to log.

        Raises:
            pytest.UsageError: the run's folder cannot be written.
        """
        import pytest

        from grantproof.plugin import STATE

        self._total = total
        state = config.stash.get(STATE, None)
        if state is None or state.on_check is not None or not total:
            return
        state.on_check = self._advance
        if state.formats:
            try:
                state.announce(self._folder)
            except OSError as problem:
                raise pytest.UsageError(f"{self._folder} cannot be written: {problem.strerror}") from None

    def pytest_unconfigure(self, config: "pytest.Config") -> None:
        """The run is over."""
        from grantproof.plugin import STATE

        state = config.stash.get(STATE, None)
        if state is not None:
            self.run, self.written, self.scrub = state.run, state.written, state.scrub

    def _advance(self, record: dict[str, Any]) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress.advance(self._done, self._total, record["verdict"])


def run_checks(plan: Plan) -> int:
    """Runs the checks of a plan, prints the summary, gives the exit code of the contract."""
    import pytest

    from grantproof.report.record import Run
    from grantproof.report.terminal import Progress, print_summary
    from grantproof.report.writer import check_formats, default_folder

    check_formats([name for name in plan.formats.split(",") if name and name != "none"])
    before = Run.read(plan.baseline) if plan.baseline is not None else None
    folder = plan.folder or default_folder(plan.idp)
    if plan.dry_run:
        return _dry_run(plan, folder)
    progress = None if plan.quiet else Progress(sys.stderr)
    listener = Listener(folder, progress)
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = int(pytest.main(plan.arguments(folder), plugins=[listener]))
    if progress is not None:
        progress.close()
    said = listener.scrub(f"{output.getvalue()}\n{errors.getvalue()}")
    if listener.run is None:
        return _without_run(code, said)
    print_summary(listener.run, report=listener.written if plan.announce else None)
    if listener.run.exit_code == INTERNAL:
        return _our_bug(said)
    return int(listener.run.exit_code) if before is None else _compared(before, listener.run)


def run_again(plan: Plan, folder: Path) -> "Run | int":
    """The record of a plan that writes into this folder and prints nothing, or the exit code where there is none."""
    import pytest

    listener = Listener(folder, None)
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = int(pytest.main(plan.arguments(folder), plugins=[listener]))
    return listener.run or _without_run(code, listener.scrub(f"{output.getvalue()}\n{errors.getvalue()}"))


def _compared(before: "Run", run: "Run") -> int:
    """The exit code where only what is worse than in an earlier run counts."""
    from grantproof.report.diff import compare

    difference = compare(before, run)
    click.echo(difference.render())
    if run.exit_code == INTERRUPTED:
        return INTERRUPTED
    return BROKEN if any(waiver.state == "stale" for waiver in run.waivers) else difference.exit_code


def _dry_run(plan: Plan, folder: Path) -> int:
    """Lists what would be checked and its side effects; nothing is sent."""
    from dataclasses import replace

    import pytest

    from grantproof.cli.preview import Preview

    preview = Preview()
    output, errors = io.StringIO(), io.StringIO()
    arguments = [*replace(plan, formats="none", workers=None, allure=False).arguments(folder), "--collect-only"]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = int(pytest.main(arguments, plugins=[preview]))
    if not preview.checks or code not in {0, 1}:
        return _without_run(code, f"{output.getvalue()}\n{errors.getvalue()}")
    for line in preview.lines():
        click.echo(line)
    return 0


def _without_run(code: int, said: str) -> int:
    """The exit code of a pytest session that judged nothing.

    Raises:
        GrantproofError: the user asked for what is not there.
    """
    if code == _NOTHING:
        raise GrantproofError("nothing is selected", hint="grantproof clauses lists what can be")
    if code == _USAGE:
        told = said.rpartition("ERROR: ")[2].strip()
        raise GrantproofError(told or "pytest takes these options differently")
    return _our_bug(said)


def _our_bug(said: str) -> int:
    """Shows the end of what pytest said, and whose fault it is."""
    click.echo("\n".join(said.strip().splitlines()[-40:]), err=True)
    click.echo("grantproof: this is a bug of grantproof; the lines above say where.", err=True)
    return INTERNAL
