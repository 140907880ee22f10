"""What a run comes to: the verdict of a clause, the counts, the exit code. Pure functions over levels and verdicts."""

from collections import Counter
from enum import IntEnum
from typing import TYPE_CHECKING

from grantproof.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SUMMARY_ORDER = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_OFFERED,
    Verdict.WAIVED,
)
_SEEN_BROKEN = {Verdict.FAIL, Verdict.WARN, Verdict.WAIVED}


class ExitCode(IntEnum):
    """What the process says to its caller."""

    LAWFUL = 0
    BROKEN = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INTERNAL = 4
    INTERRUPTED = 130


_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.USAGE,
    ExitCode.BROKEN,
    ExitCode.INCONCLUSIVE,
    ExitCode.LAWFUL,
)


def binds(level: Level) -> bool:
    """Whether a clause of this level gets a verdict: MAY is a capability, and `none` is switched off."""
    return level.is_requirement or level.is_recommendation


def clause_verdict(level: Level, verdicts: "Sequence[Verdict]") -> Verdict | None:
    """The worst of the clause's checks; None where the level gives no verdict.

    A check may decide clauses of different levels: its fail is a warn for a clause that only recommends.
    """
    if not binds(level):
        return None
    worst = Verdict.worst(verdicts)
    return Verdict.WARN if worst is Verdict.FAIL and level.is_recommendation else worst


def capability(level: Level, verdicts: "Iterable[Verdict]") -> bool | None:
    """Whether the target does what a MAY permits: seen at least once, seen missing only, or unknown.

    None also where the clause is no MAY.
    """
    if level is not Level.MAY:
        return None
    seen = set(verdicts)
    if Verdict.PASS in seen:
        return True
    return False if seen & _SEEN_BROKEN else None


def count(verdicts: "Iterable[Verdict | None]") -> dict[Verdict, int]:
    """How often each verdict came, zeros included, in the order of results.json; None counts nowhere."""
    counted = Counter(verdicts)
    return {verdict: counted[verdict] for verdict in SUMMARY_ORDER}


def exit_code(
    summary: "dict[Verdict, int]",
    *,
    capabilities: "Iterable[bool | None]" = (),
    waiver_is_stale: bool = False,
    interrupted: bool = False,
    internal_error: bool = False,
) -> ExitCode:
    """The exit code of a run with these checks, by the precedence 130, 4, 2, 1, 3, 0.

    Args:
        summary: how many checks came to which verdict.
        capabilities: what the run learned of the MAY clauses; None for nothing. A run of MAY clauses alone is lawful
            as soon as one of them is known.
        waiver_is_stale: a waiver matched a check that did not fail.
        interrupted: somebody stopped the run.
        internal_error: the run broke on our side.
    """
    capabilities = tuple(capabilities)
    known = any(answer is not None for answer in capabilities)
    judged = sum(number for verdict, number in summary.items() if verdict is not Verdict.NOT_OFFERED)
    holds = {
        ExitCode.INTERRUPTED: interrupted,
        ExitCode.INTERNAL: internal_error,
        ExitCode.USAGE: not capabilities and not sum(summary.values()),
        ExitCode.BROKEN: waiver_is_stale or summary[Verdict.FAIL] > 0,
        ExitCode.INCONCLUSIVE: summary[Verdict.INCONCLUSIVE] > 0 or not (judged or known),
        ExitCode.LAWFUL: True,
    }
    return next(code for code in _PRECEDENCE if holds[code])
