"""The Run record: assembling, and results.json."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from grantproof.errors import GrantproofError
from grantproof.report.record import CheckResult, Run, Waiver
from grantproof.verdict import Level, Verdict

from .runs import assemble, clause, exchange

SCHEMA: dict[str, Any] = json.loads(files("grantproof.report").joinpath("results.schema.json").read_text("utf-8"))


def problems(text: str) -> list[str]:
    """What the schema has against a results.json."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(text))]  # pyright: ignore[reportUnknownMemberType] - jsonschema's own annotation is partial


def check(clause_id: str, verdict: Verdict, name: str = "test_x") -> CheckResult:
    """A check of one clause."""
    return CheckResult(f"rfc6749/test_x.py::{name}", (clause_id,), "client_credentials", verdict)


def test_the_small_run_comes_to_what_it_holds(small_run: Run) -> None:
    assert small_run.exit_code == 1
    assert small_run.started == "2026-11-23T22:41:05.000Z"
    order = (Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED, Verdict.WAIVED)
    assert [small_run.summary[verdict] for verdict in order] == [3, 2, 1, 1, 1, 1]
    assert [small_run.clause_summary[verdict] for verdict in order] == [2, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("name", ["small_run", "hostile_run"])
def test_results_json_is_lawful_and_comes_back_as_it_was(name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(name)
    text = run.to_json()
    assert text.isascii()
    assert problems(text) == []
    assert Run.from_json(text) == run
    assert Run.from_json(text).to_json() == text


def test_the_schema_refuses_a_verdict_on_a_permission(small_run: Run) -> None:
    document = json.loads(small_run.to_json())
    row = next(row for row in document["clauses"] if row["level"] == "MAY")
    row["verdict"] = "pass"
    assert problems(json.dumps(document))


def test_a_clause_without_checks_is_absent() -> None:
    run = assemble(
        [clause("rfc6749:5.2/a", "A."), clause("rfc6749:5.2/b", "B.")], [check("rfc6749:5.2/b", Verdict.PASS)]
    )
    assert [found.id for found in run.clauses] == ["rfc6749:5.2/b"]


def test_a_check_of_a_permission_counts_nowhere_and_is_never_a_finding() -> None:
    permission = clause("rfc6749:3.3/x", "May.", rfc6749=Level.MAY)
    run = assemble([permission], [check("rfc6749:3.3/x", Verdict.WARN)])
    assert sum(run.summary.values()) == 0
    assert run.clauses[0].capability is False
    assert run.clauses[0].verdict is None
    assert run.checks[0].verdict is Verdict.NOT_OFFERED
    assert run.exit_code == 0


def test_a_check_of_a_permission_and_a_requirement_counts_for_the_requirement() -> None:
    clauses = [clause("rfc6749:3.3/x", "May.", rfc6749=Level.MAY), clause("rfc6749:3.3/y", "Must.")]
    both = replace(check("rfc6749:3.3/x", Verdict.FAIL), clauses=("rfc6749:3.3/x", "rfc6749:3.3/y"))
    run = assemble(clauses, [both])
    assert run.checks[0].verdict is Verdict.FAIL
    assert run.summary[Verdict.FAIL] == 1
    assert [found.verdict for found in run.clauses] == [None, Verdict.FAIL]


def test_the_level_is_that_of_the_rulebooks() -> None:
    either = clause("rfc6749:5.1/x", "It.", rfc6749=Level.MUST, oauth21=Level.SHOULD)
    run = assemble([either], [check("rfc6749:5.1/x", Verdict.PASS)], rulebooks=["rfc6749", "oauth21"])
    assert run.clauses[0].level is Level.SHOULD
    assert run.clauses[0].levels == {"rfc6749": Level.MUST, "oauth21": Level.SHOULD}


def test_a_stale_waiver_and_an_interruption_reach_the_exit_code() -> None:
    clauses, checks = [clause("rfc6749:5.1/x", "It.")], [check("rfc6749:5.1/x", Verdict.PASS)]
    stale = Waiver("rfc6749:5.1/x", "was so", "2027-01-31", "stale")
    assert assemble(clauses, checks).exit_code == 0
    assert assemble(clauses, checks, waivers=[stale]).exit_code == 1
    assert assemble(clauses, checks, waivers=[stale], interrupted=True).interrupted


def test_an_unknown_clause_is_refused() -> None:
    with pytest.raises(GrantproofError, match=r"rfc6749:9\.9/gone"):
        assemble([], [check("rfc6749:9.9/gone", Verdict.PASS)])


def test_an_exchange_without_its_parts_is_refused() -> None:
    broken = exchange(1, "")
    del broken["curl"]
    with pytest.raises(GrantproofError, match="curl"):
        assemble([], [], exchanges=[broken])


def test_a_run_is_read_from_its_folder_or_its_file(small_run: Run, tmp_path: Path) -> None:
    path = small_run.write(tmp_path / "a" / "results.json")
    assert Run.read(path) == Run.read(path.parent) == small_run
    assert [entry.name for entry in path.parent.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no results.json of ours"),
        ("[]", "no results.json of ours"),
        ('{"schema": "grantproof/results/9"}', "grantproof/results/9"),
        ('{"schema": "grantproof/results/1"}', "no results.json of ours"),
    ],
)
def test_what_is_no_run_is_refused_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(GrantproofError, match=message) as caught:
        Run.read(tmp_path)
    assert caught.value.where == str(file)


def test_a_missing_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(GrantproofError, match="cannot read the run"):
        Run.read(tmp_path)


def test_members_of_a_later_version_are_skipped(small_run: Run) -> None:
    document = json.loads(small_run.to_json())
    document["later"] = document["clauses"][0]["later"] = 1
    del document["waivers"]
    assert Run.from_json(json.dumps(document)) == replace(small_run, waivers=())
