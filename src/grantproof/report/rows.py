"""The rows of a Run record, and how each is read back from results.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, Self, TypedDict, cast

from grantproof.errors import GrantproofError
from grantproof.verdict import Level, Verdict


class ExchangeRecord(TypedDict):
    """One redacted HTTP exchange; request and response have HAR's shape. `seconds` is how long the answer took."""

    n: int
    request: dict[str, Any]
    response: dict[str, Any]
    seconds: float
    curl: str
    startedDateTime: NotRequired[float | str]


@dataclass(frozen=True)
class Target:
    """Whom the run was about; `profile` is what the user named it by, empty in runs of versions that kept none."""

    name: str
    issuer: str = ""
    profile: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The target of a results.json."""
        return cls(row["name"], row["issuer"], row.get("profile", ""))


@dataclass(frozen=True)
class CheckResult:
    """How one parametrized check ended. `id` is its path below the conformance root; `exchanges` are their numbers."""

    id: str
    clauses: tuple[str, ...]
    grant: str
    verdict: Verdict
    message: str = ""
    seconds: float = 0.0
    exchanges: tuple[int, ...] = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The check that a row of results.json holds."""
        return cls(
            id=row["id"],
            clauses=tuple(row["clauses"]),
            grant=row["grant"],
            verdict=Verdict(row["verdict"]),
            message=row["message"],
            seconds=row["seconds"],
            exchanges=tuple(row["exchanges"]),
        )


@dataclass(frozen=True)
class ClauseResult:
    """What the run found about one clause. `verdict` is None for a MAY, whose finding is `capability`."""

    id: str
    spec: str
    section: str
    level: Level
    levels: Mapping[str, Level]
    statement: str
    url: str
    verdict: Verdict | None
    capability: bool | None
    checks: tuple[str, ...]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The clause that a row of results.json holds."""
        return cls(
            id=row["id"],
            spec=row["spec"],
            section=row["section"],
            level=Level(row["level"]),
            levels={rulebook: Level(level) for rulebook, level in row["levels"].items()},
            statement=row["statement"],
            url=row["url"],
            verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
            capability=row["capability"],
            checks=tuple(row["checks"]),
        )


@dataclass(frozen=True)
class Waiver:
    """A waiver of the profile and what became of it.

    `state` is one of: applied (it turned a finding into waived), stale (its check ran and did not fail), expired,
    unused (its check was not selected). `until` is the ISO date of its last day, UTC.
    """

    clause: str
    reason: str
    until: str
    state: str
    check: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The waiver that a row of results.json holds."""
        return cls(row["clause"], row["reason"], row["until"], row["state"], row.get("check"))


def exchange_of(row: Mapping[str, Any]) -> ExchangeRecord:
    """The exchange that a row holds, members of a later version included.

    Raises:
        GrantproofError: a part that every exchange has is missing.
    """
    missing = {"n", "request", "response", "seconds", "curl"} - row.keys()
    if missing:
        raise GrantproofError(f"an exchange lacks {', '.join(sorted(missing))}")
    return cast("ExchangeRecord", dict(row))


def counts_of(row: Mapping[str, int]) -> dict[Verdict, int]:
    """How often each verdict came, by its name."""
    return {Verdict(verdict): number for verdict, number in row.items()}
