"""Thresholds of a load run and of a capacity search as test cases for CI servers.

A crossed threshold is a failure. Where nothing can be said (the generator was the limit, the target was not reached,
the run was stopped before its time was up, the search did not end) it is an error, whatever the figures look like.
Without thresholds there is one case: the run.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from grantproof.report.plots import number
from grantproof.report.visible import visible, xml_legal

Json = Mapping[str, Any]
_CROSSED = 1
_UNDECIDED = 3


def load_suites(load: Json | None, capacity: Json | None) -> list[Element]:
    """A suite for each of them that there is."""
    suites: list[Element] = []
    if load is not None:
        generator: Json = load.get("generator") or {}
        reason = str(generator.get("reason") or "the target was not reached")
        suites.append(_suite("load", load, str(load.get("scenario") or "load"), reason))
    if capacity is not None:
        reason = str(capacity.get("reason") or "a threshold is inside the interval")
        suites.append(_suite("capacity", capacity, "capacity", reason))
    return suites


def _suite(name: str, result: Json, whole: str, reason: str) -> Element:
    code = result.get("exit_code")
    nothing = name == "load" and code == _UNDECIDED  # a search that found something may still leave one rule open
    rules: Sequence[Json] = result.get("thresholds") or ()
    cases = [(str(row.get("rule")), *_judge(row, reason, nothing=nothing)) for row in rules]
    if not any(
        kind for _, kind, _ in cases
    ):  # the whole run is a case where no rule says what is wrong, or there is none
        kind = {_CROSSED: "failure", _UNDECIDED: "error"}.get(code or 0, "")
        cases += [(whole, kind, reason if kind else "")] if kind or not cases else []
    kinds = [kind for _, kind, _ in cases]
    counts = {"tests": str(len(cases)), "failures": str(kinds.count("failure")), "errors": str(kinds.count("error"))}
    seconds = number(result.get("seconds")) or 0.0
    suite = Element("testsuite", {"name": name, **counts, "skipped": "0", "time": f"{seconds:.3f}"})
    for title, kind, message in cases:
        case = SubElement(suite, "testcase", {"classname": f"grantproof.{name}", "name": _text(title), "time": "0.000"})
        if kind:
            SubElement(case, kind, {"type": kind, "message": _text(message)})
    return suite


def _judge(row: Json, reason: str, *, nothing: bool) -> tuple[str, str]:
    """The element that a rule gets, empty for none, and its message."""
    kept = row.get("kept")
    if nothing or kept is None:
        return "error", reason
    if kept:
        return "", ""
    value = number(row.get("value"))
    return "failure", f"{row.get('rule')} is crossed" + (f": {value:g}" if value is not None else "")


def _text(text: str) -> str:
    return xml_legal(visible(text))
