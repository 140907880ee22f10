"""Gives what the engine counted to OpenTelemetry, where Locust's option `--otel` has set it up.

Locust feeds its own instrument from its `request` event, which the engine does not fire: so it is fed from here, each
duration with the middle of its bucket. Where the packages are missing Locust says so, and nothing is exported.
"""

from typing import TYPE_CHECKING, Final

from grantproof.load.histogram import bucket_middle

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

    from grantproof.load.tally import Tally

_PERCENTS: Final = (50.0, 90.0, 99.0, 99.9)


class Telemetry:
    """The instruments of one process.

    Args:
        worker: which of several it is, so that their series stay apart.
        provider: whose instruments they are; None is the one that Locust has set up.

    Raises:
        ImportError: OpenTelemetry is not installed.
    """

    def __init__(self, worker: int = 0, provider: "MeterProvider | None" = None) -> None:
        from opentelemetry import metrics  # noqa: PLC0415 - an extra

        self._worker = worker
        meter = metrics.get_meter("locust", meter_provider=provider)
        # In Locust's own words, so that it is Locust's own instrument.
        self._duration = meter.create_histogram(
            "locust.client.duration", unit="s", description="Time to last byte for requests"
        )
        self._failures = meter.create_counter(
            "grantproof.client.failures", unit="{request}", description="Requests without a valid answer, by kind"
        )
        self._latency = meter.create_gauge(
            "grantproof.client.latency", unit="s", description="Percentiles of the last second's latencies"
        )

    def add(self, name: str, tally: "Tally") -> None:
        """Records one second of what has this name in Locust's statistics."""
        own: dict[str, str | int] = {"name": name, "worker": self._worker}
        failures = tally.errors + tally.protected
        for kind, number in failures.items():
            self._failures.add(number, own | {"error.type": kind})
        late, timed_out = failures["timeout"], own | {"error.type": "timeout"}
        buckets = tally.latency.buckets()
        for index, number in reversed(buckets):  # no valid answer took longer than those that were given up
            seconds, lost = bucket_middle(index), min(late, number)
            late -= lost
            for place in range(number):
                self._duration.record(seconds, timed_out if place < lost else own)
        if buckets:
            for percent, seconds in zip(_PERCENTS, tally.latency.percentiles(_PERCENTS), strict=True):
                self._latency.set(seconds, own | {"percentile": percent})


def find_telemetry(worker: int = 0, *, asked: bool) -> Telemetry | None:
    """The instruments, where they are asked for and can be had."""
    if not asked:
        return None
    try:
        return Telemetry(worker)
    except ImportError:
        return None
