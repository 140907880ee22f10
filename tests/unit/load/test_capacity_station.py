"""The workers behind the answers: found where there are some, and not believed in where there are none."""

import random
from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest

from grantproof.load.capacity_curves import Estimate
from grantproof.load.capacity_inference import find_station
from grantproof.load.capacity_insight import Insight
from grantproof.load.capacity_knee import find_knee, markovian, twin_limit
from grantproof.load.capacity_rules import share_rules
from grantproof.load.capacity_station import NoStationError, Passages, Station
from tests.unit.load.odd_queues import ODD, OddProber, OddQueue
from tests.unit.load.queue_simulation import QUEUES, Queue, SimulatedProber

_ONE = QUEUES[2]
_RULE, _FAILURES = share_rules(("p99 < 100ms", "errors < 0.1%"))[:2]


def _probes(prober: SimulatedProber | OddProber, rates: tuple[float, ...], seconds: int = 20) -> list[Passages]:
    found: list[Passages] = []
    for number, rate in enumerate(rates):
        for _ in prober.send(rate, seconds, number):
            pass
        passages = prober.passages()
        assert passages is not None
        found.append(passages)
    return found


def _station(number: int, draw: Callable[[random.Random], float], workers: int = 1, offset_s: float = 0.0) -> Station:
    dice = random.Random(3)
    return Station(workers, array("d", (draw(dice) for _ in range(number))), offset_s)


def _odd(word: str) -> OddQueue:
    return next(queue for queue in ODD if word in queue.name)


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_workers_and_every_service_are_found(queue: Queue) -> None:
    probes = _probes(SimulatedProber(queue, 1), (0.5 * queue.capacity_per_s, 0.8 * queue.capacity_per_s))
    station = find_station(probes, queue.capacity_per_s, 1 / queue.service_s)
    assert (station.workers, station.offset_s) == (queue.workers, 0.0)
    assert station.mean_s == pytest.approx(queue.service_s, rel=0.04)
    assert station.variability == pytest.approx(1.0 if queue.random else 0.0, abs=0.15)
    assert len(station.services) == sum(due >= 1 for probe in probes for due in probe.due)


def test_what_answers_take_on_their_way_is_no_service() -> None:
    queue = _odd("behind a network")
    station = find_station(_probes(OddProber(queue, 1), (400.0, 650.0)), 800.0, 1 / 0.00625)
    assert station.workers == 4
    assert station.offset_s == pytest.approx(0.00125, abs=0.0004)
    assert station.mean_s == pytest.approx(0.005, rel=0.03)


@pytest.mark.parametrize(
    ("word", "rates", "saturation", "said"),
    [
        ("last come", (100.0, 150.0), 200.0, "overtake"),
        ("sharing, exponential", (100.0, 150.0), 200.0, "overtake"),
        ("by chance", (200.0, 300.0), 400.0, "overtake"),
        ("sharing, fixed", (100.0, 150.0), 200.0, "under load|would allow"),
        ("slower with each", (100.0, 130.0), 190.0, "under load|nothing of each other"),
        ("0.2 s fast", (100.0, 150.0), 200.0, "long and times of short"),
        ("2 s fast", (120.0, 120.0), 200.0, "long and times of short"),
    ],
)
def test_what_is_no_workers_at_one_queue_is_not_taken_for_them(
    word: str, rates: tuple[float, ...], saturation: float, said: str
) -> None:
    queue = _odd(word)
    assert not queue.is_station
    with pytest.raises(NoStationError, match=said):
        find_station(_probes(OddProber(queue, 1), rates), saturation, 200.0)


def test_services_have_to_give_the_saturation_throughput() -> None:
    probes = _probes(SimulatedProber(_ONE, 1), (100.0, 150.0))
    with pytest.raises(NoStationError, match=r"would allow 19.*, but 300\.0/s came back"):
        find_station(probes, 300.0, 200.0)


@pytest.mark.parametrize(
    ("saturation", "alone", "said"), [(0.0, 200.0, "says nothing"), (200.0, 0.0, "says nothing"), (1e6, 200.0, "128")]
)
def test_a_closed_loop_that_says_nothing_helps_nobody(saturation: float, alone: float, said: str) -> None:
    with pytest.raises(NoStationError, match=said):
        find_station(_probes(SimulatedProber(_ONE, 1), (100.0,)), saturation, alone)


def test_a_few_requests_are_not_enough() -> None:
    with pytest.raises(NoStationError, match="too few"):
        find_station(_probes(SimulatedProber(_ONE, 1), (100.0,), seconds=5), 200.0, 200.0)


def test_the_order_of_services_may_not_matter() -> None:
    """Services as they are, but each long one meets an empty house."""
    dice = random.Random(5)
    due, done, now, free = array("d"), array("d"), 0.0, 0.0
    for _ in range(6000):
        now += dice.expovariate(140)
        service = dice.expovariate(200)
        service = min(service, 0.004) if free > now else max(service, 0.004)
        free = max(free, now) + service
        due.append(now)
        done.append(free)
    with pytest.raises(NoStationError):
        find_station([Passages(140.0, due, done)], 1 / 0.0055, 1 / 0.0055)


def test_a_few_long_services_more_in_one_group_are_chance() -> None:
    """Of 3 in 1,000 that pause, those who found nobody before them had twice as many as the others."""
    probes = _probes(OddProber(_odd("pause for 100"), 16), (150.0, 170.0, 180.0), seconds=15)
    station = find_station(probes, 1 / 0.0043, 1 / 0.0043)
    assert (station.workers, station.offset_s) == (1, 0.0)


def test_idle_workers_that_serve_otherwise_are_none() -> None:
    """On average they are as fast as busy ones."""
    dice = random.Random(4)
    due, done, now, free = array("d"), array("d"), 0.0, 0.0
    for _ in range(6000):
        now += dice.expovariate(140)
        service = 0.005 if free > now else dice.uniform(0.001, 0.009)
        free = max(free, now) + service
        due.append(now)
        done.append(free)
    with pytest.raises(NoStationError, match="idle serve differently"):
        find_station([Passages(140.0, due, done)], 200.0, 200.0)


@pytest.mark.parametrize("queue", [QUEUES[2], QUEUES[3]], ids=lambda queue: queue.name)
def test_the_knee_is_erlangs(queue: Queue) -> None:
    station = _station(40_000, lambda dice: dice.expovariate(1 / queue.service_s), queue.workers)
    knee = find_knee(station, queue.limit_s, queue.share)
    assert knee is not None
    assert knee.per_s == pytest.approx(queue.knee_per_s, rel=0.015)
    assert knee.low < queue.knee_per_s < knee.high
    assert knee.high - knee.low < 0.06 * knee.per_s


@pytest.mark.parametrize("queue", QUEUES[:2], ids=lambda queue: queue.name)
def test_the_knee_of_fixed_services_is_that_of_their_chain(queue: Queue) -> None:
    knee = find_knee(_station(2000, lambda _: queue.service_s, queue.workers), queue.limit_s, queue.share)
    assert knee is not None
    assert knee.per_s == pytest.approx(queue.knee_per_s, rel=0.01)


def test_the_way_of_the_answers_is_part_of_the_limit() -> None:
    station = _station(20_000, lambda dice: dice.expovariate(200))
    near, far = (find_knee(replace(station, offset_s=offset), 0.1, 0.01) for offset in (0.0, 0.02))
    assert near is not None
    assert far is not None
    assert far.per_s == pytest.approx(200 - 4.605 / 0.08, rel=0.02)
    assert far.per_s < near.per_s


def test_no_knee_where_the_limit_is_crossed_without_load_or_never() -> None:
    station = _station(2000, lambda dice: dice.expovariate(200))
    assert find_knee(station, 0.02, 0.01) is None
    assert find_knee(station, 30.0, 0.01) is None


def test_services_that_know_of_each_other_widen_the_interval() -> None:
    dice = random.Random(2)
    services = array("d", (dice.expovariate(200) for _ in range(8000)))
    mixed = find_knee(Station(1, services, 0.0), 0.1, 0.01)
    half = array("d", sorted(services[:4000], reverse=True))
    sorted_ones = find_knee(Station(1, half + services[4000:], 0.0), 0.1, 0.01)
    assert mixed is not None
    assert sorted_ones is not None
    assert sorted_ones.per_s == mixed.per_s
    assert sorted_ones.high - sorted_ones.low > 3 * (mixed.high - mixed.low)


def test_the_twins_limit_is_the_inverse_of_erlangs_formula() -> None:
    for workers, rate in ((1, 150.0), (4, 700.0), (8, 1000.0)):
        assert markovian(workers, 0.005, rate, twin_limit(workers, 0.005, rate, 0.01)) == pytest.approx(0.01, rel=1e-3)
    drain_is_the_service = markovian(2, 0.005, 200.0, 0.02)
    assert drain_is_the_service == pytest.approx(markovian(2, 0.005, 200.001, 0.02), rel=1e-3)


def test_an_estimate_gets_better_and_never_worse() -> None:
    probes = _probes(SimulatedProber(_ONE, 1), (130.0, 155.0))
    insight = Insight(200.0, 200.0, 0)
    assert insight.promises(probes, 0.01)
    vague, narrow, wrong, other = (
        Estimate(_RULE, 150.0, 50.0, 190.0, None),
        Estimate(_RULE, 152.0, 151.0, 158.0, None),
        Estimate(_RULE, 100.0, 90.0, 110.0, None),
        Estimate(_FAILURES, 170.0, 100.0, 190.0, None),
    )
    better, same, spread, left = insight.sharpen([vague, narrow, wrong, other], probes)
    assert insight.station is not None
    assert better.low < _ONE.knee_per_s < better.high
    assert better.high - better.low < 0.2 * better.per_s
    assert (same, left) == (narrow, other)
    assert (spread.per_s, spread.low) == (100.0, 90.0)
    assert spread.high == better.high
    assert not insight.promises(probes, 0.001)
    assert insight.sharpen([vague, narrow, wrong, other], probes) is insight.sharpen(
        [vague, narrow, wrong, other], probes
    )


def test_an_estimate_stays_where_there_is_no_station() -> None:
    insight = Insight(200.0, 200.0, 0)
    estimates = [Estimate(_RULE, 120.0, 100.0, 140.0, None)]
    assert insight.sharpen(estimates, _probes(OddProber(_odd("last come"), 1), (100.0, 150.0))) == estimates
    assert insight.station is None
    assert "overtake" in insight.reason


def test_of_very_many_services_those_near_the_knee_are_looked_at() -> None:
    probes = _probes(SimulatedProber(_ONE, 1), (150.0, 120.0))
    far = Passages(1000.0, array("d", range(200_000)), array("d", (moment + 500.0 for moment in range(200_000))))
    insight = Insight(200.0, 200.0, 0)
    insight.sharpen([Estimate(_RULE, 150.0, 50.0, 190.0, None)], [far, *probes])
    assert insight.station is not None
    assert len(insight.station.services) < 10_000
