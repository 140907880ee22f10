"""The result of a run: load.json, exactly as it is written, and what it means."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from grantproof.errors import GrantproofError
from grantproof.load.dialer import UNREACHED
from grantproof.load.findings import COMPARED, MOST_HASHES, REFRESH_TOKEN, SHAPED, UNCOMPARED, UNSHAPED
from grantproof.load.generator import Ending, all_lags, describe_generator, ended_early
from grantproof.load.judge import PROTECTIVE
from grantproof.load.thresholds import Threshold

if TYPE_CHECKING:
    from grantproof.load.histogram import Histogram
    from grantproof.load.record import RunRecord
    from grantproof.load.target import Target

SCHEMA: Final = "grantproof/load/1"
FILE_NAME: Final = "load.json"
_PERCENTS: Final = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)
_ALWAYS: Final = ("timeout", "reset", "refused", "malformed")


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold and whether the run kept it; `value` is None when nothing was measured."""

    rule: str
    kept: bool
    value: float | None = None


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """load.json as data. Durations are in seconds.

    `offered_per_s` is None in the closed loop, and `planned_s` in a run that lasts until it is stopped.
    """

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
    connections: dict[str, int | float]
    generator: dict[str, Any]
    duplicates: dict[str, int | float]
    thresholds: list[Limit]
    series: list[dict[str, int | float]]
    seconds: float
    offered: int
    requests: int
    notes: dict[str, int] = {}
    retry_after: dict[str, int] = {}
    schedule: str = ""
    prepared: list[dict[str, Any]] = []
    scenarios: "list[LoadResult]" = []
    planned_s: float | None = None

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
    def cut_short(self) -> bool:
        """Whether it was stopped before its time was up."""
        return ended_early(self.seconds, self.planned_s)

    @property
    def exit_code(self) -> int:
        """0 all thresholds kept; 1 one was crossed; 3 nothing can be said.

        That is so where the target was not reached, the generator was the limit, or the run was cut short before a
        threshold was crossed.
        """
        if self.unreachable or self.limited or any(part.unreachable for part in self.scenarios):
            return 3
        if not self.kept:
            return 1
        return 3 if self.cut_short else 0

    def to_json(self) -> str:
        """The text of load.json."""
        members = msgspec.to_builtins(self) | {"exit_code": self.exit_code}
        return json.dumps(members, indent=1, ensure_ascii=False) + "\n"

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
class Setting:
    """What a run was asked to do, as load.json tells it.

    Attributes:
        scenario: its name; of several, all their names.
        arrival: how requests are spaced.
        offered_per_s: the mean rate at which they are due; None in the closed loop.
        thresholds: what has to hold.
        schedule: the name of the file that says when requests are due, if there is one.
        parts: name and rate of each part that is measured apart, if there are several.
        planned_s: how long it was to last; None is until it is stopped.
    """

    scenario: str
    arrival: str
    offered_per_s: float | None
    thresholds: Sequence[Threshold] = ()
    schedule: str = ""
    parts: Sequence[tuple[str, float | None]] = ()
    planned_s: float | None = None

    @property
    def open_loop(self) -> bool:
        """Whether requests are due at a rate."""
        return self.offered_per_s is not None


@dataclass(frozen=True)
class Ended:
    """How a run ended, beside its counts.

    Attributes:
        endings: of the workers that said so.
        losses: of those that did not, in words each.
        missing: how many requests the lost ones should have sent and nobody did, or nobody knows what became of.
        duplicates: how many tokens had come before.
        prepared: what was made ahead.
    """

    endings: Sequence[Ending] = ()
    losses: Sequence[str] = ()
    missing: int = 0
    duplicates: int = 0
    prepared: Sequence[Mapping[str, Any]] = ()


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
    record: "RunRecord", target: "Target", setting: Setting, ended: Ended, parts: "Sequence[LoadResult]" = ()
) -> LoadResult:
    """The result of a run that is over, or of one part of it; `parts` are those that were measured apart."""
    total = record.total
    last = max((row.t for row in record.series), default=0)  # where no engine lived to say how long it took
    seconds = max((ending.seconds for ending in ended.endings), default=float(last))
    measures = _Measures(record, seconds)
    compared = total.notes[COMPARED]
    generator = describe_generator(
        total, ended.endings, ended.losses, open_loop=setting.open_loop, planned_s=setting.planned_s
    )
    return LoadResult(
        target={"name": target.name, "issuer": target.issuer, "token_endpoint": target.token_url.partition("?")[0]},
        scenario=setting.scenario,
        arrival=setting.arrival,
        offered_per_s=setting.offered_per_s,
        achieved_per_s=_round(measures.rate_per_s),
        ok=total.ok,
        errors={kind: total.errors[kind] for kind in (*_ALWAYS, *sorted(set(total.errors) - set(_ALWAYS)))},
        protected={status: total.protected[status] for status in PROTECTIVE},
        retry_after={status: total.retry_after[status] for status in PROTECTIVE},
        latency_s=_quantiles(total.latency),
        service_time_s=_quantiles(total.service),
        send_lag_s=_quantiles(all_lags(total)),
        connections=_connections(record),
        generator=generator
        | {"missing": ended.missing, "lag_s": _quantiles(total.lag), "loop_delay_s": _quantiles(total.loop)},
        duplicates={
            "found": ended.duplicates,
            "checked_share": _share(min(compared, MOST_HASHES), compared + total.notes[UNCOMPARED]),
        },
        thresholds=[
            Limit(rule=rule.rule, kept=rule.kept(measures), value=rule.value(measures)) for rule in setting.thresholds
        ],
        series=[{name: getattr(row, name) for name in row.__slots__} for row in record.series],
        seconds=_round(seconds),
        offered=sum(total.offered.values()) or total.sent - total.retried,
        requests=total.resolved,
        notes={name: total.notes[name] for name in (REFRESH_TOKEN, SHAPED, UNSHAPED)},
        schedule=setting.schedule,
        prepared=[dict(each) for each in ended.prepared],
        scenarios=list(parts),
        planned_s=None if setting.planned_s is None else _round(setting.planned_s),
    )


def _connections(record: "RunRecord") -> dict[str, int | float]:
    total = record.total
    return {
        "opened": total.opened,
        "reused_share": _share(total.reused, total.sent),
        "waited_share": _share(total.queue.total, total.sent) if total.sent else 0.0,
        "retried": total.retried,
        "unserved": total.unserved,
        "handshakes": total.handshakes,
        "http2": total.multiplexed,
        "resumed_share": _share(total.resumed, total.handshakes) if total.handshakes else 0.0,
    }


def _quantiles(histogram: "Histogram") -> dict[str, float]:
    names = [f"p{percent:g}".replace(".", "_") for percent in _PERCENTS]
    found = dict(zip(names, map(_round, histogram.percentiles(_PERCENTS)), strict=True))
    return {**found, "max": _round(histogram.longest_s)}


def _share(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole else 1.0


def _round(value: float) -> float:
    return float(f"{value:.6g}")
