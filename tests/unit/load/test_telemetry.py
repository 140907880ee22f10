"""Metrics by OpenTelemetry: what is exported, by our command and by plain Locust with its own option."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from grantproof.errors import GrantproofError
from grantproof.load import LoadPlan, plan
from grantproof.load.command import command_line, worker_command
from grantproof.load.locust_telemetry import Telemetry, find_telemetry
from grantproof.load.plan import locust_file
from grantproof.load.tally import Tally
from tests.unit.load.conftest import SECRET, TOKEN, Reply, Serve, answer, write_profile


def _found(reader: InMemoryMetricReader) -> dict[str, list[HistogramDataPoint | NumberDataPoint]]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    return {
        metric.name: [
            point for point in metric.data.data_points if isinstance(point, HistogramDataPoint | NumberDataPoint)
        ]
        for metric in metrics
    }


def _values(points: list[HistogramDataPoint | NumberDataPoint], key: str) -> dict[object, float]:
    return {(point.attributes or {})[key]: point.value for point in points if isinstance(point, NumberDataPoint)}


def test_each_request_is_in_the_histogram_and_each_failure_counted() -> None:
    reader = InMemoryMetricReader()
    telemetry = Telemetry(1, MeterProvider([reader]))
    tally = Tally(t=1, ok=90, errors=Counter(timeout=10, invalid_client=3), protected=Counter({"429": 2}))
    for number in range(100):
        tally.latency.record(0.1 if number < 90 else 5.0)
    telemetry.add("token", tally)
    found = _found(reader)
    durations = {tuple(sorted((p.attributes or {}).items())): p for p in found["locust.client.duration"]}
    own = (("name", "token"), ("worker", 1))
    good, lost = durations[own], durations[("error.type", "timeout"), *own]
    assert isinstance(good, HistogramDataPoint)
    assert isinstance(lost, HistogramDataPoint)
    assert (good.count, lost.count) == (90, 10)
    assert good.sum == pytest.approx(9.0, rel=0.008)
    assert [lost.min, lost.max] == pytest.approx([5.0, 5.0], rel=0.008)
    assert _values(found["grantproof.client.failures"], "error.type") == {"timeout": 10, "invalid_client": 3, "429": 2}
    percentiles = _values(found["grantproof.client.latency"], "percentile")
    assert percentiles == pytest.approx({50.0: 0.1, 90.0: 0.1, 99.0: 5.0, 99.9: 5.0}, rel=0.008)


def test_nothing_is_made_where_nobody_asks() -> None:
    assert find_telemetry(asked=False) is None


def _missing(_: str) -> None:
    """No package is there."""


def _no_grpc(module: str) -> object:
    """All that is installed, but for what speaks grpc."""
    return None if "grpc" in module else find_spec(module)


def test_who_lacks_the_packages_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "find_spec", _missing)
    with pytest.raises(GrantproofError, match="OpenTelemetry needs an extra"):
        LoadPlan("p", rate_per_s=1.0, otel=True)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert find_telemetry(asked=True) is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "the exporter for OpenTelemetry's grpc is not installed"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "no exporter speaks 'http/json'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ""),
        ({"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ""),
        ({"OTEL_METRICS_EXPORTER": "console"}, ""),
    ],
)
def test_who_lacks_the_exporter_is_told(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str) -> None:
    for name in ("OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(plan, "find_spec", _no_grpc)
    if not said:
        plan.check_telemetry()
        return
    with pytest.raises(GrantproofError) as caught:
        plan.check_telemetry()
    assert said in str(caught.value)


def test_the_option_is_locusts_own_on_every_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    assert "--otel" in command_line(LoadPlan("p", rate_per_s=1.0, otel=True, out=tmp_path))
    assert "--otel" not in command_line(LoadPlan("p", rate_per_s=1.0, out=tmp_path))
    assert worker_command("p", "10.0.0.1", 7000, otel=True)[-1] == "--otel"


class _Collector(ThreadingHTTPServer):
    """Takes metrics as a collector does, by OTLP over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                del format, args

        super().__init__(("127.0.0.1", 0), Handler)

    def counts(self) -> Counter[str]:
        """How many durations came last, by name, over all workers; counts are cumulative."""
        counts: Counter[tuple[str, int]] = Counter()
        for body in self.bodies:
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                    for point in metric.histogram.data_points if metric.name == "locust.client.duration" else ():
                        own = {pair.key: pair.value for pair in point.attributes}
                        series = own["name"].string_value, own["worker"].int_value
                        counts[series] = max(counts[series], point.count)
        total: Counter[str] = Counter()
        for (name, _), number in counts.items():
            total[name] += number
        return total


@pytest.fixture
def collector() -> Iterator[_Collector]:
    with _Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("by", ["grantproof", "two workers", "locust"])
def test_a_collector_gets_every_request(
    serve: Serve, collector: _Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    server = serve(lambda n: Reply(answer(TOKEN.format(n=n))))
    monkeypatch.setenv("TINY_SECRET", SECRET)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    idp = write_profile(tmp_path, server)
    if by != "locust":
        workers = "2" if by == "two workers" else "1"
        command = ["-m", "grantproof", "load", "--duration", "2s", "--workers", workers]
    else:
        file = str(locust_file("token_endpoint"))
        command = ["-m", "locust", "-f", file, "--headless", "--only-summary", "--run-time", "2s"]
    command += ["--idp", idp, "--rate", "50", "--otel", "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, *command], capture_output=True, timeout=100, check=False, cwd=tmp_path)
    assert done.returncode in {0, 3}, done.stderr.decode()  # 3: sent late, on a machine that has more to do
    assert collector.counts() == {"token": 100}, done.stderr.decode()
    assert SECRET.encode() not in b"".join(collector.bodies)
