"""The command driver: what the user's program is told, what its words are worth, and when it is given up."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grantproof.errors import Inconclusive, NotOffered
from grantproof.login.command import CommandDriver
from grantproof.login.journey import Journey, LoginRepeatsError, LoginStuckError, UserAgent
from grantproof.profile.model import User
from grantproof.transport import Recorder, Redactor, Transport
from grantproof.wire.request import Request
from tests.unit.login.server import Pages, Reply, Site, redirect, serve

CALLBACK = "https://app.example/cb"
DONE = f"{CALLBACK}#access_token=t0ken&state=1"
LOGIN: Pages = {"/authorize": lambda _: Reply("<title>Sign in</title><form><input name=u></form>")}


def program(folder: Path, body: str) -> tuple[str, ...]:
    """A program of the user's, beside the profile."""
    path = folder / "login.py"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n", "utf-8")
    path.chmod(0o700)
    return (str(path),)


def walk(
    site: Site,
    command: tuple[str, ...],
    folder: Path,
    request: Request | None = None,
    *,
    timeout_s: float = 5,
    **how: Any,
) -> Journey:
    transport = Transport(Recorder(Redactor(["pa55word"])), timeout_s=timeout_s)
    driver = CommandDriver(transport, command, folder, User(username="alice", password="pa55word"), {site.origin})
    with transport:
        return driver.walk(request or Request("GET", f"{site.origin}/authorize?x=1"), UserAgent(), **how)


@pytest.mark.parametrize("choice", ["allow", "deny"])
def test_the_program_is_told_all_it_needs_and_no_secret_in_an_argument(tmp_path: Path, choice: str) -> None:
    body = """
with open("told", "w") as file:
    names = ["GRANTPROOF_CHOICE", "GRANTPROOF_USERNAME", "GRANTPROOF_PASSWORD"]
    file.write("|".join([*(os.environ[name] for name in names), os.getcwd(), *sys.argv[1:]]))
print("signing in ...")
print("https://app.example/cb#access_token=t0ken&state=1")
print()
"""
    with serve(LOGIN) as site:
        journey = walk(site, (*program(tmp_path, body), "--fast"), tmp_path, choice=choice)
    told = (tmp_path / "told").read_text("utf-8").split("|")
    assert told == [choice, "alice", "pa55word", str(tmp_path), "--fast", f"{site.origin}/authorize?x=1"]
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("command", DONE)
    assert journey.acted == ["command"]
    assert site.paths == ["GET /authorize"]


def test_what_needs_no_login_needs_no_program(tmp_path: Path) -> None:
    pages: Pages = {"/authorize": lambda _: redirect("/next"), "/next": lambda _: redirect(f"{CALLBACK}?error=x", 303)}
    with serve(pages) as site:
        journey = walk(site, ("./absent",), tmp_path)
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.status) == ("3xx", 303)
    assert [step.status for step in journey.seen] == [302, 303]


@pytest.mark.parametrize(("status", "runs"), [(200, True), (401, True), (400, False), (404, False), (500, False)])
def test_an_error_page_ends_without_the_program(tmp_path: Path, status: int, runs: bool) -> None:  # noqa: FBT001
    body = f"open('ran', 'w').close(); print('{DONE}')"
    with serve({"/authorize": lambda _: Reply("<p>no", status)}) as site:
        journey = walk(site, program(tmp_path, body), tmp_path)
    assert (tmp_path / "ran").exists() is runs
    assert (journey.redirect is not None) is runs
    assert (journey.page is None) is runs


def test_the_first_page_is_seen_without_the_program(tmp_path: Path) -> None:
    with serve(LOGIN) as site:
        journey = walk(site, ("./absent",), tmp_path, stop_at_pages=True)
    assert journey.page is not None
    assert journey.page.status == 200


def test_what_was_not_seen_is_not_offered_and_never_passes(tmp_path: Path) -> None:
    with serve(LOGIN) as site:
        journey = walk(site, program(tmp_path, f"print('{DONE}')"), tmp_path)
    for read in (lambda: list(journey.seen), lambda: journey.seen[-1], lambda: len(journey.seen)):
        with pytest.raises(NotOffered):
            read()


def test_a_page_of_the_server_is_no_verdict(tmp_path: Path) -> None:
    body = "print(sys.argv[1] + '&password=hush')"
    with serve(LOGIN) as site, pytest.raises(LoginRepeatsError) as ending:
        walk(site, program(tmp_path, body), tmp_path)
    assert f"ended at the server's page '{site.origin}/authorize': nobody sees" in str(ending.value)
    assert "hush" not in str(ending.value)


@pytest.mark.parametrize(
    ("method", "query"), [("POST", ""), ("GET", "?response_mode=form_post")], ids=["post", "form_post"]
)
def test_what_a_url_cannot_show_is_not_offered(tmp_path: Path, method: str, query: str) -> None:
    with serve(LOGIN) as site, pytest.raises(NotOffered, match="login by a command"):
        walk(site, ("./absent",), tmp_path, Request(method, f"{site.origin}/authorize{query}"))


FAILURES = {
    "print('https://app.example/cb'); sys.stderr.write('x' * 9000 + ' no user alice, pa55word'); sys.exit(7)":
        "ended with exit code 7: ",
    "sys.exit(0)": "printed no URL as its last line",
    "print('https://app.example/cb'); print('done, good bye')": "printed no URL as its last line",
    "os.kill(os.getpid(), 15)": "ended with exit code -15",
}  # fmt: skip


@pytest.mark.parametrize("body", FAILURES)
def test_a_failure_is_said_without_the_secret(tmp_path: Path, body: str) -> None:
    with serve(LOGIN) as site, pytest.raises(LoginStuckError) as ending:
        walk(site, program(tmp_path, body), tmp_path)
    said = str(ending.value)
    assert FAILURES[body] in said
    assert "pa55word" not in said
    assert len(said) < 600
    if "alice" in body:
        assert said.endswith("no user alice, <redacted secret>")


@pytest.mark.parametrize("command", [("./absent",), ("absent-program",)])
def test_a_program_that_cannot_start_is_inconclusive(tmp_path: Path, command: tuple[str, ...]) -> None:
    with serve(LOGIN) as site, pytest.raises(Inconclusive, match="cannot be started: No such file"):
        walk(site, command, tmp_path)


def test_a_program_that_never_ends_is_ended_with_its_children(tmp_path: Path) -> None:
    body = """
child = os.fork()
if child:
    open('child', 'w').write(str(child))
    sys.stderr.write('waiting for a page')
    sys.stderr.flush()
time.sleep(600)
"""
    with serve(LOGIN) as site, pytest.raises(LoginStuckError, match=r"takes longer than 1.8 s: waiting for a page"):
        walk(site, program(tmp_path, body), tmp_path, timeout_s=0.3)
    child = int((tmp_path / "child").read_text("utf-8"))
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Whether a process is alive, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_endless_output_is_bounded(tmp_path: Path) -> None:
    body = "for _ in range(3000): print('y' * 1000)\nprint('https://app.example/cb#access_token=t0ken&state=1')"
    with serve(LOGIN) as site:
        journey = walk(site, program(tmp_path, body), tmp_path)
    assert journey.redirect is not None
    assert journey.redirect.url == DONE
