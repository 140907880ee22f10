"""Several runs side by side: a column a server, a row a clause.

Rules of this file:
- A clause that a run does not have was not selected there; that is told apart from one that the server does not offer.
- A permission (MAY) has no verdict; its row says who was seen to use it, and stands apart from what is judged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Self

from grantproof.report.specifications import TITLES, section_order, short_name
from grantproof.report.tally import binds
from grantproof.report.visible import one_line
from grantproof.verdict import Level, Verdict

if TYPE_CHECKING:
    from grantproof.clauses import Clause
    from grantproof.report.record import Run

_WIDEST = 26
_USED = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class Column:
    """One server: verdicts by clause id, for permissions whether they were seen in use; `link` leads to its page."""

    name: str
    rulebooks: tuple[str, ...]
    verdicts: Mapping[str, Verdict]
    capabilities: Mapping[str, bool | None]
    link: str = ""

    @classmethod
    def of(cls, run: "Run") -> Self:
        """The column of a run."""
        return cls(
            name=one_line(run.target.name or run.target.issuer or "unnamed", 60),
            rulebooks=run.rulebooks,
            verdicts={clause.id: clause.verdict for clause in run.clauses if clause.verdict is not None},
            capabilities={clause.id: clause.capability for clause in run.clauses if clause.verdict is None},
        )

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """How many clauses came to each verdict."""
        found = list(self.verdicts.values())
        return {verdict: found.count(verdict) for verdict in Verdict}


@dataclass(frozen=True)
class Row:
    """One clause; a cell is None where the run did not select it."""

    clause: "Clause"
    level: Level
    cells: tuple[Verdict | None, ...]

    @property
    def worst(self) -> Verdict:
        """The worst verdict of the row."""
        return Verdict.worst(cell for cell in self.cells if cell is not None)

    @property
    def differs(self) -> bool:
        """Whether servers that offer it do not all come to the same."""
        return len({cell for cell in self.cells if cell not in {None, Verdict.NOT_OFFERED}}) > 1


@dataclass(frozen=True)
class Permission:
    """One clause that permits something, and who was seen to use it."""

    clause: "Clause"
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """The rows of one specification."""

    spec: str
    name: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Comparison:
    """The columns, the rows by specification, and the permissions."""

    columns: tuple[Column, ...]
    parts: tuple[Part, ...]
    permissions: tuple[Permission, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row in the order of the specifications."""
        return tuple(row for part in self.parts for row in part.rows)

    @property
    def rulebooks_differ(self) -> bool:
        """Whether the runs were judged by different rulebooks, so that levels need not agree."""
        return len({column.rulebooks for column in self.columns}) > 1

    def render(self) -> str:
        """Plain lines: the counts, then every clause that some server breaks or leaves aside."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        names = [one_line(column.name, _WIDEST) for column in self.columns]
        widths = [max(len(name), 12) for name in names]
        if self.rulebooks_differ:
            yield "note: the runs were judged by different rulebooks"
        yield f"{'':<44} " + "  ".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
        for verdict in Verdict:
            counted = [column.counts[verdict] for column in self.columns]
            if any(counted):
                told = "  ".join(f"{number:>{width}}" for number, width in zip(counted, widths, strict=True))
                yield f"{verdict.replace('_', ' '):<44} {told}"
        for row in self.rows:
            if row.worst in {Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.WAIVED}:
                told = "  ".join(f"{_word(cell):>{width}}" for cell, width in zip(row.cells, widths, strict=True))
                yield f"{row.clause.id:<44} {told}"


def compare_runs(columns: Sequence[Column], clauses: "Sequence[Clause]") -> Comparison:
    """The servers side by side, clause by clause; clauses that no run has are left out.

    Args:
        columns: one a server, in the order in which they are to stand.
        clauses: the catalogue.
    """
    rulebooks = columns[0].rulebooks if columns else ("rfc6749",)
    rows: list[Row] = []
    permissions: list[Permission] = []
    for clause in clauses:
        cells = tuple(column.verdicts.get(clause.id) for column in columns)
        level = clause.level(rulebooks)
        if any(cell is not None for cell in cells):
            rows.append(Row(clause, level, cells))
        elif not binds(level) and any(clause.id in column.capabilities for column in columns):
            used = tuple(_USED[column.capabilities.get(clause.id)] for column in columns)
            permissions.append(Permission(clause, used))
    order = list(TITLES)
    rows.sort(key=lambda row: (order.index(row.clause.spec), section_order(row.clause.section), row.clause.id))
    parts = tuple(
        Part(spec, short_name(spec), TITLES[spec], tuple(own))
        for spec, own in groupby(rows, lambda row: row.clause.spec)
    )
    return Comparison(tuple(columns), parts, tuple(permissions))


def _word(verdict: Verdict | None) -> str:
    return "not run" if verdict is None else verdict.replace("_", " ")
