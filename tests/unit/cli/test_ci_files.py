"""The files for CI and for containers: they parse, they name what there is, and the action does as it says."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from grantproof.profile.shipped import shipped_profiles
from tests.interop.servers.keycloak import container
from tests.unit.cli.child import STATUS_200

ROOT = Path(__file__).parents[3]
PAGE, ACTION, WORKFLOW = ROOT / "docs/ci.md", ROOT / "action.yml", ROOT / "docs/ci/nightly.yml"
COMPOSE, IMAGE = ROOT / "deploy/compose.yaml", ROOT / "deploy/Dockerfile"
CRON, SCRIPT = ROOT / "docs/ci/nightly.cron", ROOT / "scripts/nightly.sh"
CALL = re.compile(r"""grantproof\}?["']?[ ]+([a-z]+)[ ]([^#\n|&;`<>]*)""")
NIGHTLY = re.compile(r"nightly\.sh(?: grantproof)?[ ]+([^#\n|&;`<>]*)")
OPTION = re.compile(r"(?<!\S)(--?[a-z][-a-z]*)")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def commands() -> Mapping[str, set[str]]:
    """The options of each command."""
    paths = (ROOT / "src/grantproof/cli").glob("*_command.py")
    modules = {path.stem.removesuffix("_command"): import_module(f"grantproof.cli.{path.stem}") for path in paths}
    return {name: {opt for each in module.command.params for opt in each.opts} for name, module in modules.items()}


def named() -> Iterator[tuple[str, str, str]]:
    """Each option that a file gives to a command of grantproof: the file, the command, the option."""
    for path in (PAGE, ACTION, COMPOSE, SCRIPT, CRON):
        text = path.read_text("utf-8")
        calls = [(match[1], match[2]) for match in CALL.finditer(text) if match[1] in commands()]
        calls += [("check", match[1]) for match in NIGHTLY.finditer(text)]
        calls += [("check", match[1]) for match in re.finditer(r"arguments: (.*)", text)]
        calls += [("check", match[1]) for match in re.finditer(r"`(--?[a-z]+)(?: [a-z]+)?`", text)]
        yield from ((path.name, command, option) for command, words in calls for option in OPTION.findall(words))
    arguments = read(WORKFLOW)["jobs"]["check"]["steps"][-1]["with"]["arguments"]
    yield from ((WORKFLOW.name, "check", option) for option in OPTION.findall(arguments))
    command, *words = read(COMPOSE)["services"]["grantproof"]["command"]
    yield from ((COMPOSE.name, command, word) for word in words if word.startswith("-"))


def test_every_option_that_a_file_gives_to_grantproof_exists() -> None:
    known, found = commands(), list(named())
    files = {name for name, _, _ in found}
    assert files == {"ci.md", "nightly.yml", "compose.yaml", "nightly.sh", "nightly.cron"}
    assert {"--baseline", "--idp", "--out", "--rulebook", "--seed", "-n"} <= {option for _, _, option in found}
    assert [each for each in found if each[2] not in known[each[1]]] == []


def test_every_variable_of_the_script_is_told_and_every_told_one_is_read() -> None:
    script = SCRIPT.read_text("utf-8")
    read_there = set(re.findall(r"\$\{(GRANTPROOF\w*)", script))
    head, page = script.partition("set -eu")[0], PAGE.read_text("utf-8")
    assert read_there == set(re.findall(r"^#   (GRANTPROOF\w*)", head, re.MULTILINE))
    assert read_there == set(re.findall(r"^\| `(GRANTPROOF\w*)` \|", page, re.MULTILINE))
    given = {name for step in read(ACTION)["runs"]["steps"] for name in step.get("env", {})}
    given |= set(re.findall(r"^(GRANTPROOF\w*)=", CRON.read_text("utf-8"), re.MULTILINE))
    assert {name for name in given if name.startswith("GRANTPROOF")} <= read_there


# ---- The action


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(ACTION)["runs"]["steps"]
    return found


def test_the_workflow_gives_the_action_what_it_takes() -> None:
    action, workflow = read(ACTION), read(WORKFLOW)
    given = workflow["jobs"]["check"]["steps"][-1]["with"]
    required = {name for name, each in action["inputs"].items() if each.get("required")}
    assert required <= set(given) <= set(action["inputs"])
    assert all(each.get("required") or isinstance(each["default"], str) for each in action["inputs"].values())
    assert workflow["permissions"] == {"contents": "read"}
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as a truth
    assert set(triggers) == {"schedule", "workflow_dispatch"}


def test_no_script_of_the_action_is_built_from_what_a_caller_says() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    assert len(scripts) == 2
    for script in scripts:
        assert "${{" not in script
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)


def test_every_expression_of_the_action_names_what_there_is() -> None:
    text, inputs = ACTION.read_text("utf-8"), read(ACTION)["inputs"]
    assert set(re.findall(r"inputs\.([-\w]+)", text)) == set(inputs)
    check = next(step for step in steps() if step.get("id") == "check")
    written = set(re.findall(r'echo "([-\w]+)=.*GITHUB_OUTPUT', check["run"]))
    assert set(re.findall(r"steps\.check\.outputs\.([-\w]+)", text)) == written


def test_the_baseline_is_kept_where_it_is_fetched_from_and_under_a_name_of_its_own() -> None:
    fetch, keep = [step["with"] for step in steps() if step.get("uses", "").startswith("actions/cache/")]
    assert (fetch["path"], fetch["key"]) == (keep["path"], keep["key"])
    assert fetch["key"].startswith(fetch["restore-keys"])
    assert fetch["path"] == "${{ runner.temp }}/grantproof/*/baseline.json"
    assert next(step for step in steps() if step.get("id") == "check")["env"]["GRANTPROOF_HOME"] == (
        "${{ runner.temp }}/grantproof"
    )


class Runner:
    """What GitHub's runner does for the step that checks."""

    def __init__(self, folder: Path, environ: Mapping[str, str], command: Path) -> None:
        self._folder = folder
        self._environ = dict(environ) | {
            "SOURCE": str(ROOT),
            "GRANTPROOF": str(command),
            "GRANTPROOF_HOME": str(folder / "grantproof"),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        }
        self._script = next(step["run"] for step in steps() if step.get("id") == "check")

    def __call__(self, profile: Path, arguments: str, accept: str = "no") -> tuple[int, dict[str, str]]:
        """The step's exit code and its outputs."""
        for name in ("output", "summary"):
            (self._folder / name).write_text("", "utf-8")
        more = {"PROFILE": str(profile), "ARGUMENTS": arguments, "GRANTPROOF_ACCEPT": accept}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self._script],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self._folder,
            env=self._environ | more,
            check=False,
        )
        lines = (self._folder / "output").read_text("utf-8").splitlines()
        return done.returncode, dict(line.split("=", 1) for line in lines)

    @property
    def summary(self) -> str:
        """What stands on the run's page."""
        return (self._folder / "summary").read_text("utf-8")


def test_the_action_checks_and_says_where_the_report_is(
    tmp_path: Path, environ: Mapping[str, str], grantproof_command: Path, lawful_profile: Path
) -> None:
    runner = Runner(tmp_path, environ, grantproof_command)
    code, outputs = runner(lawful_profile, f"--rulebook rfc6749\n--rulebook bcp9700 {STATUS_200}\n")
    run = Path(outputs["run"])
    assert (code, outputs["exit-code"], outputs["name"]) == (0, "0", lawful_profile.stem)
    assert json.loads((run / "results.json").read_text("utf-8"))["rulebooks"] == ["rfc6749", "bcp9700"]
    assert Path(outputs["baseline"]).read_text("utf-8") == (run / "results.json").read_text("utf-8")
    assert runner.summary == (run / "summary.md").read_text("utf-8") != ""


def test_the_action_takes_words_as_they_are_and_ends_as_the_check_does(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    stub = tmp_path / "stub"
    stub.write_text('#!/bin/sh\nshift 5\nprintf "%s|" "$@" >"$0.heard"\nexit 3\n', "utf-8")
    stub.chmod(0o700)
    code, outputs = Runner(tmp_path, environ, stub)(Path("profiles/staging.toml"), "-n auto\n$(touch broken) * ;\n")
    assert (code, outputs["exit-code"], outputs["name"]) == (3, "3", "staging")
    assert (tmp_path / "stub.heard").read_text("utf-8") == "-n|auto|$(touch|broken)|*|;|"
    assert "baseline" not in outputs
    assert not (tmp_path / "broken").exists()


# ---- Containers


def test_the_image_copies_what_there_is_and_all_that_the_project_is_built_from() -> None:
    copied = [
        word for line in re.findall(r"^COPY (.+) \S+$", IMAGE.read_text("utf-8"), re.MULTILINE) for word in line.split()
    ]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    built_from = {path.split("/")[0] for path in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]}
    assert built_from | {project["project"]["readme"], *project["project"]["license-files"]} <= set(copied)


def test_compose_mounts_what_there_is_and_runs_a_profile_that_ships() -> None:
    services = read(COMPOSE)["services"]
    assert set(services) == {"credentials", "keycloak", "grantproof"}
    volumes = set(read(COMPOSE)["volumes"])
    sources = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert {source for source in sources if not source.startswith(".")} == volumes
    assert [source for source in sources - volumes if not (COMPOSE.parent / source).exists()] == []
    assert (COMPOSE.parent / services["grantproof"]["build"]["context"] / "deploy/Dockerfile").samefile(IMAGE)
    assert services["grantproof"]["command"][2] in shipped_profiles()


def test_compose_takes_the_keycloak_that_the_interoperability_runs_take() -> None:
    pinned = json.loads((ROOT / "tests/interop/servers/keycloak/distribution.json").read_text("utf-8"))
    assert read(COMPOSE)["services"]["keycloak"]["image"].split(":")[1] == pinned["artifact"].split(":")[2]


def test_containers_get_every_variable_that_the_realm_and_the_profile_name(tmp_path: Path) -> None:
    container.write(tmp_path)
    realm = (ROOT / "tests/interop/servers/keycloak/realm.json").read_text("utf-8")
    profile = (ROOT / "profiles/keycloak.toml").read_text("utf-8")
    wanted = set(re.findall(r"\$\{(GRANTPROOF_\w+)", realm + profile))
    told = (tmp_path / "keycloak.env").read_text("utf-8")
    assert set(re.findall(r"^export (\w+)=", told, re.MULTILINE)) == wanted


def test_a_shell_reads_the_credentials_back_and_a_second_start_keeps_them(tmp_path: Path) -> None:
    path = container.write(tmp_path)
    before = path.read_text("utf-8")
    assert container.write(tmp_path).read_text("utf-8") == before
    asked = 'printf "%s" "$GRANTPROOF_KEYCLOAK_RESERVED_SECRET"'
    said = subprocess.run(["sh", "-c", f". {path} && {asked}"], capture_output=True, text=True, check=True, timeout=10)
    assert re.fullmatch(r"a \+%:&=/\?#[0-9a-f]{40}", said.stdout)
    assert [file for file in tmp_path.iterdir() if file.stat().st_mode & 0o077] == []


def test_a_start_that_was_broken_off_is_begun_anew(tmp_path: Path) -> None:
    for name in ("client-key.pem", "keycloak.env.new"):
        (tmp_path / name).write_text("half", "utf-8")
    path = container.write(tmp_path)
    assert "export GRANTPROOF_KEYCLOAK_ISSUER=" in path.read_text("utf-8")
    assert (tmp_path / "client-key.pem").read_text("utf-8").startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.parametrize("service", ["keycloak", "grantproof"])
def test_a_service_reads_the_credentials_and_hands_its_words_on(tmp_path: Path, service: str) -> None:
    shell, option, script, *rest = read(COMPOSE)["services"][service]["entrypoint"]
    script = script.replace("$$", "$").replace("/run/grantproof", str(tmp_path))
    container.write(tmp_path)
    program = "/opt/keycloak/bin/kc.sh" if service == "keycloak" else "grantproof"
    (tmp_path / "program").write_text('#!/bin/sh\nprintf "%s|" "$@" "$GRANTPROOF_KEYCLOAK_ISSUER"\n', "utf-8")
    (tmp_path / "program").chmod(0o700)
    words = [shell, option, script.replace(f"exec {program} ", f"exec {tmp_path / 'program'} "), *rest, "one", "a b"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout
    assert said == f"one|a b|{container.ISSUER}|"
