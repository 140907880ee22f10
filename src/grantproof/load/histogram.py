"""Durations counted in log-linear buckets: small, exact to merge, never off by more than 0.8 %.

A duration is counted in nanoseconds. Below 256 each has its own bucket; above, each power of two is cut into 128 equal
buckets, so a bucket is at most 1/128 as wide as its lower edge.

Durations are noted first and put into buckets many at a time: the upper half of a number of single precision (IEEE 754)
holds its sign, its exponent and seven bits, which is its bucket.
"""

import sys
from array import array
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SUB_BITS: Final = 7
_EXACT_BITS: Final = _SUB_BITS + 1
_NS: Final = 1_000_000_000
LONGEST_S: Final = 600.0
_LONGEST_NS: Final = int(LONGEST_S * _NS)
_UPPER: Final = 1 if sys.byteorder == "little" else 0
_NEGATIVE: Final = 1 << 15
_BIAS: Final = 127


def _index(value_ns: int) -> int:
    shift = value_ns.bit_length() - _EXACT_BITS
    return (shift << _SUB_BITS) + (value_ns >> shift) if shift > 0 else value_ns


_SIZE: Final = _index(_LONGEST_NS) + 1


@lru_cache(maxsize=1 << 15)
def _index_of(upper: int) -> int:
    """The bucket of the durations in nanoseconds whose upper halves are this; negative ones count as zero."""
    if upper & _NEGATIVE:
        return 0
    shift = (upper >> _SUB_BITS) - _BIAS - _SUB_BITS
    value = (upper & (1 << _SUB_BITS) - 1) + (1 << _SUB_BITS)
    return _index(min(value << shift if shift > 0 else value >> -shift, _LONGEST_NS))


def bucket_middle(index: int) -> float:
    """The duration in seconds that stands for a bucket: its middle."""
    shift = max((index >> _SUB_BITS) - 1, 0)
    lowest = (index - (shift << _SUB_BITS)) << shift
    return (lowest + (1 << shift) / 2) / _NS if shift else lowest / _NS


class Histogram:
    """Counts of durations from 1 ns to 10 minutes; what is longer is counted there, while `longest_s` stays exact.

    Attributes:
        record: notes one duration in seconds; a negative one (a clock's jitter) counts as zero. A list's own method,
            because it is called several times for each request; `settle` has to be called now and then.
    """

    __slots__ = ("_counts", "_longest_s", "_noted", "record")

    def __init__(self) -> None:
        self._counts = [0] * _SIZE
        self._longest_s = 0.0
        self._noted: list[float] = []
        self.record: Callable[[float], None] = self._noted.append

    def settle(self) -> None:
        """Puts what was noted into buckets; whatever reads does so by itself."""
        noted = self._noted
        if not noted:
            return
        counts, upper_halves = self._counts, memoryview(array("f", [s * 1e9 for s in noted])).cast("B").cast("H")
        for upper, number in Counter(upper_halves[_UPPER::2]).items():
            counts[_index_of(upper)] += number
        noted.append(self._longest_s)
        self._longest_s = max(noted)
        noted.clear()

    @property
    def longest_s(self) -> float:
        """The longest duration in seconds, 0 without any."""
        self.settle()
        return self._longest_s

    @property
    def total(self) -> int:
        """How many durations were counted."""
        self.settle()
        return sum(self._counts)

    def merge(self, other: "Histogram") -> None:
        """Adds another histogram's counts, exactly."""
        self._longest_s = max(self.longest_s, other.longest_s)
        self._counts = list(map(int.__add__, self._counts, other._counts))  # noqa: SLF001 - the same class

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
        self.settle()
        return [(index, number) for index, number in enumerate(self._counts) if number]

    def to_data(self) -> dict[str, Any]:
        """A small form for other processes."""
        return {"longest_s": self.longest_s, "buckets": [list(bucket) for bucket in self.buckets()]}

    @classmethod
    def from_data(cls, data: "Mapping[str, Any]") -> "Histogram":
        """The histogram again."""
        histogram = cls()
        histogram._longest_s = float(data["longest_s"])
        for index, number in data["buckets"]:
            histogram._counts[index] += number
        return histogram
