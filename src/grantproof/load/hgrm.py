"""Histograms as `.hgrm` files, the percentile tables that HdrHistogram's plotters read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grantproof.load.histogram import LONGEST_S, bucket_middle

if TYPE_CHECKING:
    from grantproof.load.histogram import Histogram

_US: Final = 1_000_000


def to_hdr(histogram: "Histogram") -> Any:
    """The same counts as an HdrHistogram in microseconds with three significant digits."""
    from hdrh.histogram import HdrHistogram  # noqa: PLC0415 - only an export needs it

    hdr: Any = HdrHistogram(1, int(LONGEST_S * _US), 3)
    for index, number in histogram.buckets():
        seconds = min(bucket_middle(index), histogram.longest_s)
        hdr.record_value(max(1, round(seconds * _US)), number)
    return hdr


def write_hgrm(histogram: "Histogram", path: Path) -> None:
    """Writes the percentile table, in milliseconds."""
    with path.open("wb") as file:
        to_hdr(histogram).output_percentile_distribution(file, 1000)
