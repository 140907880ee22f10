"""Schedules whose rate changes, recorded ones, and how they are divided."""

import random
from itertools import pairwise

import pytest

from grantproof.load.schedule import Constant, Poisson, Schedule
from grantproof.load.stages import Stage, Staged, Trace, divide, from_data, to_data

_STEP = Staged((Stage(2.0, 10.0, 10.0), Stage(1.0, 0.0, 0.0), Stage(2.0, 20.0, 20.0)))
_RAMP = Staged((Stage(4.0, 0.0, 10.0), Stage(4.0, 10.0, 0.0)))
_TRACE = Trace((0.0, 0.5, 0.5, 2.25))


def test_a_step_has_the_rate_of_each_stage() -> None:
    times = list(_STEP)
    assert len(times) == 60
    assert times[:20] == pytest.approx([number / 10 for number in range(20)])
    assert times[20:] == pytest.approx([3 + number / 20 for number in range(40)])
    assert (_STEP.duration_s, _STEP.rate_per_s) == (5.0, 12.0)


def test_a_ramp_rises_and_falls_in_a_straight_line() -> None:
    times = list(_RAMP)
    assert len(times) == 40
    assert [sum(second <= time < second + 1 for time in times) for second in range(8)] == pytest.approx(
        [1.25, 3.75, 6.25, 8.75, 8.75, 6.25, 3.75, 1.25], abs=1.0
    )
    assert times == sorted(times)
    assert times[5] == pytest.approx(2.0)
    assert times[20] == pytest.approx(4.0)


def test_one_stage_is_what_a_constant_rate_is() -> None:
    assert list(Staged((Stage(3.0, 7.0, 7.0),))) == pytest.approx(list(Constant(7.0, 3.0)))


def test_poisson_stages_have_the_rates_and_repeat_with_their_seed() -> None:
    staged = Staged((Stage(20.0, 100.0, 100.0), Stage(20.0, 100.0, 300.0)), poisson=True, seed=5)
    times = list(staged)
    assert times == list(staged)
    assert sum(time < 20 for time in times) == pytest.approx(2000, rel=0.1)
    assert sum(time >= 20 for time in times) == pytest.approx(4000, rel=0.1)
    gaps = sorted(later - earlier for earlier, later in pairwise(time for time in times if time < 20))
    assert gaps[len(gaps) // 2] == pytest.approx(0.00693, rel=0.2)


def test_a_trace_is_played_as_it_was_recorded() -> None:
    assert list(_TRACE) == [0.0, 0.5, 0.5, 2.25]
    assert 2.25 < _TRACE.duration_s < 2.2501
    assert Trace((0.0,)).rate_per_s == 1.0


_ALL: dict[str, Schedule] = {
    "constant": Constant(97.0, 3.0),
    "poisson": Poisson(97.0, 3.0, seed=2),
    "step": _STEP,
    "ramp": _RAMP,
    "poisson stages": Staged(_RAMP.stages, poisson=True, seed=9),
    "trace": _TRACE,
    "part": divide(Constant(97.0, 3.0), [0.3, 0.7])[1],
}


@pytest.mark.parametrize("of", [1, 2, 3, 7])
@pytest.mark.parametrize("name", [*_ALL])
def test_the_shares_of_workers_are_together_the_whole(name: str, of: int) -> None:
    whole = _ALL[name]
    shares = [list(whole.share(index, of)) for index in range(of)]
    assert sorted(time for share in shares for time in share) == list(whole)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_lost_workers_share_can_be_shared_again_and_again() -> None:
    whole = Poisson(500.0, 2.0, seed=1)
    lost = whole.share(1, 3)
    heirs: list[Schedule] = [lost.share(0, 2), lost.share(1, 2).share(0, 2), lost.share(1, 2).share(1, 2)]
    assert sorted(time for heir in heirs for time in heir) == list(lost)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0], [0.9, 0.1], [5.0, 0.0, 3.0], [1 / 3] * 3])
def test_parts_are_by_weight_and_together_the_whole(weights: list[float]) -> None:
    whole = Constant(1000.0, 3.0)
    parts = [list(part) for part in divide(whole, weights)]
    assert sorted(time for part in parts for time in part) == list(whole)
    assert [len(part) for part in parts] == pytest.approx([3000 * each / sum(weights) for each in weights], abs=3)


def test_parts_are_mixed_at_all_times() -> None:
    rare = list(divide(Constant(1000.0, 3.0), [0.9, 0.1])[1])
    assert max(later - earlier for earlier, later in pairwise(rare)) < 0.02


@pytest.mark.parametrize("schedule", [_STEP, _TRACE, Staged(_RAMP.stages, poisson=True, seed=3)])
def test_a_schedule_survives_the_way_to_another_machine(schedule: Staged | Trace) -> None:
    assert from_data(to_data(schedule)) == schedule


def test_random_stages_keep_their_numbers_and_never_fall() -> None:
    drawn = random.Random(11)
    for _ in range(200):
        rates = [drawn.choice((0.0, 1.0, drawn.uniform(0, 50))) for _ in range(6)]
        stages = tuple(Stage(drawn.uniform(0.1, 3), low, high) for low, high in pairwise(rates))
        times = list(Staged(stages))
        assert abs(len(times) - sum(stage.arrivals for stage in stages)) <= 1
        assert all(later >= earlier - 1e-9 for earlier, later in pairwise(times))
        assert not times or 0 <= times[0] <= times[-1] <= sum(stage.duration_s for stage in stages) + 1e-9
