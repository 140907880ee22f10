"""Every exit code of the contract, from a real process; one clear message, no traceback, no secret."""

import json
import signal
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import click
import jsonschema
import pytest

from grantproof import cli
from grantproof.cli import path_command
from grantproof.report.record import Run
from tests.unit.cli.child import STATUS_200, CommandLine, Ran, Variant, line_of, secrets_of, value_of

LONG_AGO, FAR_OFF = "2020-01-31", "2099-12-31"


def waiver(until: str, check: str = "") -> str:
    pattern = f'check = "{check}"\n' if check else ""
    return f'[[waivers]]\nclause = "{STATUS_200}"\n{pattern}reason = "known"\nuntil = {until}\n'


def check(grantproof: CommandLine, profile: Path, *arguments: object) -> Ran:
    return grantproof("check", "--idp", profile, "--out", "out", *(arguments or (STATUS_200,)))


def results(grantproof: CommandLine) -> Run:
    return Run.read(grantproof.folder / "out")


def test_0_lawful_on_the_embedded_server(grantproof: CommandLine) -> None:
    ran = grantproof("check", "--idp", "embedded", STATUS_200)
    assert ran.code == 0, ran
    assert "Keeps the one requirement judged." in ran.out
    (folder,) = (grantproof.folder / "reports").iterdir()
    assert folder.name.startswith("embedded-")
    written = {"results.json", "events.jsonl", "report.html", "junit.xml", "summary.md", "exchanges.har"}
    assert {path.name for path in folder.iterdir()} == written | {"findings.sarif"}
    run = Run.read(folder)
    assert run.exit_code == 0
    with pytest.raises(OSError, match="refused"), socket.create_connection(server_of(run), 5):
        pass  # the server that the run started has ended with it


def server_of(run: Run) -> tuple[str, int]:
    parts = urlsplit(run.target.issuer)
    return parts.hostname or "", parts.port or 0


def test_1_a_requirement_failed(grantproof: CommandLine, broken_profile: Path) -> None:
    ran = check(grantproof, broken_profile)
    assert ran.code == 1, ran
    assert f"fail  {STATUS_200}  MUST" in ran.out
    assert results(grantproof).exit_code == 1


def test_1_a_threshold_was_crossed(grantproof: CommandLine, lawful_profile: Path) -> None:
    ran = grantproof(
        "load", "--idp", lawful_profile, "--rate", 5, "--duration", "1s", "--out", "out", "--threshold", "p99 < 1us"
    )
    assert "CROSSED  p99 < 1us" in ran.out
    document = json.loads((grantproof.folder / "out" / "load.json").read_text("utf-8"))
    assert [(each["rule"], each["kept"]) for each in document["thresholds"]] == [("p99 < 1us", False)]
    # A run that a busy machine limited never blames the target: it ends with 3, and says so.
    limited = document["generator"]["limited"]
    assert ran.code == (3 if limited else 1), ran
    assert ("the generator was the limit" in ran.out) == limited


def test_0_a_waiver_applied(grantproof: CommandLine, broken_profile: Path, tmp_path: Path) -> None:
    profile = tmp_path / "waived.toml"
    key = (broken_profile.parent / "service-jwt-key.pem").read_text("utf-8")
    (tmp_path / "service-jwt-key.pem").write_text(key, "utf-8")
    profile.write_text(broken_profile.read_text("utf-8") + waiver(FAR_OFF), "utf-8")
    ran = check(grantproof, profile)
    assert ran.code == 0, ran
    run = results(grantproof)
    assert {each.verdict.value for each in run.checks} == {"waived"}
    assert [each.state for each in run.waivers] == ["applied"]


@pytest.mark.parametrize(
    ("until", "pattern", "code", "state"),
    [
        (FAR_OFF, "", 1, "stale"),
        (FAR_OFF, "*service-client_secret_post*", 1, "stale"),
        (FAR_OFF, "*no such check*", 0, "unused"),
        (LONG_AGO, "", 0, "expired"),
    ],
)
def test_1_a_waiver_is_stale(
    grantproof: CommandLine, variant: Variant, until: str, pattern: str, code: int, state: str
) -> None:
    ran = check(grantproof, variant(end=waiver(until, pattern)))
    assert ran.code == code, ran
    assert [each.state for each in results(grantproof).waivers] == [state]


def assert_one_message(ran: Ran, *words: str) -> None:
    assert ran.code == 2, ran
    assert ran.out == ""
    assert ran.err.startswith(("grantproof: ", "Usage: "))
    assert len(ran.err.strip().splitlines()) <= 4, ran.err
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", STATUS_200], ["Missing option '--idp'"]),
        (["chekc", "--idp", "embedded"], ["No such command 'chekc'", "Did you mean check?"]),
        (["check", "--idp", "embedded", "--levle", "must"], ["No such option '--levle'", "--level"]),
        (["check", "--idp", "embeded"], ["embeded: no profile of this name"]),
        (["check", "--idp", "nowhere.toml"], ["nowhere.toml: there is no such file"]),
        (["check", "--idp", "embedded", "--report", "pdf"], ["unknown report format 'pdf'", "one of json, html"]),
        (["check", "--idp", "embedded", "rfc6749:5.1/status-20"], [f"did you mean {STATUS_200}?"]),
        (["check", "--idp", "embedded", "some/folder", "--", "-x"], ["no clause, section or", "'some/folder'"]),
        (["check", "--idp", "embedded", "--rulebook", "rfc6479"], ["rulebook 'rfc6479': did you mean rfc6749?"]),
        (["check", "--idp", "embedded", "--grant", "code"], ["unknown grant 'code': one of client_credentials"]),
        (["check", "--idp", "embedded", STATUS_200, "--", "--nonsense"], ["unrecognized arguments: --nonsense"]),
        (["diff", "nowhere", "nowhere"], ["'nowhere' does not exist"]),
        (["explain", "rfc6749:5.1/status200"], [f"did you mean {STATUS_200}?"]),
        (["path", "tests"], ["'tests' is not one of 'conformance', 'loadtests', 'profiles'"]),
        (["serve", "--fault", "accepts_all_secrets"], ["accepts_all_secrets"]),
        (["load", "--idp", "embedded", "--rate", "1", "--duration", "soon"], ["'soon' is no duration"]),
        (["load", "--idp", "embedded"], ["--rate, --schedule, --users: give a rate, a schedule or a number of users"]),
        (["load", "--idp", "embedded", "--rate", "1", "--threshold", "p99 = 1s"], ["p99 = 1s"]),
        (["load", "--idp", "embedded", "--rate", "1", "--scenario", "tokens"], ["no scenario 'tokens'"]),
    ],
)
def test_2_usage(grantproof: CommandLine, arguments: list[str], words: list[str]) -> None:
    assert_one_message(grantproof(*arguments), *words)
    assert list(grantproof.folder.iterdir()) == []


def test_2_nothing_selected(grantproof: CommandLine, lawful_profile: Path) -> None:
    assert_one_message(check(grantproof, lawful_profile, STATUS_200, "--", "-k", "no_such_name"), "nothing is selected")
    assert list(grantproof.folder.iterdir()) == []


def test_2_all_that_is_wrong_with_a_profile(grantproof: CommandLine, variant: Variant) -> None:
    profile = variant(("[user]\n", '[user]\nemail = "x"\n'), ("intrusive = true", "intrusive = 1"))
    ran = check(grantproof, profile)
    assert_one_message(ran)
    first, second = ran.err.removeprefix("grantproof: ").strip().splitlines()
    assert first == f"{profile}:{line_of(profile, 'email')}: user.email: unknown key; known keys: username, password"
    assert second == f"{profile}:{line_of(profile, 'intrusive')}: politeness.intrusive: must be true or false, not 1"


def test_2_a_profile_without_its_key_file(grantproof: CommandLine, variant: Variant) -> None:
    profile = variant()
    (profile.parent / "service-jwt-key.pem").unlink()
    assert_one_message(check(grantproof, profile), f"{profile}:", "clients.service_jwt.private_key: no file ")


def test_2_load_is_not_allowed(grantproof: CommandLine, variant: Variant) -> None:
    ran = grantproof("load", "--idp", variant(("allowed = true", "allowed = false")), "--rate", 5, "--duration", "1s")
    assert_one_message(ran, "the profile does not allow load", "[load] allowed = true")


def test_2_the_folder_cannot_be_written(grantproof: CommandLine, lawful_profile: Path) -> None:
    (grantproof.folder / "out").write_text("a file", "utf-8")
    ran = grantproof("check", "--idp", lawful_profile, "--out", "out/inner", STATUS_200)
    assert_one_message(ran, "out/inner cannot be written: ")


def test_2_the_baseline_is_no_run(grantproof: CommandLine, lawful_profile: Path) -> None:
    ran = check(grantproof, lawful_profile, STATUS_200, "--baseline", grantproof.folder)
    assert_one_message(ran, "results.json: cannot read the run")


def test_2_the_port_is_taken(grantproof: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = grantproof("serve", "--port", taken.getsockname()[1])
    assert_one_message(ran, "--port: cannot serve on port", "Address already in use")


def test_3_an_unreachable_target(grantproof: CommandLine, variant: Variant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    profile = variant()
    issuer = value_of(profile, "target", "issuer")
    ran = check(grantproof, variant((issuer, nowhere)))
    assert ran.code == 3, ran
    assert f"the metadata cannot be read: no connection to {nowhere}" in ran.out
    assert {each.verdict.value for each in results(grantproof).checks} == {"inconclusive"}


def test_3_a_wrong_secret_in_the_profile(grantproof: CommandLine, variant: Variant) -> None:
    right = value_of(variant(), "clients.service", "secret")
    profile = variant((right, "not-the-secret-at-all"))
    ran = check(grantproof, profile, STATUS_200, "rfc6749:5.1/no-store")
    assert ran.code == 3, ran
    verdicts = {each.id.rpartition("[")[2].split("-")[0]: each.verdict.value for each in results(grantproof).checks}
    assert verdicts["service"] == "inconclusive"
    assert {verdict for client, verdict in verdicts.items() if client != "service"} == {"pass"}
    assert "got invalid_client: is clients.service of the profile right?" in ran.out
    assert "not-the-secret-at-all" not in ran.out + ran.err
    for path in (grantproof.folder / "out").iterdir():
        assert "not-the-secret-at-all" not in path.read_text("utf-8"), path


def test_3_nothing_is_offered(grantproof: CommandLine, variant: Variant) -> None:
    ran = check(grantproof, variant(("introspection = true", "introspection = false")), "rfc7662:2.1")
    assert ran.code == 3, ran
    assert "the target offers nothing that was selected" in ran.out


BROKEN_PLUGIN = """
from grantproof.plugin import state

def pytest_runtest_logfinish():
    raise RuntimeError("it broke: " + str(state.current.profile.clients["service"].secret))
"""
DEADLY_PLUGIN = """
import os

def pytest_runtest_call(item):
    if os.environ.get("PYTEST_XDIST_WORKER"):
        os._exit(1)
"""


def test_4_a_plugin_that_breaks(grantproof: CommandLine, lawful_profile: Path) -> None:
    (grantproof.folder / "broken_plugin.py").write_text(BROKEN_PLUGIN, "utf-8")
    ran = check(grantproof, lawful_profile, STATUS_200, "--", "-p", "broken_plugin")
    assert ran.code == 4, ran
    assert "RuntimeError: it broke: <redacted" in ran.err
    assert ran.err.endswith("grantproof: this is a bug of grantproof; the lines above say where.\n")
    assert [secret for secret in secrets_of(lawful_profile) if secret in ran.out + ran.err] == []
    assert results(grantproof).exit_code == 4


def test_4_a_worker_that_dies(grantproof: CommandLine, lawful_profile: Path) -> None:
    (grantproof.folder / "deadly_plugin.py").write_text(DEADLY_PLUGIN, "utf-8")
    selection = [STATUS_200, "-n", "1", "--", "-p", "deadly_plugin", "--max-worker-restart=0"]
    ran = check(grantproof, lawful_profile, *selection)
    assert ran.code == 4, ran


def test_4_a_command_that_breaks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command("path")
    def broken() -> None:
        raise RuntimeError("client_secret=do-not-show-me")

    monkeypatch.setattr(path_command, "command", broken)
    with pytest.raises(SystemExit) as ending:
        cli.main(["path"])
    said = capsys.readouterr().err
    assert ending.value.code == 4
    assert "RuntimeError: client_secret=<redacted client_secret>" in said
    assert said.endswith("grantproof: this is a bug of grantproof; the lines above say where.\n")
    assert "do-not-show-me" not in said.replace('raise RuntimeError("client_secret=do-not-show-me")', "")


@pytest.mark.parametrize(
    ("words", "file", "said"),
    [
        (("load", "--rate", "50", "--duration", "60s"), "load.json", "the run was stopped after "),
        (("capacity", "--threshold", "p99 < 1s"), "capacity.json", "interrupted"),
    ],
)
def test_130_what_a_load_run_or_a_search_has_until_it_is_interrupted_is_shown(
    grantproof: CommandLine, words: tuple[str, ...], file: str, said: str
) -> None:
    with grantproof.start(*words, "--idp", "embedded", "--out", "out") as child:
        assert child.stderr is not None
        child.stderr.readline()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert said in out
    assert "report: out" in out
    assert {file, "report.html", "junit.xml"} <= {path.name for path in (grantproof.folder / "out").iterdir()}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_4_no_room_for_what_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "grantproof", "path", "profiles"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 4
    assert done.stderr.decode() == "grantproof: what is to be written does not fit: No space left on device\n"


@pytest.mark.parametrize(
    ("options", "number"),
    [(["--baseline"], signal.SIGINT), (["-n", "2"], signal.SIGINT), ([], signal.SIGTERM), ([], signal.SIGHUP)],
    ids=["baseline", "workers", "terminated", "hung up"],
)
def test_130_interrupted_in_the_middle(
    grantproof: CommandLine, lawful_run: Path, options: list[str], number: signal.Signals
) -> None:
    more = [*options, lawful_run] if options == ["--baseline"] else options
    child = grantproof.start("check", "--idp", "embedded", "--out", "out", *more, "rfc6749:5.1")
    with child:
        assert child.stderr is not None
        progress = child.stderr.readline()
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert "checks (" in progress, progress + err
    assert child.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert "The run was interrupted" in out
    document = json.loads((grantproof.folder / "out" / "results.json").read_text("utf-8"))
    schema = json.loads((files("grantproof.report") / "results.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    assert document["exit_code"] == 130
    logged = [json.loads(line) for line in (grantproof.folder / "out" / "events.jsonl").read_text("utf-8").splitlines()]
    assert logged
    assert sorted(each["id"] for each in logged) == sorted(each["id"] for each in document["checks"])
    run = results(grantproof)
    with pytest.raises(OSError, match="refused"), socket.create_connection(server_of(run), 5):
        pass  # the embedded server has ended too
