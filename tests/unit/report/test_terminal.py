"""What a terminal, and what a pipe gets to see."""

import io

import pytest
from syrupy.assertion import SnapshotAssertion

from grantproof.report.record import Run
from grantproof.report.terminal import Progress, print_summary, summary_text
from grantproof.verdict import Verdict


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


def test_the_summary_looks_as_it_did(small_run: Run, snapshot: SnapshotAssertion) -> None:
    assert summary_text(small_run) == snapshot


def test_the_report_is_the_last_line(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    report = tmp_path_factory.getbasetemp() / "report.html"
    assert summary_text(small_run, report=report).splitlines()[-1] == f"report: {report}"


def test_a_pipe_gets_the_plain_lines(small_run: Run) -> None:
    stream = io.StringIO()
    print_summary(small_run, stream)
    assert stream.getvalue() == summary_text(small_run)


def test_a_terminal_gets_the_same_words_in_colour(small_run: Run) -> None:
    stream = Terminal()
    print_summary(small_run, stream)
    assert "\x1b[1;31mfail" in stream.getvalue()
    bare = stream.getvalue()
    for code in ("\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[0m"):
        bare = bare.replace(code, "")
    assert bare == summary_text(small_run)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colours_can_be_refused(small_run: Run, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    stream = Terminal()
    print_summary(small_run, stream)
    assert "\x1b" not in stream.getvalue()


def test_a_target_cannot_command_the_terminal(hostile_run: Run) -> None:
    text = summary_text(hostile_run)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "⟨U+001B⟩[31m" in text


def test_a_stream_that_cannot_say_it_gets_question_marks(hostile_run: Run) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_summary(hostile_run, stream)
    stream.flush()
    assert b"?U+202E?" in raw.getvalue()


def test_progress_without_a_terminal_is_a_line_for_each_tenth() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    for done in range(1, 101):
        progress.advance(done, 100, Verdict.FAIL if done == 42 else "pass")
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "10/100 checks (10 %)"
    assert lines[-1] == "100/100 checks (100 %), 1 fail"


def test_progress_on_a_terminal_renews_one_line_and_clears_it() -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.advance(1, 3, "pass")
    progress.advance(2, 3, "inconclusive")
    progress.close()
    written = stream.getvalue()
    assert "\n" not in written
    assert written.split("\r\x1b[K") == ["", "1/3 checks (33 %)", "2/3 checks (66 %), 1 inconclusive", ""]


def test_progress_outlives_a_wrong_total() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    for done in range(1, 4):
        progress.advance(done, 0, "pass")
    assert stream.getvalue().splitlines() == ["1/1 checks (100 %)"]
