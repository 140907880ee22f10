"""Levels, verdicts, and judge(): the one place where the ending of a check becomes a verdict.

Rules of this file:
- A verdict is never typed by a check; it follows from how the check ended and from its clause's level.
- Verdicts are ordered from worst to best; what is made of many is the worst of them.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive, NotOffered

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(StrEnum):
    """How strongly a clause binds, in the key words of RFC 2119."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"
    MAY = "MAY"
    NONE = "none"

    @property
    def is_requirement(self) -> bool:
        """Whether breaking it is a fail."""
        return self in {Level.MUST, Level.MUST_NOT}

    @property
    def is_recommendation(self) -> bool:
        """Whether breaking it is a warning."""
        return self in {Level.SHOULD, Level.SHOULD_NOT}

    @property
    def rank(self) -> int:
        """2 for a requirement, 1 for a recommendation, 0 for a permission, -1 for none."""
        if self.is_requirement:
            return 2
        if self.is_recommendation:
            return 1
        return 0 if self is Level.MAY else -1


class Verdict(StrEnum):
    """What a check or a clause came to; `badness` orders them."""

    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    WARN = "warn"
    WAIVED = "waived"
    PASS = "pass"  # noqa: S105 - a verdict, no password
    NOT_OFFERED = "not_offered"

    @property
    def badness(self) -> int:
        """Zero for the worst; a larger number is a better verdict."""
        return _ORDER[self]

    @staticmethod
    def worst(verdicts: "Iterable[Verdict]") -> "Verdict":
        """The worst of some verdicts; of none, not_offered."""
        return min(verdicts, key=lambda verdict: verdict.badness, default=Verdict.NOT_OFFERED)


_ORDER = {verdict: place for place, verdict in enumerate(Verdict)}


def judge(level: Level, ending: BaseException | None) -> Verdict:
    """The verdict on a check of a clause of this level that ended in this way.

    Args:
        level: the clause's level in the rulebooks of the run.
        ending: what the check raised; None when it returned.
    """
    if ending is None:
        return Verdict.PASS
    if isinstance(ending, NotOffered):
        return Verdict.NOT_OFFERED
    if isinstance(ending, AssertionError) and not isinstance(ending, Inconclusive):
        return Verdict.FAIL if level.is_requirement else Verdict.WARN
    return Verdict.INCONCLUSIVE
