"""From the ending of a check to its verdict, and from its exchanges to its evidence."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from grantproof.clauses import content_root
from grantproof.errors import Inconclusive, NotOffered
from grantproof.plugin.selection import clauses_of, effective, grant_of, holders_of, needs_of
from grantproof.roles import ROLES
from grantproof.verdict import Level, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grantproof.clauses import Clause
    from grantproof.idp import Idp
    from grantproof.plugin.state import RunState

_MESSAGE = 4_000


def check_id(item: pytest.Item) -> str:
    """The check's path below the conformance root with its parameters: the same from the clone and from the wheel."""
    name = item.nodeid.partition("::")[2]
    path = Path(item.path)
    root = content_root("conformance")
    below = path.relative_to(root) if path.is_relative_to(root) else Path(path.parent.name, path.name)
    return f"{below.as_posix()}::{name}"


def prepare(item: pytest.Function) -> None:
    """What must hold before a check may judge: roles have holders, features are offered, controls are answered.

    Raises:
        NotOffered: the target offers it not, or the profile has nobody for it.
        Inconclusive: a client's plain request is not answered as it should be.
    """
    holders = holders_of(item)
    for name, holder in holders.items():
        if holder is None:
            raise NotOffered(ROLES[name].absent)
    target = cast("Idp | None", item.funcargs.get("idp"))
    if target is None:
        return
    state = _state(item)
    target.require(*needs_of(item, clauses_of(item, state.registry)))
    prove = target.prove if item.get_closest_marker("control") is None else target.prove_credentials
    for holder in holders.values():
        if holder is not None:
            prove(holder)


def _state(item: pytest.Item) -> "RunState":
    from grantproof.plugin import STATE  # noqa: PLC0415 - the package imports this module

    return item.config.stash[STATE]


def scrub_exception(problem: BaseException, state: "RunState") -> None:
    """Takes secrets out of what an exception and its causes say, in place, before anyone prints it."""
    seen: set[int] = set()
    following: BaseException | None = problem
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        following.args = tuple(state.scrub(arg) if isinstance(arg, str) else arg for arg in following.args)
        notes: list[str] | None = getattr(following, "__notes__", None)
        if notes:
            notes[:] = [state.scrub(note) for note in notes]
        following = following.__cause__ or following.__context__


def attach_evidence(item: pytest.Item, state: "RunState") -> None:
    """Takes the exchanges of this check out of the recorder and, for Allure, hands them over redacted."""
    exchanges = state.take_exchanges()
    item.stash[EXCHANGES] = exchanges
    if item.config.getoption("allure_report_dir", None):
        from grantproof.plugin.allure import describe  # noqa: PLC0415 - only Allure runs pay for it

        describe(clauses_of(item, state.registry), state.rulebooks, exchanges)


EXCHANGES: pytest.StashKey[list[dict[str, Any]]] = pytest.StashKey()


def speak_plainly(item: pytest.Item, call: "pytest.CallInfo[None]", state: "RunState") -> None:
    """Spares an ending that says all in its words the traceback, which nobody sees: making one outlasts most checks."""
    ending = call.excinfo.value if call.excinfo is not None else None
    plain = isinstance(ending, NotOffered | Inconclusive) or (
        isinstance(ending, AssertionError) and effective(clauses_of(item, state.registry), state.rulebooks) is Level.MAY
    )
    if plain:
        item.repr_failure = _words  # type: ignore[method-assign] # pyright: ignore[reportAttributeAccessIssue] - nodes are open to this


def _words(excinfo: "pytest.ExceptionInfo[BaseException]", style: object = None) -> str:
    del style
    return str(excinfo.value)


def conclude(item: pytest.Item, call: "pytest.CallInfo[None]", report: pytest.TestReport, state: "RunState") -> None:
    """Writes the verdict into the report in the shape that pytest, JUnit and Allure understand."""
    if report.longrepr is not None and report.failed:
        report.longrepr = state.scrub(str(report.longrepr))
    report.sections = [(name, state.scrub(text)) for name, text in report.sections]
    ended_early = call.when == "setup" and call.excinfo is not None
    if call.when != "call" and not ended_early:
        return
    ending = call.excinfo.value if call.excinfo is not None else None
    if isinstance(ending, pytest.skip.Exception):
        ending = NotOffered(ending.msg or "")
    if isinstance(ending, KeyboardInterrupt | pytest.exit.Exception):
        return
    clauses = clauses_of(item, state.registry)
    level = effective(clauses, state.rulebooks)
    record: dict[str, Any] = {
        "id": check_id(item),
        "clauses": [clause.id for clause in clauses],
        "grant": grant_of(item, clauses),
        "verdict": judge(level, ending).value,
        "message": state.scrub(message_of(ending)),
        "seconds": round(call.duration, 6),
        "exchanges": item.stash.get(EXCHANGES, list[dict[str, Any]]()),
        "worker": getattr(item.config, "workerinput", {}).get("workerid", ""),
    }
    if level is Level.MAY and (ending is None or isinstance(ending, AssertionError)):
        report.outcome, report.longrepr = "passed", None
        record["verdict"] = (Verdict.PASS if ending is None else Verdict.NOT_OFFERED).value
        record["capability"] = ending is None
    else:
        verdict = judge(level, ending)
        waiver = _waiver(state, record["id"], clauses) if verdict in {Verdict.FAIL, Verdict.WARN} else None
        if waiver is not None:
            verdict = Verdict.WAIVED
            record["message"] = f"waived until {waiver.until}: {waiver.reason}\n{record['message']}"
        record["verdict"] = verdict.value
        _shape(report, verdict, record["message"])
    report.grantproof = record  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] - reports carry extra attributes, xdist ships them


def message_of(ending: BaseException | None) -> str:
    """What a person should read of an ending: the assertion's own words first."""
    if ending is None:
        return ""
    text = str(ending).strip()
    if not isinstance(ending, AssertionError | NotOffered | Inconclusive):
        text = f"{type(ending).__name__}: {text}"
    notes = "\n".join(getattr(ending, "__notes__", []))
    text = f"{text}\n{notes}".strip() or type(ending).__name__
    return text if len(text) <= _MESSAGE else text[:_MESSAGE] + " ..."


def _waiver(state: "RunState", identity: str, clauses: "Sequence[Clause]") -> Any:
    for waiver in state.waivers_in_force:
        if waiver.clause in {clause.id for clause in clauses} and (
            waiver.check is None or fnmatchcase(identity, waiver.check)
        ):
            return waiver
    return None


def _shape(report: pytest.TestReport, verdict: Verdict, message: str) -> None:
    if verdict in {Verdict.WARN, Verdict.WAIVED}:
        report.outcome, report.wasxfail = "skipped", message
    elif verdict is Verdict.NOT_OFFERED:
        report.outcome, report.longrepr = (
            "skipped",
            (report.location[0], report.location[1] or 0, f"Skipped: {message}"),
        )
    elif verdict is Verdict.INCONCLUSIVE:
        report.outcome, report.when, report.longrepr = "failed", "setup", message
    elif verdict is Verdict.PASS:
        report.outcome, report.longrepr = "passed", None
