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

if TYPE_CHECKING:
    import pytest

    from grantproof.report.record import Run

INCONCLUSIVE, INTERNAL, INTERRUPTED, USAGE = 3, 4, 130, 2
_PYTEST_OK = {0, 1}


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
    pytest_args: tuple[str, ...] = ()
    quiet: bool = False
    announce: bool = True

    def arguments(self, folder: Path) -> list[str]:
        """The command line of pytest."""
        found = [
            str(content_root("conformance")),
            "--idp",
            self.idp,
            "--import-mode=importlib",
            "-q",
            "-p",
            "no:cacheprovider",
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
        self.run: Run | None = None
        self.written: Path | None = None
        self.usage = ""
        self._total = 0
        self._done = 0

    def pytest_collection_finish(self, session: "pytest.Session") -> None:
        """The number of checks is known."""
        from grantproof.plugin import STATE

        self._total = len(session.items)
        state = session.config.stash.get(STATE, None)
        if state is not None and not hasattr(session.config, "workerinput"):
            state.on_check = self._advance
            if state.formats:
                state.announce(self._folder)

    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """The number of checks is known under xdist."""
        from grantproof.plugin import STATE

        self._total = len(ids)
        state = node.config.stash.get(STATE, None)
        if state is not None and state.on_check is None:
            state.on_check = self._advance

    def pytest_unconfigure(self, config: "pytest.Config") -> None:
        """The run is over."""
        from grantproof.plugin import STATE

        state = config.stash.get(STATE, None)
        if state is not None:
            self.run, self.written = state.run, state.written

    def _advance(self, record: dict[str, Any]) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress.advance(self._done, self._total, record["verdict"])


def run_checks(plan: Plan) -> int:
    """Runs the checks of a plan, prints the summary, gives the exit code of the contract."""
    import pytest

    from grantproof.report.terminal import Progress, print_summary
    from grantproof.report.writer import check_formats, default_folder

    check_formats([name for name in plan.formats.split(",") if name])
    folder = plan.folder or default_folder(plan.idp)
    if plan.dry_run:
        return _dry_run(plan, folder)
    progress = None if plan.quiet else Progress(sys.stderr)
    listener = Listener(folder, progress)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = int(pytest.main(plan.arguments(folder), plugins=[listener]))
    if progress is not None:
        progress.close()
    if listener.run is None:
        return _without_run(code, output.getvalue())
    print_summary(listener.run, report=listener.written if plan.announce else None)
    if plan.baseline is not None:
        from grantproof.report.diff import compare
        from grantproof.report.record import Run

        difference = compare(Run.read(plan.baseline), listener.run)
        click.echo(difference.render())
        return difference.exit_code
    return int(listener.run.exit_code)


def _dry_run(plan: Plan, folder: Path) -> int:
    """Lists what would be checked; nothing is sent."""
    from dataclasses import replace

    import pytest

    arguments = [*replace(plan, formats="none").arguments(folder), "--collect-only"]
    return USAGE if pytest.main(arguments) not in _PYTEST_OK else 0


def _without_run(code: int, output: str) -> int:
    """The exit code of a pytest session that judged nothing, its own words shown."""
    tail = "\n".join(line for line in output.strip().splitlines()[-40:])
    if code in {INTERRUPTED, USAGE}:
        if "UsageError" not in output and "ERROR" not in output and "rror" not in output:
            return INTERRUPTED
        click.echo(tail, err=True)
        return USAGE
    if code == INTERNAL:
        click.echo("grantproof: " + tail.removeprefix("ERROR: ").replace("\nERROR: ", "\n"), err=True)
        return USAGE
    if code == 5:
        raise GrantproofError("nothing is selected", hint="grantproof clauses lists what can be")
    click.echo(tail, err=True)
    return INTERNAL
