"""What the page says, before markup."""

import pytest

from grantproof.report.page import compose, conclude, reasons
from grantproof.report.record import CheckResult, Run, Waiver
from grantproof.report.specifications import section_order, short_name
from grantproof.verdict import Level, Verdict

from .runs import assemble, clause

FAIL, WARN, PASS = Verdict.FAIL, Verdict.WARN, Verdict.PASS
UNDECIDED, NOT_OFFERED, WAIVED = Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED, Verdict.WAIVED


def run_of(*verdicts: Verdict, stale: bool = False, interrupted: bool = False) -> Run:
    """A run with one clause for each verdict; those that warn are recommendations."""
    clauses = [
        clause(f"rfc6749:5.{i}/x", "C.", rfc6749=Level.SHOULD if verdict is WARN else Level.MUST)
        for i, verdict in enumerate(verdicts)
    ]
    checks = [CheckResult(f"t::{i}", (clauses[i].id,), "g", verdict) for i, verdict in enumerate(verdicts)]
    waivers = [Waiver("rfc6749:5.0/x", "r", "2027-01-31", "stale")] if stale else []
    return assemble(clauses, checks, waivers=waivers, interrupted=interrupted)


@pytest.mark.parametrize(
    ("run", "tone", "sentence"),
    [
        (run_of(PASS, PASS), PASS, "Keeps all 2 requirements judged."),
        (run_of(PASS), PASS, "Keeps the one requirement judged."),
        (run_of(PASS, WARN), WARN, "Keeps the one requirement judged and departs from 1 recommendation."),
        (run_of(FAIL, PASS, NOT_OFFERED), FAIL, "Breaks 1 of the 2 requirements judged."),
        (run_of(FAIL), FAIL, "Breaks the one requirement judged."),
        (
            run_of(FAIL, FAIL, WARN, WARN, UNDECIDED, WAIVED),
            FAIL,
            (
                "Breaks 2 of the 3 requirements judged and departs from 2 recommendations; "
                "1 clause could not be decided, 1 clause is waived."
            ),
        ),
        (run_of(PASS, UNDECIDED), UNDECIDED, "Keeps the one requirement judged; 1 clause could not be decided."),
        (run_of(UNDECIDED), UNDECIDED, "Met no requirement that could be judged; 1 clause could not be decided."),
        (run_of(NOT_OFFERED), NOT_OFFERED, "Nothing was judged: the target offers nothing that was selected."),
        (run_of(), NOT_OFFERED, "Nothing was judged: the target offers nothing that was selected."),
        (run_of(PASS, stale=True), WARN, "Keeps the one requirement judged; 1 waiver is stale."),
        (
            run_of(PASS, interrupted=True),
            PASS,
            "The run was interrupted; until then it keeps the one requirement judged.",
        ),
    ],
)
def test_the_conclusion_is_one_true_sentence(run: Run, tone: Verdict, sentence: str) -> None:
    assert (conclude(run).tone, conclude(run).sentence) == (tone, sentence)


def test_findings_come_worst_first_with_the_newest_exchange_first(small_run: Run) -> None:
    page = compose(small_run)
    assert [view.result.verdict for view in page.findings] == [FAIL, WARN]
    worst = page.findings[0]
    assert [check.result.verdict for check in worst.broken] == [FAIL, FAIL]
    assert [shown.n for shown in worst.broken[0].evidence] == [2, 1]


def test_an_exchange_stands_once_and_is_referred_to_elsewhere(small_run: Run) -> None:
    page = compose(small_run)
    views = [check for spec in page.specifications for view in spec.clauses for check in view.checks]
    numbers = [shown.n for check in views for shown in check.evidence]
    assert sorted(numbers) == [1, 2, 3, 5, 6]
    lifetime = page.findings[1].broken[0]
    assert (lifetime.evidence, lifetime.elsewhere) == ((), (1,))


def test_specifications_and_sections_are_in_the_order_of_their_documents(small_run: Run) -> None:
    page = compose(small_run)
    assert [view.spec for view in page.specifications] == ["rfc6749", "rfc7662"]
    assert [view.result.section for view in page.specifications[0].clauses] == [
        "3.2",
        "4.2.2",
        "5.1",
        "5.1",
        "5.1",
        "5.2",
    ]
    assert sorted(["10.3", "A.12", "5.2", "B", "A.2", "5"], key=section_order) == [
        "5",
        "5.2",
        "10.3",
        "A.2",
        "A.12",
        "B",
    ]
    assert [short_name(spec) for spec in ("rfc6749", "oidc-core")] == ["RFC 6749", "OIDC Core"]


def test_permissions_are_capabilities_and_stand_in_no_specification(small_run: Run) -> None:
    page = compose(small_run)
    assert [(found.id, found.capability) for found in page.capabilities] == [
        ("rfc6749:2.3.1/body", False),
        ("rfc6749:3.3/default-scope", True),
    ]
    listed = {view.result.id for spec in page.specifications for view in spec.clauses}
    assert not listed & {found.id for found in page.capabilities}


def test_a_reason_is_told_once_for_all_its_clauses() -> None:
    clauses = [clause(f"rfc6749:5.{i}/x", "C.") for i in range(3)]
    checks = [
        CheckResult(f"t::{i}", (found.id,), "g", UNDECIDED, "time-out\n after 10 s" if i else "reset")
        for i, found in enumerate([*clauses, clauses[2]])
    ]
    found = reasons(assemble(clauses, checks), UNDECIDED)
    assert [(reason.message, len(reason.clauses), reason.checks) for reason in found] == [
        ("time-out after 10 s", 2, 3),
        ("reset", 1, 1),
    ]


def test_checks_of_one_name_and_ending_stand_together(small_run: Run) -> None:
    groups = compose(small_run).findings[0].groups
    assert [(group.name, group.verdict, group.parameters) for group in groups] == [
        ("rfc6749/test_5_2_error.py::test_unknown_grant_type", FAIL, ("basic",)),
        ("rfc6749/test_5_2_error.py::test_unknown_grant_type", FAIL, ("post",)),
        ("rfc6749/test_5_2_error.py::test_unknown_grant_type", PASS, ("jwt",)),
    ]
    found = clause("rfc6749:5.2/x", "C.")
    checks = [CheckResult(f"t.py::test_x[{name}]", (found.id,), "g", PASS) for name in ("a[0]", "b")]
    page = compose(assemble([found], [*checks, CheckResult("t.py::test_x", (found.id,), "g", PASS)]))
    (group,) = page.specifications[0].clauses[0].groups
    assert (group.parameters, len(group.checks)) == (("a[0]", "b"), 3)
