"""Reads a profile from its file, and says everything that is wrong with it at once."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grantproof.profile.model import Profile
from grantproof.profile.near import near_miss
from grantproof.profile.part import Objection
from grantproof.profile.positions import key_lines, line_of
from grantproof.profile.problems import Problem, ProfileError, key_text, objections_of, unknown_key
from grantproof.profile.shipped import shipped_profiles
from grantproof.profile.values import Location, is_table
from grantproof.profile.variables import expand

MAX_BYTES = 1_048_576
_STEP = re.compile(r"\[\d+(?=\])|[A-Za-z0-9_-]+(?![^\[]*\])")
_AT_LINE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def load(path_or_name: str, environ: Mapping[str, str] = os.environ) -> Profile:
    """The profile in a file, or a shipped one by its name.

    Args:
        path_or_name: a path if it has a `/` or ends in `.toml`, else the name of a shipped profile.
        environ: where its variables come from.

    Raises:
        ProfileError: with everything that is wrong.
    """
    path = find(path_or_name)
    return read(_text(path), path, environ)


def find(path_or_name: str) -> Path:
    """The file that `--idp` means.

    Raises:
        ProfileError: no shipped profile has this name.
    """
    if "/" in path_or_name or path_or_name.endswith(".toml"):
        return Path(path_or_name)
    shipped = shipped_profiles()
    if path_or_name in shipped:
        return shipped[path_or_name]
    hint = near_miss(path_or_name, shipped)
    if not hint and Path(f"{path_or_name}.toml").is_file():
        hint = f"for the file, write ./{path_or_name}.toml"
    names = f"shipped: {', '.join(shipped)}" if shipped else "none ships; a path has a / or ends in .toml"
    message = f"no profile of this name; {names}"
    raise ProfileError([Problem(path_or_name[:200] or '""', 0, "", message, hint)])


def read(text: str, path: Path, environ: Mapping[str, str] = os.environ) -> Profile:
    """The profile in a text that stands, or could stand, in a file.

    Raises:
        ProfileError: with everything that is wrong.
    """
    raw = _document(text, path)
    lines = _lines(text, path)
    document, objections = _without_injected(raw)
    expansion = expand(document, environ)
    objections += expansion.objections
    context = {"folder": path.absolute().parent}
    try:
        profile = Profile.model_validate(_with_name(expansion.document, path), context=context)
    except ValidationError as error:
        objections += [each for each in objections_of(error, raw) if not _inside(each.location, expansion.failed)]
        profile = None
    if profile is not None and not objections:
        return profile
    raise ProfileError(
        Problem(str(path), line_of(lines, each.location), key_text(each.location), each.message, each.hint)
        for each in objections
    ) from None


def locate(profile: Profile, key: str) -> str:
    """Where a key stands in the profile's file, as `file:line`; of what is not there, the table around it.

    Args:
        profile: as loaded.
        key: as errors write it: `clients.service.secret`, `login.steps[0].when`.
    """
    if profile.path is None:
        return profile.name
    try:
        lines = key_lines(_text(profile.path))
    except (ProfileError, ValueError, IndexError):  # the file has changed since it was loaded
        return str(profile.path)
    steps = tuple(int(each[1:]) if each[0] == "[" else each for each in _STEP.findall(key))
    return f"{profile.path}:{line_of(lines, steps)}"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = near_miss(path.name, (each.name for each in path.parent.glob("*.toml")))
        raise _unreadable(path, "there is no such file", hint) from None
    except IsADirectoryError:
        raise _unreadable(path, "is a folder, not a profile") from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise _unreadable(path, "is larger than 1 MiB; that is no profile")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProfileError([Problem(str(path), line, "", "is not UTF-8, as TOML has to be")]) from None


def _unreadable(path: Path, message: str, hint: str = "") -> ProfileError:
    return ProfileError([Problem(str(path), 0, "", message, hint)])


def _document(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _unreadable(path, "is nested too deeply") from None
    except ValueError as error:
        found = _AT_LINE.search(str(error))
        last = text.rstrip("\n").count("\n") + 1
        line = int(found.group("line") or last) if found else 0
        message = _AT_LINE.sub("", str(error))
        raise ProfileError([Problem(str(path), line, "", f"no TOML: {message}")]) from None


def _lines(text: str, path: Path) -> dict[Location, int]:
    try:
        return key_lines(text)
    except RecursionError:
        raise _unreadable(path, "is nested too deeply") from None


def _without_injected(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Objection]]:
    """The document without the keys that only grantproof sets, and an objection to each of them."""
    objections = [unknown_key((key,)) for key in ("name", "path") if key in raw]
    document = {key: value for key, value in raw.items() if key not in {"name", "path"}}
    clients = document.get("clients")
    if is_table(clients):
        tables: dict[str, Any] = {}
        for name, table in clients.items():
            tables[name] = table
            if is_table(table) and "name" in table:
                hint = f"the client's name is its table's: [clients.{name}]"
                objections.append(Objection(("clients", name, "name"), "unknown key", hint))
                tables[name] = {key: value for key, value in table.items() if key != "name"}
        document["clients"] = tables
    return document, objections


def _with_name(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    target = document.get("target")
    named = {"target": {**target, "name": path.stem}} if is_table(target) and target.get("name", "") == "" else {}
    return {**document, **named, "name": path.stem, "path": path.absolute()}


def _inside(location: Location, failed: set[Location]) -> bool:
    return any(location[: len(each)] == each for each in failed)
