"""One run in one pytest process: the profile, the target, what was collected, and the report at its end."""

import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import pytest

from grantproof import __version__
from grantproof.clauses import Registry, load_registry
from grantproof.errors import GrantproofError
from grantproof.idp import Idp
from grantproof.login import STUCK_PAGES, require_driver
from grantproof.plugin.selection import check_selection
from grantproof.profile.loading import load
from grantproof.profile.model import Profile
from grantproof.report.record import CheckResult, Run, Waiver
from grantproof.transport import Redactor
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from grantproof.profile.model import Waiver as ProfileWaiver

current: "RunState | None" = None
"""The run of this process; reports arrive without a config."""


@dataclass
class RunState:
    """What a run knows while it goes on."""

    profile: Profile
    rulebooks: tuple[str, ...]
    registry: Registry
    seed: int
    folder: Path | None
    formats: tuple[str, ...]
    counter: Path
    workers: int = 1
    wanted: tuple[str, ...] = ()
    baseline: Path | None = None
    named: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    waits: bool = False
    interrupted: bool = False
    internal_error: bool = False
    run: Run | None = None
    written: Path | None = None
    on_check: Any = None
    _idp: Idp | None = None
    _redactor: Redactor | None = None
    _began: float = field(default_factory=time.perf_counter)
    _records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _exchanges: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _renumbered: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    _stack: ExitStack = field(default_factory=ExitStack)
    _events: Any = None

    @classmethod
    def begin(cls, config: pytest.Config) -> Self:
        """Loads the profile of a run, and starts the embedded server where that is the target.

        Raises:
            pytest.UsageError: the profile is wrong, or the selection names what nothing has.
        """
        global current  # noqa: PLW0603 - reports arrive without a config
        option = cast("Callable[[str], Any]", config.getoption)
        inherited: dict[str, Any] = getattr(config, "workerinput", {}).get("grantproof", {})
        registry, stack = load_registry(), ExitStack()
        rulebooks = tuple(option("grantproof_rulebook")) or ("rfc6749",)
        wanted = tuple(word.strip() for word in option("grantproof_clause"))
        check_selection(rulebooks, option("grantproof_grant"), wanted, registry)
        try:
            profile = load(inherited.get("profile") or _profile_path(option("idp"), stack))
            require_driver(profile)
        except GrantproofError as problem:
            stack.close()
            raise pytest.UsageError(str(problem)) from None
        counter = (
            inherited.get("counter")
            or stack.enter_context(tempfile.TemporaryDirectory(prefix="grantproof-")) + "/requests"
        )
        folder = option("grantproof_out")
        formats = tuple(part for part in option("grantproof_report").split(",") if part and part != "none")
        state = cls(
            profile=profile,
            rulebooks=rulebooks,
            registry=registry,
            seed=option("grantproof_seed"),
            folder=Path(folder) if folder else None,
            formats=formats,
            counter=Path(counter),
            workers=inherited.get("workers", 1),
            wanted=wanted,
            baseline=Path(option("grantproof_baseline")) if option("grantproof_baseline") else None,
            named=str(option("idp")),
            _stack=stack,
        )
        _set_up_fuzzing(config, state.seed, option("grantproof_examples"))
        current = state
        return state

    def close(self) -> None:
        """Ends what the run started."""
        global current  # noqa: PLW0603 - as in begin
        self._stack.close()
        if current is self:
            current = None

    def for_worker(self, workers: int) -> dict[str, Any]:
        """What each of some xdist workers needs to join this run."""
        return {"profile": str(self.profile.path), "counter": str(self.counter), "workers": workers}

    def open(self) -> Idp:
        """The target, connected once a process."""
        if self._idp is None:
            self._idp = Idp.open(self.profile, counter=self.counter, workers=self.workers, pages=self.counter.parent)
            self._redactor = self._idp.transport.recorder.redactor
        return self._idp

    def scrub(self, text: str) -> str:
        """Text without any secret of this run."""
        if self._redactor is None:
            self._redactor = Redactor(self.profile.secrets())
        return self._redactor.text(text)

    def take_exchanges(self) -> list[dict[str, Any]]:
        """The exchanges since the last call, redacted."""
        return self._idp.transport.recorder.take() if self._idp is not None else []

    @property
    def waivers_in_force(self) -> "Sequence[ProfileWaiver]":
        """The waivers whose last day is not over."""
        today = self.started.date()
        return [waiver for waiver in self.profile.waivers if waiver.until >= today]

    def collect(self, report: Any) -> None:
        """Keeps one check's result, its exchanges renumbered over all workers."""
        record: dict[str, Any] = dict(report.grantproof)
        exchanges: list[dict[str, Any]] = record.pop("exchanges")
        worker = str(record.pop("worker"))
        numbers: list[int] = []
        for exchange in exchanges:
            number = len(self._exchanges) + 1
            self._renumbered[worker, exchange["n"]] = number
            self._exchanges.append({**exchange, "n": number})
            numbers.append(number)
        record["exchanges"] = numbers
        self._records.append(record)
        if self._events is not None:
            self._events.append(record)
        if self.on_check is not None:
            self.on_check(record)

    def announce(self, folder: Path) -> None:
        """Opens the log that keeps what a killed run had."""
        from grantproof.report.events import EventLog  # noqa: PLC0415 - only runs that write a report need it

        self._events = EventLog(folder / "events.jsonl")

    def finish(self, *, interrupted: bool = False) -> None:
        """Assembles the run and writes its report."""
        if not self._records and not self.interrupted:
            return
        self.run = Run.assemble(
            tool_version=__version__,
            target_name=self.profile.target.name or self.profile.name,
            issuer=self.profile.target.issuer,
            rulebooks=self.rulebooks,
            seed=self.seed,
            started=self.started,
            seconds=time.perf_counter() - self._began,
            clauses=list(self.registry),
            checks=[_result(record) for record in sorted(self._records, key=lambda record: str(record["id"]))],
            exchanges=self._exchanges,
            waivers=self._waivers(),
            profile=self.named,
            interrupted=interrupted or self.interrupted,
            internal_error=self.internal_error,
        )
        if self.formats:
            from grantproof.report.writer import default_folder, write  # noqa: PLC0415 - jinja2 only where a report is written

            folder = self.folder or default_folder(self.profile.name)
            write(self.run, folder, self.formats, profile_path=self.profile.path or "profile.toml")
            for page in self.counter.parent.glob(STUCK_PAGES):  # of every worker
                shutil.copy(page, folder)
            self.written = folder / "report.html" if "html" in self.formats else folder

    def _waivers(self) -> list[Waiver]:
        from fnmatch import fnmatchcase  # noqa: PLC0415 - only profiles with waivers need it

        found: list[Waiver] = []
        for waiver in self.profile.waivers:
            met = [
                record["verdict"]
                for record in self._records
                if waiver.clause in record["clauses"]
                and (waiver.check is None or fnmatchcase(record["id"], waiver.check))
            ]
            if waiver not in self.waivers_in_force:
                state = "expired"
            elif "waived" in met:
                state = "applied"
            else:
                state = "stale" if "pass" in met else "unused"
            found.append(Waiver(waiver.clause, waiver.reason, waiver.until.isoformat(), state, waiver.check))
        return found


def _profile_path(name: str, stack: ExitStack) -> str:
    if name != "embedded":
        return name
    from grantproof.embedded import start  # noqa: PLC0415 - only runs on the embedded server need it

    return str(stack.enter_context(start()))


def _result(record: dict[str, Any]) -> CheckResult:
    """A check as the run holds it; a permission that was seen unused goes in as a warn, which the run settles."""
    return CheckResult(
        id=record["id"],
        clauses=tuple(record["clauses"]),
        grant=record["grant"],
        verdict=Verdict.WARN if record.get("capability") is False else Verdict(record["verdict"]),
        message=record["message"],
        seconds=record["seconds"],
        exchanges=tuple(record["exchanges"]),
    )


def _set_up_fuzzing(config: pytest.Config, seed: int, examples: int) -> None:
    """Settings that make fuzzing repeatable: a seed, no database of earlier runs, no deadline."""
    from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415 - 180 ms that only runs with a target pay

    config.option.hypothesis_seed = str(seed)  # a bare 0 would count as none
    settings.register_profile(
        "grantproof",
        max_examples=max(1, examples),
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("grantproof")
