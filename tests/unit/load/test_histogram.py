"""The histogram's error bound, merging and export."""

import io
from itertools import pairwise
from pathlib import Path

import pytest

from grantproof.load.hgrm import to_hdr, write_hgrm
from grantproof.load.histogram import Histogram, bucket_middle

_MANTISSAS = (1.0, 1.004, 1.27, 1.2799, 1.9, 2.0, 2.56, 3.3333, 5.11, 5.12, 7.0, 9.999)
_EXPONENTS = range(-6, 2)
_DURATIONS = [mantissa * 10.0**exponent for exponent in _EXPONENTS for mantissa in _MANTISSAS] + [120.0, 599.9]


@pytest.mark.parametrize("seconds", _DURATIONS)
def test_no_duration_is_off_by_more_than_eight_thousandths(seconds: float) -> None:
    histogram = Histogram()
    histogram.record(seconds)
    histogram.record(600.0)
    assert histogram.percentile(50) == pytest.approx(seconds, rel=0.008)


def test_every_bucket_begins_where_the_one_before_ends() -> None:
    edges = sorted({value for power in range(40) for value in (2**power - 1, 2**power, 2**power + 1)})
    histograms = Histogram()
    for value in edges:
        histograms.record(value / 1e9)
    indexes = [index for index, _ in histograms.buckets()]
    assert indexes == sorted(indexes)
    assert all(bucket_middle(low) < bucket_middle(high) for low, high in pairwise(indexes))


@pytest.mark.parametrize(("seconds", "shown"), [(-0.001, 0.0), (0.0, 0.0), (601.0, 600.0), (1e9, 600.0)])
def test_what_is_out_of_range_is_counted_at_its_end(seconds: float, shown: float) -> None:
    histogram = Histogram()
    histogram.record(seconds)
    assert histogram.total == 1
    assert histogram.percentile(50) == pytest.approx(shown, rel=0.008)
    assert histogram.longest_s == max(seconds, 0.0)


def test_percentiles_are_those_of_the_sorted_durations() -> None:
    durations = [0.001 * 1.01**step for step in range(1000)]
    histogram = Histogram()
    for seconds in reversed(durations):
        histogram.record(seconds)
    percents = (0.1, 50.0, 90.0, 99.0, 99.9, 100.0)
    expected = [durations[max(0, round(percent * 10) - 1)] for percent in percents]
    assert histogram.percentiles(percents) == pytest.approx(expected, rel=0.008)


def test_an_empty_histogram_has_zeros() -> None:
    assert Histogram().percentiles((50.0, 99.0)) == [0.0, 0.0]


def test_a_percentile_never_exceeds_the_longest() -> None:
    histogram = Histogram()
    histogram.record(0.129999)
    assert histogram.percentile(99) <= 0.129999


def test_merging_is_exact_and_survives_the_way_to_another_process() -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for number, seconds in enumerate(_DURATIONS):
        (one if number % 2 else other).record(seconds)
        both.record(seconds)
    one.merge(Histogram.from_data(other.to_data()))
    assert one.buckets() == both.buckets()
    assert one.longest_s == both.longest_s


def test_the_export_holds_the_same_percentiles(tmp_path: Path) -> None:
    histogram = Histogram()
    for step in range(1, 1001):
        histogram.record(step / 1000)
    hdr = to_hdr(histogram)
    assert hdr.get_total_count() == 1000
    assert hdr.get_value_at_percentile(50) / 1e6 == pytest.approx(0.5, rel=0.01)
    write_hgrm(histogram, tmp_path / "latency.hgrm")
    lines = io.StringIO((tmp_path / "latency.hgrm").read_text()).readlines()
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert "1000" in lines[-2] + lines[-1] + lines[-3]
