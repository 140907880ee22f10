"""Whole searches without a network: against queues whose knee is known."""

import json
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from grantproof.cli.capacity_command import summary
from grantproof.errors import GrantproofError
from grantproof.load.capacity import Course
from grantproof.load.capacity_guard import Guard
from grantproof.load.capacity_plan import CapacityPlan
from grantproof.load.capacity_result import FILE_NAME
from grantproof.load.capacity_rules import over, share_rules
from grantproof.load.capacity_saturation import Crowd, Saturation, find_saturation
from grantproof.load.histogram import Histogram
from grantproof.load.tally import Tally
from tests.unit.load.queue_simulation import QUEUES, Queue, SimulatedProber
from tests.unit.load.simulated_search import TARGET, TWO, Changed, nothing, search

_CONTRACT = {
    "schema", "saturation_per_s", "capacity_per_s", "interval_95", "thresholds", "limited_by", "probes", "seconds",
}  # fmt: skip


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_the_interval_holds_the_truth(queue: Queue) -> None:
    """A sample; `python -m tests.bench.capacity` runs a hundred of each."""
    results = [search(SimulatedProber(queue, seed), seed=seed) for seed in range(2)]
    knee = queue.knee_per_s
    assert all(result.saturation_per_s == pytest.approx(queue.capacity_per_s, rel=0.08) for result in results)
    assert all(low <= knee <= high for result in results for low, high in [result.interval_95 or (0, 0)])
    assert all(result.capacity_per_s == pytest.approx(knee, rel=0.03) for result in results)
    assert [result.queue["workers"] for result in results if result.queue] == [queue.workers] * 2
    kind = "variability 0.00" if not queue.random else "variability "
    said = summary(results[0])
    assert f"  behind it  {queue.workers} worker{'s' if queue.workers > 1 else ''} at one queue, " in said
    assert kind in said


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_the_curve_alone_holds_the_truth(queue: Queue) -> None:
    """A sample again, of targets behind whose answers nobody can look."""
    results = [search(Changed(queue, seed, nothing), seed=seed) for seed in range(4)]
    knee = queue.knee_per_s
    assert sum(low <= knee <= high for result in results for low, high in [result.interval_95 or (0, 0)]) >= 3
    assert not any(result.queue and result.queue["fits"] for result in results)
    assert not any("behind it" in summary(result) for result in results)


def test_the_file_keeps_the_contract_and_its_schema(tmp_path: Any) -> None:
    result = search(SimulatedProber(TWO, 1), "p99 < 25ms", "errors < 0.1%")
    written = json.loads(result.write(tmp_path).read_text("utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE_NAME]
    assert set(written) >= _CONTRACT
    assert written["schema"] == "grantproof/capacity/1"
    low, high = written["interval_95"]
    assert low < written["capacity_per_s"] < high < written["saturation_per_s"]
    assert written["thresholds"] == [{"rule": "p99 < 25ms", "kept": True}, {"rule": "errors < 0.1%", "kept": True}]
    assert (written["limited_by"], written["first_broken"], written["exit_code"]) == ("target", "p99 < 25ms", 0)
    assert written["sentence"].startswith("with p99 < 25ms and errors < 0.1% this deployment sustains 30")
    assert written["sentence"].endswith(f"plan 1 node like it per {low:,.0f}/s")
    assert {row["kept"] for row in written["probes"]} == {True, False}
    assert "secret" not in result.to_json()
    assert "tenant" not in result.to_json()


def test_it_ends_as_soon_as_it_knows_enough() -> None:
    course = Course(TARGET, ("p99 < 25ms",), SimulatedProber(TWO, 1), Guard(), lambda _: None)
    course.run(CapacityPlan("x", 600.0, 0.05))
    result = course.result()
    assert result.seconds < 200
    low, high = result.interval_95 or (0.0, 0.0)
    assert high - low <= 0.1 * (result.capacity_per_s or 0)


@pytest.mark.parametrize(
    ("rule", "kept", "code"), [("rate > 100/s", True, 0), ("rate > 390/s", False, 1), ("rate > 302/s", None, 3)]
)
def test_a_least_rate_is_judged_by_the_interval(rule: str, kept: bool | None, code: int) -> None:  # noqa: FBT001
    result = search(SimulatedProber(TWO, 1), "p99 < 25ms", rule)
    assert (result.thresholds[-1].kept, result.exit_code) == (kept, code)


def test_a_limit_that_the_idle_server_breaks_leaves_no_rate() -> None:
    result = search(SimulatedProber(TWO, 1), "p99 < 4ms")
    assert (result.capacity_per_s, result.exit_code, result.thresholds[0].kept) == (0.0, 1, False)
    assert "at no rate" in result.sentence


def test_a_limited_generator_blames_nobody() -> None:
    prober = SimulatedProber(TWO, 1)
    prober.limitation = "requests left late"
    result = search(prober)
    assert (result.limited_by, result.exit_code, result.capacity_per_s) == ("generator", 3, None)
    assert result.thresholds[0].kept is None


class Stumbling(SimulatedProber):
    """A generator that is late in every third probe."""

    count = 0

    def passages(self) -> None:
        """They would not be what its late seconds say."""

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator[Tally]:
        """Seconds of a probe."""
        self.count += 1
        self.limitation = "late" if self.count % 3 == 0 else ""
        for tally in super().send(rate_per_s, seconds, seed):
            if self.limitation:
                for _ in range(tally.ok):
                    tally.latency.record(1.0)
            yield tally


def test_a_generator_that_stumbles_is_asked_again_and_what_it_limited_is_not_used() -> None:
    result = search(Stumbling(TWO, 1))
    assert (result.limited_by, result.exit_code) == ("target", 0)
    assert result.capacity_per_s == pytest.approx(TWO.knee_per_s, rel=0.05)


def test_one_stall_is_no_rate_that_is_too_high() -> None:
    stalls: list[float] = []

    def stall(_: float, rate: float, tally: Tally) -> None:
        if len(stalls) < 2 and rate < 301:
            stalls.append(rate)
            for _ in range(tally.ok // 4):
                tally.latency.record(1.0)

    prober = Changed(TWO, 1, stall)
    result = search(prober, budget_s=120)
    low, high = result.interval_95 or (0.0, 0.0)
    assert len(stalls) == 2
    assert prober.asked[0] == prober.asked[1] == stalls[0] < min(prober.asked[2:5])  # no step goes below it
    assert low <= TWO.knee_per_s <= high
    assert result.exit_code == 0


def test_what_crosses_all_the_time_is_not_tried_again() -> None:
    prober = Changed(QUEUES[0], 1, nothing)
    search(prober)
    assert prober.asked[0] > 1.2 * QUEUES[0].knee_per_s
    assert prober.asked.count(prober.asked[0]) == 1


def test_a_capacity_from_a_throughput_that_never_settled_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsettled(crowd: Crowd, most_users: int, budget_s: float, _: float) -> Saturation:
        return replace(find_saturation(crowd, most_users, budget_s), settled=False)

    monkeypatch.setattr("grantproof.load.capacity.find_saturation", unsettled)
    result = search(SimulatedProber(TWO, 1))
    assert result.capacity_per_s is not None
    assert (result.exit_code, "never settled" in result.reason) == (3, True)


def test_an_interval_that_is_too_wide_to_plan_with_decides_nothing() -> None:
    results = [search(Changed(QUEUES[2], seed, nothing), seed=seed, budget_s=40) for seed in range(4)]
    vague = [result for result in results if "too vague" in result.sentence]
    assert vague
    assert {(result.exit_code, "too wide" in result.reason) for result in vague} == {(3, True)}


@pytest.mark.parametrize("seed", range(3))
def test_a_lower_end_that_stays_open_is_looked_for_well_below(seed: int) -> None:
    """Of a target behind whose answers nobody can look; measured at the knee alone it ends far below it, or at zero."""
    prober = Changed(QUEUES[2], seed, nothing)
    result = search(prober, seed=seed, budget_s=180)
    low, high = result.interval_95 or (0.0, 0.0)
    assert low <= prober.queue.knee_per_s <= high
    assert low > 0.5 * (result.capacity_per_s or 0.0)
    assert result.exit_code == 0


def test_a_curve_that_says_otherwise_is_told() -> None:
    result = search(SimulatedProber(TWO, 1))
    assert result.queue is not None
    assert result.queue["agrees"] is True
    assert "says otherwise" not in summary(result)
    odd = msgspec.structs.replace(result, queue=result.queue | {"agrees": False})
    assert "the curve of latencies says otherwise: the interval spans both" in summary(odd)


@pytest.mark.parametrize(
    ("rules", "match"),
    [
        ((), "no threshold says"),
        (("rate > 10/s",), "no threshold says"),
        (("max < 1s",), "too few requests"),
        (("p99 > 1s",), "slow or fails"),
        (("speed < 1s",), "nothing that a run measures"),
    ],
)
def test_rules_that_load_cannot_cross_are_refused(rules: tuple[str, ...], match: str) -> None:
    with pytest.raises(GrantproofError, match=match):
        share_rules(rules)


def test_rules_count_what_breaks_them() -> None:
    tally = Tally(ok=90)
    for _ in range(90):
        tally.latency.record(0.3 if _ < 9 else 0.1)
    tally.errors.update(status_500=6)
    tally.protected.update({"429": 4})
    late, failed, away = share_rules(("p99 < 250ms", "errors < 0.1%", "protected < 5%"))
    assert late.count(tally) == (9.0, 90)
    assert failed.count(tally) == (6.0, 100)
    assert away.count(tally) == (4.0, 100)
    assert (late.share, failed.share, away.share) == (0.01, 0.001, 0.05)


def test_a_bucket_on_the_limit_counts_by_its_part() -> None:
    histogram = Histogram()
    histogram.record(0.25)
    assert 0.0 <= over(histogram, 0.25) <= 1.0
    assert (over(histogram, 0.24), over(histogram, 0.26)) == (1.0, 0.0)


@pytest.mark.parametrize("change", [{"budget_s": 5.0}, {"precision": 0.0}, {"connections": 0}])
def test_impossible_plans_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(GrantproofError):
        CapacityPlan("x", **change)
