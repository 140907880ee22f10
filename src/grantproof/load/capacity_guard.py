"""Watches over the target while it is searched: one that dies is left alone at once.

Limits, each on one second of a probe: requests that were lost (refused, reset, timed out, unreachable) may be 5 %;
answers that failed may be half of all. In the open loop, where stragglers are waited for once all is sent, both are
shares of what was sent in a second at most. Where some connections are served and others never are, the search goes on
with fewer of them, twice at most. And the target may be silent for two seconds, or for twice the longest
latency limit where that is more. Answers by which a target protects itself (429, 503) are no sign of dying.
"""

import math
from typing import TYPE_CHECKING, Final

from grantproof.load.dialer import UNREACHED

if TYPE_CHECKING:
    from grantproof.load.tally import Tally

LOST_SHARE: Final = 0.05
FAILED_SHARE: Final = 0.5
SILENT_S: Final = 2
_FEW: Final = 5
_FEWER: Final = ", most of them on connections that never brought an answer: try fewer --connections"
_RESTRAINTS: Final = 2


class TargetLostError(Exception):
    """The target does not stand the search. The text says what was seen."""


class StarvedError(TargetLostError):
    """The target serves some connections well and others never.

    Attributes:
        seen: what was lost.
        serving: how many it served.
    """

    def __init__(self, seen: str, serving: int) -> None:
        super().__init__(seen + _FEWER)
        self.seen, self.serving = seen, serving


class Guard:
    """Looks at each second of all probes.

    Attributes:
        reached: the target has said something, good or bad.
        restraints: how often a search may still go on with fewer connections.
        errors, protected: the share that failed, or was turned away, in the last second with answers; 0 to 1.
    """

    def __init__(self, longest_limit_s: float = 0.0) -> None:
        self.reached, self.restraints = False, _RESTRAINTS
        self.errors = self.protected = 0.0
        self._patience = max(SILENT_S, math.ceil(2 * longest_limit_s))
        self._silent, self._always_busy, self._pace = 0, False, 0

    def start(self, *, always_busy: bool = False) -> None:
        """A new probe begins. In the closed loop requests are under way at any time."""
        self._silent, self._always_busy, self._pace = 0, always_busy, 0

    def look(self, tally: "Tally") -> None:
        """Looks at one second.

        Raises:
            StarvedError: some connections are never served, others are.
            TargetLostError: a limit is crossed.
        """
        resolved = tally.resolved
        self._pace = max(tally.sent, self._pace)
        whole = resolved if self._always_busy else max(resolved, self._pace)
        if resolved:
            self.errors, self.protected = tally.errors.total() / whole, tally.protected.total() / whole
        lost = {kind: number for kind, number in tally.errors.items() if kind in UNREACHED}
        self.reached = self.reached or resolved > sum(lost.values())
        if sum(lost.values()) >= _FEW:
            kind = max(lost, key=lambda name: lost[name])
            said = f"{sum(lost.values()):,} of {whole:,} requests of a second were lost ({kind})"
            starved = 2 * tally.unserved > sum(lost.values())
            if starved and tally.serving and self.restraints:
                raise StarvedError(said, tally.serving)
            if sum(lost.values()) > LOST_SHARE * whole:
                raise TargetLostError(said + _FEWER * starved)
        failed = tally.errors.total()
        if failed >= 2 * _FEW and failed > FAILED_SHARE * whole:
            kind = tally.errors.most_common(1)[0][0]
            raise TargetLostError(f"{failed:,} of {whole:,} requests of a second failed ({kind})")
        if resolved:
            self._silent = 0
        elif self._always_busy or tally.sent or tally.offered:
            self._silent += 1
        if self._silent >= self._patience:
            raise TargetLostError(f"there was no answer for {self._silent} s")
