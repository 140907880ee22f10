"""Gathers what the workers of a run report, tells how it goes, and writes its result. There is one for each run."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from grantproof.errors import GrantproofError
from grantproof.load.generator import Ending
from grantproof.load.hgrm import write_hgrm
from grantproof.load.record import Row, RunRecord
from grantproof.load.result import LoadResult, Setting, make_result

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
        workers: how many engines there are; the run is over when all have ended.
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
        self._endings: list[Ending] = []

    @property
    def closed(self) -> bool:
        """Whether the result is written."""
        return self.result is not None

    def add(self, tally: "Tally") -> None:
        """Enters one second of one worker."""
        row = self.record.add(tally)
        if self._on_row is not None:
            try:
                self._on_row(row)
            except BrokenPipeError:  # whoever listened is gone, and the run goes on without
                self._on_row = None

    def end(self, ending: Ending) -> bool:
        """Enters a worker's end; True when it was the last one's."""
        self._endings.append(ending)
        return len(self._endings) >= self._workers

    def close(self) -> LoadResult:
        """Writes the result and the histograms with what there is; the second time it only gives it again."""
        if self.result is None:
            lost = max(self._workers - len(self._endings), 0)
            self.result = make_result(self.record, self._target, self._setting, self._endings, lost=lost)
            self.result.write(self.folder)
            write_hgrm(self.record.total.latency, self.folder / "latency.hgrm")
            write_hgrm(self.record.total.service, self.folder / "service_time.hgrm")
        return self.result
