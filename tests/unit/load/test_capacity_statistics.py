"""The statistics that a capacity search stands on, each against what is known otherwise."""

import math
import random
from collections.abc import Callable

import pytest

from grantproof.load.capacity_control import controls, depth_for, likeness, tail_found
from grantproof.load.capacity_curves import Curves, Estimate
from grantproof.load.capacity_fit import Second, expected_dispersion, fit, steepest
from grantproof.load.capacity_linear import solve, student_quantile
from grantproof.load.capacity_probe import Probe
from grantproof.load.capacity_rules import over, share_rules
from grantproof.load.capacity_saturation import find_saturation
from grantproof.load.capacity_scalability import fit_law
from grantproof.load.capacity_search import Search
from grantproof.load.capacity_sequential import ShareTest
from grantproof.load.capacity_stationary import has_trend, mean_interval, settled_from
from grantproof.load.schedule import Poisson
from tests.unit.load.queue_simulation import QUEUES, Queue, SimulatedProber


@pytest.mark.parametrize(
    ("share", "freedom", "expected"),
    [(0.975, 3, 3.182), (0.975, 5, 2.571), (0.975, 10, 2.228), (0.975, 30, 2.042), (0.95, 4, 2.132), (0.5, 5, 0.0)],
)
def test_students_quantiles_are_those_of_the_tables(share: float, freedom: float, expected: float) -> None:
    assert student_quantile(share, freedom) == pytest.approx(expected, rel=0.01, abs=1e-9)


def test_a_system_is_solved_and_a_singular_one_is_not() -> None:
    assert solve([[0.0, 2.0], [1.0, 1.0]], [4.0, 3.0]) == pytest.approx([1.0, 2.0])
    assert solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 2.0]) is None


@pytest.mark.parametrize("load", [0.3, 0.75, 0.95])
def test_an_arrival_finds_what_an_m_d_1_queue_is_known_to_hold(load: float) -> None:
    tails = tail_found(load)
    assert tails[1] == pytest.approx(load)
    assert tails[2] == pytest.approx(1 - (1 - load) * math.exp(load))
    assert sum(tails[1:]) == pytest.approx(load + load**2 / (2 * (1 - load)), rel=1e-6)
    assert list(tails) == sorted(tails, reverse=True)


def test_the_tail_agrees_with_another_way_to_compute_it() -> None:
    queue = Queue("M/D/1", 1, 1.0, random=False, limit_s=5.0)
    assert tail_found(0.56)[5] == pytest.approx(queue.over_limit(0.56), rel=1e-6)


def test_luck_is_zero_on_average_and_tells_bunches() -> None:
    depth = depth_for(0.7, 0.05)
    rows = controls(Poisson(140.0, 2000.0, 3), 140.0, 0.005, (1, depth), 2000)
    assert abs(sum(row.off[0] for row in rows) / len(rows)) < 0.02
    assert abs(sum(row.off[1] for row in rows) / len(rows)) < 0.15
    bunch = controls([0.5] * 50, 100.0, 0.005, (10,), 1)
    assert bunch[0].off == pytest.approx((40 / (100 * tail_found(0.5)[10]) - 1,))
    assert bunch[0].found == 24.5


def test_an_overloaded_imaginary_server_says_nothing() -> None:
    assert {row.off for row in controls(Poisson(210.0, 3.0, 1), 210.0, 0.005, (1, 2), 3)} == {(0.0, 0.0)}


@pytest.mark.parametrize(("queue", "alike"), [(QUEUES[1], True), (QUEUES[2], False)])
def test_fixed_service_times_are_told_from_random_ones(queue: Queue, *, alike: bool) -> None:
    rate, prober = 0.75 * queue.capacity_per_s, SimulatedProber(queue, 1)
    lucks = controls(prober.arrivals(rate, 40, 5), rate, 1 / queue.capacity_per_s, (2,), 40)
    means = [
        sum(index * number for index, number in tally.latency.buckets()) / tally.latency.total
        for tally in prober.send(rate, 40, 5)
    ]
    found = likeness([[(mean, luck.found) for mean, luck in zip(means, lucks, strict=True)]])
    assert (found >= 0.8) is alike


def test_likeness_needs_some_seconds() -> None:
    assert likeness([[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]]) == 0.0
    assert likeness([[(float(n), float(n)) for n in range(1, 10)]]) == pytest.approx(1.0)


def _seconds(share: Callable[[float], float], *rates: float) -> list[Second]:
    return [
        Second(rate, 1e5, 1e5 * share(rate), probe=number)
        for number, rate in enumerate(rates)
        for _ in range(8)
    ]  # fmt: skip


def test_a_line_is_found_where_there_is_one() -> None:
    curve = fit(_seconds(lambda rate: 0.01 * math.exp((rate - 300) / 20), 280.0, 300.0, 330.0), 290.0)
    assert curve is not None
    assert curve.rate_at(0.01) == pytest.approx(300.0)
    assert curve.share(320.0) == pytest.approx(0.01 * math.e)
    low, high = curve.interval(0.01, (0.0, 1000.0))
    assert 295 < low < 300 < high < 305


def test_a_step_is_found_between_its_rates() -> None:
    curve = fit(_seconds(lambda rate: 0.3 * (rate > 300), 280.0, 299.0, 301.0), 300.0)
    assert curve is not None
    low, high = curve.interval(0.01, (0.0, 1000.0))
    assert 290 < low < 301
    assert low <= high < 302


def test_two_rates_next_to_each_other_do_not_make_a_step_below_saturation() -> None:
    lucky = {350.0: 0.012, 350.5: 0.22}
    seconds = _seconds(lucky.__getitem__, *lucky)
    ends = [fit(seconds, 350.0), fit(seconds, 350.0, steepest(0.01, 350.0, 400.0))]
    step, bound = (curve.interval(0.01, (0.0, 400.0)) for curve in ends if curve is not None)
    assert step[1] - step[0] < 1.0
    assert bound[1] - bound[0] > 15.0


def test_the_curve_may_be_steeper_the_nearer_saturation_is() -> None:
    far, near, at = (steepest(0.01, knee, 400.0) for knee in (200.0, 350.0, 400.0))
    assert (far, near) == pytest.approx((3 * math.log(100), 3 * math.log(100) * 7))
    assert near < at < 3000.0


def test_a_share_that_does_not_rise_leaves_the_interval_open() -> None:
    curve = fit(_seconds(lambda _: 0.01, 250.0, 300.0, 350.0), 300.0)
    assert curve is not None
    assert curve.interval(0.01, (10.0, 400.0)) == (10.0, 400.0)


@pytest.mark.parametrize("seconds", [[], _seconds(lambda _: 0.0, 1.0, 2.0), _seconds(lambda _: 0.5, 1.0)])
def test_no_curve_goes_through_nothing(seconds: list[Second]) -> None:
    assert fit(seconds, 1.0) is None


def test_a_line_that_is_all_but_flat_does_not_lead_past_a_rate_that_was_seen_to_break() -> None:
    """A few late answers far below the knee make it flat; what breaks clearly is too far from it to be looked at."""
    clean, few, some, full = [0.0], [0.0, 0.002, 0.0], [0.0, 0.0, 0.05, 0.008, 0.0, 0.0], [0.46, 0.13, 0.4, 0.15, 0.3]
    tried = [(6238, few), (7278, clean * 5), (7798, few), (9357, [1.0, 1.0]), (8542, full), (7553, clean * 6)]
    probes = [
        Probe(rate, 0, number, [[(rate, rate * share)] for share in shares], [0.001] * len(shares))
        for number, (rate, shares) in enumerate([*tried, (7851, some)])
    ]
    curves = Curves(SimulatedProber(QUEUES[0], 1), share_rules(("p99 < 100ms",))[:1], 8317)
    (found,) = curves.estimates(probes, 7798, 9357)
    assert 7700 < found.per_s < 8100
    assert found.low < found.per_s < found.high <= 8542


@pytest.mark.parametrize(
    ("rate", "shares", "high"),
    [(6790, [0.0] * 6, 6790), (6790, [0.0] * 2, 6661), (6790, [0.009] * 6, 6661), (6500, [0.0] * 6, 6661)],
)
def test_an_interval_reaches_what_was_seen_to_keep_the_rules(rate: float, shares: list[float], high: float) -> None:
    """For six seconds without a late answer; two are too few, and almost the share is no proof."""
    (rule, *_) = rules = share_rules(("p99 < 100ms",))[:1]
    search = Search(SimulatedProber(QUEUES[0], 1), rules, 8178, 1200, 60)
    search.probes.append(Probe(rate, 0, 0, [[(rate, rate * share)] for share in shares], [0.001] * len(shares)))
    found = search.witnessed(Estimate(rule, 6542, 6370, 6661, None))
    assert (found.per_s, found.low, found.high) == (6542, 6370, high)


def test_bunches_grow_with_load_and_with_the_variability_of_service() -> None:
    assert expected_dispersion(0.0) == 1.0
    assert expected_dispersion(0.5, 0.0) == 3.0
    assert expected_dispersion(0.5, 1.0) == 5.0
    assert expected_dispersion(1.5) == expected_dispersion(0.99) < 1000


def _decide(queue: Queue, rate: float, seed: int) -> bool | None:
    test = ShareTest(queue.share, expected_dispersion(rate / queue.capacity_per_s))
    for tally in SimulatedProber(queue, seed).send(rate, 40, seed):
        if tally.t > 1:
            test.add(tally.latency.total, over(tally.latency, queue.limit_s))
            if test.kept is not None:
                break
    return test.kept


@pytest.mark.parametrize("queue", QUEUES[1:3], ids=lambda queue: queue.name)
def test_the_sequential_test_is_seldom_wrong_where_it_matters(queue: Queue) -> None:
    knee = queue.knee_per_s
    low, high = 0.88 * knee, 1.12 * knee
    assert queue.over_limit(low) < queue.share / 3 < 3 * queue.share < queue.over_limit(high)
    assert sum(_decide(queue, low, seed) is False for seed in range(10)) <= 1
    assert sum(_decide(queue, high, seed) is True for seed in range(10)) <= 1


@pytest.mark.parametrize(
    ("seconds", "requests", "broken", "kept", "leaning"),
    [
        (0, 0, 0, None, True),
        (1, 300, 200, False, False),
        (1, 300, 8, None, False),
        (4, 300, 0, None, True),
        (8, 300, 0, True, True),
    ],
)
def test_it_stops_as_soon_as_it_knows(
    *,
    seconds: int,
    requests: int,
    broken: int,
    kept: bool | None,
    leaning: bool,
) -> None:
    test = ShareTest(0.01, 8.0)
    for _ in range(seconds):
        test.add(requests, broken)
    assert (test.kept, test.leaning) == (kept, leaning)


def test_a_warm_up_is_cut_off_and_a_climb_has_not_settled() -> None:
    dice = random.Random(5)
    noise = [dice.gauss(100, 2) for _ in range(60)]
    assert settled_from([40.0, 60.0, 80.0, 90.0, *noise]) in range(3, 16)
    assert settled_from([50.0 + index for index in range(60)]) is None
    assert settled_from(noise[:10]) is None


def test_chance_is_seldom_taken_for_a_trend() -> None:
    dice = random.Random(6)
    assert sum(has_trend([dice.gauss(0, 1) for _ in range(40)]) for _ in range(200)) <= 8
    assert has_trend([index + dice.gauss(0, 3) for index in range(40)])


def test_a_mean_is_within_its_interval_nineteen_times_of_twenty() -> None:
    dice = random.Random(7)
    held = 0
    for _ in range(200):
        middle, half = mean_interval([dice.expovariate(0.1) for _ in range(100)])
        held += abs(middle - 10) <= half
    assert 180 <= held <= 199


def test_the_scalability_law_is_found_where_it_holds_and_not_believed_where_it_does_not() -> None:
    levels = [
        (users, 100 * users / (1 + 0.05 * (users - 1) + 0.001 * users * (users - 1))) for users in (1, 2, 4, 8, 16)
    ]
    law = fit_law(levels)
    assert law is not None
    assert law.fits
    assert (law.alone_per_s, law.contention, law.coherence) == pytest.approx((100.0, 0.05, 0.001))
    assert law.best_users == pytest.approx(math.sqrt(0.95 / 0.001))
    hard = fit_law([(1, 200.0), (2, 400.0), (4, 400.0), (8, 400.0), (16, 400.0)])
    assert hard is not None
    assert not hard.fits
    assert hard.worst_error > 0.05
    assert fit_law([(1, 100.0), (2, 200.0)]) is None


def test_whole_numbers_that_differ_by_one_have_settled() -> None:
    assert settled_from([20.0] * 40 + [21.0] + [20.0] * 29) == 0


class _Warming:
    """Answers that come ever faster for half a minute."""

    def __init__(self) -> None:
        self.now = 0.0

    def resize(self, users: int) -> None:
        """It does not matter how many."""

    def advance(self, seconds: float) -> list[float]:
        """Lets time pass."""
        began, self.now = self.now, self.now + seconds
        number = round(seconds * 10 * min(10 + began, 40.0))
        return [began + seconds * (index + 1) / number for index in range(number)]


def test_a_throughput_that_has_not_settled_is_waited_for() -> None:
    hurried, patient = (find_saturation(_Warming(), 4, 10.0, patience) for patience in (0.0, 80.0))
    assert not hurried.settled
    assert patient.settled
    assert patient.per_s > hurried.per_s
