"""What the page says, before any markup: findings, groups, counts and the conclusion in one sentence."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grantproof.report.evidence import Evidence, Selection, select
from grantproof.report.specifications import TITLES, by_specification, short_name
from grantproof.report.visible import one_line
from grantproof.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from grantproof.report.record import CheckResult, ClauseResult, Run, Waiver

ROOM_FOR_EVIDENCE = 650_000
MESSAGE_LIMIT = 4_096
_FINDINGS = (Verdict.FAIL, Verdict.WARN)


@dataclass(frozen=True)
class CheckView:
    """A check with the exchanges that are shown under it, newest first, and those that are shown elsewhere."""

    result: "CheckResult"
    message: str
    evidence: tuple[Evidence, ...] = ()
    elsewhere: tuple[int, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class CheckGroup:
    """Checks that differ in their parameters only: the name without them, and each check's parameters."""

    name: str
    verdict: Verdict
    message: str
    parameters: tuple[str, ...]
    checks: tuple[CheckView, ...]


@dataclass(frozen=True)
class ClauseView:
    """A clause with its checks; `finding` tells that its evidence stands among the findings."""

    result: "ClauseResult"
    checks: tuple[CheckView, ...]
    finding: bool = False

    @property
    def source(self) -> str:
        """The section as people name it."""
        return f"{short_name(self.result.spec)} section {self.result.section}"

    @property
    def anchor(self) -> str:
        """An element id."""
        return "c-" + "".join(mark if mark.isalnum() and mark.isascii() else "-" for mark in self.result.id)

    @property
    def groups(self) -> tuple[CheckGroup, ...]:
        """Its checks, those of one name, verdict and message together."""
        found: dict[tuple[str, Verdict, str], list[CheckView]] = {}
        for check in self.checks:
            name = check.result.id.partition("[")[0]
            found.setdefault((name, check.result.verdict, check.message), []).append(check)
        return tuple(
            CheckGroup(
                *key,
                tuple(check.result.id[len(key[0]) + 1 : -1] for check in own if "[" in check.result.id),
                tuple(own),
            )
            for key, own in found.items()
        )

    @property
    def broken(self) -> tuple[CheckView, ...]:
        """The checks that make it a finding, worst first."""
        found = [check for check in self.checks if check.result.verdict in _FINDINGS]
        return tuple(sorted(found, key=lambda check: check.result.verdict.badness))


@dataclass(frozen=True)
class SpecificationView:
    """The judged clauses of one specification."""

    spec: str
    name: str
    title: str
    clauses: tuple[ClauseView, ...]
    counts: "Mapping[Verdict, int]"


@dataclass(frozen=True)
class Reason:
    """One reason and the clauses that share it, with the number of checks."""

    message: str
    clauses: "tuple[ClauseResult, ...]"
    checks: int


@dataclass(frozen=True)
class Conclusion:
    """The run in one sentence; `tone` is the verdict whose colour it wears."""

    tone: Verdict
    sentence: str


@dataclass(frozen=True)
class Page:
    """Everything that the conformance half of the page shows."""

    run: "Run"
    conclusion: Conclusion
    findings: tuple[ClauseView, ...]
    inconclusive: tuple[Reason, ...]
    not_offered: tuple[Reason, ...]
    specifications: tuple[SpecificationView, ...]
    capabilities: "tuple[ClauseResult, ...]"
    waivers: "tuple[Waiver, ...]"
    body_limit: int
    left_out: int


def compose(run: "Run", room: int = ROOM_FOR_EVIDENCE) -> Page:
    """The page of a run, with at most about `room` characters of exchanges on it."""
    checks = {check.id: check for check in run.checks}
    groups = by_specification(clause for clause in run.clauses if clause.verdict is not None)
    judged = [clause for group in groups.values() for clause in group]
    judged_by_badness = sorted(judged, key=lambda clause: (_badness(clause), -clause.level.rank))
    found = [clause for clause in judged_by_badness if clause.verdict in _FINDINGS]
    undecided = [clause for clause in judged_by_badness if clause.verdict is Verdict.INCONCLUSIVE]
    passing = (_first(clause, checks, Verdict.PASS) for clause in judged if clause.verdict is Verdict.PASS)
    selection = select(
        run,
        [_troubled(clause, checks) for clause in [*found, *undecided]],
        [check for check in passing if check],
        room,
    )
    placed: set[int] = set()
    findings = {clause.id: _clause_view(clause, checks, selection, placed, finding=True) for clause in found}
    return Page(
        run=run,
        conclusion=conclude(run),
        findings=tuple(findings.values()),
        inconclusive=reasons(run, Verdict.INCONCLUSIVE),
        not_offered=reasons(run, Verdict.NOT_OFFERED),
        specifications=tuple(
            SpecificationView(
                spec=spec,
                name=short_name(spec),
                title=TITLES.get(spec, ""),
                clauses=tuple(
                    findings.get(clause.id) or _clause_view(clause, checks, selection, placed, finding=False)
                    for clause in group
                ),
                counts={verdict: sum(clause.verdict is verdict for clause in group) for verdict in Verdict},
            )
            for spec, group in groups.items()
        ),
        capabilities=tuple(
            clause
            for group in by_specification(clause for clause in run.clauses if clause.level is Level.MAY).values()
            for clause in group
        ),
        waivers=run.waivers,
        body_limit=selection.body_limit,
        left_out=selection.left_out,
    )


def conclude(run: "Run") -> Conclusion:
    """What the run says about its target, in one sentence."""
    counts = run.clause_summary
    undecided = counts[Verdict.INCONCLUSIVE]
    decided = [c for c in run.clauses if c.verdict not in {None, Verdict.NOT_OFFERED, Verdict.INCONCLUSIVE}]
    required = [clause for clause in decided if clause.level.is_requirement]
    broken = sum(clause.verdict is Verdict.FAIL for clause in required)
    departed = sum(clause.verdict in _FINDINGS for clause in decided) - broken
    if not decided and not undecided:
        return Conclusion(Verdict.NOT_OFFERED, "Nothing was judged: the target offers nothing that was selected.")
    if broken:
        of = "" if len(required) == 1 else f"{broken:,} of the {len(required):,} requirements"
        parts = [f"breaks {of or 'the one requirement'} judged"]
    elif required:
        every = "the one requirement" if len(required) == 1 else f"all {len(required):,} requirements"
        parts = [f"keeps {every} judged"]
    else:
        parts = ["met no requirement that could be judged"]
    if departed:
        parts.append(f"departs from {_number(departed, 'recommendation')}")
    asides: list[str] = []
    if undecided:
        asides.append(f"{_number(undecided, 'clause')} could not be decided")
    if counts[Verdict.WAIVED]:
        asides.append(f"{_number(counts[Verdict.WAIVED], 'clause')} {_be(counts[Verdict.WAIVED])} waived")
    stale = sum(waiver.state == "stale" for waiver in run.waivers)
    if stale:
        asides.append(f"{_number(stale, 'waiver')} {_be(stale)} stale")
    tone = Verdict.worst(clause.verdict for clause in run.clauses if clause.verdict)
    if tone in {Verdict.PASS, Verdict.WAIVED}:
        tone = Verdict.WARN if stale else Verdict.PASS
    opening = "The run was interrupted; until then it " if run.interrupted else ""
    text = opening + "; ".join(filter(None, (" and ".join(parts), ", ".join(asides))))
    return Conclusion(tone, text[:1].upper() + text[1:] + ".")


def reasons(run: "Run", verdict: Verdict) -> tuple[Reason, ...]:
    """Why clauses came to this verdict: each reason once, the most frequent first."""
    clauses = {clause.id: clause for clause in run.clauses if clause.verdict is verdict}
    found: dict[str, dict[str, int]] = {}
    for check in run.checks:
        own = clauses.keys() & set(check.clauses)
        if check.verdict is verdict and own:
            tally = found.setdefault(one_line(check.message, 600) or "no reason was recorded", {})
            for clause_id in own:
                tally[clause_id] = tally.get(clause_id, 0) + 1
    grouped = [
        Reason(
            message,
            tuple(clause for group in by_specification(clauses[key] for key in tally).values() for clause in group),
            sum(tally.values()),
        )
        for message, tally in found.items()
    ]
    return tuple(sorted(grouped, key=lambda reason: (-len(reason.clauses), reason.message)))


def _clause_view(
    clause: "ClauseResult",
    checks: "Mapping[str, CheckResult]",
    selection: Selection,
    placed: set[int],
    *,
    finding: bool,
) -> ClauseView:
    own = [checks[check_id] for check_id in clause.checks]
    return ClauseView(clause, tuple(_check_view(check, selection, placed) for check in own), finding)


def _check_view(check: "CheckResult", selection: Selection, placed: set[int]) -> CheckView:
    on_page = [n for n in reversed(check.exchanges) if n in selection.shown]
    fresh = [n for n in on_page if n not in placed]
    placed.update(fresh)
    troubled = check.verdict in {Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE}
    return CheckView(
        check,
        check.message[:MESSAGE_LIMIT],
        tuple(selection.shown[n] for n in fresh),
        tuple(n for n in on_page if n not in fresh),
        len(check.exchanges) - len(on_page) if troubled else 0,
    )


def _troubled(clause: "ClauseResult", checks: "Mapping[str, CheckResult]") -> "Sequence[CheckResult]":
    trouble = {Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE}
    own = [checks[check_id] for check_id in clause.checks if checks[check_id].verdict in trouble]
    return sorted(own, key=lambda check: check.verdict.badness)


def _first(clause: "ClauseResult", checks: "Mapping[str, CheckResult]", verdict: Verdict) -> "CheckResult | None":
    own: Iterable[CheckResult] = (checks[check_id] for check_id in clause.checks)
    return next((check for check in own if check.verdict is verdict and check.exchanges), None)


def _badness(clause: "ClauseResult") -> int:
    return clause.verdict.badness if clause.verdict else len(Verdict)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
