"""Recorded verdicts: what is kept of a run, and what counts as a difference."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grantproof.errors import GrantproofError
from tests.interop import record, run
from tests.interop.catalogue import SERVERS, profile_path
from tests.interop.verdicts import (
    Verdicts,
    describe_counts,
    differences,
    read_recorded,
    read_results,
    shorten,
    write_recorded,
)

WITHOUT_LOGIN = {"node-oauth2-server", "oauth2-mock-server"}
"""Servers whose profiles have no login step."""
RESULTS: dict[str, Any] = {
    "schema": "grantproof/results/1",
    "rulebooks": ["rfc6749"],
    "seconds": 1.5,
    "exit_code": 1,
    "summary": {"pass": 2, "fail": 1, "warn": 0},
    "clause_summary": {"pass": 1, "fail": 1},
    "checks": [
        {"id": "b.py::test_b", "verdict": "fail", "message": "why"},
        {"id": "a.py::test_a[x]", "verdict": "pass", "message": ""},
        {"id": "a.py::test_a[y]", "verdict": "not_offered", "message": ""},
    ],
    "clauses": [
        {"id": "rfc6749:5.2/b", "verdict": "fail", "capability": None},
        {"id": "rfc6749:5.1/a", "verdict": "pass", "capability": None},
        {"id": "rfc6749:3.1/may", "verdict": None, "capability": True},
        {"id": "rfc6749:3.1/may-not-seen", "verdict": None, "capability": None},
    ],
    "exchanges": [{"n": 1}, {"n": 2}],
}
KEPT = Verdicts(
    rulebooks=("rfc6749",),
    summary={"pass": 2, "fail": 1},
    clause_summary={"pass": 1, "fail": 1},
    checks={"b.py::test_b": "fail"},
    clauses={
        "rfc6749:5.2/b": "fail",
        "rfc6749:5.1/a": "pass",
        "rfc6749:3.1/may": "used",
        "rfc6749:3.1/may-not-seen": "unknown",
    },
)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(RESULTS))
    return path


def test_a_run_is_shortened_to_its_clauses_and_the_checks_that_stand_out(results: Path) -> None:
    read = read_results(results)
    assert shorten(read) == KEPT
    assert len(read.exchanges) == 2


def test_what_is_written_is_read_again_and_sorted(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    write_recorded(path, KEPT)
    assert read_recorded(path) == KEPT
    assert list(json.loads(path.read_text())["clauses"]) == sorted(KEPT.clauses)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(KEPT, [], id="nothing"),
        pytest.param(
            replace(KEPT, checks={}), ["check b.py::test_b: pass, not offered or absent (recorded: fail)"], id="mended"
        ),
        pytest.param(
            replace(KEPT, checks={**KEPT.checks, "a.py::test_a[x]": "warn"}),
            ["check a.py::test_a[x]: warn (recorded: pass, not offered or absent)"],
            id="new finding",
        ),
        pytest.param(
            replace(KEPT, clauses={**KEPT.clauses, "rfc6749:5.1/a": "not_offered"}),
            ["clause rfc6749:5.1/a: not_offered (recorded: pass)"],
            id="no longer proven",
        ),
        pytest.param(
            replace(KEPT, clauses={**KEPT.clauses, "rfc6749:3.1/may": "unused"}),
            ["clause rfc6749:3.1/may: unused (recorded: used)"],
            id="permission no longer used",
        ),
        pytest.param(
            replace(KEPT, clauses={**KEPT.clauses, "rfc6750:2.1/new": "pass"}),
            ["clause rfc6750:2.1/new: pass (recorded: absent)"],
            id="new clause",
        ),
        pytest.param(
            replace(KEPT, summary={"pass": 1, "fail": 1, "waived": 1}),
            ["checks with verdict pass: 1 (recorded: 2)", "checks with verdict waived: 1 (recorded: 0)"],
            id="counts",
        ),
        pytest.param(
            replace(KEPT, clause_summary={"fail": 1}),
            ["clauses with verdict pass: 0 (recorded: 1)"],
            id="clause counts",
        ),
        pytest.param(
            replace(KEPT, rulebooks=("rfc6749", "oidc")),
            ["rulebooks: rfc6749 oidc (recorded: rfc6749)"],
            id="rulebooks",
        ),
    ],
)
def test_each_difference_is_one_line(found: Verdicts, expected: list[str]) -> None:
    assert differences(KEPT, found) == expected


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"schema": "grantproof/interop/2"}', '{"schema": "grantproof/interop/1", "checks": []}'],
)
def test_a_file_that_is_no_recorded_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(text)
    with pytest.raises(GrantproofError) as problem:
        read_recorded(path)
    assert problem.value.where == str(path)


@pytest.mark.parametrize("text", ["", '{"checks": 1}'])
def test_a_file_that_is_no_results_json_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(GrantproofError) as problem:
        read_results(path)
    assert problem.value.where == str(path)
    with pytest.raises(GrantproofError, match="cannot be read"):
        read_results(tmp_path / "absent.json")


def test_counts_are_described_without_zeros() -> None:
    assert describe_counts({"pass": 2, "fail": 0, "warn": 1}) == "2 pass, 1 warn"
    assert describe_counts({"pass": 0}) == "none"


def test_the_exit_code_says_whether_it_is_as_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "recorded.json"
    assert run.compare("x", KEPT, path) == run.DIFFERENT
    assert "nothing is recorded yet" in capsys.readouterr().out
    write_recorded(path, KEPT)
    assert run.compare("x", KEPT, path) == run.AS_RECORDED
    assert capsys.readouterr().out == "x: as recorded\n"
    assert run.compare("x", replace(KEPT, checks={}), path) == run.DIFFERENT
    assert capsys.readouterr().out.startswith("x: check b.py::test_b: ")


@pytest.mark.parametrize("name", sorted({*SERVERS} - WITHOUT_LOGIN))
def test_another_login_driver_is_all_that_a_copy_of_a_profile_changes(name: str, tmp_path: Path) -> None:
    kept = profile_path(name)
    copy = run.with_driver(kept, "browser", tmp_path)
    before, after = (tomllib.loads(path.read_text("utf-8")) for path in (kept, copy))
    assert after["login"].pop("driver") == "browser"
    assert before["login"].pop("driver") == "forms"
    assert after == before


@pytest.mark.parametrize("name", sorted(WITHOUT_LOGIN))
def test_a_server_at_which_nobody_signs_in_has_no_other_driver(name: str, tmp_path: Path) -> None:
    with pytest.raises(GrantproofError, match="nobody signs in here"):
        run.with_driver(profile_path(name), "browser", tmp_path)


def test_recording_is_its_own_command_and_says_what_changes(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "recorded.json"

    def recorded_path(*_: object) -> Path:
        return path

    monkeypatch.setattr(record, "recorded_path", recorded_path)
    assert record.main(["oauth2orize", str(results)]) == 0
    assert read_recorded(path) == KEPT
    write_recorded(path, replace(KEPT, checks={}))
    capsys.readouterr()
    assert record.main(["oauth2orize", str(results)]) == 0
    assert "check b.py::test_b: fail" in capsys.readouterr().out
    assert record.main(["unheard-of", str(results)]) == 2
