"""junit.xml in the conventions of CI servers: fail is a failure, inconclusive an error, all but pass skipped."""

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grantproof.report.load_junit import load_suites
from grantproof.report.visible import visible, xml_legal
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from grantproof.report.record import CheckResult, ClauseResult, Run

_ELEMENTS = {
    Verdict.FAIL: "failure",
    Verdict.INCONCLUSIVE: "error",
    Verdict.WARN: "skipped",
    Verdict.WAIVED: "skipped",
    Verdict.NOT_OFFERED: "skipped",
}
_MESSAGE_LIMIT = 4_096


def render_junit(
    run: "Run | None", load: "Mapping[str, Any] | None" = None, capacity: "Mapping[str, Any] | None" = None
) -> str:
    """The text of junit.xml: a suite for each specification, and one each for thresholds of load and of a search."""
    suites = [*(_check_suites(run) if run is not None else ()), *load_suites(load, capacity)]
    names = ("tests", "failures", "errors", "skipped")
    counts = {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in names}
    seconds = sum(float(suite.get("time", "0")) for suite in suites)
    root = Element("testsuites", {"name": "grantproof", **counts, "time": f"{seconds:.3f}"})
    root.extend(suites)
    indent(root, " ")
    return "<?xml version='1.0' encoding='utf-8'?>\n" + tostring(root, "unicode") + "\n"


def _check_suites(run: "Run") -> "Iterator[Element]":
    clauses = {clause.id: clause for clause in run.clauses}
    curls = {exchange["n"]: exchange["curl"] for exchange in run.exchanges}
    groups: dict[str, list[CheckResult]] = {}
    for check in run.checks:
        groups.setdefault(check.id.partition("/")[0], []).append(check)
    for spec, checks in groups.items():
        suite = Element("testsuite", {"name": _text(spec), "timestamp": run.started[:19], **_counts(checks)})
        properties = SubElement(suite, "properties")
        for name, value in (
            ("target", run.target.name),
            ("rulebooks", " ".join(run.rulebooks)),
            ("seed", str(run.seed)),
        ):
            SubElement(properties, "property", {"name": name, "value": _text(value)})
        for check in checks:
            _add_case(suite, check, clauses, curls)
        yield suite


def _add_case(
    suite: Element, check: "CheckResult", clauses: "Mapping[str, ClauseResult]", curls: "Mapping[int, str]"
) -> None:
    path, _, name = check.id.partition("::")
    case = SubElement(
        suite,
        "testcase",
        {
            "classname": _text(path.removesuffix(".py").replace("/", ".")),
            "name": _text(name or path),
            "time": f"{check.seconds:.3f}",
        },
    )
    properties = SubElement(case, "properties")
    for kind, values in (("clause", check.clauses), ("grant", (check.grant,)), ("verdict", (check.verdict,))):
        for value in values:
            SubElement(properties, "property", {"name": kind, "value": _text(value)})
    element = _ELEMENTS.get(check.verdict)
    if element is None:
        return
    message = _text(check.message)[:_MESSAGE_LIMIT]
    first_line = message.strip().partition("\n")[0]
    ending = SubElement(case, element, {"type": check.verdict, "message": f"{check.verdict}: {first_line}"})
    if element != "skipped":
        named = [clauses[clause_id] for clause_id in check.clauses if clause_id in clauses]
        lines = [f"{clause.level} {clause.id}: {clause.statement} {clause.url}" for clause in named]
        commands = [curls[n][:_MESSAGE_LIMIT] for n in check.exchanges[-1:] if n in curls]
        ending.text = _text("\n".join([*lines, message, *commands]))


def _counts(checks: "Sequence[CheckResult]") -> dict[str, str]:
    elements = [_ELEMENTS.get(check.verdict) for check in checks]
    return {
        "tests": str(len(checks)),
        "failures": str(elements.count("failure")),
        "errors": str(elements.count("error")),
        "skipped": str(elements.count("skipped")),
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }


def _text(text: str) -> str:
    return xml_legal(visible(text))
