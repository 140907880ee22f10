"""Counts, clause verdicts and exit codes."""

import pytest

from grantproof.report.tally import capability, clause_verdict, count, exit_code
from grantproof.verdict import Level, Verdict

FAIL, WARN, PASS = Verdict.FAIL, Verdict.WARN, Verdict.PASS
UNDECIDED, NOT_OFFERED, WAIVED = Verdict.INCONCLUSIVE, Verdict.NOT_OFFERED, Verdict.WAIVED


@pytest.mark.parametrize(
    ("level", "verdicts", "found"),
    [
        (Level.MUST, [PASS, FAIL, UNDECIDED], (FAIL, None)),
        (Level.SHOULD, [PASS, WARN], (WARN, None)),
        (Level.MUST_NOT, [WAIVED, PASS, NOT_OFFERED], (WAIVED, None)),
        (Level.MUST, [NOT_OFFERED], (NOT_OFFERED, None)),
        (Level.MAY, [PASS, WARN], (None, True)),
        (Level.MAY, [WARN, UNDECIDED], (None, False)),
        (Level.MAY, [UNDECIDED, NOT_OFFERED], (None, None)),
        (Level.NONE, [FAIL], (None, None)),
    ],
)
def test_a_clause_has_the_worst_of_its_checks_or_a_capability(
    level: Level, verdicts: list[Verdict], found: tuple[Verdict | None, bool | None]
) -> None:
    assert (clause_verdict(level, verdicts), capability(level, verdicts)) == found


@pytest.mark.parametrize(
    ("verdicts", "flags", "code"),
    [
        ([PASS, WARN, WAIVED, NOT_OFFERED], {}, 0),
        ([PASS, FAIL, UNDECIDED], {}, 1),
        ([PASS], {"waiver_is_stale": True}, 1),
        ([], {}, 2),
        ([PASS, UNDECIDED], {}, 3),
        ([NOT_OFFERED], {}, 3),
        ([FAIL], {"internal_error": True}, 4),
        ([FAIL], {"interrupted": True, "internal_error": True}, 130),
        ([], {"interrupted": True}, 130),
        ([], {"capabilities": [True]}, 0),
        ([], {"capabilities": [False, None]}, 0),
        ([], {"capabilities": [None]}, 3),
        ([NOT_OFFERED], {"capabilities": [True]}, 0),
    ],
)
def test_the_exit_code_follows_the_precedence(verdicts: list[Verdict], flags: dict[str, bool], code: int) -> None:
    assert exit_code(count(verdicts), **flags) == code  # type: ignore[arg-type] # a table of keywords


def test_every_verdict_is_counted_and_none_counts_nowhere() -> None:
    assert count([PASS, None, PASS]) == {PASS: 2, FAIL: 0, WARN: 0, UNDECIDED: 0, NOT_OFFERED: 0, WAIVED: 0}
