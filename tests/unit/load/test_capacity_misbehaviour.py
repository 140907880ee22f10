"""Searches of targets that die, wear out, turn requests away or serve few connections: who is left alone or accused."""

from collections import Counter
from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import replace

import pytest

from grantproof.cli.capacity_command import summary
from grantproof.load.capacity_guard import Guard, StarvedError, TargetLostError
from grantproof.load.capacity_saturation import Crowd
from grantproof.load.histogram import Histogram
from grantproof.load.tally import Tally
from tests.unit.load.queue_simulation import QUEUES, SimulatedProber
from tests.unit.load.simulated_search import TWO, Changed, nothing, search


def test_a_target_that_turns_requests_away_has_its_capacity_there() -> None:
    def turn_away(_: float, rate: float, tally: Tally) -> None:
        if rate > 250:
            tally.protected["429"] = tally.ok - int(250 * tally.ok / rate)

    result = search(Changed(TWO, 1, turn_away))
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

    prober = Changed(TWO, 1, die)
    result = search(prober, "p99 < 25ms", "errors < 0.1%", guard=prober.guard)
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

    prober = Changed(TWO, 1, nothing)
    prober.crowd = lambda: nullcontext(Closed())  # type: ignore[method-assign,arg-type]
    result = search(prober, "p99 < 25ms", "errors < 0.1%", "protected < 5%", guard=prober.guard)
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
    prober = Changed(TWO, 1, fall_silent)
    result = search(prober, "p99 < 25ms", "errors < 0.1%", guard=prober.guard)
    assert result.reason == "the target was left alone: there was no answer for 2 s"
    assert [state.kept for state in result.thresholds] == [None, None]


def test_a_target_that_wears_out_is_left_alone() -> None:
    def wear(elapsed: float, _: float, tally: Tally) -> None:
        if elapsed > 20:
            tally.latency = Histogram()
            for _ in range(tally.ok):
                tally.latency.record(0.5)

    prober = Changed(TWO, 1, wear)
    result = search(prober, guard=prober.guard)
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
    result = search(prober, guard=prober.guard)
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
    result = search(prober, guard=prober.guard)
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
    result = search(prober, guard=prober.guard)
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

    prober = Changed(TWO, 1, wear)
    assert "half of its answers took 500" in search(prober, "errors < 0.1%", guard=prober.guard).reason


def test_a_target_that_is_disturbed_by_something_else_is_not_accused() -> None:
    def disturb(elapsed_s: float, _: float, tally: Tally) -> None:
        for _ in range(tally.ok // 10 if elapsed_s > 17 else 0):
            tally.latency.record(1.0)

    result = search(Changed(QUEUES[0], 1, disturb))
    assert (result.capacity_per_s, result.exit_code) == (None, 3)
    assert "latencies do not follow the rate" in result.reason
    assert result.thresholds[0].kept is None


@pytest.mark.parametrize("kind", ["errors", "protected"])
def test_what_fails_at_every_rate_does_not_follow_it(kind: str) -> None:
    def fail(_: float, _rate: float, tally: Tally) -> None:
        lost = tally.ok // 10
        tally.ok -= lost
        (tally.errors if kind == "errors" else tally.protected)["503" if kind == "protected" else "status_500"] += lost

    result = search(Changed(TWO, 1, fail), "p99 < 25ms", "errors < 0.1%", "protected < 0.1%")
    assert (result.capacity_per_s, result.exit_code) == (None, 3)
    said = {"errors": "errors do not follow", "protected": "what is turned away (429, 503) does not follow"}[kind]
    assert result.reason.startswith(f"{said} the rate")


class Roomy(SimulatedProber):
    """A server that takes so many connections at a time and leaves others without an answer, seen after ten seconds."""

    def __init__(self, room: int, seed: int = 1) -> None:
        super().__init__(TWO, seed)
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
    result = search(prober, guard=guard)
    assert prober.tried[:2] == [1000, 98]
    assert set(prober.tried[1:]) == {98}
    assert guard.restraints == 1
    assert (result.exit_code, result.reason) == (0, "")
    assert result.connections == {"most": 98, "restrained": True}
    assert result.capacity_per_s == pytest.approx(TWO.knee_per_s, rel=0.03)
    assert ", over no more than 98 connections at a time; plan 1 node like it per " in result.sentence
    assert "  the target served no more than 98 connections at a time" in summary(result)


def test_one_that_serves_many_is_not_restrained() -> None:
    result = search(SimulatedProber(TWO, 1))
    assert result.connections == {"most": 1000, "restrained": False}
    assert "connections" not in result.sentence + summary(result)


def test_one_that_serves_few_is_not_blamed_where_no_time_is_left() -> None:
    prober, guard = Roomy(98), Guard()
    guard.reached = True
    result = search(prober, guard=guard, budget_s=24)
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

    prober = Changed(TWO, 1, starve)
    prober.guard.reached, prober.guard.restraints = True, 0
    result = search(prober, guard=prober.guard)
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
