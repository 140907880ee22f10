"""What the engine counts in one second. Tallies of seconds, workers and runs add up exactly."""

from base64 import b64decode, b64encode
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
        abandoned: requests that were due or under way when the run was cut off.
        retried: requests sent again because a kept-alive connection had ended before it took them.
        errors: answers and endings that are none, by kind.
        protected: answers by which the target protects itself, by status.
        notes: what the judge noticed about valid answers.
        latency: from the intended sending to the answer, of valid answers, of time-outs and of what was cut off.
        service: from the actual sending to the answer, of the same.
        lag: from the intended to the actual sending, where a connection was free: the generator's own lateness.
        queue: the same where none was free: the request waited for the target.
        cpu_s: processor time of the whole process.
        starved: the system had no more sockets or ports to give.
        handshakes: TLS connections that were established.
        resumed: those of them that resumed an earlier session.
        multiplexed: those of them that speak HTTP/2.
        unserved: requests without an answer in time on a connection that was to be kept and never brought one.
        serving: connections that brought answers while others starved so, at most; sums keep the largest.
        retry_after: protective answers that said when to come again, by status.
        loop: how late the engine's own ticks came.
        scenario: whose they are; empty is a single one or all together.
        hashes: of the access tokens, eight octets each, for whoever looks for duplicates; sums do not keep them.
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
    handshakes: int = 0
    resumed: int = 0
    multiplexed: int = 0
    unserved: int = 0
    serving: int = 0
    retry_after: Counter[str] = field(default_factory=Counter[str])
    loop: Histogram = field(default_factory=Histogram)
    scenario: str = ""
    hashes: bytes = field(default=b"", repr=False)

    @property
    def resolved(self) -> int:
        """Requests that came to an end, good or bad."""
        return self.ok + self.errors.total() + self.protected.total()

    def add(self, other: "Tally") -> None:
        """Adds another tally; the second and the scenario stay."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        for name in _HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))
        for t, number in other.offered.items():
            self.offered[t] = self.offered.get(t, 0) + number
        self.starved = self.starved or other.starved
        self.serving = max(self.serving, other.serving)

    def to_data(self) -> dict[str, Any]:
        """A small form for other processes."""
        return {
            "t": self.t,
            "offered": [[t, number] for t, number in self.offered.items()],
            "starved": self.starved,
            "serving": self.serving,
            "scenario": self.scenario,
            "hashes": b64encode(self.hashes).decode(),
            **{name: getattr(self, name) for name in _NUMBERS},
            **{name: dict(getattr(self, name)) for name in _COUNTERS},
            **{name: getattr(self, name).to_data() for name in _HISTOGRAMS},
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Tally":
        """The tally again."""
        values: dict[str, Any] = {name: data[name] for name in ("t", "starved", "serving", "scenario", *_NUMBERS)}
        values["hashes"] = b64decode(data["hashes"])
        values |= {name: Counter(data[name]) for name in _COUNTERS}
        values |= {name: Histogram.from_data(data[name]) for name in _HISTOGRAMS}
        return cls(offered={t: number for t, number in data["offered"]}, **values)  # noqa: C416 - pairs come as lists


_NUMBERS = (
    "sent",
    "ok",
    "received",
    "opened",
    "reused",
    "retried",
    "abandoned",
    "cpu_s",
    "handshakes",
    "resumed",
    "multiplexed",
    "unserved",
)
_COUNTERS = ("errors", "protected", "notes", "retry_after")
_HISTOGRAMS = ("latency", "service", "lag", "queue", "loop")
