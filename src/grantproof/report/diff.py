"""What changed between two runs: new findings, findings that are gone, and what can no longer be decided.

Rules of this file:
- Findings are keyed by clause and check id; a pair that the old run does not have counts as clean before.
- Only a pass proves a finding fixed; a finding that is waived, undecided or not offered now has merely changed.
- MAY clauses have capabilities, and a change of one is told but never counts.
- A new run that decides nothing is inconclusive, however little the old one decided: two dead nights are no good news.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from grantproof.report.tally import ExitCode
from grantproof.report.visible import one_line
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from grantproof.report.record import Run

_LINES_EACH = 20


class Kind(StrEnum):
    """What a change means."""

    NEW = "new"
    UNDECIDED = "undecided"
    FIXED = "fixed"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True)
class Change:
    """One clause and check whose verdict differs; None where a run does not have the pair."""

    clause: str
    check: str
    old: Verdict | None
    new: Verdict | None
    kind: Kind
    message: str = ""


@dataclass(frozen=True)
class CapabilityChange:
    """A MAY clause that the target began or ceased to use."""

    clause: str
    old: bool | None
    new: bool | None


@dataclass(frozen=True)
class Diff:
    """The changes from one run to the next."""

    changes: tuple[Change, ...]
    capabilities: tuple[CapabilityChange, ...] = ()
    rulebooks_differ: bool = False
    nothing_decided: bool = False

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.kind is kind)

    @property
    def exit_code(self) -> int:
        """1 when a fail is new, 3 when something or all can no longer be decided, else 0; a new warn is only told."""
        if any(change.new is Verdict.FAIL for change in self.of(Kind.NEW)):
            return int(ExitCode.BROKEN)
        undecided = self.nothing_decided or self.of(Kind.UNDECIDED)
        return int(ExitCode.INCONCLUSIVE if undecided else ExitCode.LAWFUL)

    def render(self) -> str:
        """The changes as plain lines, the worst first."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.rulebooks_differ:
            yield "note: the runs were judged by different rulebooks"
        if self.nothing_decided:
            yield "note: the new run decided nothing"
        for kind, title in _TITLES.items():
            changes = self.of(kind)
            if changes:
                yield f"{title} ({len(changes)})"
            for change in changes[:_LINES_EACH]:
                yield f"  {change.clause}  {one_line(change.check, 160)}: {_word(change.old)} -> {_word(change.new)}"
                if change.message:
                    yield f"      {one_line(change.message, 200)}"
            if len(changes) > _LINES_EACH:
                yield f"  and {len(changes) - _LINES_EACH} more"
        for capability in self.capabilities:
            before, after = _ANSWERS[capability.old], _ANSWERS[capability.new]
            yield f"capability {capability.clause}: {before} -> {after}"
        if not self.changes and not self.capabilities:
            yield "no change"


_TITLES = {
    Kind.NEW: "worse than before",
    Kind.UNDECIDED: "can no longer be decided",
    Kind.FIXED: "fixed",
    Kind.CHANGED: "changed",
    Kind.GONE: "not run this time",
}
_ANSWERS: Mapping[bool | None, str] = {True: "yes", False: "no", None: "unknown"}
_FINDINGS = {Verdict.FAIL, Verdict.WARN}
_UNKNOWING = {Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED}


def compare(old: "Run", new: "Run") -> Diff:
    """What changed from the old run to the new one; what the old run found and the new one finds again is no change."""
    before, after = _verdicts(old), _verdicts(new)
    messages = {check.id: check.message for check in new.checks}
    changes = [
        Change(
            *pair, before.get(pair), after.get(pair), kind, messages.get(pair[1], "") if kind is not Kind.FIXED else ""
        )
        for pair in sorted(before.keys() | after.keys())
        if (kind := _kind(before.get(pair), after.get(pair)))
    ]
    known = {clause.id: clause.capability for clause in old.clauses if clause.verdict is None}
    capabilities = [
        CapabilityChange(clause.id, known[clause.id], clause.capability)
        for clause in new.clauses
        if clause.id in known and clause.verdict is None and clause.capability != known[clause.id]
    ]
    nothing = new.exit_code == ExitCode.INCONCLUSIVE and all(check.verdict in _UNKNOWING for check in new.checks)
    return Diff(tuple(changes), tuple(capabilities), old.rulebooks != new.rulebooks, nothing)


def _verdicts(run: "Run") -> Mapping[tuple[str, str], Verdict]:
    judged = {clause.id for clause in run.clauses if clause.verdict is not None}
    return {(clause, check.id): check.verdict for check in run.checks for clause in check.clauses if clause in judged}


def _kind(old: Verdict | None, new: Verdict | None) -> Kind | None:
    if old is new or (old is None and new not in {*_FINDINGS, Verdict.INCONCLUSIVE}):
        return None
    if new is None:
        return Kind.GONE
    if old in _FINDINGS and new is Verdict.PASS:
        return Kind.FIXED
    if old is not None and new.badness > old.badness:
        return Kind.CHANGED
    if new is Verdict.INCONCLUSIVE:
        return Kind.UNDECIDED
    return Kind.NEW if new in _FINDINGS else Kind.CHANGED


def _word(verdict: Verdict | None) -> str:
    return verdict.replace("_", " ") if verdict else "not run"
