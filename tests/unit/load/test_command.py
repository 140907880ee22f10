"""What the user may ask for, and the commands that it becomes."""

import subprocess
import sys
from pathlib import Path

import pytest

from grantproof.errors import GrantproofError
from grantproof.load import Fleet, LoadPlan
from grantproof.load.command import command_line, worker_command
from grantproof.load.rates import parse_rates

_STAGES = '[[stages]]\nduration = "2s"\nrate = 5\n'


def _values(words: list[str], option: str) -> list[str]:
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def test_scenarios_go_with_their_rates(tmp_path: Path) -> None:
    plan = LoadPlan("p", rate_per_s=30.0, scenarios={"implicit": 5.0, "mixed": None}, out=tmp_path)
    words = command_line(plan)
    assert [Path(name).stem for name in _values(words, "-f")[0].split(",")] == ["implicit", "mixed"]
    assert (_values(words, "--rate"), _values(words, "--scenario-rate")) == (["30.0"], ["implicit=5.0"])
    assert (_values(words, "--users"), _values(words, "--duration")) == (["1"], ["30.0s"])
    assert not {"--new-connections", "--no-resumption", "--http2", "--schedule", "--processes", "--master"} & set(words)


def test_a_schedule_and_connections_go_with_it(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(_STAGES)
    schedule = tmp_path / "s.toml"
    plan = LoadPlan(
        "p",
        schedule_file=schedule,
        new_connections=True,
        resumption=False,
        http2=True,
        connections=7,
        workers=2,
        out=tmp_path,
    )
    words = command_line(plan)
    assert f"--schedule={schedule}" in words
    assert (_values(words, "--connections"), _values(words, "--processes")) == (["7"], ["2"])
    assert {"--new-connections", "--no-resumption", "--http2"} <= set(words)
    assert not {"--rate", "--duration"} & set(words)
    assert plan.lasts_s == 2.0


def test_a_master_waits_for_its_workers_and_a_worker_knows_every_scenario(tmp_path: Path) -> None:
    plan = LoadPlan("p", rate_per_s=30.0, fleet=Fleet(20, "10.0.0.1", 7000), out=tmp_path)
    words = command_line(plan)
    assert (_values(words, "--expect-workers"), _values(words, "--users")) == (["20"], ["20"])
    assert (_values(words, "--master-bind-host"), _values(words, "--master-bind-port")) == (["10.0.0.1"], ["7000"])
    words = worker_command("p", "10.0.0.1", 7000)
    assert "--worker" in words
    assert (_values(words, "--master-host"), _values(words, "--master-port")) == (["10.0.0.1"], ["7000"])
    assert len(_values(words, "-f")[0].split(",")) == 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"users": 5, "scenarios": {"implicit": 5.0}},
        {"scenarios": {"implicit": 5.0, "mixed": None}},
        {"scenarios": {"implicit": -1.0}},
        {"scenarios": {"nothing": 1.0}},
        {"rate_per_s": 1.0, "fleet": Fleet(0)},
        {"rate_per_s": 1.0, "fleet": Fleet(5), "connections": 4},
        {"schedule_file": Path("/nowhere/s.toml")},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(GrantproofError):
        LoadPlan("embedded", **wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a table of mistakes


@pytest.mark.parametrize("text", ["implicit", "=5", "implicit=", "implicit=x", "implicit=0", "implicit=inf", "x=1e8"])
def test_what_is_no_rate_of_a_scenario_is_refused(text: str) -> None:
    with pytest.raises(GrantproofError, match="no scenario with a rate"):
        parse_rates([text], "--scenario")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "5", "--master"], "--expect-workers"),
        (["--rate", "5", "--expect-workers", "2"], "--master"),
        (["--rate", "5", "--worker", "host", "--workers", "2"], "give one of"),
        (["--master", "--worker", "host"], "give one of"),
        (["--rate", "5", "--seed", "1", "--worker", "host"], "leave out --rate, --seed"),
        (["--schedule", "s.toml", "--arrival", "poisson"], "--arrival says"),
        (["--users", "5", "--arrival", "poisson"], "--arrival says"),
        (["--rate", "5", "--scenario", "implicit", "--scenario", "implicit=7"], "implicit is given more than once"),
        (["--schedule", "s.toml", "--duration", "5s"], "its own duration"),
        (["--schedule", "bad.toml"], "bad.toml:3: stages[0].rate: must be a number per second"),
        (["--rate", "5", "--schedule", "s.toml"], "give one of a rate, a schedule"),
        (["--scenario", "implicit=no"], "write it like implicit=20"),
        (["--rate", "5", "--scenario", "implict"], "no scenario 'implict'"),
    ],
)
def test_wrong_use_is_told_and_ends_with_2(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "s.toml").write_text(_STAGES)
    (tmp_path / "bad.toml").write_text(_STAGES.replace("5\n", '"5"\n'))
    command = [sys.executable, "-m", "grantproof", "load", "--idp", "./none.toml", *words]
    done = subprocess.run(command, capture_output=True, timeout=100, check=False, cwd=tmp_path, text=True)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
