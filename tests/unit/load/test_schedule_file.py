"""Schedules in files, and everything that can be wrong with them."""

from pathlib import Path

import pytest

from grantproof.load.schedule_file import ScheduleFileError, read_schedule
from grantproof.load.stages import Stage, Staged, Trace

_GOOD = """
arrival = "poisson"
[[stages]]
duration = "1m30s"
rate = 50
[[stages]]
duration = 10        # seconds
rate = 50
to = 200.5
"""


def _write(folder: Path, text: str, name: str = "day.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_stages_are_read(tmp_path: Path) -> None:
    schedule = read_schedule(_write(tmp_path, _GOOD), seed=4)
    assert schedule == Staged((Stage(90.0, 50.0, 50.0), Stage(10.0, 50.0, 200.5)), poisson=True, seed=4)


def test_a_trace_is_read(tmp_path: Path) -> None:
    schedule = read_schedule(_write(tmp_path, "# recorded\n0\n0.25\n\n  0.25\n1e1\n", "day.txt"))
    assert schedule == Trace((0.0, 0.25, 0.25, 10.0))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("arrival = 'even'\n[[stages]]\nduration='1s'\nrate=1\n", [":1: arrival: must be one of constant, poisson"]),
        ("arrival = 'poison'\n[[stages]]\nduration='1s'\nrate=1\n", [":1: arrival: ", "did you mean poisson?"]),
        ("stage = 1\n", [":1: stage: unknown key; did you mean stages?", "stages: there is none"]),
        ("stages = []\n", [":1: stages: there is none"]),
        ("stages = [1]\n", [":1: stages[0]: must be a table"]),
        ("[[stages]]\nrate = 5\n", [":1: stages[0].duration: is missing; write it like 30s"]),
        ("[[stages]]\nduration = '5x'\nrate = 5\n", [":2: stages[0].duration: '5x' is no duration"]),
        ("[[stages]]\nduration = '5s'\n", [":1: stages[0].rate: is missing; requests per second"]),
        ("[[stages]]\nduration = '5s'\nrate = -1\n", [":3: stages[0].rate: must be a number per second"]),
        ("[[stages]]\nduration = '5s'\nrate = true\n", [":3: stages[0].rate: must be a number"]),
        ("[[stages]]\nduration = '5s'\nrate = 1e300\n", [":3: stages[0].rate: must be a number"]),
        (f"[[stages]]\nduration = '{'9' * 400}'\nrate = 1\n", [":2: stages[0].duration: '999"]),
        ("[[stages]]\nduration = '5s'\nrate = 1\nto = inf\n", [":4: stages[0].to: must be a number"]),
        ("[[stages]]\nduration = '5s'\nrate = 1\nramp = 2\n", [":4: stages[0].ramp: unknown key"]),
        ("[[stages]]\nduration = '5s'\nrate = 0\n", [":1: stages: no stage has a rate above 0"]),
        ("[[stages]]\nrate = 0\n[[stages]]\nduration='1s'\n", [":1: stages[0].duration", ":3: stages[1].rate"]),
        ("[[stages\n", ["no TOML"]),
    ],
)
def test_what_is_wrong_with_stages_is_said_with_file_line_key_and_hint(
    tmp_path: Path, text: str, lines: list[str]
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ScheduleFileError) as caught:
        read_schedule(path)
    assert str(caught.value).startswith(f"{path}:")
    for line in lines:
        assert line in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "has no arrival"),
        ("# nothing\n", "has no arrival"),
        ("0\nx\n", ":2: 'x' is no number of seconds"),
        ("0\n-1\n", ":2: -1 is no moment after the start"),
        ("nan\n", ":1: nan is no moment"),
        ("inf\n", ":1: inf is no moment"),
        ("2\n1\n", ":2: 1 comes after 2; moments never fall"),
    ],
)
def test_what_is_wrong_with_a_trace_is_said_with_file_and_line(tmp_path: Path, text: str, line: str) -> None:
    path = _write(tmp_path, text, "day.trace")
    with pytest.raises(ScheduleFileError) as caught:
        read_schedule(path)
    assert f"{path}" in str(caught.value)
    assert line in str(caught.value)


def test_a_long_list_of_mistakes_is_cut(tmp_path: Path) -> None:
    with pytest.raises(ScheduleFileError, match="and 80 more"):
        read_schedule(_write(tmp_path, "x\n" * 100, "day.trace"))


@pytest.mark.parametrize("name", ["none.toml", "none.txt", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScheduleFileError, match="cannot be read"):
        read_schedule(tmp_path / name)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "day.txt").write_bytes(b"0\n\xff\n")
    with pytest.raises(ScheduleFileError, match=r":2: is not UTF-8"):
        read_schedule(tmp_path / "day.txt")
