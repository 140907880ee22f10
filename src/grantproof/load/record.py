"""A run as it is gathered: totals of everything, and one row for each second."""

from dataclasses import dataclass
from typing import Final

from grantproof.load.histogram import Histogram
from grantproof.load.tally import Tally

_KEPT_SECONDS: Final = 15


@dataclass(slots=True)
class Row:
    """One second of a run, over all workers. `p99` is in seconds, of the requests that ended in this one."""

    t: int
    offered: int = 0
    sent: int = 0
    ok: int = 0
    errors: int = 0
    protected: int = 0
    p99: float = 0.0


class RunRecord:
    """Adds up tallies of seconds and workers. A second keeps its histogram only while late tallies may come in."""

    def __init__(self) -> None:
        self.total = Tally()
        self._rows: dict[int, Row] = {}
        self._latencies: dict[int, Histogram] = {}

    def add(self, tally: Tally) -> Row:
        """Adds one tally; gives the row of its second as it is now."""
        self.total.add(tally)
        for t, number in tally.offered.items():
            self._row(t).offered += number
        row = self._row(tally.t)
        row.sent += tally.sent
        row.ok += tally.ok
        row.errors += tally.errors.total()
        row.protected += tally.protected.total()
        if tally.t not in self._latencies:
            if tally.t < max(self._rows) - _KEPT_SECONDS:
                row.p99 = max(row.p99, tally.latency.percentile(99))
                return row
            self._latencies[tally.t] = Histogram()
            for old in [t for t in self._latencies if t < tally.t - _KEPT_SECONDS]:
                del self._latencies[old]
        self._latencies[tally.t].merge(tally.latency)
        row.p99 = round(self._latencies[tally.t].percentile(99), 9)
        return row

    def offer(self, t: int, number: int) -> None:
        """Adds requests that were due in a second and that nobody is known to have sent."""
        self._row(t).offered += number
        self.total.offered[t] = self.total.offered.get(t, 0) + number

    def _row(self, t: int) -> Row:
        return self._rows.setdefault(t, Row(t))

    @property
    def series(self) -> list[Row]:
        """The rows in order."""
        return [self._rows[t] for t in sorted(self._rows)]

    @property
    def resolved(self) -> int:
        """Requests that came to an end, good or bad."""
        return self.total.resolved
