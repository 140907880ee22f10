"""Every scenario against the embedded server, by our command and by plain Locust."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grantproof import embedded
from grantproof.load import LoadPlan, LoadResult, run
from grantproof.load.plan import known_scenarios, load_tests


@pytest.fixture(scope="module")
def idp() -> Iterator[str]:
    """The profile of a server that runs for the whole module."""
    with embedded.start() as profile:
        yield str(profile)


def _run(idp: str, out: Path, name: str, rate: float = 40.0) -> LoadResult:
    return run(LoadPlan(idp, rate_per_s=rate, duration_s=1.0, scenario=name, out=out, thresholds=()))


@pytest.mark.parametrize("name", known_scenarios())
def test_each_scenario_is_answered_as_it_should_be(idp: str, tmp_path: Path, name: str) -> None:
    result = _run(idp, tmp_path, name)
    assert (result.scenario, result.offered) == (name, 40)
    assert (result.ok + sum(result.protected.values()), sum(result.errors.values())) == (40, 0), result.errors
    assert result.duplicates == {"found": 0, "checked_share": 1.0}
    parts = {part.scenario: part for part in result.scenarios}
    assert sum(part.ok for part in parts.values()) == (result.ok if parts else 0)
    assert set(parts) == {
        "hostile_mix": {"hostile_mix/good", "hostile_mix/hostile"},
        "introspect_and_use": {f"introspect_and_use/{step}" for step in ("token", "introspect", "use")},
        "mixed": {
            "token_endpoint",
            "implicit",
            *(f"introspect_and_use/{step}" for step in ("token", "introspect", "use")),
        },
    }.get(name, set())


def test_what_is_made_ahead_is_told(idp: str, tmp_path: Path) -> None:
    result = _run(idp, tmp_path, "private_key_jwt", rate=20.0)
    assert [(each["what"], each["number"]) for each in result.prepared] == [("assertions signed", 20)]
    assert result.prepared[0]["seconds"] > 0


def test_the_good_ones_of_a_hostile_mix_are_measured_apart(idp: str, tmp_path: Path) -> None:
    good, hostile = _run(idp, tmp_path, "hostile_mix").scenarios
    assert good.offered_per_s == pytest.approx(32.0)
    assert hostile.offered_per_s == pytest.approx(8.0)
    assert good.notes["oauth_error"] == 0
    assert hostile.notes["oauth_error"] == hostile.requests > 0


def test_all_scenarios_at_once_work_by_plain_locust(idp: str, tmp_path: Path) -> None:
    names = [name for name in known_scenarios() if name != "mixed"]
    files = ",".join(str(load_tests() / f"{name}.py") for name in names)
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        files,
        "--headless",
        "--idp",
        idp,
        "--scenario-rate",
        "implicit=20",
    ]
    command += ["--rate", "10", "--run-time", "1s", "--out", str(tmp_path / "out"), "--only-summary"]
    done = subprocess.run(command, capture_output=True, timeout=100, check=False, cwd=tmp_path)
    result = json.loads((tmp_path / "out" / "load.json").read_text())
    assert (result["offered_per_s"], result["offered"]) == (80.0, 80), done.stderr.decode()
    assert sum(result["errors"].values()) == 0
    assert {part["scenario"].partition("/")[0] for part in result["scenarios"]} == set(names)


def test_several_scenarios_run_at_rates_of_their_own(idp: str, tmp_path: Path) -> None:
    plan = LoadPlan(
        idp,
        rate_per_s=30.0,
        duration_s=1.0,
        scenarios={"token_endpoint": None, "token_endpoint_post": 10.0},
        out=tmp_path,
        workers=2,
    )
    result = run(plan)
    found = [(part.scenario, part.offered_per_s, part.offered, part.ok) for part in result.scenarios]
    assert found == [("token_endpoint", 30.0, 30, 30), ("token_endpoint_post", 10.0, 10, 10)]
    assert (result.scenario, result.offered_per_s, result.ok) == ("token_endpoint, token_endpoint_post", 40.0, 40)


def test_a_closed_loop_has_users_for_each_part(idp: str, tmp_path: Path) -> None:
    result = run(LoadPlan(idp, users=10, duration_s=1.0, scenario="hostile_mix", out=tmp_path, thresholds=()))
    assert result.offered_per_s is None
    assert all(part.ok for part in result.scenarios)
    assert {part.scenario: part.connections["opened"] for part in result.scenarios} == {
        "hostile_mix/good": 8,
        "hostile_mix/hostile": 2,
    }
