"""The engine inside Locust: users that hand their traffic to it, and the books of the run.

A worker has one engine, in a native thread, whatever its number of users. In the open loop the users only wait for it;
in the closed loop their number is the number of requests under way. Locust's own statistics are brought up to date once
a second.
"""

import logging
import signal
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event
from locust import User, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from grantproof.errors import GrantproofError
from grantproof.load import locust_options
from grantproof.load.engine import Engine
from grantproof.load.generator import Ending
from grantproof.load.locust_books import INTERNAL_ERROR, Books, MasterBooks, SingleBooks, WorkerBooks
from grantproof.load.locust_options import Options
from grantproof.load.locust_stats import merge_tally
from grantproof.load.target import load_target

if TYPE_CHECKING:
    from locust.env import Environment

    from grantproof.load.exchange import Exchange
    from grantproof.load.target import Target

_GRACE_S = 2.0
_SWITCH_S = 0.0005
_BOOKS: "WeakKeyDictionary[Environment, Books]" = WeakKeyDictionary()
_PUMPS: "WeakKeyDictionary[Environment, Pump]" = WeakKeyDictionary()
_log = logging.getLogger(__name__)


class EngineUser(User):
    """A Locust user whose requests the engine sends. A scenario names itself and says what it exchanges."""

    abstract = True
    scenario = ""
    environment: "Environment"

    def make_exchange(self, target: "Target") -> "Exchange":
        """What is sent to the target and how answers are judged."""
        raise NotImplementedError

    @task
    def take_part(self) -> None:
        """Lasts as long as the engine runs."""
        pump = _PUMPS.get(self.environment)
        if pump is None or pump.over.is_set():
            try:
                pump = _PUMPS[self.environment] = Pump(self, _BOOKS[self.environment])
            except GrantproofError as error:
                give_up(self.environment, error, locust_options.USAGE_ERROR)
                raise StopUser from None
        pump.carry()
        raise StopUser


def give_up(environment: "Environment", error: BaseException, code: int) -> None:
    """Says why and ends this process; a master counts it as lost."""
    _log.error("%s", error, exc_info=error if code == INTERNAL_ERROR else None)
    environment.process_exit_code = code
    runner: Any = environment.runner
    gevent.spawn(runner.quit)


class Pump:
    """Runs one engine in a native thread and carries what it counts to Locust and to the books."""

    def __init__(self, user: EngineUser, books: "Books") -> None:
        self.over = Event()
        self._users = 0
        self._environment, self._books = user.environment, books
        self._cpu_s = 0.0
        options = Options.of(user.environment)
        target = load_target(options.idp, options.token_url)
        self._exchange = user.make_exchange(target)
        runner: Any = user.environment.runner
        schedule = options.schedule
        if schedule is not None and options.workers > 1:
            schedule = schedule.share(max(runner.worker_index, 0), options.workers)
        most = max(options.connections // options.workers, 1)
        self._engine = Engine(target, self._exchange, schedule, duration_s=options.duration_s, most_connections=most)
        # The engine's thread gives the interpreter away at each system call and should not wait long to have it back.
        sys.setswitchinterval(_SWITCH_S)
        self._thread = gevent.get_hub().threadpool.spawn(self._engine.run)
        gevent.spawn(self._collect)

    def carry(self) -> None:
        """Takes part until the engine has ended; the last user to be stopped stops the engine."""
        self._users += 1
        self._engine.users = self._users
        try:
            self.over.wait()
        finally:
            self._users -= 1
            self._engine.users = self._users
            if not self._users and not self.over.is_set():
                self._engine.stop(_GRACE_S)
                self.over.wait()

    def _collect(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - whatever breaks here must end the run instead of hanging it
            self._engine.stop()
            give_up(self._environment, error, INTERNAL_ERROR)
        finally:
            self.over.set()

    def _follow(self) -> None:
        while not self._thread.ready():
            self._deliver()
            self._thread.wait(0.2)
        self._deliver()
        self._thread.get()
        elapsed_s = self._engine.elapsed_s
        self._books.end(Ending(elapsed_s, min(self._cpu_s / elapsed_s, 1.0) if elapsed_s else 0.0))

    def _deliver(self) -> None:
        while self._engine.finished:
            tally = self._engine.finished.popleft()
            self._cpu_s += tally.cpu_s
            merge_tally(self._environment.stats, self._exchange, tally)
            self._books.add(tally)


def _on_init(environment: "Environment", **_: object) -> None:
    # An interruption reaches the main greenlet, where Locust waits for it, and never cuts another one off halfway.
    gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    runner: Any = environment.runner
    if isinstance(runner, WorkerRunner):
        _BOOKS[environment] = WorkerBooks(environment)
        return
    locust_options.take_over_run_time(environment)
    try:
        scenario = next((each.scenario for each in environment.user_classes if issubclass(each, EngineUser)), "")
        kind = MasterBooks if isinstance(runner, MasterRunner) else SingleBooks
        _BOOKS[environment] = kind(environment, scenario)
    except GrantproofError as error:
        locust_options.leave(error)


locust_options.on(events.init, _on_init)
