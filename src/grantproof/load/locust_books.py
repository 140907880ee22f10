"""Who keeps the books of a run: a single process its own; workers send their pages to the master, which binds them."""

import atexit
import contextlib
import logging
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from locust.stats import CSV_STATS_INTERVAL_SEC

from grantproof.load.generator import Ending
from grantproof.load.ledger import Ledger, default_folder, make_folder, print_progress
from grantproof.load.locust_options import Options, on
from grantproof.load.result import FILE_NAME, Setting
from grantproof.load.tally import Tally
from grantproof.load.target import load_target
from grantproof.load.thresholds import parse_thresholds

if TYPE_CHECKING:
    from locust.env import Environment

_END = "grantproof_end"
_PAGES = "grantproof"
INTERNAL_ERROR = 4
_PATIENCE_S = 10.0
_STOP_S = 5.0
_log = logging.getLogger(__name__)


class Books(Protocol):
    """Takes what the engine of this process counts."""

    def add(self, tally: Tally) -> None:
        """Enters one second."""
        ...

    def end(self, ending: Ending) -> None:
        """Enters the engine's end; of an engine that broke nothing comes."""
        ...


class WorkerBooks:
    """Sends everything to the master, with Locust's own reports, and the rest with the end."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._pages: list[dict[str, Any]] = []
        on(environment.events.report_to_master, self._report)

    def add(self, tally: Tally) -> None:
        """Keeps one second for the next report."""
        self._pages.append(tally.to_data())

    def end(self, ending: Ending) -> None:
        """Tells the master."""
        runner: Any = self._environment.runner
        pages, self._pages = self._pages, []
        runner.send_message(_END, {_PAGES: pages, "ending": asdict(ending)})

    def _report(self, data: dict[str, Any], **_: object) -> None:
        data[_PAGES], self._pages = self._pages, []


class SingleBooks:
    """Keeps the ledger of a run. Raises GrantproofError at once where the profile is wrong or does not allow load."""

    def __init__(self, environment: "Environment", scenario: str) -> None:
        self._environment, self._scenario = environment, scenario
        self._stack = contextlib.ExitStack()
        self._ledger: Ledger | None = None
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
        self._target = load_target(options.idp)
        given.found_token_url = self._target.token_url
        self._thresholds = parse_thresholds(
            options.thresholds if options.thresholds is not None else self._target.thresholds
        )

    def add(self, tally: Tally) -> None:
        """Enters one second."""
        if self._ledger is not None:
            self._ledger.add(tally)

    def end(self, ending: Ending) -> None:
        """Enters an engine's end and, after the last one, ends the test."""
        ledger = self._ledger
        if ledger is not None and ledger.end(ending):
            self._close(ledger)

    def _open(self, **_: object) -> None:
        options = Options.of(self._environment)
        arrival = options.arrival if options.rate_per_s is not None else "closed"
        setting = Setting(self._scenario, arrival, options.rate_per_s, self._thresholds)
        folder = options.out or default_folder(self._target.profile_name)
        on_row = print_progress if options.progress else None
        self._ledger = Ledger(self._target, setting, folder, self._count_workers(), on_row)

    def _count_workers(self) -> int:
        return 1

    def _close(self, ledger: Ledger) -> None:
        """Writes the result and ends the test, unless that was done or another test has begun."""
        if ledger is not self._ledger or ledger.closed:
            return
        try:
            result = ledger.close()
        except OSError as error:
            _log.error("the result cannot be written: %s", error)
            self._environment.process_exit_code = INTERNAL_ERROR
        else:
            _log.info("%d valid answers at %g/s: %s", result.ok, result.achieved_per_s, ledger.folder / FILE_NAME)
        given: Any = self._environment.parsed_options
        runner: Any = self._environment.runner
        # In a greenlet of its own, since quitting ends the greenlets of users, of which this may be one; and where
        # Locust writes CSV, after its next page, since it writes none at the end.
        wait_s = CSV_STATS_INTERVAL_SEC + 0.1 if given.csv_prefix else 0
        gevent.spawn_later(wait_s, runner.quit if given.headless else runner.stop)

    def _on_quitting(self, **_: object) -> None:
        """Nothing is left to do: the engine ends with its users."""


class MasterBooks(SingleBooks):
    """Binds what the workers send."""

    def __init__(self, environment: "Environment", scenario: str) -> None:
        super().__init__(environment, scenario)
        on(environment.events.worker_report, self._on_report)
        runner: Any = environment.runner
        runner.register_message(_END, self._on_end)

    def _open(self, **_: object) -> None:
        super()._open()
        duration_s = Options.of(self._environment).duration_s
        if duration_s is not None:
            self._close_later(duration_s + self._target.timeout_s)

    def _count_workers(self) -> int:
        """How many workers get users; they are told, so that each takes its share of the rate."""
        runner: Any = self._environment.runner
        given: Any = self._environment.parsed_options
        sharing: int = max(min(runner.worker_count, runner.target_user_count), 1)
        given.sharing_workers = sharing
        return sharing

    def _close_later(self, wait_s: float) -> None:
        """Does not wait for ever for a worker that is gone."""
        if self._ledger is not None:
            gevent.spawn_later(wait_s + _PATIENCE_S, self._close, self._ledger)

    def _on_report(self, data: dict[str, Any], **_: object) -> None:
        for page in data.get(_PAGES, ()):
            self.add(Tally.from_data(page))

    def _on_end(self, msg: Any, **_: object) -> None:
        self._on_report(msg.data)
        self.end(Ending(**msg.data["ending"]))
        self._close_later(self._target.timeout_s)

    def _on_quitting(self, **_: object) -> None:
        """When Locust is interrupted, lets the workers stop first, since what they report afterwards is lost."""
        runner: Any = self._environment.runner
        ledger = self._ledger
        if ledger is not None and not ledger.closed:
            runner.stop()
            end = monotonic() + _STOP_S
            while not ledger.closed and monotonic() < end:
                gevent.sleep(0.05)
            ledger.close()
