"""Gathers what the workers of a run report, tells how it goes, and writes its result. There is one for each run."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from grantproof.errors import GrantproofError
from grantproof.load.findings import TokenBook
from grantproof.load.generator import Ending
from grantproof.load.hgrm import write_hgrm
from grantproof.load.record import Row, RunRecord
from grantproof.load.result import Ended, LoadResult, Setting, make_result

if TYPE_CHECKING:
    from grantproof.load.tally import Tally
    from grantproof.load.target import Target


def default_folder(profile_name: str) -> Path:
    """`reports/<profile>-<UTC time>` under the current folder."""
    return Path("reports") / f"{profile_name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def make_folder(folder: Path) -> Path:
    """The folder, which is there from now on.

    Raises:
        GrantproofError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GrantproofError("the run's folder cannot be made", str(folder), error.strerror or "") from None
    return folder


def print_progress(row: Row) -> None:
    """One second as a JSON line on the standard output."""
    sys.stdout.write(msgspec.json.encode({name: getattr(row, name) for name in row.__slots__}).decode() + "\n")
    sys.stdout.flush()


class Ledger:
    """One run's books.

    Args:
        target: what is loaded.
        setting: what was asked for.
        folder: where load.json goes.
        workers: how many engines there are; the run is over when all have ended or are lost.
        on_row: called with each second as it comes in, again when another worker adds to it.
    """

    def __init__(
        self,
        target: "Target",
        setting: Setting,
        folder: Path,
        workers: int = 1,
        on_row: Callable[[Row], None] | None = None,
    ) -> None:
        self.record = RunRecord()
        self.result: LoadResult | None = None
        self.folder = folder
        self._target, self._setting, self._workers, self._on_row = target, setting, workers, on_row
        names = [name for name, _ in setting.parts] or [""]
        self._parts = {name: RunRecord() for name in names} if len(names) > 1 else {}
        self._books = {name: TokenBook() for name in names}
        self._endings: list[Ending] = []
        self._losses: list[str] = []
        self._missing = 0
        self._prepared: list[Mapping[str, Any]] = []

    @property
    def closed(self) -> bool:
        """Whether the result is written."""
        return self.result is not None

    @property
    def complete(self) -> bool:
        """Whether nothing more is to come."""
        return len(self._endings) + len(self._losses) >= self._workers

    def add(self, tally: "Tally") -> None:
        """Enters one second of one worker's scenario."""
        row = self.record.add(tally)
        if tally.scenario in self._parts:
            self._parts[tally.scenario].add(tally)
        book = self._books.get(tally.scenario) or next(iter(self._books.values()))
        book.enter(tally.hashes)
        if self._on_row is not None:
            try:
                self._on_row(row)
            except BrokenPipeError:  # whoever listened is gone, and the run goes on without
                self._on_row = None

    def prepare(self, prepared: Iterable[Mapping[str, Any]]) -> None:
        """Enters what a worker has made ahead."""
        self._prepared += prepared

    def end(self, ending: Ending) -> bool:
        """Enters a worker's end; True when nothing more is to come."""
        self._endings.append(ending)
        return self.complete

    def lose(self, what: str, missing: Mapping[str, Mapping[int, int]], under_way: int = 0) -> bool:
        """Enters that a worker is lost; True when nothing more is to come.

        Args:
            what: what became of its share, in words.
            missing: how many of its requests are missing, by part and by the second in which they were due.
            under_way: how many others it had reported as due and not how they ended.
        """
        self._losses.append(what)
        self._missing += under_way
        for name, seconds in missing.items():
            for t, number in seconds.items():
                self._missing += number
                self.record.offer(t, number)
                if name in self._parts:
                    self._parts[name].offer(t, number)
        return self.complete

    def close(self) -> LoadResult:
        """Writes the result and the histograms with what there is; the second time it only gives it again."""
        if self.result is None:
            silent = self._workers - len(self._endings) - len(self._losses)
            self._losses += ["one never said how it ended"] * max(silent, 0)
            self.result = self._make_result()
            self.result.write(self.folder)
            write_hgrm(self.record.total.latency, self.folder / "latency.hgrm")
            write_hgrm(self.record.total.service, self.folder / "service_time.hgrm")
        return self.result

    def _make_result(self) -> LoadResult:
        ended = Ended(
            self._endings,
            self._losses,
            self._missing,
            TokenBook.duplicates([*self._books.values()]),
            sum_prepared(self._prepared),
        )
        rates = dict(self._setting.parts)
        parts = [
            make_result(
                record,
                self._target,
                replace(self._setting, scenario=name, offered_per_s=rates[name], parts=()),
                replace(ended, missing=0, duplicates=TokenBook.duplicates([self._books[name]]), prepared=()),
            )
            for name, record in self._parts.items()
        ]
        return make_result(self.record, self._target, self._setting, ended, parts)


def sum_prepared(prepared: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What all workers made ahead: numbers add up, of the times the longest counts, since they worked side by side."""
    sums: dict[str, dict[str, Any]] = {}
    for each in prepared:
        entry = sums.setdefault(str(each["what"]), {"what": each["what"], "number": 0, "seconds": 0.0})
        entry["number"] += each["number"]
        entry["seconds"] = round(max(entry["seconds"], each["seconds"]), 3)
    return list(sums.values())
