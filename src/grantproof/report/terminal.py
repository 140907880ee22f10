"""What a person sees in the terminal: the summary at the end, and the progress on the way.

Plain lines where no terminal listens, or where NO_COLOR asks for them; colours through rich elsewhere. Nothing that a
target said reaches the terminal before its control characters are drawn.
"""

import os
import sys
from typing import TYPE_CHECKING, TextIO

from grantproof.report.page import conclude, reasons
from grantproof.report.specifications import by_specification
from grantproof.report.visible import one_line
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from grantproof.report.record import ClauseResult, Run

_STYLES = {
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.PASS: "green",
    Verdict.WAIVED: "dim",
    Verdict.NOT_OFFERED: "dim",
}
_COUNTED = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.INCONCLUSIVE,
    Verdict.WAIVED,
    Verdict.NOT_OFFERED,
)
_MESSAGES_EACH = 3
_REASONS_EACH = 5

Line = list[tuple[str, str]]


def is_plain(stream: TextIO) -> bool:
    """Whether the stream gets plain lines: no terminal, a dumb one, or NO_COLOR is set."""
    return not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def print_summary(run: "Run", stream: TextIO | None = None, *, report: "Path | None" = None) -> None:
    """Prints what the run came to, the path of the report last; to standard output if no stream is given."""
    out: TextIO = stream or sys.stdout
    if is_plain(out):
        encoding = out.encoding or "utf-8"
        out.write(summary_text(run, report=report).encode(encoding, "replace").decode(encoding))
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.text import Text  # noqa: PLC0415 - same

    console = Console(file=out, highlight=False, markup=False, emoji=False)
    for line in _lines(run, report):
        console.print(Text.assemble(*line), soft_wrap=True)


def summary_text(run: "Run", *, report: "Path | None" = None) -> str:
    """The summary as plain lines."""
    return "\n".join("".join(part for part, _ in line) for line in _lines(run, report)) + "\n"


def _lines(run: "Run", report: "Path | None") -> "Iterator[Line]":
    issuer = f" ({one_line(run.target.issuer, 120)})" if run.target.issuer else ""
    yield [
        (one_line(run.target.name, 80), "bold"),
        (issuer, ""),
        (f"  {', '.join(run.rulebooks)}, {run.seconds:.1f} s", "dim"),
    ]
    yield []
    groups = by_specification(clause for clause in run.clauses if clause.verdict in {Verdict.FAIL, Verdict.WARN})
    found = [clause for group in groups.values() for clause in group]
    for clause in sorted(found, key=lambda clause: clause.verdict.badness if clause.verdict else 9):
        yield from _finding(run, clause)
    yield from _waivers(run)
    yield from _undecided(run)
    yield _count_line("clauses", run.clause_summary)
    yield _count_line("checks", run.summary)
    conclusion = conclude(run)
    yield []
    yield [(conclusion.sentence, _STYLES[conclusion.tone])]
    if report is not None:
        yield [(f"report: {report}", "")]


def _finding(run: "Run", clause: "ClauseResult") -> "Iterator[Line]":
    if clause.verdict is None:
        return
    style = _STYLES[clause.verdict]
    yield [
        (f"{clause.verdict}", style),
        (f"  {clause.id}", "bold"),
        (f"  {clause.level}", "dim"),
        (f"  {clause.statement}", ""),
    ]
    said: dict[str, list[str]] = {}
    for check in run.checks:
        if clause.id in check.clauses and check.verdict in {Verdict.FAIL, Verdict.WARN}:
            said.setdefault(one_line(check.message, 200) or "no message was recorded", []).append(check.id)
    for message, ids in list(said.items())[:_MESSAGES_EACH]:
        others = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        yield [(f"      {message}", ""), (f"  {one_line(ids[0], 120)}{others}", "dim")]
    if len(said) > _MESSAGES_EACH:
        yield [("      and more in the report", "dim")]
    yield []


def _waivers(run: "Run") -> "Iterator[Line]":
    told = [waiver for waiver in run.waivers if waiver.state in {"stale", "expired"}]
    for waiver in told:
        style = _STYLES[Verdict.FAIL if waiver.state == "stale" else Verdict.WARN]
        yield [(f"{waiver.state} waiver", style), (f"  {waiver.clause}: {one_line(waiver.reason, 120)}", "")]
    if told:
        yield []


def _undecided(run: "Run") -> "Iterator[Line]":
    found = reasons(run, Verdict.INCONCLUSIVE)
    for reason in found[:_REASONS_EACH]:
        clauses = f"{len(reason.clauses)} clause{'' if len(reason.clauses) == 1 else 's'}"
        yield [
            ("inconclusive", _STYLES[Verdict.INCONCLUSIVE]),
            (f"  {one_line(reason.message, 200)}", ""),
            (f"  {clauses}", "dim"),
        ]
    if len(found) > _REASONS_EACH:
        yield [(f"inconclusive  {len(found) - _REASONS_EACH} more reasons in the report", "dim")]
    if found:
        yield []


def _count_line(name: str, counts: "Mapping[Verdict, int]") -> Line:
    line: Line = [(f"{name:<8}", "dim")]
    for verdict in _COUNTED:
        if counts[verdict] or verdict in {Verdict.PASS, Verdict.FAIL}:
            line.append(
                (f"  {counts[verdict]:>5,} {verdict.replace('_', ' ')}", _STYLES[verdict] if counts[verdict] else "dim")
            )
    return line


class Progress:
    """How far a run is: one line that is renewed on a terminal, else a plain line about every tenth of the way."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream: TextIO = stream or sys.stderr
        self._live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._tenth = 0
        self._counts = dict.fromkeys(Verdict, 0)

    def advance(self, done: int, total: int, verdict: Verdict | str) -> None:
        """One more check has ended: the `done`-th of about `total`, with this verdict."""
        self._counts[Verdict(verdict)] += 1
        total = max(done, total)
        if self._live:
            self._write(f"\r\x1b[K{self._status(done, total)}")
            return
        tenth = 10 * done // total
        if tenth > self._tenth:
            self._tenth = tenth
            self._write(f"{self._status(done, total)}\n")

    def close(self) -> None:
        """Clears the live line, so that what follows starts on a clean one."""
        if self._live:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _status(self, done: int, total: int) -> str:
        shown = (Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE)
        troubles = "".join(f", {self._counts[verdict]} {verdict}" for verdict in shown if self._counts[verdict])
        return f"{done}/{total} checks ({100 * done // total} %){troubles}"
