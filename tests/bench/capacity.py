"""Whether the capacity search tells the truth, against servers whose capacity and knee are known.

    python -m tests.bench.capacity                        # 100 simulated searches of each queue, one real of each
    python -m tests.bench.capacity --simulated 20 --real 0
    python -m tests.bench.capacity --simulated 0 --real 20 --budget 60
    python -m tests.bench.capacity --simulated 0 --real 0 --odd 20     # servers that are not as one would like them

Simulated searches run the whole search against a queue without a network and without waiting. Real ones run it through
the engine against `tests.bench.queue_server`. Both print a table in Markdown.
"""

import argparse
import math
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from grantproof.load.capacity import Course
from grantproof.load.capacity_engine import EngineProber
from grantproof.load.capacity_guard import Guard
from grantproof.load.capacity_plan import CapacityPlan
from grantproof.load.capacity_probe import Prober
from grantproof.load.capacity_result import CapacityResult
from grantproof.load.target import Target
from tests.unit.load.odd_queues import ODD, OddProber, OddQueue
from tests.unit.load.queue_simulation import QUEUES, Queue, SimulatedProber

ALL = (
    *QUEUES,
    Queue("M/D/8", 8, 0.005, random=False, limit_s=0.015),
    Queue("M/M/8", 8, 0.005, random=True, limit_s=0.04),
)
_CONNECTIONS = 400
_NEAR = 0.03
_CLOSE = 0.01
_ALONE = 200
UNKNOWN = 3

Q = TypeVar("Q", Queue, OddQueue)


@dataclass(frozen=True)
class Outcome:
    """One search, and the rate at which the server crosses the limit in truth."""

    result: CapacityResult
    note: str
    knee_per_s: float


def search(queue: Queue | OddQueue, prober: Prober, guard: Guard, budget_s: float, seed: int, url: str) -> Outcome:
    """A whole search with one threshold."""
    fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
    target = Target(queue.name, url, fields, b"grant_type=client_credentials")
    rules = (f"p99 < {1000 * queue.limit_s:g}ms",)
    course = Course(target, rules, prober, guard, lambda _: None)
    course.run(CapacityPlan("bench", budget_s, 0.01, rules, _CONNECTIONS, seed))
    return Outcome(course.result(), course.reason, queue.knee_per_s)


def simulate(queue: Queue, budget_s: float, seed: int) -> Outcome:
    """Without a network."""
    return search(queue, SimulatedProber(queue, seed), Guard(queue.limit_s), budget_s, seed, "http://127.0.0.1/token")


def confront(queue: OddQueue, budget_s: float, seed: int) -> Outcome:
    """Without a network, with a server that is not as one would like it."""
    return search(queue, OddProber(queue, seed), Guard(queue.limit_s), budget_s, seed, "http://127.0.0.1/token")


def measure(queue: Queue, budget_s: float, seed: int) -> Outcome:
    """Against a server on loopback. What an answer takes besides its service is part of the truth, as its queue is."""
    with serving(queue) as url:
        fields = (("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"))
        target = Target(queue.name, url, fields, b"grant_type=client_credentials")
        guard = Guard(queue.limit_s)
        outcome = search(queue, EngineProber(target, guard, _CONNECTIONS), guard, budget_s, seed, url)
        return replace(outcome, knee_per_s=queue.knee_with_delay(delay(queue, url)))


def delay(queue: Queue, url: str) -> float:
    """What an answer takes besides its service, in seconds: of a plain client alone, or by the server's own timers."""
    if queue.random:
        late: list[float] = httpx.get(url, trust_env=False).json()
        return statistics.median(late)
    parts = urlsplit(url)
    took: list[float] = []
    with socket.create_connection((parts.hostname, parts.port)) as plain:
        for _ in range(_ALONE):
            began = time.perf_counter()
            plain.sendall(b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
            plain.recv(4096)
            took.append(time.perf_counter() - began)
    return statistics.median(took) - queue.service_s


@contextmanager
def serving(queue: Queue) -> Generator[str]:
    """The server as a process of its own; its token endpoint."""
    kind = "exponential" if queue.random else "fixed"
    command = [sys.executable, "-m", "tests.bench.queue_server", str(queue.workers), str(queue.service_s), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout is not None else ""
            yield f"http://127.0.0.1:{port}/token"
        finally:
            process.kill()


def row(queue: Queue, outcomes: Sequence[Outcome]) -> list[str]:
    """A line of the table."""
    most = queue.capacity_per_s
    saturations = [abs(o.result.saturation_per_s / most - 1) for o in outcomes if o.result.saturation_per_s]
    within = f"{sum(_saturation_holds(queue, o.result) for o in outcomes)} of {len(outcomes)}"
    return [queue.name, f"{most:,.0f}", f"{queue.knee_per_s:,.1f}", _percent(saturations), within, *_accuracy(outcomes)]


def _saturation_holds(queue: Queue, result: CapacityResult) -> bool:
    """Whether it is within 1 %, or, where service is random, within its own 95 % interval (two standard errors)."""
    if not result.saturation_per_s or not result.saturation:
        return False
    off = abs(result.saturation_per_s - queue.capacity_per_s)
    return off <= (result.saturation["half_width_95"] or 0.0 if queue.random else _CLOSE * queue.capacity_per_s)


def odd_row(queue: OddQueue, outcomes: Sequence[Outcome]) -> list[str]:
    """The same for a server whose capacity nobody asks for."""
    return [queue.name, "yes" if queue.is_station else "no", f"{queue.knee_per_s:,.1f}", *_accuracy(outcomes)]


def _accuracy(outcomes: Sequence[Outcome]) -> list[str]:
    answered = [o for o in outcomes if o.result.capacity_per_s is not None]
    found = [o.result for o in answered]
    offs = [abs((o.result.capacity_per_s or 0) / o.knee_per_s - 1) for o in answered]
    ends = [result.interval_95 or (0.0, math.inf) for result in found]
    held = sum(low <= o.knee_per_s <= high for o, (low, high) in zip(answered, ends, strict=True))
    widths = sorted((high - low) / 2 / o.knee_per_s for o, (low, high) in zip(answered, ends, strict=True))
    return [
        f"{sum(bool(result.queue and result.queue['fits']) for result in found)} of {len(outcomes)}",
        f"{len(found)} of {len(outcomes)}",
        _percent(offs),
        f"{sum(off <= _NEAR for off in offs)} of {len(found)}",
        f"{held} of {len(found)}",
        f"{statistics.median(widths):.1%}" if widths else "-",
        f"{widths[int(0.9 * len(widths))]:.1%}" if widths else "-",
        f"{sum(result.exit_code == UNKNOWN for result in found)} of {len(found)}",
    ]


def _percent(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2%}, {max(values):.2%}" if values else "-"


ACCURACY = (
    "taken for workers at one queue", "answered", "knee off (median, worst)", "within 3 %", "interval holds the truth",
    "half-width (median)", "9 of 10 below", "exit 3",
)  # fmt: skip
HEADS = ("queue", "capacity /s", "true knee /s", "saturation off by (median, worst)", "saturation holds", *ACCURACY)
ODD_HEADS = ("server", "workers at one queue", "true knee /s", *ACCURACY)


def table(
    title: str,
    heads: Sequence[str],
    queues: Sequence[Q],
    number: int,
    run: Callable[[Q, int], Outcome],
    describe: Callable[[Q, Sequence[Outcome]], list[str]],
) -> None:
    """Runs and prints."""
    sys.stdout.write(f"\n{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n")
    for queue in queues:
        outcomes = [run(queue, seed) for seed in range(number)]
        sys.stdout.write(f"| {' | '.join(describe(queue, outcomes))} |\n")
        for note, times in Counter(outcome.note for outcome in outcomes if outcome.note).items():
            sys.stderr.write(f"{queue.name}: {times} of {len(outcomes)}: {note}\n")
        sys.stdout.flush()


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Proves the capacity search.")
    parser.add_argument("--simulated", type=int, default=100, help="simulated searches of each queue")
    parser.add_argument("--real", type=int, default=1, help="real searches of each queue")
    parser.add_argument("--odd", type=int, default=0, help="simulated searches of each odd server")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of each search")
    parser.add_argument("--only", default="", help="only this queue")
    chosen = parser.parse_args()
    budget: float = chosen.budget

    def wanted(queues: Sequence[Q]) -> list[Q]:
        return [queue for queue in queues if chosen.only in {"", queue.name}]

    if number := chosen.simulated:
        title = f"{number} simulated searches of each queue, {budget:g} s"
        table(title, HEADS, wanted(ALL), number, lambda queue, seed: simulate(queue, budget, seed), row)
    if number := chosen.odd:
        title = f"{number} simulated searches of each odd server, {budget:g} s"
        table(title, ODD_HEADS, wanted(ODD), number, lambda queue, seed: confront(queue, budget, seed), odd_row)
    if number := chosen.real:
        title = f"{number} real searches of each queue, {budget:g} s"
        table(title, HEADS, wanted(ALL), number, lambda queue, seed: measure(queue, budget, seed), row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
