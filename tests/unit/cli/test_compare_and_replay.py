"""`grantproof compare` and `grantproof replay`."""

import json
from pathlib import Path

from tests.unit.cli.child import STATUS_200, CommandLine, secrets_of


def test_compare_shows_runs_side_by_side(grantproof: CommandLine, lawful_run: Path, broken_run: Path) -> None:
    ran = grantproof("compare", lawful_run, broken_run, "--out", "page.html")
    assert ran.code == 0, ran
    assert f"{STATUS_200:<44} {'pass':>26}  {'fail':>26}" in ran.out
    page = (grantproof.folder / "page.html").read_text("utf-8")
    assert f'id="{STATUS_200}" data-v="fail"' in page


def test_compare_needs_a_folder_that_can_be_written(grantproof: CommandLine, lawful_run: Path) -> None:
    ran = grantproof("compare", lawful_run, "--out", "nowhere/at/all/page.html")
    (grantproof.folder / "file").write_text("", "ascii")
    refused = grantproof("compare", lawful_run, "--out", "file/page.html")
    assert (ran.code, refused.code) == (0, 2)
    assert refused.err.startswith("grantproof: file/page.html: cannot write the page: ")


def test_replay_sends_a_finding_again(grantproof: CommandLine, broken_run: Path, broken_profile: Path) -> None:
    ran = grantproof("replay", broken_run, "client_secret_basic")
    assert ran.code == 1, ran
    then, _, now = ran.out.partition("\nnow ")
    for told in (then, now):
        assert "fail" in told
        assert "  < HTTP/1.1 201 Created" in told
        assert "  > POST http://127.0.0.1:" in told
    assert [secret for secret in secrets_of(broken_profile) if secret in ran.out + ran.err] == []


def test_replay_shows_that_a_finding_is_gone(grantproof: CommandLine, broken_run: Path, lawful_profile: Path) -> None:
    ran = grantproof("replay", broken_run, "client_secret_basic", "--idp", lawful_profile)
    assert ran.code == 0, ran
    assert ran.out.partition("\nnow ")[2].split()[0] == "pass"


def test_replay_of_what_is_not_one_check(grantproof: CommandLine, broken_run: Path) -> None:
    unknown = grantproof("replay", broken_run, "no_such_check")
    many = grantproof("replay", broken_run, "test_")
    assert (unknown.code, many.code) == (2, 2)
    assert unknown.err.startswith("grantproof: the run has no check 'no_such_check'\n  hint: ")
    assert "checks have 'test_' in their id" in many.err


def test_replay_of_a_run_that_does_not_name_its_profile(grantproof: CommandLine, broken_run: Path) -> None:
    document = json.loads((broken_run / "results.json").read_text("utf-8"))
    del document["target"]["profile"]
    (grantproof.folder / "old.json").write_text(json.dumps(document), "utf-8")
    ran = grantproof("replay", "old.json", "client_secret_basic")
    assert ran.code == 2
    assert ran.err == "grantproof: the run does not say which profile it used\n  hint: name it with --idp\n"
