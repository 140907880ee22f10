"""What changed between two runs."""

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from grantproof.report.diff import Kind, compare
from grantproof.report.record import CheckResult, Run
from grantproof.verdict import Level, Verdict

from .runs import assemble, clause

FAIL, WARN, PASS = Verdict.FAIL, Verdict.WARN, Verdict.PASS
UNDECIDED, NOT_OFFERED, WAIVED = Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED, Verdict.WAIVED
IT = clause("rfc6749:5.2/x", "C.")


def run_of(*verdicts: Verdict | None) -> Run:
    """A run of one clause with a check for each verdict; None leaves the check out."""
    checks = [CheckResult(f"t::{i}", (IT.id,), "g", v, f"said {v}") for i, v in enumerate(verdicts) if v]
    return assemble([IT], checks)


@pytest.mark.parametrize(
    ("old", "new", "kind", "code"),
    [
        (PASS, PASS, None, 0),
        (FAIL, FAIL, None, 0),
        (PASS, FAIL, Kind.NEW, 1),
        (WARN, FAIL, Kind.NEW, 1),
        (None, FAIL, Kind.NEW, 1),
        (UNDECIDED, FAIL, Kind.NEW, 1),
        (NOT_OFFERED, FAIL, Kind.NEW, 1),
        (WAIVED, FAIL, Kind.NEW, 1),
        (PASS, WARN, Kind.NEW, 0),
        (None, WARN, Kind.NEW, 0),
        (PASS, UNDECIDED, Kind.UNDECIDED, 3),
        (WARN, UNDECIDED, Kind.UNDECIDED, 3),
        (None, UNDECIDED, Kind.UNDECIDED, 3),
        (FAIL, UNDECIDED, Kind.CHANGED, 0),
        (FAIL, PASS, Kind.FIXED, 0),
        (WARN, PASS, Kind.FIXED, 0),
        (FAIL, WARN, Kind.CHANGED, 0),
        (FAIL, WAIVED, Kind.CHANGED, 0),
        (FAIL, NOT_OFFERED, Kind.CHANGED, 0),
        (PASS, NOT_OFFERED, Kind.CHANGED, 0),
        (PASS, WAIVED, Kind.CHANGED, 0),
        (UNDECIDED, PASS, Kind.CHANGED, 0),
        (None, PASS, None, 0),
        (None, NOT_OFFERED, None, 0),
        (FAIL, None, Kind.GONE, 0),
    ],
)
def test_a_change_of_verdict_has_its_meaning(
    old: Verdict | None, new: Verdict | None, kind: Kind | None, code: int
) -> None:
    diff = compare(run_of(old, PASS), run_of(new, PASS))  # the old one first
    before, after = run_of(None, PASS, old), run_of(None, PASS, new)
    for found in (diff, compare(before, after)):
        assert [change.kind for change in found.changes] == ([kind] if kind else [])
        assert found.exit_code == code


def test_a_new_fail_outweighs_what_is_undecided() -> None:
    assert compare(run_of(PASS, PASS), run_of(FAIL, UNDECIDED)).exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (UNDECIDED, UNDECIDED, 3),
        (NOT_OFFERED, NOT_OFFERED, 3),
        (PASS, NOT_OFFERED, 3),
        (FAIL, UNDECIDED, 3),
        (PASS, WAIVED, 0),
        (UNDECIDED, WARN, 0),
        (UNDECIDED, FAIL, 1),
    ],
)
def test_a_run_that_decides_nothing_is_never_good_news(old: Verdict, new: Verdict, code: int) -> None:
    diff = compare(run_of(old), run_of(new))
    assert diff.exit_code == code
    assert ("note: the new run decided nothing" in diff.render()) == (code == 3)


def test_findings_are_keyed_by_clause_and_check() -> None:
    other = clause("rfc6749:5.3/y", "D.")
    old = assemble([IT, other], [CheckResult("t::0", (IT.id,), "g", FAIL)])
    new = assemble([IT, other], [CheckResult("t::0", (IT.id, other.id), "g", FAIL)])
    assert [(change.clause, change.check) for change in compare(old, new).changes] == [(other.id, "t::0")]


def test_a_capability_that_changed_is_told_and_never_counts() -> None:
    may = clause("rfc6749:3.3/m", "May.", rfc6749=Level.MAY)
    old, new = (assemble([may], [CheckResult("t::m", (may.id,), "g", verdict)]) for verdict in (PASS, WARN))
    diff = compare(old, new)
    assert diff.changes == ()
    assert diff.render() == "capability rfc6749:3.3/m: yes -> no"
    assert diff.exit_code == 0


def test_the_text_is_as_it_was(snapshot: SnapshotAssertion) -> None:
    old = run_of(PASS, PASS, FAIL, FAIL, FAIL, None)
    new = replace(run_of(FAIL, UNDECIDED, PASS, WAIVED, None, PASS), rulebooks=("rfc6749", "bcp9700"))
    assert compare(old, new).render() == snapshot


def test_no_change_is_said() -> None:
    assert compare(run_of(FAIL), run_of(FAIL)).render() == "no change"


def test_many_changes_are_cut() -> None:
    diff = compare(run_of(*[PASS] * 50), run_of(*[FAIL] * 50))
    assert diff.render().splitlines()[-1] == "  and 30 more"
