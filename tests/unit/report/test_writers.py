"""JUnit, Markdown, HAR, SARIF and the folder that holds them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from syrupy.assertion import SnapshotAssertion

from grantproof.errors import GrantproofError
from grantproof.report.events import EventLog, read_events
from grantproof.report.har import render_har
from grantproof.report.junit import render_junit
from grantproof.report.markdown import LIMIT_BYTES, render_markdown
from grantproof.report.record import CheckResult, Run
from grantproof.report.sarif import render_sarif, repository_path
from grantproof.report.writer import FILES, FORMATS, check_formats, default_folder, write, write_load_page
from grantproof.verdict import Verdict

from .runs import HOSTILE, assemble, clause, many

BOTH = {"httpVersion", "cookies", "headers", "headersSize", "bodySize"}
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def test_junit_looks_as_it_did(small_run: Run, snapshot: SnapshotAssertion) -> None:
    assert render_junit(small_run) == snapshot


def test_junit_maps_each_verdict(small_run: Run) -> None:
    root = ET.fromstring(render_junit(small_run))
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("11", "2", "1", "4")
    case = root.find(".//testcase[failure]")
    assert case is not None
    assert (case.get("classname"), case.get("name")) == ("rfc6749.test_5_2_error", "test_unknown_grant_type[basic]")
    clauses = [row.get("value") for row in case.iterfind("properties/property[@name='clause']")]
    assert clauses == ["rfc6749:5.2/unsupported-grant-type"]


def test_junit_of_a_hostile_run_is_well_formed(hostile_run: Run) -> None:
    root = ET.fromstring(render_junit(hostile_run))
    failure = root.find(".//failure")
    assert failure is not None
    assert "<script>window.pwned=1</script>" in (failure.text or "")
    assert root.find(".//script") is None


def test_markdown_looks_as_it_did(small_run: Run, load: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert render_markdown(small_run, load) == snapshot


def test_markdown_of_a_hostile_run_holds_no_markup_of_it(hostile_run: Run) -> None:
    text = render_markdown(hostile_run)
    assert "<img" not in text
    assert "<script" not in text
    assert "\u202e" not in text


def test_markdown_stays_below_the_limit_of_a_job_summary() -> None:
    broken = [clause(f"rfc6749:5.{i}/x", "S" * 900) for i in range(2000)]
    checks = [CheckResult(f"t::{i}", (found.id,), "g", Verdict.FAIL, "m" * 900) for i, found in enumerate(broken)]
    text = render_markdown(assemble(broken, checks))
    assert LIMIT_BYTES - 5_000 < len(text.encode()) <= LIMIT_BYTES
    assert text.endswith("_The rest did not fit; it is in report.html._\n")


def test_har_has_the_members_that_readers_demand(small_run: Run) -> None:
    log = json.loads(render_har(small_run))["log"]
    assert (log["version"], log["creator"]) == ("1.2", {"name": "grantproof", "version": "0.1.0"})
    assert len(log["entries"]) == 6
    for entry in log["entries"]:
        assert entry.keys() >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        assert entry["request"].keys() >= {*BOTH, "method", "url", "queryString"}
        assert entry["response"].keys() >= {*BOTH, "status", "statusText", "content", "redirectURL"}
    first = log["entries"][0]
    assert first["startedDateTime"] == "2026-11-23T22:41:05.250Z"
    assert first["time"] == 3.12
    assert first["comment"].startswith("exchange 1; fail: rfc6749/test_5_2_error.py::test_unknown_grant_type[basic]; ")


def test_har_fills_in_what_is_unknown() -> None:
    bare = {"n": 1, "request": {"method": "GET"}, "response": {}, "seconds": 0.5, "curl": ""}
    entry = json.loads(render_har(assemble([], [], exchanges=[bare])))["log"]["entries"][0]
    assert entry["startedDateTime"] == "2026-11-23T22:41:05.000Z"
    assert (entry["request"]["method"], entry["response"]["status"]) == ("GET", 0)


def test_har_of_a_run_without_exchanges_is_empty() -> None:
    assert json.loads(render_har(assemble([], [])))["log"]["entries"] == []


def test_sarif_has_a_result_for_each_clause_and_broken_check(small_run: Run) -> None:
    run = json.loads(render_sarif(small_run, "profiles/example.toml"))["runs"][0]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert [(row["ruleId"], row["level"]) for row in results] == [
        ("rfc6749:5.2/unsupported-grant-type", "error"),
        ("rfc6749:5.2/unsupported-grant-type", "error"),
        ("rfc6749:5.1/expires-in", "warning"),
        ("rfc6749:5.1/pragma", "note"),
    ]
    assert all(rules[row["ruleIndex"]]["id"] == row["ruleId"] for row in results)
    fingerprints = [row["partialFingerprints"]["clauseAndCheck/v1"] for row in results]
    assert len(set(fingerprints)) == 4
    assert ["suppressions" in row for row in results] == [False, False, False, True]


def test_sarifs_fingerprints_do_not_depend_on_what_was_seen(small_run: Run) -> None:
    def prints(text: str) -> list[str]:
        return [row["partialFingerprints"]["clauseAndCheck/v1"] for row in json.loads(text)["runs"][0]["results"]]

    other = Run.from_json(small_run.to_json().replace("'invalid_request'", "'server_error'"))
    assert prints(render_sarif(other, "p.toml")) == prints(render_sarif(small_run, "p.toml"))


def test_sarif_points_at_the_profile_in_its_repository(tmp_path: Path) -> None:
    profile = tmp_path / "pro files" / "a.toml"
    profile.parent.mkdir()
    assert repository_path(profile) == "a.toml"
    (tmp_path / ".git").mkdir()
    assert repository_path(profile) == "pro%20files/a.toml"


def test_every_format_is_written_and_only_the_asked_ones(small_run: Run, tmp_path: Path) -> None:
    paths = write(small_run, tmp_path / "all", load=None)
    assert {path.name for path in (tmp_path / "all").iterdir()} == set(FILES.values())
    assert list(paths) == list(FORMATS)
    write(small_run, tmp_path / "some", ("html", "json"))
    assert {path.name for path in (tmp_path / "some").iterdir()} == {"results.json", "report.html"}


def test_every_format_takes_a_hostile_and_a_large_run(hostile_run: Run, tmp_path: Path) -> None:
    for run in (hostile_run, many(600)):
        for path in write(run, tmp_path).values():
            assert path.read_bytes().decode("utf-8")
            assert "\u202e" not in path.read_text("utf-8")


def _cases(text: str, suite: str) -> dict[str | None, tuple[str, str]]:
    """Each case of a suite: what it has in it, if anything, and the message."""
    found: dict[str | None, tuple[str, str]] = {}
    for case in ET.fromstring(text).iterfind(f"testsuite[@name='{suite}']/testcase"):
        inside = [(each.tag, each.get("message", "")) for each in case]
        found[case.get("name")] = inside[0] if inside else ("", "")
    return found


def test_thresholds_are_cases(load: dict[str, Any]) -> None:
    load["thresholds"][0]["value"] = 0.912
    text = render_junit(None, load | {"exit_code": 1, "seconds": 60.0})
    crossed = ("failure", "p99 < 250ms is crossed: 0.912")
    assert _cases(text, "load") == {"p99 < 250ms": crossed, "errors < 0.5%": ("", "")}
    root = ET.fromstring(text)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "1", "0")
    assert root.get("time") == "60.000"


def test_a_load_that_says_nothing_is_an_error_whatever_its_figures(load: dict[str, Any]) -> None:
    limited = load | {"exit_code": 3, "generator": {"limited": True, "reason": "a worker took 95 % of a processor"}}
    said = ("error", "a worker took 95 % of a processor")
    assert _cases(render_junit(None, limited), "load") == {"p99 < 250ms": said, "errors < 0.5%": said}
    none: list[dict[str, Any]] = []
    unreached = load | {"exit_code": 3, "thresholds": none}
    assert _cases(render_junit(None, unreached), "load") == {"token_endpoint": ("error", "the target was not reached")}
    bare = load | {"exit_code": 0, "thresholds": none}
    assert _cases(render_junit(None, bare), "load") == {"token_endpoint": ("", "")}


@pytest.mark.parametrize(
    ("code", "kept", "reason", "expected"),
    [
        (0, True, "", {"p99 < 25ms": ("", "")}),
        (1, False, "", {"p99 < 25ms": ("failure", "p99 < 25ms is crossed")}),
        (3, None, "too short", {"p99 < 25ms": ("error", "too short")}),
        (3, True, "vague", {"p99 < 25ms": ("", ""), "capacity": ("error", "vague")}),
        (1, True, "it died", {"p99 < 25ms": ("", ""), "capacity": ("failure", "it died")}),
    ],
)
def test_a_search_is_judged_by_its_exit_code(
    capacity: dict[str, Any], code: int, *, kept: bool | None, reason: str, expected: dict[str, Any]
) -> None:
    found = capacity | {"exit_code": code, "reason": reason, "thresholds": [{"rule": "p99 < 25ms", "kept": kept}]}
    assert _cases(render_junit(None, None, found), "capacity") == expected


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(GrantproofError, match="'pdf'"):
        check_formats(["html", "pdf"])


def test_a_folder_that_cannot_be_written_is_told(small_run: Run, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(GrantproofError, match="cannot write the report"):
        write(small_run, blocked)


def test_a_load_page_joins_the_conformance_run_beside_it(small_run: Run, load: dict[str, Any], tmp_path: Path) -> None:
    write_load_page(tmp_path / "alone", load=load)
    assert set(_cases((tmp_path / "alone" / "junit.xml").read_text(), "load")) == {"p99 < 250ms", "errors < 0.5%"}
    assert 'id="findings"' not in (tmp_path / "alone" / "report.html").read_text()
    write(small_run, tmp_path / "both", ["json"])
    write_load_page(tmp_path / "both", load=load)
    both = (tmp_path / "both" / "junit.xml").read_text()
    assert _cases(both, "load")
    assert _cases(both, "rfc6749")
    text = (tmp_path / "both" / "report.html").read_text()
    assert 'id="findings"' in text
    assert 'id="load"' in text


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("keycloak", "keycloak-20261123T120000Z"),
        ("/etc/pro files/my idp.toml", "my-idp-20261123T120000Z"),
        ("../..", "run-20261123T120000Z"),
        (HOSTILE.replace("/", ""), None),
    ],
)
def test_the_default_folder_is_a_safe_name(profile: str, name: str | None, tmp_path: Path) -> None:
    folder = default_folder(profile, tmp_path, NOON)
    assert folder.parent == tmp_path
    assert name is None or folder.name == name
    assert len(folder.name) < 120
    folder.mkdir()
    assert default_folder(profile, tmp_path, NOON).name == f"{folder.name}-2"


def test_events_are_on_the_disk_at_once_and_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "run" / "events.jsonl"
    with EventLog(path) as log:
        log.append({"id": "a", "message": HOSTILE})
        log.append({"id": "b"})
        assert [event["id"] for event in read_events(path)] == ["a", "b"]
    with path.open("a") as file:
        file.write('{"id": "c", "mess')
    assert [event["id"] for event in read_events(path)] == ["a", "b"]
    with EventLog(tmp_path / "run" / "events.jsonl") as log:
        log.close()
