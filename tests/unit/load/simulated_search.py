"""A whole search without a network, of a simulated server whose seconds may be changed on their way."""

import json
from collections.abc import Callable, Generator
from importlib.resources import files
from typing import Any

import jsonschema

from grantproof.load.capacity import Course
from grantproof.load.capacity_guard import Guard
from grantproof.load.capacity_plan import CapacityPlan
from grantproof.load.capacity_result import CapacityResult
from grantproof.load.tally import Tally
from grantproof.load.target import Target
from tests.unit.load.queue_simulation import QUEUES, Queue, SimulatedProber

TARGET = Target("the server", "https://as.example/token?tenant=1", (("Authorization", "Basic c2VjcmV0"),), b"secret=1")
SCHEMA: Any = json.loads((files("grantproof.load") / "capacity.schema.json").read_text("utf-8"))
TWO = QUEUES[1]


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


def nothing(_: float, _rate: float, _tally: Tally) -> None:
    """Leaves a second as it is."""


def search(
    prober: SimulatedProber, *rules: str, budget_s: float = 60.0, guard: Guard | None = None, seed: int = 1
) -> CapacityResult:
    """Searches, by default with the queue's own limit at p99; what is found keeps the schema."""
    rules = rules or (f"p99 < {1000 * prober.queue.limit_s:g}ms",)
    course = Course(TARGET, rules, prober, guard or Guard(), lambda _: None)
    course.run(CapacityPlan("x", budget_s, thresholds=rules, seed=seed))
    result = course.result()
    jsonschema.validate(json.loads(result.to_json()), SCHEMA)
    return result
