"""What the plugin tells its workers, and what it makes of one that dies."""

from types import SimpleNamespace
from typing import Any

import pytest

from grantproof import plugin
from grantproof.plugin import state


def told(workers: int) -> dict[str, int]:
    return {"workers": workers}


def test_each_worker_knows_how_many_share_the_rate() -> None:
    stash: Any = pytest.Stash()
    stash[plugin.STATE] = SimpleNamespace(for_worker=told)
    node = SimpleNamespace(config=SimpleNamespace(stash=stash), workerinput={"workercount": 5})
    plugin.pytest_configure_node(node)
    assert node.workerinput["grantproof"] == {"workers": 5}


@pytest.mark.parametrize(
    ("report", "broken"),
    [
        (SimpleNamespace(when="???", failed=True), True),
        (SimpleNamespace(when="call", failed=True), False),
        (SimpleNamespace(when="teardown", failed=False), False),
    ],
)
def test_a_check_whose_worker_died_breaks_the_run(
    monkeypatch: pytest.MonkeyPatch, report: Any, *, broken: bool
) -> None:
    current: Any = SimpleNamespace(internal_error=False)
    monkeypatch.setattr(state, "current", current)
    plugin.pytest_runtest_logreport(report)
    assert current.internal_error is broken


def test_without_a_run_the_plugin_stays_out_of_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "current", None)
    report: Any = SimpleNamespace(when="???", failed=True)
    plugin.pytest_runtest_logreport(report)
    plugin.pytest_internalerror()
    assert state.current is None
