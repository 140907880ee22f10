"""Schedules in files: stages as TOML, or a recorded trace as plain text. All that is wrong is said at once.

    arrival = "poisson"                # default: constant
    [[stages]]
    duration = "1m"
    rate = 50                          # per second
    to = 200                           # left out: the rate stays

A trace has one moment a line, in seconds from the start; empty lines and lines that begin with `#` are skipped.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grantproof.errors import GrantproofError
from grantproof.load.durations import parse_duration
from grantproof.load.rates import MOST_PER_S
from grantproof.load.schedule import ARRIVALS
from grantproof.load.stages import Stage, Staged, Trace
from grantproof.profile.near import near_miss
from grantproof.profile.positions import key_lines, line_of
from grantproof.profile.values import Location, is_array, is_table

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST: Final = 512 * 1024 * 1024
_LARGEST_TOML: Final = 1024 * 1024
_SHOWN: Final = 20
_KEYS: Final = ("arrival", "stages")
_STAGE_KEYS: Final = ("duration", "rate", "to")
_HINT: Final = "write stages as [[stages]] with duration and rate, or one moment in seconds a line"


class ScheduleFileError(GrantproofError):
    """A schedule that cannot be used; its text has one line a problem."""

    def __init__(self, path: Path, problems: "Iterable[tuple[int, str, str, str]]") -> None:
        lines: list[str] = []
        for line, key, message, hint in problems:
            where = f"{path}:{line}" if line else str(path)
            lines.append(": ".join((where, *([key] if key else []), message)) + (f"; {hint}" if hint else ""))
        shown = lines[:_SHOWN] + ([f"{path}: and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])
        super().__init__("\n".join(shown))


def read_schedule(path: Path, *, arrival: str | None = None, seed: int = 0) -> Staged | Trace:
    """The schedule in a file: stages if it ends in `.toml`, else a trace.

    Args:
        path: the file.
        arrival: how arrivals of stages are spaced, over what the file says.
        seed: makes Poisson arrivals repeatable.

    Raises:
        ScheduleFileError: with everything that is wrong.
    """
    text = _read(path)
    if path.suffix.lower() != ".toml":
        return _trace(text, path)
    staged = _staged(text, path)
    return replace(staged, poisson=staged.poisson if arrival is None else arrival == "poisson", seed=seed)


def _read(path: Path) -> str:
    largest = _LARGEST_TOML if path.suffix.lower() == ".toml" else _LARGEST
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:
        message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ScheduleFileError(path, [(0, "--schedule", message, "")]) from None
    if len(content) > largest:
        raise ScheduleFileError(path, [(0, "--schedule", "is too large for a schedule", "")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScheduleFileError(path, [(line, "", "is not UTF-8", _HINT)]) from None


def _trace(text: str, path: Path) -> Trace:
    times, problems, latest = list[float](), list[tuple[int, str, str, str]](), 0.0
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        try:
            moment = float(word)
        except ValueError:
            problems.append((number, "", f"{word[:40]!r} is no number of seconds", _HINT))
            continue
        if not 0 <= moment < math.inf:
            problems.append((number, "", f"{word[:40]} is no moment after the start", ""))
        elif moment < latest:
            problems.append((number, "", f"{word[:40]} comes after {latest:g}", "moments never fall: sort the trace"))
        else:
            latest = moment
            times.append(moment)
    if not times and not problems:
        problems.append((0, "", "has no arrival", _HINT))
    if problems:
        raise ScheduleFileError(path, problems)
    return Trace(tuple(times))


def _staged(text: str, path: Path) -> Staged:
    try:
        document = tomllib.loads(text)
        lines = key_lines(text)
    except (ValueError, RecursionError) as error:
        raise ScheduleFileError(path, [(0, "", f"no TOML: {error}", _HINT)]) from None
    reader = _StageReader(lines)
    staged = reader.read(document)
    if reader.problems:
        raise ScheduleFileError(path, sorted(reader.problems))
    return staged


class _StageReader:
    """Reads what the TOML parser took, and gathers what is wrong with it."""

    def __init__(self, lines: Mapping[Location, int]) -> None:
        self.problems: list[tuple[int, str, str, str]] = []
        self._lines = lines

    def read(self, document: Mapping[str, Any]) -> Staged:
        self._know(document, (), _KEYS)
        arrival = document.get("arrival", "constant")
        if arrival not in ARRIVALS:
            self._object(("arrival",), f"must be one of {', '.join(ARRIVALS)}", near_miss(str(arrival), ARRIVALS))
        rows = document.get("stages")
        if not is_array(rows) or not rows:
            self._object(("stages",), "there is none", _HINT)
            return Staged(())
        stages = tuple(self._stage(row, place) for place, row in enumerate(rows))
        if not self.problems and not sum(stage.arrivals for stage in stages):
            self._object(("stages",), "no stage has a rate above 0")
        return Staged(stages, poisson=arrival == "poisson")

    def _stage(self, row: object, place: int) -> Stage:
        where: Location = ("stages", place)
        if not is_table(row):
            self._object(where, "must be a table", _HINT)
            return Stage(1.0, 0.0, 0.0)
        self._know(row, where, _STAGE_KEYS)
        rate = self._rate(row, where, "rate")
        to = self._rate(row, where, "to") if "to" in row else rate
        return Stage(self._duration(row.get("duration"), (*where, "duration")), rate, to)

    def _duration(self, value: object, where: Location) -> float:
        try:
            return parse_duration(f"{value}" if isinstance(value, (str, int, float)) else "")
        except GrantproofError as error:
            self._object(where, "is missing" if value is None else error.what, error.hint)
            return 1.0

    def _rate(self, row: Mapping[str, Any], where: Location, key: str) -> float:
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_PER_S:
            message = "is missing" if value is None else f"must be a number per second, 0 to {MOST_PER_S:,.0f}"
            self._object((*where, key), message, "requests per second")
            return 0.0
        return float(value)

    def _know(self, table: Mapping[str, Any], where: Location, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                hint = near_miss(key, known) or f"known: {', '.join(known)}"
                self._object((*where, key), "unknown key", hint)

    def _object(self, where: Location, message: str, hint: str = "") -> None:
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")
        self.problems.append((line_of(self._lines, where), key, message, hint))
