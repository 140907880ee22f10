"""Runs a capacity search: saturation first, then the highest rate that keeps the thresholds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from grantproof.load.capacity_curves import Estimate
from grantproof.load.capacity_engine import EngineProber
from grantproof.load.capacity_guard import Guard, StarvedError, TargetLostError
from grantproof.load.capacity_plan import CapacityPlan
from grantproof.load.capacity_result import (
    GENERATOR,
    TARGET,
    CapacityResult,
    RuleState,
    describe_law,
    describe_probe,
    describe_queue,
    describe_saturation,
    is_vague,
    least_rate_states,
    rounded,
    sentence,
)
from grantproof.load.capacity_rules import ShareRule, least_rates, share_rules
from grantproof.load.capacity_saturation import BUDGET_S, Saturation, find_saturation
from grantproof.load.capacity_scalability import fit_law
from grantproof.load.capacity_search import Search
from grantproof.load.ledger import default_folder, make_folder
from grantproof.load.target import load_target

if TYPE_CHECKING:
    from grantproof.load.capacity_probe import Probe, Prober
    from grantproof.load.target import Target
    from grantproof.load.thresholds import Threshold

MOST_USERS: Final = 256
_SATURATION_PART: Final = 0.25
_PATIENCE_S: Final = 60.0
_LEAST_S: Final = 15.0


class SearchInterrupted(KeyboardInterrupt):
    """The user interrupted a search; `result` is what was gathered."""

    def __init__(self, result: CapacityResult) -> None:
        super().__init__()
        self.result = result


def run_capacity(plan: CapacityPlan, tell: Callable[[str], None] = lambda _: None) -> CapacityResult:
    """Searches and writes capacity.json.

    Args:
        plan: what is asked for.
        tell: called about once a second with how it goes, in words.

    Raises:
        GrantproofError: the profile is wrong or does not allow load, or no threshold says what a kept rate is.
        SearchInterrupted: the user interrupted; capacity.json holds what was gathered.
    """
    target = load_target(plan.idp)
    rules = plan.thresholds if plan.thresholds is not None else target.thresholds
    guard = Guard(max((rule.limit_s for rule in share_rules(rules)), default=0.0))
    folder = make_folder(plan.out or default_folder(target.profile_name))
    course = Course(target, rules, EngineProber(target, guard, plan.connections), guard, tell)
    interrupted = False
    try:
        course.run(plan)
    except KeyboardInterrupt:
        course.reason, interrupted = "interrupted", True
    finally:
        result = course.result()
        result.write(folder)
    if interrupted:
        raise SearchInterrupted(result)
    return result


@dataclass
class Course:
    """How a search went so far; a result can be made of it at any time.

    Attributes:
        reason: why there is no capacity; empty when there is one or nothing went wrong.
        lost: the target did not stand the search.
        restrained: the target served fewer connections than it was offered, and the search went on with so many.
    """

    target: "Target"
    thresholds: Sequence[str]
    prober: "Prober"
    guard: Guard
    tell: Callable[[str], None]
    reason: str = ""
    lost: bool = False
    limited: bool = False
    restrained: bool = False
    saturation: Saturation | None = None
    estimate: Estimate | None = None
    search: Search | None = None
    rules: tuple[ShareRule, ...] = field(init=False)
    least: "tuple[Threshold, ...]" = field(init=False)

    def __post_init__(self) -> None:
        self.rules, self.least = share_rules(self.thresholds), least_rates(self.thresholds)

    def run(self, plan: CapacityPlan) -> None:
        """Both phases."""
        try:
            while not self._attempt(plan):
                pass
        except TargetLostError as problem:
            self.lost, self.reason, self.estimate = True, f"the target was left alone: {problem}", None

    def _attempt(self, plan: CapacityPlan) -> bool:
        """Both phases, or what is left of them; False where the target served too few connections."""
        try:
            saturation = self.saturation or self._saturate(plan)
            if saturation.per_s > 0:
                self._search(plan, saturation)
        except StarvedError as problem:
            if plan.budget_s - self.prober.elapsed_s < _LEAST_S:
                self.estimate, self.reason = None, _no_time_for(problem)
                return True
            self.prober.restrain(problem.serving)
            self.guard.restraints -= 1
            self.restrained = True
            self.tell(f"connections: {problem.serving:,} from now on, since the target served no more at a time")
            return False
        return True

    def _saturate(self, plan: CapacityPlan) -> Saturation:
        self.tell("saturation: ever more users in a closed loop")
        with self.prober.crowd() as crowd:
            part = plan.budget_s * _SATURATION_PART
            users = min(MOST_USERS, self.prober.connections)
            self.saturation = found = find_saturation(crowd, users, min(BUDGET_S, part), min(_PATIENCE_S, part))
        self.tell(f"saturation: {found.per_s:,.1f}/s with {found.users} users")
        if not found.per_s:
            turned_away = ": the target turns them away (429, 503)" if self.guard.protected > self.guard.errors else ""
            self.lost, self.reason = True, f"no request got a valid answer{turned_away}"
        elif self.prober.limitation:
            self.tell(f"the generator was the limit: {self.prober.limitation}")
        return found

    def _search(self, plan: CapacityPlan, saturation: Saturation) -> None:
        self.search = search = Search(
            self.prober,
            self.rules,
            saturation.per_s,
            saturation.levels[0].per_s,
            plan.budget_s,
            plan.precision,
            plan.seed,
            lambda probe: self.tell(_progress(probe, self.rules)),
        )
        self.estimate = search.run()
        if search.limitation:
            self.limited, self.reason = True, search.limitation
        elif search.contradiction:
            self.reason = search.contradiction
        elif self.estimate is None:
            self.reason = "the budget was too short to find a rate that crosses a threshold"
        else:
            self.reason = _doubt(self.estimate, saturation)

    def result(self) -> CapacityResult:
        """The result as it is now."""
        estimate, saturation = self.estimate, self.saturation
        interval = (rounded(estimate.low), rounded(estimate.high)) if estimate is not None else None
        states = [RuleState(rule=rule.rule, kept=self._kept(rule)) for rule in self.rules if rule.given]
        states += least_rate_states(self.least, interval)
        first = estimate.rule.rule if estimate is not None else ""
        return CapacityResult(
            target={
                "name": self.target.name,
                "issuer": self.target.issuer,
                "token_endpoint": self.target.token_url.partition("?")[0],
            },
            scenario="token_endpoint",
            saturation_per_s=rounded(saturation.per_s) if saturation is not None else None,
            capacity_per_s=rounded(estimate.per_s) if estimate is not None else None,
            interval_95=interval,
            thresholds=states,
            limited_by=GENERATOR if self.limited else TARGET,
            probes=[describe_probe(probe, self.rules) for probe in (self.search.probes if self.search else ())],
            seconds=round(self.prober.elapsed_s, 3),
            sentence=sentence(estimate.per_s, interval, self.rules, first, self._restraint)
            if estimate and interval
            else "",
            reason=self.reason,
            first_broken=first,
            saturation=describe_saturation(saturation) if saturation is not None else None,
            scalability=describe_law(fit_law([(lv.users, lv.per_s) for lv in saturation.levels]))
            if saturation
            else None,
            queue=describe_queue(self.search.insight) if self.search and self.estimate else None,
            connections={"most": self.prober.connections, "restrained": self.restrained},
            exit_code=self._exit_code(states),
        )

    @property
    def _restraint(self) -> int:
        return self.prober.connections if self.restrained else 0

    def _kept(self, rule: ShareRule) -> bool | None:
        if self.estimate is None:
            share = {"errors": self.guard.errors, "protected": self.guard.protected}.get(rule.kind, 0.0)
            return False if self.lost and self.guard.reached and share >= rule.share else None
        return self.estimate.per_s > 0 or rule is not self.estimate.rule

    def _exit_code(self, states: Sequence[RuleState]) -> int:
        """0 found, 1 a threshold is crossed at every rate or by a target that died, 3 nothing can be said."""
        if self.lost:
            return 1 if self.guard.reached else 3
        if self.estimate is None:
            return 3
        if any(state.kept is False for state in states):
            return 1
        return 3 if self.reason or any(state.kept is None for state in states) else 0


def _no_time_for(problem: StarvedError) -> str:
    """Why there is no capacity where too little of the budget is left to search with fewer connections."""
    return (
        f"{problem.seen}, while the target served {problem.serving:,} connections, and no time was left "
        f"to search with so many: try --connections {problem.serving}, or a longer --budget"
    )


def _doubt(estimate: Estimate, saturation: Saturation) -> str:
    """Why a capacity that was found is not to be relied on; empty when it is."""
    if not saturation.settled:
        return "the throughput never settled, so that the capacity is a guess: give it a longer --budget"
    if estimate.per_s > 0 and is_vague(estimate.per_s, estimate.low):
        return "the interval is too wide to plan with: give it a longer --budget"
    return ""


def _progress(probe: "Probe", rules: Sequence[ShareRule]) -> str:
    broken = max(range(len(rules)), key=lambda index: probe.share(index) / rules[index].share)
    rule = rules[broken]
    p99 = 1000 * probe.latency.percentile(99)
    return (
        f"probe {probe.number + 1}: {probe.rate_per_s:,.1f}/s  {probe.seconds} s  p99 {p99:.1f} ms  "
        f"{probe.share(broken):.2%} break {rule.rule}, {rule.share:.2%} may"
    )
