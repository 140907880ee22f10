"""`grantproof check`: what is selected, what is sent, what is written."""

import json
import socket
import threading
from pathlib import Path

import pytest

from grantproof.clauses import load_registry
from grantproof.coverage import check_sources
from grantproof.report.record import Run
from grantproof.verdict import Verdict
from tests.unit.cli.child import STATUS_200, CommandLine, Variant, secrets_of, value_of

SOURCES = check_sources()


def dry_run(grantproof: CommandLine, profile: Path, *arguments: object) -> set[str]:
    """The checks that a selection names."""
    ran = grantproof("check", "--idp", profile, "--dry-run", *arguments)
    assert ran.code == 0, ran
    return set(ran.out.partition("\n\n")[0].splitlines())


def checked(grantproof: CommandLine, profile: Path, *arguments: object) -> tuple[Run, int]:
    ran = grantproof("check", "--idp", profile, "--out", "out", *arguments)
    return Run.read(grantproof.folder / "out"), ran.code


def test_selects_by_clause_and_section(grantproof: CommandLine, lawful_profile: Path) -> None:
    selected = dry_run(grantproof, lawful_profile, STATUS_200, "rfc7009:2.1")
    wanted = {
        source.id
        for source in SOURCES
        if any(clause == STATUS_200 or clause.startswith("rfc7009:2.1") for clause in source.clauses)
    }
    assert {check.partition("[")[0] for check in selected} == wanted
    assert len({check.partition("/")[0] for check in selected}) == 2


def test_selects_by_grant_level_and_name(grantproof: CommandLine, lawful_profile: Path) -> None:
    sections = "rfc6749:5.1", "rfc6749:4.2.2"
    implicit = dry_run(grantproof, lawful_profile, *sections, "--grant", "implicit", "--level", "must")
    named = dry_run(grantproof, lawful_profile, *sections, "--", "-k", "status_200 and not service_jwt")
    registry, clauses = load_registry(), {source.id: source.clauses for source in SOURCES}
    assert any("[spa" in check for check in implicit)
    assert not any("[service" in check for check in implicit)
    for check in implicit:
        named_clauses = clauses[check.partition("[")[0]]
        assert any(registry[clause].level(["rfc6749"]).is_requirement for clause in named_clauses)
    assert named
    assert all("status_200" in check and "service_jwt" not in check for check in named)


def test_a_later_rulebook_overrides_what_it_names(grantproof: CommandLine, lawful_profile: Path) -> None:
    arguments = "rfc6749:10.13/framing", "--level", "must", "--rulebook", "rfc6749"
    plain = grantproof("check", "--idp", lawful_profile, *arguments)
    run, code = checked(grantproof, lawful_profile, *arguments, "--rulebook", "bcp9700")
    assert (plain.code, plain.err.splitlines()[0]) == (2, "grantproof: nothing is selected")
    assert (code, run.rulebooks) == (0, ("rfc6749", "bcp9700"))
    (clause,) = [clause for clause in run.clauses if clause.id == "rfc6749:10.13/framing"]
    assert (clause.level.value, clause.levels["rfc6749"].value, clause.verdict) == ("MUST", "SHOULD", Verdict.PASS)


def test_dry_run_sends_nothing_and_tells_side_effects(grantproof: CommandLine, variant: Variant) -> None:
    issuer = value_of(variant(), "target", "issuer")
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(1))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        here = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ran = grantproof("check", "--idp", variant((issuer, here)), "--dry-run", "rfc7009:2.1", STATUS_200)
        assert thread.is_alive()
        with socket.create_connection(listener.getsockname(), 5) as connection:
            connection.sendall(b"x")
        thread.join(5)
    assert ran.code == 0, ran
    assert heard == [b"x"]
    assert "nothing was sent. They would:" in ran.out
    assert "have access tokens issued to " in ran.out
    assert "revoke access tokens" in ran.out
    assert "send at most 20,000 requests" in ran.out
    assert list(grantproof.folder.iterdir()) == []


def test_two_workers_come_to_what_one_comes_to(grantproof: CommandLine, lawful_run: Path, lawful_profile: Path) -> None:
    run, code = checked(grantproof, lawful_profile, STATUS_200, "-n", "2")
    alone = Run.read(lawful_run)
    assert code == 0
    assert {check.id: check.verdict for check in run.checks} == {check.id: check.verdict for check in alone.checks}
    numbers = [number for check in run.checks for number in check.exchanges]
    assert sorted(numbers) == [exchange["n"] for exchange in run.exchanges]
    assert len((grantproof.folder / "out" / "events.jsonl").read_text("utf-8").splitlines()) == len(run.checks)


def test_writes_the_formats_that_are_asked_for(grantproof: CommandLine, lawful_profile: Path) -> None:
    _, code = checked(grantproof, lawful_profile, STATUS_200, "--report", "json,sarif")
    assert code == 0
    written = {path.name for path in (grantproof.folder / "out").iterdir()}
    assert written == {"events.jsonl", "results.json", "findings.sarif"}


def test_writes_nothing_for_none(grantproof: CommandLine, lawful_profile: Path) -> None:
    ran = grantproof("check", "--idp", lawful_profile, STATUS_200, "--report", "none")
    assert ran.code == 0, ran
    assert "report:" not in ran.out
    assert list(grantproof.folder.iterdir()) == []


def test_allure_results_hold_no_secret(grantproof: CommandLine, lawful_profile: Path) -> None:
    _, code = checked(grantproof, lawful_profile, STATUS_200, "--allure")
    files = list((grantproof.folder / "out" / "allure-results").iterdir())
    results = [json.loads(path.read_text("utf-8")) for path in files if path.name.endswith("-result.json")]
    texts = [path.read_text("utf-8") for path in files]
    assert code == 0
    assert {result["status"] for result in results} == {"passed"}
    assert all(result["attachments"] for result in results)
    assert any("<redacted credentials>" in text for text in texts)
    assert [secret for secret in secrets_of(lawful_profile) if any(secret in text for text in texts)] == []
    assert not any("eyJ" in text for text in texts)


@pytest.mark.parametrize(
    ("before", "now", "code", "words"),
    [
        ("lawful_run", "broken_profile", 1, "worse than before ("),
        ("broken_run", "broken_profile", 0, "no change"),
        ("broken_run", "lawful_profile", 0, "fixed ("),
    ],
)
def test_against_a_baseline_only_what_is_worse_counts(
    request: pytest.FixtureRequest, grantproof: CommandLine, before: str, now: str, code: int, words: str
) -> None:
    earlier, profile = request.getfixturevalue(before), request.getfixturevalue(now)
    ran = grantproof("check", "--idp", profile, "--out", "out", "--baseline", earlier, STATUS_200)
    assert ran.code == code, ran
    assert words in ran.out


def test_a_stale_waiver_counts_against_a_baseline_too(
    grantproof: CommandLine, variant: Variant, lawful_run: Path
) -> None:
    profile = variant(end=f'[[waivers]]\nclause = "{STATUS_200}"\nreason = "known"\nuntil = 2099-12-31\n')
    ran = grantproof("check", "--idp", profile, "--out", "out", "--baseline", lawful_run, STATUS_200)
    assert ran.code == 1, ran
    assert f"stale waiver  {STATUS_200}" in ran.out


def test_diff_of_two_runs(grantproof: CommandLine, lawful_run: Path, broken_run: Path) -> None:
    worse = grantproof("diff", lawful_run, broken_run)
    assert worse.code == 1, worse
    assert worse.out.startswith("worse than before (")
    assert f"{STATUS_200}  rfc6749/test_5_1_success.py::test_success_has_status_200[" in worse.out
    assert "pass -> fail" in worse.out
    better = grantproof("diff", broken_run, lawful_run / "results.json")
    assert (better.code, better.out.splitlines()[0].partition(" (")[0]) == (0, "fixed")
    same = grantproof("diff", broken_run, broken_run)
    assert (same.code, same.out) == (0, "no change\n")


def test_diff_of_what_is_no_run(grantproof: CommandLine, lawful_run: Path) -> None:
    ran = grantproof("diff", lawful_run, lawful_run / "summary.md")
    assert ran.code == 2, ran
    assert ran.err.startswith(f"grantproof: {lawful_run / 'summary.md'}: ")
