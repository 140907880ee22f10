"""Runs one engine in a native thread and carries what it counts to Locust and to the books."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.event import Event

from grantproof.errors import GrantproofError, Inconclusive, NotOffered
from grantproof.load.engine import Engine
from grantproof.load.findings import MOST_HASHES, Findings, portable_hash
from grantproof.load.generator import Ending
from grantproof.load.locust_options import INTERNAL_ERROR, USAGE_ERROR, Options, give_up
from grantproof.load.locust_stats import merge_tally
from grantproof.load.locust_telemetry import find_telemetry
from grantproof.load.target import load_target
from grantproof.load.work import Work, share_users

if TYPE_CHECKING:
    from locust.env import Environment

    from grantproof.load.exchange import Exchange
    from grantproof.load.locust_books import Books
    from grantproof.load.work import LanePlan

_GRACE_S: Final = 2.0
_SWITCH_S: Final = 0.0005


class Pump:
    """One worker's part of a run: prepares it, waits for the others, runs the engine.

    Attributes:
        over: set at the end.
        stopped: nothing more is to be sent.
    """

    def __init__(self, environment: "Environment", books: "Books", lanes: "Sequence[LanePlan]") -> None:
        self.over = Event()
        self._users: Counter[str] = Counter()
        self._environment, self._books, self._lanes = environment, books, lanes
        self._cpu_s = 0.0
        self._options = options = Options.of(environment)
        runner: Any = environment.runner
        place = options.shares.get(runner.client_id) if options.shares is not None else 0
        self._shares: tuple[tuple[int, int], ...] = () if options.workers < 2 else ((place or 0, options.workers),)
        self._exchanges: dict[str, Exchange] = {}
        self._engine: Engine | None = None
        self._idle = self.stopped = place is None  # it came too late to have a share
        self._taken_over: list[tuple[Sequence[tuple[int, int]], float]] = []
        target = load_target(options.idp, options.token_url)
        target = target.over_http2() if options.http2 else target
        self._target = replace(target, new_connections=options.new_connections, resumption=options.resumption)
        asked = bool(getattr(environment.parsed_options, "otel", False))
        self._telemetry = find_telemetry(max(0, getattr(runner, "worker_index", 0)), asked=asked)
        if not self._idle:
            gevent.spawn(self._collect)

    def carry(self, scenario: str) -> None:
        """Takes part until the engine has ended; the last user to be stopped stops the engine."""
        self._users[scenario] += 1
        self._count_users()
        try:
            self.over.wait()
        finally:
            self._users[scenario] -= 1
            self._count_users()
            if not self._users.total() and not self.over.is_set():
                self.retire()
                if self._idle:
                    self.over.set()
                self.over.wait()

    def take_over(self, shares: Sequence[tuple[int, int]], since_s: float) -> None:
        """Sends another worker's requests too that are due from a moment on."""
        self._taken_over.append((shares, since_s))
        if self._engine is not None:
            self._hand_over(self._engine)

    def retire(self, *, handed_over: bool = False) -> None:
        """Sends nothing more; where others have taken over, what was due is theirs."""
        self.stopped = True
        if self._engine is not None:
            self._engine.stop(_GRACE_S, handed_over=handed_over)

    def _hand_over(self, engine: Engine) -> None:
        while self._taken_over:
            shares, since_s = self._taken_over.pop(0)
            for plan, lane in zip(self._lanes, engine.lanes, strict=True):
                schedule = plan.chain(shares)
                if schedule is not None:
                    lane.take_over(schedule, since_s)

    def _count_users(self) -> None:
        """Gives the users of each scenario to its parts."""
        if self._engine is None:
            return
        for scenario in dict.fromkeys(plan.scenario for plan in self._lanes):
            mine = [pair for pair in zip(self._lanes, self._engine.lanes, strict=True) if pair[0].scenario == scenario]
            numbers = share_users(self._users[scenario], [plan.part.weight for plan, _ in mine])
            for (_, lane), number in zip(mine, numbers, strict=True):
                lane.users = number

    def _collect(self) -> None:
        try:
            self._follow()
        except (GrantproofError, Inconclusive, NotOffered) as error:
            give_up(self._environment, error, USAGE_ERROR)
        except Exception as error:  # noqa: BLE001 - whatever breaks here must end the run instead of hanging it
            if self._engine is not None:
                self._engine.stop()
            self._books.fail()
            give_up(self._environment, error, INTERNAL_ERROR)
        finally:
            self.over.set()

    def _follow(self) -> None:
        pool = gevent.get_hub().threadpool
        engine = self._prepared(pool)
        prepared = [asdict(each.prepared) for each in self._exchanges.values() if each.prepared is not None]
        self._books.begin(prepared, self)
        self._engine = engine
        self._count_users()
        self._hand_over(engine)
        if self.stopped:
            engine.stop(handed_over=True)
        # The engine's thread gives the interpreter away at each system call and should not wait long to have it back.
        sys.setswitchinterval(_SWITCH_S)
        thread = pool.spawn(engine.run)
        while not thread.ready():
            self._deliver(engine)
            thread.wait(0.2)
        self._deliver(engine)
        thread.get()
        elapsed_s = engine.elapsed_s
        cpu_share = min(self._cpu_s / elapsed_s, 1.0) if elapsed_s else 0.0
        self._books.end(Ending(elapsed_s, cpu_share, engine.unreached))

    def _prepared(self, pool: Any) -> Engine:
        """The engine, made in a thread since that may take a while, and Locust has heartbeats to send."""
        made: Engine | Exception = pool.spawn(self._try_to_prepare).get()
        if isinstance(made, Exception):
            raise made
        return made

    def _try_to_prepare(self) -> Engine | Exception:
        """What goes wrong is handed over as a value: gevent would print what a thread raises."""
        try:
            return self._prepare()
        except Exception as error:  # noqa: BLE001 - raised again by whoever takes it
            return error

    def _prepare(self) -> Engine:
        """Makes the exchanges and the engine."""
        engine: Engine | None = None
        most = max(self._options.connections // self._options.workers // len(self._lanes), 1)
        for plan in self._lanes:
            work = self._work(plan)
            exchange = self._exchanges[plan.part.name] = plan.part.make(work)
            settings: dict[str, Any] = {
                "name": plan.part.name if len(self._lanes) > 1 else "",
                "duration_s": self._options.duration_s,
                "most_connections": most,
            }
            target = exchange.target or self._target
            if engine is None:
                engine = Engine(target, exchange, work.schedule, **settings)
            else:
                engine.add(target, exchange, work.schedule, **settings)
        if engine is None:
            raise GrantproofError("there is no scenario", "-f", "a Locust file of loadtests")
        return engine

    def _work(self, plan: "LanePlan") -> Work:
        options = self._options
        findings = Findings(
            reuses_tokens=self._target.reuses_tokens,
            most_hashes=MOST_HASHES // options.workers // len(self._lanes),
            digest=hash if options.local else portable_hash,
        )
        schedule = plan.chain(self._shares)
        return Work(self._target, schedule, options.duration_s, findings, options.users)

    def _deliver(self, engine: Engine) -> None:
        while engine.finished:
            tally = engine.finished.popleft()
            self._cpu_s += tally.cpu_s
            exchange = self._exchanges.get(tally.scenario) or next(iter(self._exchanges.values()))
            merge_tally(self._environment.stats, exchange, tally)
            if self._telemetry is not None:
                self._telemetry.add(tally.scenario or exchange.name, tally)
            self._books.add(tally)
