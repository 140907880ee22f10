"""What servers on Java need, with programs that stand in for java and mvn."""

import hashlib
import os
from pathlib import Path

import pytest

from grantproof.errors import GrantproofError
from tests.interop import java

CONTENT = b"an archive"
COORDINATES = "org.example:thing:1.2:zip"
NEW, OLD = 'openjdk version "17.0.15" 2025-04-15', 'java version "1.8.0_402"'


def stand_in(folder: Path, name: str, script: str) -> None:
    """Puts a program of this name into a folder."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that comes first on the PATH, with a java that is new enough."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    stand_in(folder, "java", f"echo '{NEW}' >&2")
    return folder


def test_an_artifact_is_fetched_by_its_coordinates_and_its_checksum_is_checked(programs: Path, tmp_path: Path) -> None:
    stand_in(programs, "mvn", f"echo \"$@\" > words; printf '%s' '{CONTENT.decode()}' > thing-1.2.zip")
    wanted = hashlib.sha256(CONTENT).hexdigest()
    assert java.fetch_artifact(COORDINATES, wanted, tmp_path).read_bytes() == CONTENT
    assert f"-Dartifact={COORDINATES}" in (tmp_path / "words").read_text()
    with pytest.raises(GrantproofError, match=f"has the SHA-256 {wanted}"):
        java.fetch_artifact(COORDINATES, "0" * 64, tmp_path)


def test_an_artifact_that_cannot_be_had_is_one_error_with_the_reason(programs: Path, tmp_path: Path) -> None:
    stand_in(programs, "mvn", "echo 'Could not find artifact'; exit 1")
    with pytest.raises(GrantproofError, match=COORDINATES) as problem:
        java.fetch_artifact(COORDINATES, "0" * 64, tmp_path)
    assert problem.value.hint == "Could not find artifact"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (f"echo '{OLD}' >&2", "too old"),
        ("echo 'no version here' >&2", "too old"),
        ("exit 1", "not on the PATH"),
    ],
)
def test_without_a_java_that_is_new_enough_nothing_is_fetched(
    programs: Path, tmp_path: Path, script: str, says: str
) -> None:
    stand_in(programs, "java", script)
    with pytest.raises(GrantproofError, match=says):
        java.fetch_artifact(COORDINATES, "0" * 64, tmp_path)


def test_java_home_comes_before_the_path(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert java.find_java() == "java"
    home = tmp_path / "jdk"
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(GrantproofError, match=f"not in JAVA_HOME, {home}"):
        java.find_java()
    (home / "bin").mkdir(parents=True)
    (programs / "java").rename(home / "bin/java")
    assert java.find_java() == f"{home}/bin/java"


def test_a_program_is_built_once_for_each_content_of_its_source(programs: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "src").mkdir(parents=True)
    (source / "pom.xml").write_text("<project/>")
    (source / "src/A.java").write_text("class A {}")
    stand_in(programs, "mvn", "mkdir target; cp src/A.java target/server.jar")
    first = java.build_program("it", source)
    assert first.read_text() == "class A {}"
    stand_in(programs, "mvn", "exit 1")
    assert java.build_program("it", source) == first
    (source / "src/A.java").write_text("class A { }")
    with pytest.raises(GrantproofError, match="package"):
        java.build_program("it", source)
