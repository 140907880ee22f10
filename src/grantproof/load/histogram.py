"""Durations counted in log-linear buckets: small, exact to merge, never off by more than 0.8 %.

A duration is counted in nanoseconds. Below 256 each has its own bucket; above, each power of two is cut into 128 equal
buckets, so a bucket is at most 1/128 as wide as its lower edge.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUB_BITS: Final = 7
_EXACT_BITS: Final = _SUB_BITS + 1
_NS: Final = 1_000_000_000
LONGEST_S: Final = 600.0
_LONGEST_NS: Final = int(LONGEST_S * _NS)


def _index(value_ns: int) -> int:
    shift = value_ns.bit_length() - _EXACT_BITS
    return (shift << _SUB_BITS) + (value_ns >> shift) if shift > 0 else value_ns


_SIZE: Final = _index(_LONGEST_NS) + 1


def bucket_middle(index: int) -> float:
    """The duration in seconds that stands for a bucket: its middle."""
    shift = max((index >> _SUB_BITS) - 1, 0)
    lowest = (index - (shift << _SUB_BITS)) << shift
    return (lowest + (1 << shift) / 2) / _NS if shift else lowest / _NS


class Histogram:
    """Counts of durations from 1 ns to 10 minutes; what is longer is counted there, while `longest_s` stays exact."""

    __slots__ = ("_counts", "longest_s")

    def __init__(self) -> None:
        self._counts = [0] * _SIZE
        self.longest_s = 0.0

    def record(self, seconds: float) -> None:
        """Counts one duration; a negative one (a clock's jitter) counts as zero."""
        value = int(seconds * 1e9)
        if 255 < value < 0x80_0000_0000:  # what `_index` says of these, without a call
            shift = value.bit_length() - 8
            self._counts[(shift << 7) + (value >> shift)] += 1
        else:
            self._counts[_index(min(max(value, 0), _LONGEST_NS))] += 1
        if seconds > self.longest_s:  # noqa: PLR1730 - a call of max() for each request would be felt
            self.longest_s = seconds

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self._counts)

    def merge(self, other: "Histogram") -> None:
        """Adds another histogram's counts, exactly."""
        self._counts = list(map(int.__add__, self._counts, other._counts))  # noqa: SLF001 - the same class
        self.longest_s = max(self.longest_s, other.longest_s)

    def percentile(self, percent: float) -> float:
        """The duration in seconds that `percent` of all do not exceed; 0 when nothing was counted."""
        return self.percentiles((percent,))[0]

    def percentiles(self, percents: tuple[float, ...]) -> list[float]:
        """Several percentiles in one pass; `percents` must rise."""
        total, found, seen = self.total, list[float](), 0
        ranks = [max(1, -(-total * percent // 100)) for percent in percents]
        for index, number in enumerate(self._counts):
            if not number:
                continue
            seen += number
            while len(found) < len(ranks) and seen >= ranks[len(found)]:
                found.append(min(bucket_middle(index), self.longest_s))
        return found + [0.0] * (len(ranks) - len(found))

    def buckets(self) -> list[tuple[int, int]]:
        """The buckets that hold something: index and count, in rising order."""
        return [(index, number) for index, number in enumerate(self._counts) if number]

    def to_data(self) -> dict[str, Any]:
        """A small form for other processes."""
        return {"longest_s": self.longest_s, "buckets": [list(bucket) for bucket in self.buckets()]}

    @classmethod
    def from_data(cls, data: "Mapping[str, Any]") -> "Histogram":
        """The histogram again."""
        histogram = cls()
        histogram.longest_s = float(data["longest_s"])
        for index, number in data["buckets"]:
            histogram._counts[index] += number
        return histogram
