"""The engine inside Locust: users that hand their traffic to it, and the books of the run.

A worker has one engine, in a native thread, whatever its number of users. In the open loop the users only wait for it;
in the closed loop their number is the number of requests under way. Locust's own statistics are brought up to date once
a second.
"""

import signal
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import gevent
from locust import User, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from grantproof.errors import GrantproofError
from grantproof.load import locust_options
from grantproof.load.locust_books import Books, SingleBooks, WorkerBooks
from grantproof.load.locust_master import MasterBooks
from grantproof.load.locust_options import Options
from grantproof.load.locust_pump import Pump
from grantproof.load.target import load_target
from grantproof.load.work import LanePlan, Part, Work, plan_lanes

if TYPE_CHECKING:
    from locust.env import Environment

    from grantproof.load.exchange import Exchange
    from grantproof.load.target import Target

import_module("grantproof.profile")  # takes a second, which workers, being forks, then do not spend in silence

_BOOKS: "WeakKeyDictionary[Environment, Books]" = WeakKeyDictionary()
_PUMPS: "WeakKeyDictionary[Environment, Pump]" = WeakKeyDictionary()


class EngineUser(User):
    """A Locust user whose requests the engine sends. A scenario names itself and says what it exchanges.

    It says so by `make_exchange` or, if it has parts that are measured apart, by `parts`.
    """

    abstract = True
    scenario = ""
    environment: "Environment"

    @classmethod
    def parts(cls, target: "Target") -> Sequence[Part]:
        """What is sent, in parts that are measured apart; only what a part's `make` does may take its time."""
        del target
        return (Part(cls.scenario, cls.make_exchange),)

    @classmethod
    def make_exchange(cls, work: Work) -> "Exchange":
        """What is sent and how answers are judged."""
        raise NotImplementedError

    @task
    def take_part(self) -> None:
        """Lasts as long as the engine runs."""
        pump = _PUMPS.get(self.environment)
        if pump is None or pump.over.is_set():
            try:
                lanes = lanes_of(self.environment)
                pump = _PUMPS[self.environment] = Pump(self.environment, _BOOKS[self.environment], lanes)
            except GrantproofError as error:
                locust_options.give_up(self.environment, error, locust_options.USAGE_ERROR)
                raise StopUser from None
        pump.carry(self.scenario)
        raise StopUser


def lanes_of(environment: "Environment") -> list[LanePlan]:
    """The lanes of all scenarios of a run, the same in master and workers.

    Raises:
        GrantproofError: the profile lacks what a scenario needs, or a rate is missing.
    """
    options = Options.of(environment)
    target = load_target(options.idp, options.token_url)
    classes = {each.scenario: each for each in environment.user_classes if issubclass(each, EngineUser)}
    names = options.scenarios or tuple(classes)
    unknown = [name for name in options.rates if name not in classes]
    if unknown:
        raise GrantproofError(
            f"no scenario {unknown[0]!r} is loaded", "--scenario-rate", f"loaded: {', '.join(classes)}"
        )
    scenarios = {name: classes[name].parts(target) for name in names if name in classes}
    return plan_lanes(scenarios, options.schedule_of)


def _on_init(environment: "Environment", **_: object) -> None:
    # An interruption reaches the main greenlet, where Locust waits for it, and never cuts another one off halfway.
    gevent.signal_handler(signal.SIGINT, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    runner: Any = environment.runner
    if isinstance(runner, WorkerRunner):
        _BOOKS[environment] = WorkerBooks(environment)
        return
    locust_options.take_over_run_time(environment)
    try:
        books = (MasterBooks if isinstance(runner, MasterRunner) else SingleBooks)(environment)
        _BOOKS[environment] = books
        books.plan = partial(lanes_of, environment)
        books.lanes = books.plan()
        given: Any = environment.parsed_options
        given.scenario_names = list(dict.fromkeys(lane.scenario for lane in books.lanes))
    except GrantproofError as error:
        locust_options.leave(error)


locust_options.on(events.init, _on_init)
