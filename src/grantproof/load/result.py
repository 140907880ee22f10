"""The result of a run: load.json, exactly as it is written, and what it means."""

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from grantproof.errors import GrantproofError
from grantproof.load.dialer import UNREACHED
from grantproof.load.judge import COMPARED, DUPLICATE, REFRESH_TOKEN
from grantproof.load.thresholds import Threshold

if TYPE_CHECKING:
    from grantproof.load.histogram import Histogram
    from grantproof.load.record import RunRecord
    from grantproof.load.target import Target

SCHEMA: Final = "grantproof/load/1"
FILE_NAME: Final = "load.json"
_PERCENTS: Final = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)
_ALWAYS: Final = ("timeout", "reset", "refused", "malformed")
_LATE_S: Final = 0.010
_LATE_SHARE: Final = 0.2
_FULL_SHARE: Final = 0.9


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold and whether the run kept it; `value` is None when nothing was measured."""

    rule: str
    kept: bool
    value: float | None = None


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """load.json as data. Durations are in seconds; `offered_per_s` is None in the closed loop."""

    schema: str = SCHEMA
    target: dict[str, str]
    scenario: str
    arrival: str
    offered_per_s: float | None
    achieved_per_s: float
    ok: int
    errors: dict[str, int]
    protected: dict[str, int]
    latency_s: dict[str, float]
    service_time_s: dict[str, float]
    send_lag_s: dict[str, float]
    connections: dict[str, float]
    generator: dict[str, Any]
    duplicates: dict[str, float]
    thresholds: list[Limit]
    series: list[dict[str, float]]
    seconds: float
    offered: int
    requests: int
    notes: dict[str, int] = {}

    @property
    def kept(self) -> bool:
        """Whether every threshold was kept."""
        return all(limit.kept for limit in self.thresholds)

    @property
    def limited(self) -> bool:
        """Whether the generator, not the target, set the figures."""
        return bool(self.generator.get("limited"))

    @property
    def unreachable(self) -> bool:
        """Whether no request ever got an HTTP answer."""
        endings = {kind for kind, number in self.errors.items() if number}
        return not self.ok and not any(self.protected.values()) and endings <= UNREACHED

    @property
    def exit_code(self) -> int:
        """0 all thresholds kept, 1 one was crossed, 3 unreachable, or limited by the generator, which blames nobody."""
        if self.unreachable or self.limited:
            return 3
        return 0 if self.kept else 1

    def to_json(self) -> str:
        """The text of load.json."""
        return json.dumps(msgspec.to_builtins(self), indent=1, ensure_ascii=False) + "\n"

    def write(self, folder: Path) -> Path:
        """Puts load.json into the run's folder, all at once; gives its path."""
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".load-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.to_json())
            Path(name).chmod(0o644)
            return Path(name).replace(folder / FILE_NAME)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def read(cls, folder: Path) -> "LoadResult":
        """Reads a run's load.json.

        Raises:
            GrantproofError: there is none, or it is not of this kind.
        """
        path = folder / FILE_NAME
        try:
            result = msgspec.json.decode(path.read_bytes(), type=cls)
        except OSError as error:
            raise GrantproofError("there is no result of a load run", str(path), error.strerror or "") from None
        except msgspec.DecodeError as error:
            raise GrantproofError(f"not a result of a load run: {error}", str(path)) from None
        if result.schema != SCHEMA:
            raise GrantproofError(
                f"a result of another version: {result.schema}", str(path), f"this one reads {SCHEMA}"
            )
        return result


@dataclass(frozen=True)
class Ending:
    """How one worker's engine ended: how long it ran and what share of a processor its process took."""

    seconds: float
    cpu_share: float


@dataclass(frozen=True)
class Setting:
    """What a run was asked to do, as load.json tells it. `offered_per_s` is None in the closed loop."""

    scenario: str
    arrival: str
    offered_per_s: float | None
    thresholds: Sequence[Threshold] = ()


class _Measures:
    """A record as thresholds see it."""

    def __init__(self, record: "RunRecord", seconds: float) -> None:
        self._total = record.total
        self._seconds = seconds

    def latency(self, percent: float) -> float | None:
        if not self._total.latency.total:
            return None
        return self._total.latency.longest_s if percent >= 100 else self._total.latency.percentile(percent)

    def share(self, kind: str) -> float | None:
        counter = self._total.errors if kind == "errors" else self._total.protected
        return counter.total() / self._total.resolved if self._total.resolved else None

    @property
    def rate_per_s(self) -> float:
        return self._total.ok / self._seconds if self._seconds else 0.0


def make_result(
    record: "RunRecord", target: "Target", setting: Setting, endings: Sequence[Ending], *, lost: int = 0
) -> LoadResult:
    """The result of a run that is over. `lost` counts workers that never said how they ended."""
    total = record.total
    seconds = max((ending.seconds for ending in endings), default=0.0)
    measures = _Measures(record, seconds)
    compared = total.notes[COMPARED]
    return LoadResult(
        target={"name": target.name, "issuer": target.issuer, "token_endpoint": target.token_url.partition("?")[0]},
        scenario=setting.scenario,
        arrival=setting.arrival,
        offered_per_s=setting.offered_per_s,
        achieved_per_s=_round(measures.rate_per_s),
        ok=total.ok,
        errors={kind: total.errors[kind] for kind in (*_ALWAYS, *sorted(set(total.errors) - set(_ALWAYS)))},
        protected={status: total.protected[status] for status in ("429", "503")},
        latency_s=_quantiles(total.latency),
        service_time_s=_quantiles(total.service),
        send_lag_s=_quantiles(_sum((total.lag, total.queue))),
        connections=_connections(record),
        generator=_generator(record, endings, lost, open_loop=setting.offered_per_s is not None),
        duplicates={"found": total.notes[DUPLICATE], "checked_share": _share(compared, total.ok)},
        thresholds=[
            Limit(rule=rule.rule, kept=rule.kept(measures), value=rule.value(measures)) for rule in setting.thresholds
        ],
        series=[{name: getattr(row, name) for name in row.__slots__} for row in record.series],
        seconds=_round(seconds),
        offered=sum(total.offered.values()) or total.sent - total.retried,
        requests=total.resolved,
        notes={REFRESH_TOKEN: total.notes[REFRESH_TOKEN]},
    )


def limitation(record: "RunRecord", cpu_share: float, *, open_loop: bool) -> str:
    """Why the generator, not the target, set the figures; empty when it did not.

    Open loop: requests that found a free connection left late, at p99 by more than 10 ms and by more than a fifth of the
    p99 latency, so that the latencies hold much of the generator's own lateness. Or requests left late for whatever
    reason, at p99 by more than 10 ms, while a worker's process took more than 90 % of a processor: unread answers look
    like busy connections. Closed loop: a worker's process took more than 90 % of a processor, so the throughput is the
    generator's. Either loop: the system had no more sockets or ports to give.
    """
    total = record.total
    if total.starved:
        return "the system had no more sockets or ports to give"
    busy = cpu_share > _FULL_SHARE
    if not open_loop:
        return f"a worker took {cpu_share:.0%} of a processor" if busy else ""
    own = total.lag.percentile(99)
    if own > max(_LATE_S, _LATE_SHARE * total.latency.percentile(99)):
        return f"requests left late by {own * 1000:.0f} ms at p99 though connections were free"
    if busy and _sum((total.lag, total.queue)).percentile(99) > _LATE_S:
        return f"requests left late while a worker took {cpu_share:.0%} of a processor"
    return ""


def _generator(record: "RunRecord", endings: Sequence[Ending], lost: int, *, open_loop: bool) -> dict[str, Any]:
    total = record.total
    cpu_share = max((ending.cpu_share for ending in endings), default=0.0)
    reason = limitation(record, cpu_share, open_loop=open_loop)
    if lost:
        reason = f"{lost} of {lost + len(endings)} workers were lost"
    return {
        "cpu_s": _round(total.cpu_s),
        "cpu_us_per_request": round(total.cpu_s * 1e6 / total.resolved, 1) if total.resolved else 0.0,
        "limited": bool(reason),
        "reason": reason,
        "cpu_share": _round(cpu_share),
        "workers": len(endings),
        "lag_s": _quantiles(total.lag),
        "abandoned": total.abandoned,
    }


def _connections(record: "RunRecord") -> dict[str, float]:
    total = record.total
    return {"opened": total.opened, "reused_share": _share(total.reused, total.sent), "retried": total.retried}


def _quantiles(histogram: "Histogram") -> dict[str, float]:
    names = [f"p{percent:g}".replace(".", "_") for percent in _PERCENTS]
    found = dict(zip(names, map(_round, histogram.percentiles(_PERCENTS)), strict=True))
    return {**found, "max": _round(histogram.longest_s)}


def _sum(histograms: Iterable["Histogram"]) -> "Histogram":
    first, *others = histograms
    both = type(first)()
    for each in (first, *others):
        both.merge(each)
    return both


def _share(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 1.0


def _round(value: float) -> float:
    return float(f"{value:.6g}")
