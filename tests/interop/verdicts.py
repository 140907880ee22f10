"""The verdicts of a run in short, as they are recorded for a server, and how two of them differ."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grantproof.errors import GrantproofError

SCHEMA = "grantproof/interop/1"
T = TypeVar("T")
UNREMARKABLE = frozenset({"pass", "not_offered"})
_CAPABILITY = {True: "used", False: "unused", None: "unknown"}


class _Check(msgspec.Struct):
    id: str
    verdict: str


class _Clause(msgspec.Struct):
    id: str
    verdict: str | None
    capability: bool | None


class Results(msgspec.Struct):
    """What is read of a results.json."""

    rulebooks: list[str]
    seconds: float
    exit_code: int
    summary: dict[str, int]
    clause_summary: dict[str, int]
    checks: list[_Check]
    clauses: list[_Clause]
    exchanges: list[msgspec.Raw]


@dataclass(frozen=True)
class Verdicts:
    """What a run found about a server.

    `checks` names only those that neither passed nor were not offered; `clauses` names all, a permission (MAY) by
    whether the server was seen to use it.
    """

    rulebooks: tuple[str, ...]
    summary: Mapping[str, int]
    clause_summary: Mapping[str, int]
    checks: Mapping[str, str]
    clauses: Mapping[str, str]


def read_results(path: Path) -> Results:
    """A run's results.json.

    Raises:
        GrantproofError: it is not there, or is none.
    """
    return _decode(path, Results)


def shorten(results: Results) -> Verdicts:
    """The verdicts of a run."""
    return Verdicts(
        rulebooks=tuple(results.rulebooks),
        summary=_counted(results.summary),
        clause_summary=_counted(results.clause_summary),
        checks={each.id: each.verdict for each in results.checks if each.verdict not in UNREMARKABLE},
        clauses={each.id: each.verdict or _CAPABILITY[each.capability] for each in results.clauses},
    )


def read_recorded(path: Path) -> Verdicts:
    """The verdicts in a recorded file.

    Raises:
        GrantproofError: it is not there, or is none.
    """
    document = _decode(path, dict[str, Any])
    if document.pop("schema", None) != SCHEMA:
        raise GrantproofError(f"its schema is not {SCHEMA}", where=str(path))
    try:
        return msgspec.convert(document, Verdicts)
    except msgspec.ValidationError as problem:
        raise GrantproofError(f"no recorded verdicts: {problem}", where=str(path)) from None


def write_recorded(path: Path, verdicts: Verdicts) -> None:
    """Writes verdicts as a sorted file that is good to read in a diff."""
    ordered = replace(
        verdicts, checks=dict(sorted(verdicts.checks.items())), clauses=dict(sorted(verdicts.clauses.items()))
    )
    document = {"schema": SCHEMA, **asdict(ordered)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def differences(recorded: Verdicts, found: Verdicts) -> list[str]:
    """One line for each verdict and count that is not as recorded."""
    lines: list[str] = []
    if recorded.rulebooks != found.rulebooks:
        lines.append(f"rulebooks: {' '.join(found.rulebooks)} (recorded: {' '.join(recorded.rulebooks)})")
    lines += _changes("clause", recorded.clauses, found.clauses, "absent")
    lines += _changes("check", recorded.checks, found.checks, "pass, not offered or absent")
    lines += _changes("checks with verdict", recorded.summary, found.summary, 0)
    lines += _changes("clauses with verdict", recorded.clause_summary, found.clause_summary, 0)
    return lines


def describe_counts(counts: Mapping[str, int]) -> str:
    """Counts in words, without those that are zero."""
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number) or "none"


def _changes(what: str, recorded: Mapping[str, object], found: Mapping[str, object], missing: object) -> Iterator[str]:
    for key in sorted({*recorded, *found}):
        before, now = recorded.get(key, missing), found.get(key, missing)
        if before != now:
            yield f"{what} {key}: {now} (recorded: {before})"


def _counted(counts: Mapping[str, int]) -> dict[str, int]:
    return {verdict: number for verdict, number in counts.items() if number}


def _decode(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as problem:
        raise GrantproofError(f"cannot be read: {problem.strerror}", where=str(path)) from None
    except msgspec.DecodeError as problem:
        raise GrantproofError(f"is not what was expected: {problem}", where=str(path)) from None
