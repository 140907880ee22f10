"""Whole searches without a network: against queues whose knee is known, and against targets that misbehave."""

import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec
import pytest

from grantproof.cli.capacity_command import summary
from grantproof.errors import GrantproofError
from grantproof.load.capacity import Course
from grantproof.load.capacity_guard import Guard, StarvedError, TargetLostError
from grantproof.load.capacity_plan import CapacityPlan
from grantproof.load.capacity_result import FILE_NAME, CapacityResult
from grantproof.load.capacity_rules import over, share_rules
from grantproof.load.capacity_saturation import Crowd, Saturation, find_saturation
from grantproof.load.histogram import Histogram
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.queue_simulation import QUEUES, Queue, SimulatedProber

_TARGET = Target("the server", "https://as.example/token?tenant=1", (("Authorization", "Basic c2VjcmV0"),), b"secret=1")
_SCHEMA: Any = json.loads((files("grantproof.load") / "capacity.schema.json").read_text("utf-8"))
_CONTRACT = {
    "schema", "saturation_per_s", "capacity_per_s", "interval_95", "thresholds", "limited_by", "probes", "seconds",
}  # fmt: skip
_TWO = QUEUES[1]


class Changed(SimulatedProber):
    """A simulated server whose seconds are changed on their way, and watched over."""

    def __init__(self, queue: Queue, seed: int, change: Callable[[float, float, Tally], None]) -> None:
        super().__init__(queue, seed)
        self.guard = Guard()
        self.asked: list[float] = []
        self._change = change

    def passages(self) -> None:
        """They would not be what the changed seconds say."""

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator[Tally]:
        """Seconds of a probe."""
        self.guard.start()
        self.asked.append(rate_per_s)
        for tally in super().send(rate_per_s, seconds, seed):
            self._change(self.elapsed_s, rate_per_s, tally)
            self.guard.look(tally)
            yield tally


def _nothing(_: float, _rate: float, _tally: Tally) -> None: ...


def _search(
    prober: SimulatedProber, *rules: str, budget_s: float = 60.0, guard: Guard | None = None, seed: int = 1
) -> CapacityResult:
    rules = rules or (f"p99 < {1000 * prober.queue.limit_s:g}ms",)
    course = Course(_TARGET, rules, prober, guard or Guard(), lambda _: None)
    course.run(CapacityPlan("x", budget_s, thresholds=rules, seed=seed))
    result = course.result()
    jsonschema.validate(json.loads(result.to_json()), _SCHEMA)
    return result


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_the_interval_holds_the_truth(queue: Queue) -> None:
    """A sample; `python -m tests.bench.capacity` runs a hundred of each."""
    results = [_search(SimulatedProber(queue, seed), seed=seed) for seed in range(2)]
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
    results = [_search(Changed(queue, seed, _nothing), seed=seed) for seed in range(4)]
    knee = queue.knee_per_s
    assert sum(low <= knee <= high for result in results for low, high in [result.interval_95 or (0, 0)]) >= 3
    assert not any(result.queue and result.queue["fits"] for result in results)
    assert not any("behind it" in summary(result) for result in results)


def test_the_file_keeps_the_contract_and_its_schema(tmp_path: Any) -> None:
    result = _search(SimulatedProber(_TWO, 1), "p99 < 25ms", "errors < 0.1%")
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
    course = Course(_TARGET, ("p99 < 25ms",), SimulatedProber(_TWO, 1), Guard(), lambda _: None)
    course.run(CapacityPlan("x", 600.0, 0.05))
    result = course.result()
    assert result.seconds < 200
    low, high = result.interval_95 or (0.0, 0.0)
    assert high - low <= 0.1 * (result.capacity_per_s or 0)


@pytest.mark.parametrize(
    ("rule", "kept", "code"), [("rate > 100/s", True, 0), ("rate > 390/s", False, 1), ("rate > 302/s", None, 3)]
)
def test_a_least_rate_is_judged_by_the_interval(rule: str, kept: bool | None, code: int) -> None:  # noqa: FBT001
    result = _search(SimulatedProber(_TWO, 1), "p99 < 25ms", rule)
    assert (result.thresholds[-1].kept, result.exit_code) == (kept, code)


def test_a_limit_that_the_idle_server_breaks_leaves_no_rate() -> None:
    result = _search(SimulatedProber(_TWO, 1), "p99 < 4ms")
    assert (result.capacity_per_s, result.exit_code, result.thresholds[0].kept) == (0.0, 1, False)
    assert "at no rate" in result.sentence


def test_a_target_that_turns_requests_away_has_its_capacity_there() -> None:
    def turn_away(_: float, rate: float, tally: Tally) -> None:
        if rate > 250:
            tally.protected["429"] = tally.ok - int(250 * tally.ok / rate)

    result = _search(Changed(_TWO, 1, turn_away))
    assert result.first_broken == "protected < 1%"
    low, high = result.interval_95 or (0.0, 0.0)
    assert 0.85 * 250 < low <= result.capacity_per_s <= high < 1.1 * 250 if result.capacity_per_s else False


@pytest.mark.parametrize(
    ("kind", "share", "said"),
    [("reset", 0.2, "(reset)"), ("timeout", 0.1, "(timeout)"), ("status_500", 0.8, "failed (status_500)")],
)
def test_a_target_that_dies_is_left_alone_at_once(kind: str, share: float, said: str) -> None:
    def die(elapsed: float, _: float, tally: Tally) -> None:
        if elapsed > 25:
            lost = int(share * tally.ok)
            tally.errors[kind], tally.ok = lost, tally.ok - lost

    prober = Changed(_TWO, 1, die)
    result = _search(prober, "p99 < 25ms", "errors < 0.1%", guard=prober.guard)
    assert result.reason.startswith("the target was left alone: ")
    assert said in result.reason
    assert (result.capacity_per_s, result.interval_95, result.exit_code) == (None, None, 1)
    assert result.thresholds[1].kept is False
    assert result.seconds < 28


def test_a_target_that_turns_all_away_crosses_no_rule_about_errors() -> None:
    class Closed(Crowd):
        """Nobody gets a valid answer."""

        def resize(self, users: int) -> None:
            """So many users from now on."""

        def advance(self, seconds: float) -> list[float]:
            """No valid answer comes."""
            prober.elapsed_s += seconds
            prober.guard.look(Tally(t=1, sent=10, protected=Counter({"429": 10})))
            return []

    prober = Changed(_TWO, 1, _nothing)
    prober.crowd = lambda: nullcontext(Closed())  # type: ignore[method-assign,arg-type]
    result = _search(prober, "p99 < 25ms", "errors < 0.1%", "protected < 5%", guard=prober.guard)
    assert result.reason == "no request got a valid answer: the target turns them away (429, 503)"
    assert [state.kept for state in result.thresholds] == [None, None, False]
    assert result.exit_code == 1


def test_a_silent_target_crosses_no_rule_about_errors() -> None:
    def fall_silent(elapsed: float, _: float, tally: Tally) -> None:
        if elapsed > 25:
            tally.ok, tally.latency = 0, Histogram()
        elif len(seen) == 5:
            tally.errors["reset"], tally.ok = 1, tally.ok - 1  # one stray error long before says nothing of this
        seen.append(elapsed)

    seen: list[float] = []
    prober = Changed(_TWO, 1, fall_silent)
    result = _search(prober, "p99 < 25ms", "errors < 0.1%", guard=prober.guard)
    assert result.reason == "the target was left alone: there was no answer for 2 s"
    assert [state.kept for state in result.thresholds] == [None, None]


def test_a_target_that_wears_out_is_left_alone() -> None:
    def wear(elapsed: float, _: float, tally: Tally) -> None:
        if elapsed > 20:
            tally.latency = Histogram()
            for _ in range(tally.ok):
                tally.latency.record(0.5)

    prober = Changed(_TWO, 1, wear)
    result = _search(prober, guard=prober.guard)
    assert "half of its answers took 500" in result.reason
    assert result.capacity_per_s is None
    assert result.seconds < 45


def test_a_target_that_was_slow_once_is_not_left_alone() -> None:
    def hold_up(_: float, _rate: float, tally: Tally) -> None:
        if len(prober.asked) == 2:
            tally.latency = Histogram()
            for _ in range(tally.ok):
                tally.latency.record(0.5)

    prober = Changed(QUEUES[0], 1, hold_up)
    result = _search(prober, guard=prober.guard)
    assert prober.asked[1] < 0.9 * prober.asked[0]
    assert prober.asked[2] == prober.asked[1]  # it got the same once more
    assert len(prober.asked) > 3
    assert not result.reason.startswith("the target was left alone")


def test_a_target_that_is_fast_again_with_half_as_much_is_not_left_alone() -> None:
    def hold_up(_: float, _rate: float, tally: Tally) -> None:
        if 2 <= len(prober.asked) <= 3:
            tally.latency = Histogram()
            for _ in range(tally.ok):
                tally.latency.record(0.5)

    prober = Changed(QUEUES[0], 1, hold_up)
    result = _search(prober, guard=prober.guard)
    assert prober.asked[1] == prober.asked[2]
    assert prober.asked[3] == prober.asked[2] / 2
    assert len(prober.asked) > 4
    assert not result.reason.startswith("the target was left alone")


def test_a_target_that_takes_half_as_much_as_asked_is_not_worn_out() -> None:
    usual_s = {1: 0.001, 2: 0.5, 3: 0.5, 4: 0.9 * QUEUES[0].limit_s}

    def hold_up(_: float, _rate: float, tally: Tally) -> None:
        if usual := usual_s.get(len(prober.asked)):
            tally.latency = Histogram()
            for number in range(tally.ok):
                tally.latency.record(usual if number % 20 or usual != usual_s[1] else usual_s[2])

    prober = Changed(QUEUES[0], 1, hold_up)
    result = _search(prober, guard=prober.guard)
    assert prober.asked[3] == prober.asked[2] / 2 < prober.asked[0]
    assert result.probes[3]["p50"] > 3 * result.probes[0]["p50"] + 0.001  # far slower than at a higher rate before
    assert len(prober.asked) > 4
    assert not result.reason.startswith("the target was left alone")


def test_without_a_rule_about_time_half_as_much_decides_by_time() -> None:
    def wear(_: float, rate: float, tally: Tally) -> None:
        if len(prober.asked) > 1:
            tally.latency = Histogram()
            for _ in range(tally.ok):
                tally.latency.record(0.5)
        if rate > 250:
            tally.errors["status_500"] = tally.ok // 20
            tally.ok -= tally.ok // 20

    prober = Changed(_TWO, 1, wear)
    assert "half of its answers took 500" in _search(prober, "errors < 0.1%", guard=prober.guard).reason


def test_a_target_that_is_disturbed_by_something_else_is_not_accused() -> None:
    def disturb(elapsed_s: float, _: float, tally: Tally) -> None:
        for _ in range(tally.ok // 10 if elapsed_s > 17 else 0):
            tally.latency.record(1.0)

    result = _search(Changed(QUEUES[0], 1, disturb))
    assert (result.capacity_per_s, result.exit_code) == (None, 3)
    assert "latencies do not follow the rate" in result.reason
    assert result.thresholds[0].kept is None


@pytest.mark.parametrize("kind", ["errors", "protected"])
def test_what_fails_at_every_rate_does_not_follow_it(kind: str) -> None:
    def fail(_: float, _rate: float, tally: Tally) -> None:
        lost = tally.ok // 10
        tally.ok -= lost
        (tally.errors if kind == "errors" else tally.protected)["503" if kind == "protected" else "status_500"] += lost

    result = _search(Changed(_TWO, 1, fail), "p99 < 25ms", "errors < 0.1%", "protected < 0.1%")
    assert (result.capacity_per_s, result.exit_code) == (None, 3)
    said = {"errors": "errors do not follow", "protected": "what is turned away (429, 503) does not follow"}[kind]
    assert result.reason.startswith(f"{said} the rate")


def test_a_limited_generator_blames_nobody() -> None:
    prober = SimulatedProber(_TWO, 1)
    prober.limitation = "requests left late"
    result = _search(prober)
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
    result = _search(Stumbling(_TWO, 1))
    assert (result.limited_by, result.exit_code) == ("target", 0)
    assert result.capacity_per_s == pytest.approx(_TWO.knee_per_s, rel=0.05)


def test_one_stall_is_no_rate_that_is_too_high() -> None:
    stalls: list[float] = []

    def stall(_: float, rate: float, tally: Tally) -> None:
        if len(stalls) < 2 and rate < 301:
            stalls.append(rate)
            for _ in range(tally.ok // 4):
                tally.latency.record(1.0)

    prober = Changed(_TWO, 1, stall)
    result = _search(prober, budget_s=120)
    low, high = result.interval_95 or (0.0, 0.0)
    assert len(stalls) == 2
    assert min(prober.asked) > 0.9 * stalls[0]  # nobody went to look far below it
    assert low <= _TWO.knee_per_s <= high
    assert result.exit_code == 0


def test_what_crosses_all_the_time_is_not_tried_again() -> None:
    prober = Changed(QUEUES[0], 1, _nothing)
    _search(prober)
    assert prober.asked[0] > 1.2 * QUEUES[0].knee_per_s
    assert prober.asked.count(prober.asked[0]) == 1


def test_a_capacity_from_a_throughput_that_never_settled_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsettled(crowd: Crowd, most_users: int, budget_s: float, _: float) -> Saturation:
        return replace(find_saturation(crowd, most_users, budget_s), settled=False)

    monkeypatch.setattr("grantproof.load.capacity.find_saturation", unsettled)
    result = _search(SimulatedProber(_TWO, 1))
    assert result.capacity_per_s is not None
    assert (result.exit_code, "never settled" in result.reason) == (3, True)


def test_an_interval_that_is_too_wide_to_plan_with_decides_nothing() -> None:
    results = [_search(Changed(QUEUES[2], seed, _nothing), seed=seed, budget_s=40) for seed in range(4)]
    vague = [result for result in results if "too vague" in result.sentence]
    assert vague
    assert {(result.exit_code, "too wide" in result.reason) for result in vague} == {(3, True)}


class Roomy(SimulatedProber):
    """A server that takes so many connections at a time and leaves others without an answer, seen after ten seconds."""

    def __init__(self, room: int, seed: int = 1) -> None:
        super().__init__(_TWO, seed)
        self.room = room
        self.tried: list[int] = []

    def send(self, rate_per_s: float, seconds: int, seed: int) -> Generator[Tally]:
        """Seconds of a probe, or none."""
        self.tried.append(self.connections)
        if self.connections > self.room:
            self.elapsed_s += 10
            raise StarvedError("30 of 300 requests of a second were lost (timeout)", self.room)
        yield from super().send(rate_per_s, seconds, seed)


def test_a_target_that_serves_few_connections_is_searched_with_so_many() -> None:
    prober, guard = Roomy(98), Guard()
    result = _search(prober, guard=guard)
    assert prober.tried[:2] == [1000, 98]
    assert set(prober.tried[1:]) == {98}
    assert guard.restraints == 1
    assert (result.exit_code, result.reason) == (0, "")
    assert result.connections == {"most": 98, "restrained": True}
    assert result.capacity_per_s == pytest.approx(_TWO.knee_per_s, rel=0.03)
    assert ", over no more than 98 connections at a time; plan 1 node like it per " in result.sentence
    assert "  the target served no more than 98 connections at a time" in summary(result)


def test_one_that_serves_many_is_not_restrained() -> None:
    result = _search(SimulatedProber(_TWO, 1))
    assert result.connections == {"most": 1000, "restrained": False}
    assert "connections" not in result.sentence + summary(result)


def test_one_that_serves_few_is_not_blamed_where_no_time_is_left() -> None:
    prober, guard = Roomy(98), Guard()
    guard.reached = True
    result = _search(prober, guard=guard, budget_s=24)
    assert (result.exit_code, result.capacity_per_s, prober.tried) == (3, None, [1000])
    assert result.reason == (
        "30 of 300 requests of a second were lost (timeout), while the target served 98 connections, and no time was "
        "left to search with so many: try --connections 98, or a longer --budget"
    )
    assert {state.kept for state in result.thresholds} == {None}


def test_one_that_serves_ever_fewer_is_left_alone() -> None:
    def starve(_: float, _rate: float, tally: Tally) -> None:
        tally.errors["timeout"] = tally.unserved = tally.ok
        tally.ok, tally.serving = 0, 40

    prober = Changed(_TWO, 1, starve)
    prober.guard.reached, prober.guard.restraints = True, 0
    result = _search(prober, guard=prober.guard)
    assert (result.exit_code, result.capacity_per_s) == (1, None)
    assert result.reason.endswith("on connections that never brought an answer: try fewer --connections")


def test_connections_that_starve_are_told_from_a_target_that_fails() -> None:
    few = Tally(t=1, sent=1000, ok=985, errors=Counter(timeout=15), unserved=15, serving=98)
    guard = Guard()
    guard.start()
    with pytest.raises(StarvedError, match="15 of 1,000 requests of a second were lost") as raised:
        guard.look(few)
    assert raised.value.serving == 98
    with pytest.raises(StarvedError):
        guard.look(replace(few, ok=0))  # after the last request was sent there are stragglers alone
    guard.look(replace(few, unserved=7))  # most of them were on connections that brought answers before
    guard.look(replace(few, serving=0))
    guard.look(replace(few, errors=Counter(timeout=4), unserved=4))
    guard.restraints = 0
    guard.look(few)
    many = replace(few, errors=Counter(timeout=60), unserved=60, ok=940)
    with pytest.raises(TargetLostError, match="60 of 1,000") as lost:
        guard.look(many)
    assert not isinstance(lost.value, StarvedError)
    assert "try fewer --connections" in str(lost.value)


def test_a_curve_that_says_otherwise_is_told() -> None:
    result = _search(SimulatedProber(_TWO, 1))
    assert result.queue is not None
    assert result.queue["agrees"] is True
    assert "says otherwise" not in summary(result)
    odd = msgspec.structs.replace(result, queue=result.queue | {"agrees": False})
    assert "the curve of latencies says otherwise: the interval spans both" in summary(odd)


def test_a_silent_target_is_noticed() -> None:
    guard = Guard(0.25)
    silence = Tally(t=1, sent=5, offered={1: 5})
    guard.start()
    guard.look(silence)
    guard.look(Tally(t=2))
    with pytest.raises(Exception, match="no answer for 2 s"):
        guard.look(silence)
    assert not guard.reached


def test_a_few_errors_are_no_reason_to_stop() -> None:
    guard = Guard()
    guard.start()
    tally = Tally(ok=1000)
    tally.errors.update(reset=4, status_500=300)
    tally.protected.update({"503": 5000})
    guard.look(tally)
    assert guard.reached


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
