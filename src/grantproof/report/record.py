"""The Run record: what a run was, what it judged and what it saw. `results.json` is this record and nothing else.

Rules of this file:
- A run lists the clauses that at least one of its checks names; a clause none of whose checks ran is absent.
- MAY and `none` clauses have no verdict. A check that names only such clauses counts in no summary; where it found the
  permission unused, its verdict reads not_offered, and the clause's capability is false.
- The exit code tells an interrupted run (130) and a run that broke on our side (4) from a complete one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

from grantproof.errors import GrantproofError
from grantproof.report.files import replace_file
from grantproof.report.rows import (
    CheckResult,
    ClauseResult,
    ExchangeRecord,
    Target,
    Waiver,
    counts_of,
    exchange_of,
)
from grantproof.report.tally import ExitCode, binds, capability, clause_verdict, count, exit_code
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from grantproof.clauses import Clause

__all__ = ["SCHEMA", "CheckResult", "ClauseResult", "ExchangeRecord", "Run", "Target", "Waiver"]

SCHEMA = "grantproof/results/1"


@dataclass(frozen=True)
class Run:
    """One conformance run. `started` is UTC in ISO 8601 with a Z."""

    tool_version: str
    target: Target
    rulebooks: tuple[str, ...]
    seed: int
    started: str
    seconds: float
    exit_code: int
    summary: Mapping[Verdict, int]
    clause_summary: Mapping[Verdict, int]
    clauses: tuple[ClauseResult, ...]
    checks: tuple[CheckResult, ...]
    exchanges: tuple[ExchangeRecord, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @property
    def interrupted(self) -> bool:
        """Whether the record holds only what was gathered until somebody stopped the run."""
        return self.exit_code == ExitCode.INTERRUPTED

    @classmethod
    def assemble(  # noqa: PLR0913 - a record has as many parts as it has
        cls,
        *,
        tool_version: str,
        target_name: str,
        issuer: str,
        rulebooks: Sequence[str],
        seed: int,
        started: datetime,
        seconds: float,
        clauses: "Iterable[Clause]",
        checks: Sequence[CheckResult],
        exchanges: Iterable[Mapping[str, Any]] = (),
        waivers: Sequence[Waiver] = (),
        profile: str = "",
        interrupted: bool = False,
        internal_error: bool = False,
    ) -> Self:
        """The record of a run that has ended: levels, clause verdicts, capabilities, counts and exit code follow.

        Args:
            tool_version: the version that judged.
            target_name: the target as the profile calls it.
            issuer: the target's issuer identifier; empty when unknown.
            rulebooks: the rulebooks in force, the base first.
            seed: the seed of the fuzzed checks.
            started: an aware time.
            seconds: how long the run took.
            clauses: at least all clauses that the checks name; the rest is left out.
            checks: every check that ended, in the order of the report.
            exchanges: the redacted exchanges that the checks refer to by number.
            waivers: the profile's waivers, each with its state.
            profile: the profile's path or name as the user gave it.
            interrupted: somebody stopped the run.
            internal_error: the run broke on our side.

        Raises:
            GrantproofError: a check names a clause that is not among the clauses.
        """
        found = _clause_results(clauses, checks, rulebooks)
        binding = {clause.id for clause in found if binds(clause.level)}
        summary = count(check.verdict for check in checks if binding.intersection(check.clauses))
        return cls(
            tool_version=tool_version,
            target=Target(target_name, issuer, profile),
            rulebooks=tuple(rulebooks),
            seed=seed,
            started=started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            seconds=round(seconds, 3),
            exit_code=int(
                exit_code(
                    summary,
                    capabilities=[clause.capability for clause in found if not binds(clause.level)],
                    waiver_is_stale=any(waiver.state == "stale" for waiver in waivers),
                    interrupted=interrupted,
                    internal_error=internal_error,
                )
            ),
            summary=summary,
            clause_summary=count(clause.verdict for clause in found),
            clauses=found,
            checks=tuple(_settled(check, binding) for check in checks),
            exchanges=tuple(exchange_of(exchange) for exchange in exchanges),
            waivers=tuple(waivers),
        )

    def to_json(self) -> str:
        """The text of results.json; ASCII, so that a hostile body cannot spoil its encoding."""
        members: dict[str, Any] = {
            "schema": SCHEMA,
            "tool": {"version": self.tool_version},
            "target": asdict(self.target),
            "rulebooks": self.rulebooks,
            "seed": self.seed,
            "started": self.started,
            "seconds": self.seconds,
            "exit_code": self.exit_code,
            "summary": self.summary,
            "clause_summary": self.clause_summary,
            "waivers": [asdict(waiver) for waiver in self.waivers],
            "clauses": [asdict(clause) for clause in self.clauses],
            "checks": [asdict(check) for check in self.checks],
            "exchanges": self.exchanges,
        }
        return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in members.items()) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The record that `to_json` wrote; members that it does not know are skipped.

        Raises:
            GrantproofError: the text is not a results.json of a version that this program reads.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            if document.get("schema") != SCHEMA:
                raise GrantproofError(f"the schema is {document.get('schema')!r}", hint=f"this version reads {SCHEMA}")
            return cls(
                tool_version=document["tool"]["version"],
                target=Target.from_row(document["target"]),
                rulebooks=tuple(document["rulebooks"]),
                seed=document["seed"],
                started=document["started"],
                seconds=document["seconds"],
                exit_code=document["exit_code"],
                summary=counts_of(document["summary"]),
                clause_summary=counts_of(document["clause_summary"]),
                clauses=tuple(ClauseResult.from_row(row) for row in document["clauses"]),
                checks=tuple(CheckResult.from_row(row) for row in document["checks"]),
                exchanges=tuple(exchange_of(row) for row in document["exchanges"]),
                waivers=tuple(Waiver.from_row(row) for row in document.get("waivers", ())),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise GrantproofError(f"no results.json of ours: {type(problem).__name__}: {problem}") from None

    @classmethod
    def read(cls, path: "Path") -> Self:
        """The record in a run's folder, or in a results.json itself.

        Raises:
            GrantproofError: there is none, or it cannot be read.
        """
        file = path / "results.json" if path.is_dir() else path
        try:
            return cls.from_json(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            raise GrantproofError(f"cannot read the run: {reason}", where=str(file)) from None
        except GrantproofError as problem:
            raise GrantproofError(problem.what, where=str(file), hint=problem.hint) from None

    def write(self, path: "Path") -> "Path":
        """Replaces the file at this path by the record, in one step."""
        return replace_file(path, self.to_json())


def _lines(value: object) -> str:
    """JSON with one line for each object of a list: quick to write, and quick to compare by lines."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        rows = cast("Sequence[object]", value)
        return "[\n " + ",\n ".join(json.dumps(row, allow_nan=False) for row in rows) + "\n]"
    return json.dumps(value, allow_nan=False)


def _clause_results(
    clauses: "Iterable[Clause]", checks: Sequence[CheckResult], rulebooks: Sequence[str]
) -> tuple[ClauseResult, ...]:
    named: dict[str, list[CheckResult]] = {}
    for check in checks:
        for clause_id in check.clauses:
            named.setdefault(clause_id, []).append(check)
    found: list[ClauseResult] = []
    for clause in clauses:
        own = named.pop(clause.id, None)
        if own is None:
            continue
        level = clause.level(rulebooks)
        verdicts = [check.verdict for check in own]
        found.append(
            ClauseResult(
                id=clause.id,
                spec=clause.spec,
                section=clause.section,
                level=level,
                levels=dict(clause.levels),
                statement=clause.statement,
                url=clause.url,
                verdict=clause_verdict(level, verdicts),
                capability=capability(level, verdicts),
                checks=tuple(check.id for check in own),
            )
        )
    if named:
        raise GrantproofError(f"a check names a clause that the run does not know: {min(named)}")
    return tuple(found)


def _settled(check: CheckResult, binding: set[str]) -> CheckResult:
    if check.verdict in {Verdict.FAIL, Verdict.WARN, Verdict.WAIVED} and not binding.intersection(check.clauses):
        return replace(check, verdict=Verdict.NOT_OFFERED)
    return check
