"""What the engine counts in one second. Tallies of seconds, workers and runs add up exactly."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grantproof.load.histogram import Histogram


@dataclass(slots=True)
class Tally:
    """Counts of one second of a run.

    Attributes:
        t: the second, counted from 1.
        offered: how many requests were meant to leave, by the second in which they were.
        sent: requests that left, those sent again included.
        ok: valid answers.
        received: octets of all bodies.
        opened: connections opened.
        reused: requests sent on a connection that had brought an answer before.
        abandoned: requests under way when the run was cut off.
        retried: requests sent again because a kept-alive connection had ended before it took them.
        errors: answers and endings that are none, by kind.
        protected: answers by which the target protects itself, by status.
        notes: what the judge noticed about valid answers.
        latency: from the intended sending to the answer, of valid answers and of time-outs.
        service: from the actual sending to the answer, of the same.
        lag: from the intended to the actual sending, where a connection was free: the generator's own lateness.
        queue: the same where none was free: the request waited for the target.
        cpu_s: processor time of the whole process.
        starved: the system had no more sockets or ports to give.
    """

    t: int = 0
    offered: dict[int, int] = field(default_factory=dict[int, int])
    sent: int = 0
    ok: int = 0
    received: int = 0
    opened: int = 0
    reused: int = 0
    retried: int = 0
    abandoned: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])
    protected: Counter[str] = field(default_factory=Counter[str])
    notes: Counter[str] = field(default_factory=Counter[str])
    latency: Histogram = field(default_factory=Histogram)
    service: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)
    queue: Histogram = field(default_factory=Histogram)
    cpu_s: float = 0.0
    starved: bool = False

    @property
    def resolved(self) -> int:
        """Requests that came to an end, good or bad."""
        return self.ok + self.errors.total() + self.protected.total()

    def add(self, other: "Tally") -> None:
        """Adds another tally; the second stays."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in _HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))
        for t, number in other.offered.items():
            self.offered[t] = self.offered.get(t, 0) + number
        self.starved = self.starved or other.starved

    def to_data(self) -> dict[str, Any]:
        """A small form for other processes."""
        return {
            "t": self.t,
            "offered": [[t, number] for t, number in self.offered.items()],
            "starved": self.starved,
            **{name: getattr(self, name) for name in _NUMBERS},
            **{name: dict(getattr(self, name)) for name in _COUNTERS},
            **{name: getattr(self, name).to_data() for name in _HISTOGRAMS},
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Tally":
        """The tally again."""
        values: dict[str, Any] = {name: data[name] for name in ("t", "starved", *_NUMBERS)}
        values |= {name: Counter(data[name]) for name in _COUNTERS}
        values |= {name: Histogram.from_data(data[name]) for name in _HISTOGRAMS}
        return cls(offered={t: number for t, number in data["offered"]}, **values)  # noqa: C416 - pairs come as lists


_NUMBERS = ("sent", "ok", "received", "opened", "reused", "retried", "abandoned", "cpu_s")
_COUNTERS = ("errors", "protected", "notes")
_HISTOGRAMS = ("latency", "service", "lag", "queue")
