"""How a check ends decides its verdict, in pytest, in JUnit and in results.json, in one process and in two."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

CHECKS = '''
"""Checks that end in every way."""
import pytest
from grantproof.checks import Caller, Flow, Idp, Inconclusive, NotOffered, clause, control, needs

MUST, SHOULD, MAY = "rfc6749:5.1/status-200", "rfc6749:4.4.3/no-refresh-token", "rfc6749:2.3.1/body-credentials"

@clause(MUST)
@needs("slow")
def test_waits_for_the_end_of_a_token(idp: Idp) -> None: ...

@clause(MUST)
def test_returns(idp: Idp) -> None: ...

@clause(MUST)
def test_must_is_broken(idp: Idp) -> None:
    raise AssertionError("the must was broken")

@clause(SHOULD)
def test_should_is_broken(idp: Idp) -> None:
    raise AssertionError("the should was broken")

@clause(MUST, SHOULD)
def test_both_are_broken(idp: Idp) -> None:
    raise AssertionError("both were broken")

@clause(MAY)
def test_may_is_used(idp: Idp) -> None: ...

@clause("rfc6749:3.1/post")
def test_may_is_not_used(idp: Idp) -> None:
    raise AssertionError("no such thing")

@clause(MUST)
def test_our_bug(idp: Idp) -> None:
    raise RuntimeError("oops")

@clause(MUST)
def test_cannot_tell(idp: Idp) -> None:
    raise Inconclusive("who knows")

@clause(MUST)
def test_is_not_there(idp: Idp) -> None:
    raise NotOffered("no such feature")

@clause(MUST)
def test_is_skipped(idp: Idp) -> None:
    pytest.skip("not here")

@clause(MUST)
@needs("tls")
def test_needs_what_is_missing(idp: Idp) -> None:
    raise AssertionError("must not run")

@clause(MUST)
def test_secret_in_assertion(idp: Idp, password_service: Caller) -> None:
    assert idp.token(password_service).access_token + str(password_service.client.secret) == ""
'''
EXPECTED = {
    "test_waits_for_the_end_of_a_token": "pass",
    "test_returns": "pass",
    "test_must_is_broken": "fail",
    "test_should_is_broken": "warn",
    "test_both_are_broken": "fail",
    "test_may_is_used": "pass",
    "test_may_is_not_used": "not_offered",
    "test_our_bug": "inconclusive",
    "test_cannot_tell": "inconclusive",
    "test_is_not_there": "not_offered",
    "test_is_skipped": "not_offered",
    "test_needs_what_is_missing": "not_offered",
}


@dataclass(frozen=True)
class Ran:
    """One pytest run over the checks above."""

    results: dict[str, Any]
    junit: ET.Element
    output: str
    code: int
    folder: Path


def run(folder: Path, profile: Path, *arguments: str) -> Ran:
    checks = folder / "test_endings_of_checks.py"
    checks.write_text(CHECKS, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(checks),
        "--idp",
        str(profile),
        "--grantproof-out",
        str(folder / "out"),
        "-c",
        "/dev/null",
    ]
    command += [
        "--junitxml",
        str(folder / "pytest.xml"),
        "--alluredir",
        str(folder / "allure"),
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, check=False)
    results = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    return Ran(results, ET.parse(folder / "pytest.xml").getroot(), done.stdout + done.stderr, done.returncode, folder)


@pytest.fixture(scope="module", params=[(), ("-n", "2"), ("--showlocals",)], ids=["one", "two", "locals"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, lawful_profile: Path) -> Ran:
    return run(tmp_path_factory.mktemp("run"), lawful_profile, *request.param)


def verdicts(ran: Ran) -> dict[str, str]:
    return {check["id"].partition("::")[2]: check["verdict"] for check in ran.results["checks"]}


def test_verdicts_follow_from_endings(ran: Ran) -> None:
    assert {name: verdict for name, verdict in verdicts(ran).items() if "[" not in name} == EXPECTED


def test_what_waits_comes_last(tmp_path: Path, lawful_profile: Path) -> None:
    (tmp_path / "test_order.py").write_text(CHECKS, "utf-8")
    command = [sys.executable, "-m", "pytest", "test_order.py", "--idp", str(lawful_profile), "-c", "/dev/null"]
    command += ["--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=True)
    names = [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert names[0] == "test_returns"
    assert names[-1] == "test_waits_for_the_end_of_a_token"


def test_a_clause_has_the_worst_of_its_checks_capped_by_its_level(ran: Ran) -> None:
    found = {clause["id"]: (clause["verdict"], clause["capability"]) for clause in ran.results["clauses"]}
    assert found["rfc6749:5.1/status-200"] == ("fail", None)
    assert found["rfc6749:4.4.3/no-refresh-token"] == ("warn", None)
    assert found["rfc6749:2.3.1/body-credentials"] == (None, True)
    assert found["rfc6749:3.1/post"] == (None, False)


def test_pytest_and_junit_agree(ran: Ran) -> None:
    cases = {
        case.attrib["name"]: [child.tag for child in case if child.tag != "properties"]
        for case in ran.junit.iter("testcase")
    }
    assert cases["test_returns"] == []
    assert cases["test_must_is_broken"] == ["failure"]
    assert cases["test_should_is_broken"] == ["skipped"]
    assert cases["test_our_bug"] == ["error"]
    assert cases["test_is_not_there"] == ["skipped"]
    assert ran.code == 1


def test_clauses_reach_junit(ran: Ran) -> None:
    properties = {(each.get("name"), each.get("value")) for each in ran.junit.iter("property")}
    assert ("clause", "rfc6749:5.1/status-200") in properties


def test_allure_has_a_result_for_each_check(ran: Ran) -> None:
    found = [json.loads(path.read_text("utf-8")) for path in (ran.folder / "allure").glob("*-result.json")]
    statuses = {each["name"]: each["status"] for each in found}
    assert len(found) == len(ran.results["checks"])
    assert (statuses["test_must_is_broken"], statuses["test_returns"], statuses["test_our_bug"]) == (
        "failed",
        "passed",
        "broken",
    )


def test_evidence_is_attached_to_passes_too(ran: Ran) -> None:
    numbers = [number for check in ran.results["checks"] for number in check["exchanges"]]
    assert sorted(numbers) == [exchange["n"] for exchange in ran.results["exchanges"]]
    assert len(numbers) == len(set(numbers))


def test_no_secret_is_in_any_file_or_output(ran: Ran, lawful_profile: Path) -> None:
    secrets = {
        line.split('"')[1]
        for line in lawful_profile.read_text("utf-8").splitlines()
        if line.startswith(("secret =", "password ="))
    }
    texts = {path: path.read_text("utf-8", "replace") for path in ran.folder.rglob("*") if path.is_file()}
    texts[Path("output")] = ran.output
    assert len(secrets) > 5
    for path, text in texts.items():
        assert [secret for secret in secrets if secret in text] == [], path
        assert "eyJ" not in text, path


def test_without_a_target_there_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "test_endings_of_checks.py").write_text(CHECKS, "utf-8")
    command = [sys.executable, "-m", "pytest", str(tmp_path), "-c", "/dev/null", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "conformance checks need a target: --idp PROFILE" in done.stdout + done.stderr
