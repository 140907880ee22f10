"""`scripts/nightly.sh`: what it keeps, what it says and how it ends, on real servers and with a command that obeys."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grantproof.report.record import Run
from tests.unit.cli.child import STATUS_200, Ran, secrets_of

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "nightly.sh"
DATE = """#!/bin/sh
night=$(cat "$0.night")
echo "$((night + 1))" >"$0.night"
echo "202611${night}T021700Z"
"""
"""A clock that shows another night each time."""
OBEDIENT = """#!/bin/sh
echo "$*" >>"$0.heard"
while [ $# -gt 0 ]; do
    if [ "$1" = --out ]; then out=$2; fi
    shift
done
cat "$0.says" >"$out/results.json"
if [ -e "$0.silent" ]; then rm "$out/results.json"; fi
echo "it went as told"
exit "$(cat "$0.code")"
"""


@dataclass
class Nightly:
    """The script, in a folder of its own, with a clock of its own."""

    folder: Path
    environ: Mapping[str, str]
    set: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        tools = self.folder / "tools"
        tools.mkdir()
        self._tool("date", DATE)
        (tools / "date.night").write_text("10", "utf-8")
        self.set["PATH"] = f"{tools}:{self.environ['PATH']}"

    def _tool(self, name: str, text: str) -> Path:
        path = self.folder / "tools" / name
        path.write_text(text, "utf-8")
        path.chmod(0o700)
        return path

    def obey(self) -> None:
        """Checks nothing from now on: `tells` says how the command ends."""
        self.set["GRANTPROOF"] = str(self._tool("obedient", OBEDIENT))

    def tells(self, code: int, says: str = "{}") -> None:
        """How the obedient command ends, and what stands in its results."""
        (self.folder / "tools" / "obedient.code").write_text(str(code), "utf-8")
        (self.folder / "tools" / "obedient.says").write_text(says, "utf-8")

    def __call__(self, *arguments: object, **more: str) -> Ran:
        """One night."""
        done = subprocess.run(
            ["sh", SCRIPT, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            env={**self.environ, **self.set, **more},
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def place(self) -> Path:
        """Where the runs of staging.toml are kept."""
        return self.folder / "nightly" / "staging"

    @property
    def baseline(self) -> str:
        """What is known."""
        path = self.place / "baseline.json"
        return path.read_text("utf-8") if path.exists() else ""

    @property
    def heard(self) -> str:
        """The arguments that the obedient command got last."""
        return (self.folder / "tools" / "obedient.heard").read_text("utf-8").splitlines()[-1]

    def kept(self) -> list[str]:
        """The nights whose runs are there."""
        return sorted(path.name[6:8] for path in (self.place / "runs").iterdir())


@pytest.fixture
def nightly(tmp_path: Path, environ: Mapping[str, str], grantproof_command: Path) -> Nightly:
    return Nightly(tmp_path, {**environ, "GRANTPROOF": str(grantproof_command)})


@pytest.fixture
def obedient(nightly: Nightly) -> Nightly:
    nightly.obey()
    nightly.tells(0)
    return nightly


def staging(nightly: Nightly, profile: Path) -> Path:
    """A profile called staging.toml that points at this server."""
    folder = nightly.folder / "profiles"
    shutil.copytree(profile.parent, folder, dirs_exist_ok=True)
    return (folder / profile.name).replace(folder / "staging.toml")


def test_only_what_is_new_fails_until_it_is_accepted(
    nightly: Nightly, lawful_profile: Path, broken_profile: Path
) -> None:
    profile = staging(nightly, lawful_profile)
    first, second = nightly(profile, STATUS_200), nightly(profile, STATUS_200)
    assert (first.code, second.code) == (0, 0), first
    assert (first.err, second.err) == ("", "")
    assert "the first run; it is the baseline" in first.out
    assert "no change" in second.out
    lawful = nightly.baseline

    staging(nightly, broken_profile)
    third, fourth = nightly(profile, STATUS_200), nightly(profile, STATUS_200)
    assert (third.code, fourth.code) == (1, 1), third
    assert "worse than before" in third.err
    assert f"{STATUS_200}  rfc6749/" in third.err
    assert "worse than the baseline, which stays" in fourth.err
    assert (third.out, nightly.baseline) == ("", lawful)

    accepted = nightly(profile, STATUS_200, GRANTPROOF_ACCEPT="yes")
    fifth = nightly(profile, STATUS_200)
    assert (accepted.code, fifth.code) == (0, 0), accepted
    assert "no change" in fifth.out
    assert Run.read(nightly.place / "baseline.json").exit_code == 1
    assert nightly.kept() == ["10", "11", "12", "13", "14", "15"]


def test_a_first_run_is_judged_alone_and_known_from_then_on(nightly: Nightly, broken_profile: Path) -> None:
    profile = staging(nightly, broken_profile)
    first, second = nightly(profile, STATUS_200), nightly(profile, STATUS_200)
    assert (first.code, second.code) == (1, 0), second
    assert f"fail  {STATUS_200}" in first.err


def test_a_wrong_profile_is_no_verdict_and_shows_no_secret(nightly: Nightly, lawful_profile: Path) -> None:
    profile = staging(nightly, lawful_profile)
    secrets = secrets_of(profile)
    profile.write_text(profile.read_text("utf-8").replace("[user]\n", '[user]\nemail = "x"\n'), "utf-8")
    ran = nightly(profile, STATUS_200)
    assert ran.code == 2, ran
    assert "user.email: unknown key" in ran.err
    assert nightly.baseline == ""
    written = [path.read_text("utf-8") for path in nightly.place.rglob("*") if path.is_file()]
    assert [secret for secret in secrets if any(secret in text for text in [ran.out, ran.err, *written])] == []


@pytest.mark.parametrize("accept", ["no", "yes"])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 130, 127])
def test_what_becomes_the_baseline(obedient: Nightly, code: int, accept: str, *, known: bool) -> None:
    if known:
        obedient.tells(0, "old")
        assert obedient("staging.toml").code == 0
    obedient.tells(code, "new")
    ran = obedient("staging.toml", GRANTPROOF_ACCEPT=accept)
    becomes = code == 0 or (code == 1 and not known) or (code in {1, 3} and accept == "yes")
    assert obedient.baseline == ("new" if becomes else "old" if known else "")
    assert ran.code == (0 if (code, accept) == (1, "yes") else code)
    assert "it went as told" in (ran.err if ran.code else ran.out)
    assert (ran.out == "") == (ran.code != 0)


def test_arguments_and_the_baseline_are_handed_on(obedient: Nightly) -> None:
    obedient("profiles/staging.toml", "--rulebook", "bcp9700", "--", "-k", "a and b")
    assert obedient.heard == (
        "check --idp profiles/staging.toml --out nightly/staging/runs/20261110T021700Z --rulebook bcp9700 -- -k a and b"
    )
    obedient("profiles/staging.toml", "--", "-k", "token")
    assert obedient.heard.endswith("T021700Z --baseline nightly/staging/baseline.json -- -k token")


def test_as_many_runs_stay_as_were_asked_for_and_never_the_baseline_goes(obedient: Nightly) -> None:
    obedient.tells(0, "good")
    obedient("staging.toml", GRANTPROOF_KEEP="3")
    obedient.tells(1, "bad")
    for _ in range(4):
        assert obedient("staging.toml", GRANTPROOF_KEEP="3").code == 1
    assert obedient.kept() == ["12", "13", "14"]
    assert (obedient.place / "last").read_text("utf-8") == "nightly/staging/runs/20261114T021700Z\n"
    assert obedient.baseline == "good"


def test_each_profile_has_a_place_of_its_own(obedient: Nightly) -> None:
    home = obedient.folder / "a place"
    obedient.tells(0, "one")
    obedient("a/one.toml", GRANTPROOF_HOME=str(home))
    obedient.tells(0, "two")
    obedient("two", GRANTPROOF_HOME=str(home))
    assert {path.name: (path / "baseline.json").read_text("utf-8") for path in home.iterdir()} == {
        "one": "one",
        "two": "two",
    }


def test_only_the_owner_can_read_what_is_kept(obedient: Nightly) -> None:
    obedient("staging.toml")
    assert [path for path in obedient.place.rglob("*") if path.stat().st_mode & 0o077] == []


def test_a_night_that_is_still_under_way_is_left_alone(obedient: Nightly) -> None:
    (obedient.place / "lock").mkdir(parents=True)
    ran = obedient("staging.toml")
    assert ran.code == 4
    assert "another run is under way" in ran.err
    assert not (obedient.folder / "tools" / "obedient.heard").exists()
    (obedient.place / "lock").rmdir()
    assert obedient("staging.toml").code == 0
    assert not (obedient.place / "lock").exists()


def test_a_run_without_results_is_no_baseline(obedient: Nightly) -> None:
    (obedient.folder / "tools" / "obedient.silent").touch()
    ran = obedient("staging.toml", "--report", "html")
    assert ran.code == 4
    assert "--report has to name json" in ran.err
    assert obedient.baseline == ""
    assert not (obedient.place / "lock").exists()


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ([], {}, "usage: nightly.sh PROFILE"),
        (["staging.toml"], {"GRANTPROOF_KEEP": "0"}, "GRANTPROOF_KEEP: '0'"),
        (["staging.toml"], {"GRANTPROOF_KEEP": "all"}, "GRANTPROOF_KEEP: 'all'"),
        (["staging.toml"], {"GRANTPROOF_ACCEPT": "perhaps"}, "GRANTPROOF_ACCEPT: 'perhaps'"),
    ],
)
def test_wrong_use_checks_nothing(
    obedient: Nightly, arguments: list[str], variables: dict[str, str], words: str
) -> None:
    ran = obedient(*arguments, **variables)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert not (obedient.folder / "nightly").exists()


def test_a_place_that_cannot_be_made_is_no_verdict(obedient: Nightly) -> None:
    (obedient.folder / "nightly").write_text("a file", "utf-8")
    assert obedient("staging.toml").code == 4
