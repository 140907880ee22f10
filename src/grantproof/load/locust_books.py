"""Who keeps the books of a run: a single process its own; workers send their pages to the master, which binds them."""

import atexit
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from gevent.event import Event
from locust.stats import CSV_STATS_INTERVAL_SEC

from grantproof.load.generator import Ending
from grantproof.load.handover import Inbox, Orders
from grantproof.load.ledger import Ledger, default_folder, make_folder, print_progress
from grantproof.load.locust_options import INTERNAL_ERROR, Options, find_schedule, on
from grantproof.load.result import FILE_NAME, Setting
from grantproof.load.tally import Tally
from grantproof.load.target import load_target
from grantproof.load.thresholds import parse_thresholds

if TYPE_CHECKING:
    from locust.env import Environment

    from grantproof.load.work import LanePlan

READY = "grantproof_ready"
GO = "grantproof_go"
TAKE_OVER = "grantproof_take_over"
RETIRE = "grantproof_retire"
END = "grantproof_end"
BROKEN = "grantproof_broken"
PAGES = "grantproof"
_LOOK_S = 0.2
_STOP_S = 5.0
_log = logging.getLogger(__name__)

Prepared = Sequence[Mapping[str, Any]]


class Books(Protocol):
    """Takes what the engine of this process counts."""

    def begin(self, prepared: Prepared, orders: Orders) -> None:
        """Enters what was made ahead; returns when the engine is to start."""
        ...

    def add(self, tally: Tally) -> None:
        """Enters one second."""
        ...

    def end(self, ending: Ending) -> None:
        """Enters the engine's end; of an engine that broke nothing comes."""
        ...

    def fail(self) -> None:
        """Enters that the engine broke by an error of ours."""
        ...


class WorkerBooks:
    """Sends everything to the master, with Locust's own reports, and the rest with the end."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._pages: list[dict[str, Any]] = []
        self._go = Event()
        self._inbox = Inbox()
        runner: Any = environment.runner
        on(environment.events.test_start, self._on_start)
        given: Any = environment.parsed_options
        given.own_idp = given.idp
        on(environment.events.report_to_master, self._report)
        runner.register_message(GO, self._on_go)
        runner.register_message(TAKE_OVER, self._on_take_over)
        runner.register_message(RETIRE, self._on_retire)

    def begin(self, prepared: Prepared, orders: Orders) -> None:
        """Tells the master that this worker is ready, and waits for all the others."""
        self._inbox.open(orders)
        runner: Any = self._environment.runner
        runner.send_message(READY, {"prepared": list(prepared)})
        while not orders.stopped and not self._go.wait(_LOOK_S):
            continue
        self._go.clear()

    def add(self, tally: Tally) -> None:
        """Keeps one second for the next report."""
        self._pages.append(tally.to_data())

    def end(self, ending: Ending) -> None:
        """Tells the master."""
        runner: Any = self._environment.runner
        pages, self._pages = self._pages, []
        runner.send_message(END, {PAGES: pages, "ending": asdict(ending)})

    def fail(self) -> None:
        """Tells the master that the run ends with an error of ours, though others go on."""
        runner: Any = self._environment.runner
        runner.send_message(BROKEN)

    def _report(self, data: dict[str, Any], **_: object) -> None:
        data[PAGES], self._pages = self._pages, []

    def _on_go(self, **_: object) -> None:
        self._go.set()

    def _on_start(self, **_: object) -> None:
        self._inbox.clear()

    def _on_take_over(self, msg: Any, **_: object) -> None:
        shares = [(int(index), int(of)) for index, of in msg.data["shares"]]
        self._inbox.put(shares, float(msg.data["since_s"]))

    def _on_retire(self, **_: object) -> None:
        self._inbox.retire()


class SingleBooks:
    """Keeps the ledger of a run. Raises GrantproofError at once where the profile is wrong or does not allow load."""

    def __init__(self, environment: "Environment") -> None:
        self.environment = environment
        self.ledger: Ledger | None = None
        self.interrupted_s: float | None = None
        self.lanes: list[LanePlan] = []
        self._code: int | None = None
        self.plan: Callable[[], list[LanePlan]] = list
        self._stack = contextlib.ExitStack()
        find_schedule(environment)
        options = Options.of(environment)
        given: Any = environment.parsed_options
        on(environment.events.test_start, self._open)
        on(environment.events.quitting, self._on_quitting)
        if options.idp == "embedded":
            from grantproof import embedded  # noqa: PLC0415 - only runs on the embedded server need it

            given.idp = str(self._stack.enter_context(embedded.start()))
            atexit.register(self._stack.close)
            options = Options.of(environment)
        if options.out is not None:
            make_folder(options.out)
        self.target = load_target(options.idp)
        given.found_token_url = self.target.token_url
        self._thresholds = parse_thresholds(
            options.thresholds if options.thresholds is not None else self.target.thresholds
        )

    def begin(self, prepared: Prepared, orders: Orders) -> None:
        """Enters what was made ahead; there is nobody to wait for."""
        del orders
        if self.ledger is not None:
            self.ledger.prepare(prepared)

    def add(self, tally: Tally) -> None:
        """Enters one second."""
        if self.ledger is not None:
            self.ledger.add(tally)

    def end(self, ending: Ending) -> None:
        """Enters an engine's end and, after the last one, ends the test."""
        ledger = self.ledger
        if ledger is not None and ledger.end(ending):
            self.close(ledger)

    def fail(self) -> None:
        """Ends the process with the code of an error of ours."""
        self.environment.process_exit_code = INTERNAL_ERROR

    def _open(self, **_: object) -> None:
        options = Options.of(self.environment)
        self.lanes = self.plan()  # anew, since Locust's own page can change the rate
        rates = [lane.rate_per_s for lane in self.lanes]
        open_loop = bool(rates) and None not in rates
        names = dict.fromkeys(lane.scenario for lane in self.lanes)
        setting = Setting(
            ", ".join(names),
            options.arrival_name,
            sum(rate for rate in rates if rate is not None) if open_loop else None,
            self._thresholds,
            options.schedule_file,
            [(lane.part.name, lane.rate_per_s) for lane in self.lanes],
            options.duration_s,
        )
        folder = options.out or default_folder(self.target.profile_name)
        on_row = print_progress if options.progress else None
        self.ledger = Ledger(self.target, setting, folder, self.count_workers(), on_row)

    def count_workers(self) -> int:
        """How many engines send."""
        return 1

    def close(self, ledger: Ledger) -> None:
        """Writes the result and ends the test, unless that was done or another test has begun."""
        if ledger is not self.ledger or ledger.closed:
            return
        try:
            result = ledger.close()
        except OSError as error:
            _log.error("the result cannot be written: %s", error)
            self.environment.process_exit_code = INTERNAL_ERROR
        else:
            _log.info("%d valid answers at %g/s: %s", result.ok, result.achieved_per_s, ledger.folder / FILE_NAME)
            for limit in result.thresholds:
                if not limit.kept:
                    _log.error("crossed: %s", limit.rule)
            if self.environment.process_exit_code in {None, self._code}:  # Locust's is 1 after any failed request
                self.environment.process_exit_code = self._code = result.exit_code
        self.leave()

    def leave(self) -> None:
        """Ends the test."""
        given: Any = self.environment.parsed_options
        runner: Any = self.environment.runner
        # In a greenlet of its own, since quitting ends the greenlets of users, of which this may be one; and where
        # Locust writes CSV, after its next page, since it writes none at the end.
        wait_s = CSV_STATS_INTERVAL_SEC + 0.1 if given.csv_prefix else 0
        gevent.spawn_later(wait_s, runner.quit if given.headless else runner.stop)

    def _on_quitting(self, **_: object) -> None:
        """When Locust is interrupted, binds the books first: what comes later is lost, and the exit code is settled."""
        ledger = self.ledger
        if ledger is not None and not ledger.closed:
            self.interrupted_s = monotonic()
            runner: Any = self.environment.runner
            runner.stop()
            end = monotonic() + _STOP_S
            while not ledger.closed and monotonic() < end:
                gevent.sleep(0.05)
            self.close(ledger)
