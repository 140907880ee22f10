"""Runs checks against one variant of the reference server in a forked child of a warmed process.

Imports are paid once: the parent has loaded pytest, the plugin, hypothesis and httpx before it forks.
"""

import contextlib
import gc
import io
import os
import pickle
import select
import signal
import sys
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grantproof.clauses import content_root, load_registry
from grantproof.reference.server import serve_variants

if TYPE_CHECKING:
    from grantproof.reference.variants import Fault

RULEBOOKS = ("rfc6749", "bcp9700", "oidc", "rfc9068")


_WARM = ("allure_pytest.plugin", "cssselect", "httpx", "hypothesis.extra", "jwt", "lxml.html",
         "grantproof.checks", "grantproof.plugin.state", "grantproof.plugin.verdicts")  # fmt: skip


_PLUGINS = ("grantproof.plugin", "_hypothesis_pytestplugin")
"""What a child's pytest loads; looking for what else is installed would take longer than most jobs."""


@dataclass(frozen=True)
class Job:
    """One variant and the checks to run on it; of each test function every case, or one in so many."""

    variant: str
    profile: Path
    checks: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    rulebooks: tuple[str, ...] = RULEBOOKS
    patience_s: float = 900
    one_in: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a job: the record of each check, pytest's exit code, its output when there is no record."""

    job: Job
    records: tuple[dict[str, Any], ...]
    code: int
    output: str
    seconds: float = field(compare=False, default=0.0)

    def ids(self, *verdicts: str) -> list[str]:
        """The ids of the checks with one of these verdicts."""
        return sorted(str(record["id"]) for record in self.records if record["verdict"] in verdicts)


class _Sample:
    """Keeps one case in so many of each test function, at least one; which, depends on the variant."""

    def __init__(self, job: Job) -> None:
        self._one_in, self._seed = job.one_in, zlib.crc32(job.variant.encode())

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        cases: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in items:
            cases[item.nodeid.partition("[")[0]].append(item)
        kept = {
            id(item) for own in cases.values() for item in own[self._seed % min(self._one_in, len(own)) :: self._one_in]
        }
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
        items[:] = [item for item in items if id(item) in kept]


class _Listener:
    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        record = getattr(report, "grantproof", None)
        if record:
            kept = {key: record[key] for key in ("id", "clauses", "grant", "verdict", "message")}
            self.records.append(kept | {"capability": record.get("capability"), "credentials": _shows(record)})


def _shows(record: dict[str, Any]) -> bool:
    """Whether a check sent credentials: a header, a secret, an assertion or a password; all are redacted by now."""
    sent = (str(exchange["request"]) for exchange in record["exchanges"])
    return any(mark in request for request in sent for mark in _CREDENTIALS)


_CREDENTIALS = (
    "<redacted credentials>",
    "<redacted client_secret>",
    "<redacted client_assertion>",
    "<redacted password>",
)


def warm() -> None:
    """Loads what every child needs, once, and keeps it out of the children's garbage collections."""
    for name in _WARM:
        import_module(name)
    load_registry()
    gc.collect()
    gc.freeze()


def run_here(job: Job) -> tuple[list[dict[str, Any]], int, str]:
    """Runs a job in this process."""
    root = content_root("conformance")
    targets = [str(root / check) for check in job.checks] or [str(root)]
    arguments = [
        *targets,
        "--idp",
        str(job.profile),
        "--grantproof-report",
        "none",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:unraisableexception",
        *(word for name in _PLUGINS for word in ("-p", name)),
    ]
    arguments += ["-c", "/dev/null", "--rootdir", str(root.parent), "--import-mode=importlib", "--tb=line"]
    arguments += [part for name in job.rulebooks for part in ("--grantproof-rulebook", name)]
    listener, output = _Listener(), io.StringIO()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = int(pytest.main([*arguments, *job.arguments], plugins=[listener, _Sample(job)]))
    return listener.records, code, output.getvalue()


def run_all(jobs: Iterable[Job], processes: int | None = None) -> Iterator[Outcome]:
    """Runs jobs in forked children, some at a time, and gives each outcome as it comes."""
    warm()
    waiting = list(jobs)
    running: dict[int, tuple[Job, int, Any, float]] = {}
    processes = processes or os.cpu_count() or 2
    while waiting or running:
        while waiting and len(running) < processes:
            job = waiting.pop(0)
            pid, reader, kept = _fork(job)
            running[pid] = (job, reader, kept, time.monotonic())
        for pid in _ended(running):
            job, reader, kept, began = running.pop(pid)
            os.close(reader)
            yield _outcome(job, kept, time.monotonic() - began)


def _fork(job: Job) -> tuple[int, int, Any]:
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - the parent reads it after the child has ended
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        signal.alarm(int(job.patience_s))
        try:
            pickle.dump(run_here(job), kept)
            kept.flush()
        finally:
            os._exit(0)
    os.close(writer)
    return pid, reader, kept


def _ended(running: dict[int, tuple[Job, int, Any, float]]) -> list[int]:
    readers = {entry[1]: pid for pid, entry in running.items()}
    ready, _, _ = select.select(list(readers), [], [])
    found = [readers[reader] for reader in ready]
    for pid in found:
        os.waitpid(pid, 0)
    return found


def _outcome(job: Job, kept: Any, seconds: float) -> Outcome:
    with kept:
        kept.seek(0)
        content = kept.read()
    if not content:
        return Outcome(job, (), -1, "the child ended without a word (out of patience?)", seconds)
    records, code, output = pickle.loads(content)
    return Outcome(job, tuple(records), code, output, seconds)


@contextlib.contextmanager
def variant_host() -> Generator[tuple[str, Path]]:
    """One process that serves every variant; gives its base URL and the folder for profiles."""
    with tempfile.TemporaryDirectory(prefix="grantproof-variants-") as folder:
        path = Path(folder)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            try:
                serve_variants(0, path, lambda url: _tell(writer, url))
            finally:
                os._exit(0)
        os.close(writer)
        try:
            yield _base_url(reader), path
        finally:
            os.close(reader)
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


def _tell(writer: int, text: str) -> None:
    os.write(writer, text.encode())


def _base_url(reader: int, patience_s: float = 30) -> str:
    ready, _, _ = select.select([reader], [], [], patience_s)
    url = os.read(reader, 1000).decode() if ready else ""
    if not url:
        raise RuntimeError("the variant host does not start")
    return url


def checks_of(fault: "Fault", sources: Sequence[Any]) -> tuple[str, ...]:
    """The test functions that name a clause which the fault breaks."""
    return tuple(source.id for source in sources if set(fault.clauses) & set(source.clauses))
