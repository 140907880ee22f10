"""From the ending of a check to its verdict."""

import itertools

import pytest

from grantproof.errors import Inconclusive, NotOffered
from grantproof.transport import ResetError
from grantproof.verdict import Level, Verdict, judge

REQUIREMENTS = {Level.MUST, Level.MUST_NOT}


class BrokenCheckError(AssertionError):
    """An assertion of a library."""


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (None, Verdict.PASS),
        (NotOffered("no such thing"), Verdict.NOT_OFFERED),
        (Inconclusive("who knows"), Verdict.INCONCLUSIVE),
        (ResetError("broken off"), Verdict.INCONCLUSIVE),
        (RuntimeError("our bug"), Verdict.INCONCLUSIVE),
        (TimeoutError(), Verdict.INCONCLUSIVE),
        (ExceptionGroup("many", [AssertionError("one")]), Verdict.INCONCLUSIVE),
        (KeyboardInterrupt(), Verdict.INCONCLUSIVE),
    ],
)
def test_these_endings_are_judged_alike_at_every_level(
    level: Level, ending: BaseException | None, verdict: Verdict
) -> None:
    assert judge(level, ending) is verdict


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("ending", [AssertionError("it was so"), AssertionError(), BrokenCheckError("it was so")])
def test_an_assertion_breaks_a_requirement_and_warns_of_the_rest(level: Level, ending: AssertionError) -> None:
    assert judge(level, ending) is (Verdict.FAIL if level in REQUIREMENTS else Verdict.WARN)


def test_an_assertion_that_says_it_cannot_tell_is_no_fail() -> None:
    class UnsureError(AssertionError, Inconclusive):
        """Both."""

    assert judge(Level.MUST, UnsureError("perhaps")) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("level", "rank", "requirement", "recommendation"),
    [
        (Level.MUST, 2, True, False),
        (Level.MUST_NOT, 2, True, False),
        (Level.SHOULD, 1, False, True),
        (Level.SHOULD_NOT, 1, False, True),
        (Level.MAY, 0, False, False),
        (Level.NONE, -1, False, False),
    ],
)
def test_levels_are_ranked(level: Level, rank: int, *, requirement: bool, recommendation: bool) -> None:
    assert (level.rank, level.is_requirement, level.is_recommendation) == (rank, requirement, recommendation)


def test_the_worst_verdict_wins_in_the_order_of_the_contract() -> None:
    order = ["fail", "inconclusive", "warn", "waived", "pass", "not_offered"]
    assert [verdict.value for verdict in sorted(Verdict, key=lambda each: each.badness)] == order
    for worse, better in itertools.combinations(map(Verdict, order), 2):
        assert Verdict.worst([better, worse]) is worse
        assert Verdict.worst(iter([worse, better, better])) is worse
    assert Verdict.worst([]) is Verdict.NOT_OFFERED
