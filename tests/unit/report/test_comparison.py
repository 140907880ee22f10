"""Several runs side by side, as text and as a page."""

from html.parser import HTMLParser

import pytest

from grantproof.report.comparison import Column, Comparison, compare_runs
from grantproof.report.comparison_page import render_comparison
from grantproof.report.record import CheckResult, Run
from grantproof.verdict import Level, Verdict

from .runs import assemble, clause

FAIL, WARN, PASS, NOT_OFFERED = Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.NOT_OFFERED
ERROR = clause("rfc6749:5.2/error", "Errors have a code.")
CACHE = clause("rfc6749:5.1/no-store", "Answers are not kept.", rfc6749=Level.SHOULD)
LATER = clause("rfc6750:3/challenge", "A refusal has a challenge.")
BODY = clause("rfc6749:2.3.1/body", "A client may send its credentials in the body.", rfc6749=Level.MAY)
CATALOGUE = [LATER, ERROR, BODY, CACHE]


def run_of(**verdicts: Verdict) -> Run:
    """A run of the clauses named by the last part of their id."""
    known = {each.id.rpartition("/")[2].replace("-", "_"): each for each in CATALOGUE}
    checks = [CheckResult(f"t::{name}", (known[name].id,), "g", verdict, "") for name, verdict in verdicts.items()]
    return assemble([known[name] for name in verdicts], checks)


@pytest.fixture
def comparison() -> Comparison:
    runs = [
        run_of(error=FAIL, no_store=WARN, body=PASS),
        run_of(error=PASS, no_store=NOT_OFFERED, challenge=PASS, body=WARN),
    ]
    return compare_runs([Column.of(run) for run in runs], CATALOGUE)


def test_rows_stand_in_the_order_of_the_specifications(comparison: Comparison) -> None:
    assert [row.clause.id for row in comparison.rows] == [CACHE.id, ERROR.id, LATER.id]
    assert [part.spec for part in comparison.parts] == ["rfc6749", "rfc6750"]


def test_a_row_has_a_cell_for_each_run(comparison: Comparison) -> None:
    cells = {row.clause.id: row.cells for row in comparison.rows}
    assert cells == {ERROR.id: (FAIL, PASS), CACHE.id: (WARN, NOT_OFFERED), LATER.id: (None, PASS)}


def test_servers_differ_where_those_that_offer_it_do(comparison: Comparison) -> None:
    assert {row.clause.id for row in comparison.rows if row.differs} == {ERROR.id}


def test_permissions_stand_apart(comparison: Comparison) -> None:
    assert [(each.clause.id, each.cells) for each in comparison.permissions] == [(BODY.id, ("yes", "no"))]


def test_text_names_what_some_server_breaks(comparison: Comparison) -> None:
    lines = comparison.render().splitlines()
    assert [line.split()[0] for line in lines if ":" in line] == [CACHE.id, ERROR.id]
    assert lines[-1].split()[1:] == ["fail", "pass"]


def test_text_says_when_the_rulebooks_differ() -> None:
    one, other = run_of(error=PASS), run_of(error=PASS)
    columns = [Column.of(one), Column("other", ("rfc6749", "bcp9700"), Column.of(other).verdicts, {})]
    assert compare_runs(columns, CATALOGUE).render().startswith("note: the runs were judged by different rulebooks")


class _Cells(HTMLParser):
    """Reads the rows of the table of clauses, and what would leave the page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, str | None]] = {}
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "tr" and found.get("class") == "clause":
            self.rows[str(found["id"])] = found
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in {"src", "srcset", "style"} or name[:2] == "on"]


def test_page_has_every_row_and_loads_nothing(comparison: Comparison) -> None:
    page = render_comparison(comparison, title="Side by <side>", tool_version="0")
    cells = _Cells()
    cells.feed(page)
    assert {name: (row["data-v"], row["data-d"]) for name, row in cells.rows.items()} == {
        CACHE.id: ("warn", "0"),
        ERROR.id: ("fail", "1"),
        LATER.id: ("pass", "0"),
    }
    assert cells.loads == []
    assert "<side>" not in page
