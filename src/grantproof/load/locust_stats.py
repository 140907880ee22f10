"""Puts what the engine counted into Locust's statistics, so that its UI, its CSV and its distributed mode show it."""

import time
from typing import TYPE_CHECKING

from locust import stats as locust_stats
from locust.stats import StatsEntry, StatsError

from grantproof.load.histogram import bucket_middle

if TYPE_CHECKING:
    from locust.stats import RequestStats

    from grantproof.load.exchange import Exchange
    from grantproof.load.tally import Tally


def merge_tally(stats: "RequestStats", exchange: "Exchange", tally: "Tally") -> None:
    """Adds one second. Locust's `request` event is not fired: at these rates it would cost more than the requests."""
    failures = tally.errors + tally.protected
    if not tally.resolved:
        return
    part = StatsEntry(stats, exchange.name, exchange.method)
    now = time.time()
    _add_latencies(part, tally)
    part.num_requests = tally.resolved
    part.num_none_requests = tally.resolved - tally.latency.total
    part.num_failures = failures.total()
    part.num_reqs_per_sec[int(now)] = tally.resolved
    part.num_fail_per_sec[int(now)] = failures.total()
    part.last_request_timestamp = now
    part.total_content_length = tally.received
    stats.entries[exchange.name, exchange.method].extend(part)
    stats.total.extend(part)
    for kind, number in failures.items():
        key = StatsError.create_key(exchange.method, exchange.name, kind)
        error = stats.errors.setdefault(key, StatsError(exchange.method, exchange.name, kind))
        error.occurrences += number
        error.first_seen = error.first_seen or now
        error.last_seen = now


def _add_latencies(part: "StatsEntry", tally: "Tally") -> None:
    buckets = tally.latency.buckets()
    total_ms = 0.0
    for index, number in buckets:
        latency_ms = bucket_middle(index) * 1000
        total_ms += latency_ms * number
        part.response_times[locust_stats.bucket_response_time(latency_ms)] += number
    if buckets:
        part.total_response_time = round(total_ms)
        part.min_response_time = round(bucket_middle(buckets[0][0]) * 1000)
        part.max_response_time = round(tally.latency.longest_s * 1000)
