"""Servers that run on Java: what they need comes by Maven, by coordinates and with checksums checked."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from grantproof.errors import GrantproofError
from tests.interop.server import cache_folder, installation, run_tool

OLDEST_JAVA = 17
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
MAVEN = ("mvn", "--batch-mode", "--quiet", "--strict-checksums")
_VERSION = re.compile(r'version "(\d+)')


def fetch_artifact(coordinates: str, sha256: str, folder: Path) -> Path:
    """Puts one artifact of a Maven repository into a folder; gives the file.

    Args:
        coordinates: `group:artifact:version:type`.
        sha256: what the content has to have, in hexadecimal digits.
        folder: where to put it.

    Raises:
        GrantproofError: Java or Maven is missing, the artifact cannot be had, or its checksum is another.
    """
    find_java()
    run_tool([*MAVEN, COPY, f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"], cwd=folder)
    _, artifact, version, kind = coordinates.split(":")
    file = folder / f"{artifact}-{version}.{kind}"
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise GrantproofError(f"{coordinates} has the SHA-256 {found}", hint=f"expected: {sha256}")
    return file


def build_program(name: str, source: Path) -> Path:
    """Builds what pom.xml and src in a folder describe, once for each content of them; gives the executable archive.

    Raises:
        GrantproofError: Java or Maven is missing, or the build fails.
    """
    files = sorted(path for path in (source / "src").rglob("*") if path.is_file())
    folder = cache_folder(name, source / "pom.xml", *files)
    with installation(folder, f"{name} (Maven)") as due:
        if due:
            find_java()
            shutil.copy(source / "pom.xml", folder)
            shutil.copytree(source / "src", folder / "src")
            run_tool([*MAVEN, "package"], cwd=folder)
    return folder / "target/server.jar"


def find_java() -> str:
    """The java program: that of JAVA_HOME if it is set, or else the one on the PATH, which Maven and servers take too.

    Raises:
        GrantproofError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    program = f"{home}/bin/java" if home else "java"
    try:
        answer = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        where = f"in JAVA_HOME, {home}" if home else "on the PATH"
        raise GrantproofError(f"java is needed and not {where}", hint=f"a JDK, {OLDEST_JAVA} or newer") from None
    found = _VERSION.search(answer)
    if not found or int(found[1]) < OLDEST_JAVA:
        raise GrantproofError(f"this Java is too old: {answer.strip()}", hint=f"a JDK, {OLDEST_JAVA} or newer")
    return program
