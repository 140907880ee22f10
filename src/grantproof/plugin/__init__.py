"""The pytest plugin: options, the target, roles as parameters, verdicts from endings. Inert without a `clause` mark.

Rules of this file:
- Hooks only; what they do stands in the neighbouring modules.
- Nothing heavy is imported until a run has a target, since this module loads in every pytest session around.
"""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from grantproof.idp import Idp
    from grantproof.plugin.state import RunState

STATE: "pytest.StashKey[RunState]" = pytest.StashKey()
_CRASHED = "???"
"""The phase in the report that xdist makes up for a check whose worker died."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """All options but `--idp` begin with `--grantproof-`, so that no other plugin's option is met."""
    group = parser.getgroup("grantproof", "OAuth 2.0 conformance (grantproof)")
    add = group.addoption
    add("--idp", metavar="P", help="the target: a profile's path, the name of a shipped one, or embedded")
    add(
        "--grantproof-rulebook",
        metavar="NAME",
        action="append",
        default=[],
        help="rfc6749 (default), bcp9700, oidc, rfc9068, oauth21",
    )
    add("--grantproof-grant", metavar="GRANT", action="append", default=[], help="client_credentials or implicit only")
    add("--grantproof-level", metavar="LEVEL", choices=["must", "should", "may"], help="this level and stronger only")
    add(
        "--grantproof-clause",
        metavar="ID",
        action="append",
        default=[],
        help="a clause id, a section (rfc6749:5.2) or a spec",
    )
    add("--grantproof-examples", metavar="N", type=int, default=25, help="fuzzing examples a property (25)")
    add("--grantproof-seed", metavar="N", type=int, default=0, help="seed of the fuzzing (0)")
    add("--grantproof-out", metavar="DIR", help="where the report goes (reports/<profile>-<UTC time>)")
    add(
        "--grantproof-report",
        metavar="FORMATS",
        default="json,html,junit,markdown",
        help="comma-separated; none writes nothing",
    )
    add("--grantproof-baseline", metavar="RUN", help="an earlier run's folder: only what is worse than there counts")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Registers the marks; with a target, loads its profile once and prepares the run."""
    config.addinivalue_line("markers", "clause(*ids): the clauses that the check decides (grantproof)")
    config.addinivalue_line("markers", "needs(*features): what must be offered for the check (grantproof)")
    config.addinivalue_line("markers", "control: the check judges the plain request itself (grantproof)")
    if config.getoption("idp"):
        from grantproof.plugin.state import RunState  # noqa: PLC0415 - only runs with a target pay for it

        config.stash[STATE] = RunState.begin(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the embedded server, if this run started one."""
    state = config.stash.get(STATE, None)
    if state is not None:
        state.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells each xdist worker where the profile and the shared counter are."""
    state = node.config.stash.get(STATE, None)
    if state is not None:
        node.workerinput["grantproof"] = state.for_worker(node.workerinput["workercount"])


def pytest_ignore_collect(collection_path: "Path", config: pytest.Config) -> bool | None:
    """Leaves out the modules of checks that have nothing of what the user selected: most of a short run's time."""
    state = config.stash.get(STATE, None)
    if state is None or not state.wanted or not collection_path.name.startswith("test_"):
        return None
    from grantproof.plugin.selection import may_hold  # noqa: PLC0415 - checks only

    return None if may_hold(collection_path, state.wanted) else True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a check once for each holder of the roles that its arguments name."""
    if metafunc.definition.get_closest_marker("clause") is None:
        return
    from grantproof.plugin.selection import parametrize_roles  # noqa: PLC0415 - checks only

    parametrize_roles(metafunc, metafunc.config.stash.get(STATE, None))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps the checks that the rulebooks and the selection name, and writes their clauses into JUnit."""
    if not any(item.get_closest_marker("clause") for item in items):
        return
    from grantproof.plugin.selection import select  # noqa: PLC0415 - checks only

    state = config.stash.get(STATE, None)
    if state is None:
        if not config.option.collectonly:
            raise pytest.UsageError("conformance checks need a target: --idp PROFILE (try --idp embedded)")
        return
    select(config, state, items)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> "Generator[None, object, object]":
    """Before a check: what it needs is offered and its controls hold. After it: no secret is left in what it raised."""
    state = pyfuncitem.config.stash.get(STATE, None)
    if state is None or pyfuncitem.get_closest_marker("clause") is None:
        return (yield)
    from grantproof.plugin.verdicts import attach_evidence, prepare, scrub_exception  # noqa: PLC0415 - checks only

    try:
        prepare(pyfuncitem)
        return (yield)
    except BaseException as problem:
        scrub_exception(problem, state)
        raise
    finally:
        attach_evidence(pyfuncitem, state)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
    """Turns the ending of a check into its verdict."""
    state = item.config.stash.get(STATE, None)
    if state is None or item.get_closest_marker("clause") is None:
        return (yield)
    from grantproof.plugin.verdicts import conclude, speak_plainly  # noqa: PLC0415 - checks only

    speak_plainly(item, call, state)
    report = yield
    conclude(item, call, report, state)
    return report


def pytest_report_teststatus(report: Any) -> "tuple[str, str, tuple[str, dict[str, bool]]] | None":
    """Names the verdicts in pytest's own terminal output."""
    record: dict[str, str] = getattr(report, "grantproof", None) or {}
    verdict = record.get("verdict", "")
    if verdict == "inconclusive":
        return "error", "E", ("INCONCLUSIVE", {"yellow": True})
    if verdict in {"warn", "waived"}:
        return "xfailed", verdict[0], (verdict.upper(), {"yellow": True})
    return None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collects results where they arrive: in the controller under xdist, else in the only process."""
    from grantproof.plugin import state  # noqa: PLC0415 - checks only

    if state.current is None:
        return
    if getattr(report, "grantproof", None):
        state.current.collect(report)
    elif str(report.when) == _CRASHED:
        state.current.internal_error = True


def pytest_internalerror() -> None:
    """Remembers that the run broke on our side, so that no exit code calls it lawful."""
    from grantproof.plugin import state  # noqa: PLC0415 - checks only

    if state.current is not None:
        state.current.internal_error = True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Assembles the run and writes its report, once, in the controller."""
    state = session.config.stash.get(STATE, None)
    if state is not None and not hasattr(session.config, "workerinput"):
        state.finish(interrupted=bool(session.shouldstop) and "interrupt" in str(session.shouldstop).lower())


@pytest.hookimpl(wrapper=True)
def pytest_keyboard_interrupt(excinfo: object) -> "Generator[None, None, None]":
    """Remembers that the run was interrupted: what was gathered is still written."""
    del excinfo
    from grantproof.plugin import state  # noqa: PLC0415 - checks only

    if state.current is not None:
        state.current.interrupted = True
    return (yield)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says where the report is."""
    state = config.stash.get(STATE, None)
    if state is not None and state.written:
        terminalreporter.write_line(f"grantproof report: {state.written}")


@pytest.fixture(scope="session")
def idp(request: pytest.FixtureRequest) -> "Iterator[Idp]":
    """The authorization server under test."""
    state = request.config.stash.get(STATE, None)
    if state is None:
        raise pytest.UsageError("the fixture idp needs a target: --idp PROFILE")
    with state.open() as target:
        if state.waits:
            target.begin_waiting()
        yield target
