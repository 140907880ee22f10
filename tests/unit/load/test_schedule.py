"""Arrival schedules."""

from itertools import islice, pairwise

import pytest

from grantproof.errors import GrantproofError
from grantproof.load.schedule import Constant, Poisson, Schedule, arrivals_before, make_schedule


@pytest.mark.parametrize(
    ("rate", "duration", "expected"),
    [
        (4.0, 1.0, [0.0, 0.25, 0.5, 0.75]),
        (10.0, 0.25, [0.0, 0.1, 0.2]),
        (0.5, 1.0, [0.0]),
        (200.0, 60.0, 12_000),
        (3.0, 7.0, 21),
    ],
)
def test_constant_arrivals_are_even_and_end_before_the_duration(
    rate: float, duration: float, expected: list[float] | int
) -> None:
    times = list(Constant(rate, duration))
    assert len(times) == (expected if isinstance(expected, int) else len(expected))
    assert all(time < duration for time in times)
    if isinstance(expected, list):
        assert times == pytest.approx(expected)


def test_a_schedule_without_a_duration_goes_on() -> None:
    assert list(islice(Constant(100.0), 3)) == [0.0, 0.01, 0.02]
    assert len(list(islice(Poisson(100.0), 500))) == 500


@pytest.mark.parametrize(("duration", "rate", "number"), [(0.0, 5.0, 0), (-1.0, 5.0, 0), (1.0, 3.0, 3), (1.1, 3.0, 4)])
def test_arrivals_are_counted(duration: float, rate: float, number: int) -> None:
    assert arrivals_before(duration, rate) == number


def test_poisson_arrivals_repeat_with_their_seed_only() -> None:
    assert list(Poisson(100.0, 5.0, seed=1)) == list(Poisson(100.0, 5.0, seed=1))
    assert list(Poisson(100.0, 5.0, seed=1)) != list(Poisson(100.0, 5.0, seed=2))


def test_poisson_gaps_are_exponential() -> None:
    times = list(Poisson(1000.0, 20.0, seed=7))
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    assert len(times) == pytest.approx(20_000, rel=0.05)
    assert gaps[len(gaps) // 2] == pytest.approx(0.000693, rel=0.1)
    assert gaps[len(gaps) * 9 // 10] == pytest.approx(0.002303, rel=0.1)


def test_shares_of_constant_arrivals_are_as_even_as_the_whole() -> None:
    whole = Constant(100.0, 2.0)
    shares = sorted(time for index in range(3) for time in whole.share(index, 3))
    assert shares == pytest.approx(list(whole))


def test_shares_of_poisson_arrivals_are_together_the_whole() -> None:
    whole = Poisson(900.0, 10.0, seed=3)
    shares = [list(whole.share(index, 3)) for index in range(3)]
    assert sorted(time for share in shares for time in share) == list(whole)
    again = [list(whole.share(1, 3).share(index, 2)) for index in range(2)]
    assert sorted(time for share in again for time in share) == shares[1]


def test_a_schedule_is_made_by_name() -> None:
    made: list[Schedule] = [make_schedule("constant", 5.0, 1.0), make_schedule("poisson", 5.0, None, seed=4)]
    assert made == [Constant(5.0, 1.0), Poisson(5.0, None, 4)]


@pytest.mark.parametrize(
    ("arrival", "rate", "duration"),
    [
        ("even", 1.0, 1.0),
        ("constant", 0.0, 1.0),
        ("constant", float("inf"), 1.0),
        ("constant", 1e9, 1.0),
        ("poisson", 1.0, 0.0),
        ("poisson", -1.0, None),
    ],
)
def test_what_is_no_schedule_is_refused(arrival: str, rate: float, duration: float | None) -> None:
    with pytest.raises(GrantproofError):
        make_schedule(arrival, rate, duration)
