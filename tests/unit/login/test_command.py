"""The command driver: what the user's program is told, what is read of what it says, and how it may fail."""

import sys
from pathlib import Path

import pytest

from grantproof.errors import Inconclusive, NotOffered
from grantproof.login import Journey, UserAgent
from grantproof.login.command import CommandDriver, Program
from grantproof.transport import Recorder, Redactor, Transport
from grantproof.wire.request import Request
from tests.unit.login.server import Reply, redirect, serve

CALLBACK = "https://app.example/cb"
DONE = f"{CALLBACK}#access_token=t0ken&state=1"
TELL = """
import json, os, sys
names = ("CHOICE", "USERNAME", "PASSWORD", "SESSION")
told = {name: os.environ["GRANTPROOF_" + name] for name in names}
json.dump({"argv": sys.argv[1:], "folder": os.getcwd(), **told}, open("told.json", "w"))
"""


def run(
    folder: Path, code: str, *, origin: str = "http://127.0.0.1:9", patience_s: float = 30, method: str = "GET"
) -> Journey:
    (folder / "login.py").write_text(code, "utf-8")
    program = Program((sys.executable, "login.py", "--flag"), folder, "alice", "pa55word")
    transport = Transport(Recorder(Redactor(["pa55word"])), timeout_s=5)
    with transport:
        driver = CommandDriver(transport, {origin}, program, patience_s)
        return driver.walk(Request(method, f"{origin}/authorize?x=1"), UserAgent(), choice="deny", leave_at=(CALLBACK,))


def test_the_program_is_told_what_it_needs_and_the_password_is_no_argument(tmp_path: Path) -> None:
    journey = run(tmp_path, f"{TELL}\nprint('signing in'); print({DONE!r})")
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("command", DONE)
    told = (tmp_path / "told.json").read_text("utf-8")
    for word in ('"alice"', '"deny"', '"fresh"', '["--flag", "http://127.0.0.1:9/authorize?x=1"]', f'"{tmp_path}"'):
        assert word in told
    assert told.count("pa55word") == 1


def test_an_address_of_the_server_is_the_page_where_it_ended(tmp_path: Path) -> None:
    with serve({"/error": lambda _: Reply("<title>No</title>", 400)}) as site:
        journey = run(tmp_path, f"print('{site.origin}/error#here')", origin=site.origin)
    assert journey.redirect is None
    assert journey.page is not None
    assert journey.page.status == 400


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; print('pa55word is wrong', file=sys.stderr); sys.exit(3)", "ended with exit code 3: <redacted"),
        ("import sys; sys.exit(1)", "ended with exit code 1: it said nothing"),
        ("", "printed no address"),
        ("print('done')", "printed no address"),
        ("import time; time.sleep(60)", "does not end within 0.5 s"),
    ],
)
def test_a_program_that_fails_decides_nothing(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(Inconclusive) as ending:
        run(tmp_path, code, patience_s=0.5 if "sleep" in code else 30)
    assert words in str(ending.value)
    assert "pa55word" not in str(ending.value)


def test_a_program_that_is_not_there_decides_nothing(tmp_path: Path) -> None:
    program = Program(("./missing",), tmp_path)
    driver = CommandDriver(Transport(Recorder(Redactor())), {"http://127.0.0.1:9"}, program)
    with pytest.raises(Inconclusive, match="does not start"):
        driver.walk(Request("GET", "http://127.0.0.1:9/"), UserAgent())


def test_what_an_address_cannot_carry_is_not_offered(tmp_path: Path) -> None:
    with pytest.raises(NotOffered, match="nothing can be sent by POST"):
        run(tmp_path, "print('https://app.example/cb')", method="POST")


def test_pages_are_looked_at_without_the_program(tmp_path: Path) -> None:
    program = Program(("./missing",), tmp_path)
    transport = Transport(Recorder(Redactor()), timeout_s=5)
    with serve({"/authorize": lambda _: redirect("/login"), "/login": lambda _: Reply("<form>")}) as site, transport:
        driver = CommandDriver(transport, {site.origin}, program)
        journey = driver.walk(Request("GET", f"{site.origin}/authorize"), UserAgent(), stop_at_pages=True)
    assert journey.page is not None
    assert journey.page.url == f"{site.origin}/login"


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    assert "pa55word" not in repr(Program(("login", "pa55word"), tmp_path, "alice", "pa55word"))
