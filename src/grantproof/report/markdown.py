"""summary.md: the run for a job summary or a pull request, small enough for both."""

import re
from typing import TYPE_CHECKING, Any

from grantproof.report.load_view import compose_load
from grantproof.report.page import conclude, reasons
from grantproof.report.specifications import by_specification, short_name
from grantproof.report.tally import SUMMARY_ORDER
from grantproof.report.visible import markdown, markdown_code, one_line
from grantproof.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grantproof.report.record import ClauseResult, Run

LIMIT_BYTES = 1_000_000
_LINK = re.compile(r"https://[^<>\s\\]+")
_CHECKS_EACH = 20
_MARKS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.WARN: "⚠️",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.NOT_OFFERED: "⚪",
    Verdict.WAIVED: "🔕",
}
_STATES = {True: "kept", False: "crossed", None: "unknown"}
_CUT = "\n\n_The rest did not fit; it is in report.html._\n"


def render_markdown(
    run: "Run | None", load: "Mapping[str, Any] | None" = None, capacity: "Mapping[str, Any] | None" = None
) -> str:
    """The text of summary.md, at most 1 MB of UTF-8; what a target said cannot form markup in it."""
    blocks = _run_blocks(run) if run else []
    if load or capacity:
        blocks += _load_blocks(load, capacity)
    kept: list[str] = []
    room = LIMIT_BYTES - len(_CUT)
    for block in blocks:
        room -= len(block.encode(errors="replace")) + 2
        if room < 0:
            return "\n\n".join(kept) + _CUT
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def _run_blocks(run: "Run") -> list[str]:
    facts = f"{', '.join(run.rulebooks)} · {run.started[:19].replace('T', ' ')} UTC · grantproof {run.tool_version}"
    blocks = [f"## {markdown(run.target.name)}", f"**{conclude(run).sentence}**", markdown(facts), _counts(run)]
    findings = [clause for clause in run.clauses if clause.verdict in {Verdict.FAIL, Verdict.WARN}]
    for verdict, heading in ((Verdict.FAIL, "Requirements broken"), (Verdict.WARN, "Recommendations left aside")):
        groups = by_specification(clause for clause in findings if clause.verdict is verdict)
        if groups:
            blocks.append(f"### {_MARKS[verdict]} {heading}")
            blocks += [_finding(run, clause) for group in groups.values() for clause in group]
    for verdict, heading in ((Verdict.INCONCLUSIVE, "Inconclusive"), (Verdict.NOT_OFFERED, "Not offered")):
        found = reasons(run, verdict)
        if found:
            lines = [f"- {markdown(reason.message)} ({_clauses(reason.clauses)})" for reason in found]
            blocks += [f"### {_MARKS[verdict]} {heading}", "\n".join(lines)]
    if run.waivers:
        rows = [(waiver.state, waiver.clause, waiver.reason, waiver.until) for waiver in run.waivers]
        blocks += [f"### {_MARKS[Verdict.WAIVED]} Waivers", _table(("state", "clause", "reason", "until"), rows)]
    capabilities = [clause for clause in run.clauses if clause.level is Level.MAY]
    if capabilities:
        known = {True: "yes", False: "no", None: "unknown"}
        answers = [(known[clause.capability], clause.statement, clause.id) for clause in capabilities]
        blocks.append(_folded("Capabilities", _table(("done", "what is permitted", "clause"), answers)))
    return blocks


def _load_blocks(load: "Mapping[str, Any] | None", capacity: "Mapping[str, Any] | None") -> list[str]:
    view = compose_load(load, capacity)
    if view is None:
        return []
    blocks = ["## Load", f"**{markdown(view.sentence)}**"]
    for scenario in view.scenarios:
        rows = [(tile.label, tile.value, tile.note) for tile in scenario.tiles]
        rows += [("threshold", t.rule, "kept" if t.kept else "crossed") for t in scenario.thresholds]
        blocks += [f"### {markdown(scenario.name)}", _table(("figure", "value", ""), rows)]
    if view.capacity:
        rows = [(tile.label, tile.value, tile.note) for tile in view.capacity.tiles]
        rows += [("threshold", t.rule, _STATES[t.kept]) for t in view.capacity.thresholds]
        blocks += ["### Capacity", _table(("figure", "value", ""), rows)]
        blocks += [markdown(text) for text in (view.capacity.sentence, view.capacity.notice) if text]
    return blocks


def _counts(run: "Run") -> str:
    lines = [
        "| | " + " | ".join(f"{_MARKS[verdict]} {verdict.replace('_', ' ')}" for verdict in SUMMARY_ORDER) + " |",
        "|---|" + "--:|" * len(SUMMARY_ORDER),
    ]
    for name, counts in (("clauses", run.clause_summary), ("checks", run.summary)):
        lines.append(f"| {name} | " + " | ".join(f"{counts[verdict]:,}" for verdict in SUMMARY_ORDER) + " |")
    return "\n".join(lines)


def _finding(run: "Run", clause: "ClauseResult") -> str:
    checks = [
        check for check in run.checks if clause.id in check.clauses and check.verdict in {Verdict.FAIL, Verdict.WARN}
    ]
    where = f"{short_name(clause.spec)} section {clause.section}"
    named = f"[{markdown(where)}](<{clause.url}>)" if _LINK.fullmatch(clause.url) else markdown(where)
    lines = [f"**{clause.level}** {markdown(clause.statement)} {named} · {markdown_code(clause.id)}", ""]
    lines += [
        f"- {markdown_code(check.id)}: {markdown(one_line(check.message, 400))}" for check in checks[:_CHECKS_EACH]
    ]
    if len(checks) > _CHECKS_EACH:
        lines.append(f"- and {len(checks) - _CHECKS_EACH:,} more checks")
    return "\n".join(lines)


def _clauses(clauses: "Sequence[ClauseResult]") -> str:
    names = ", ".join(markdown_code(clause.id) for clause in clauses[:3])
    return names if len(clauses) <= 3 else f"{names} and {len(clauses) - 3:,} more clauses"


def _table(heads: "Sequence[str]", rows: "Sequence[Sequence[str]]") -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(markdown(cell) for cell in row) + " |" for row in rows)])


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
