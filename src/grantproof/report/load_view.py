"""What the page says of a load run: load.json and capacity.json turned into tiles, tables and plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from markupsafe import Markup

from grantproof.report.capacity_plots import probes, scaling
from grantproof.report.plots import bars, duration, number, percentile_curve, quantile, timeline

Json = Mapping[str, Any]
_ARRIVALS = {"poisson": "Poisson", "constant": "evenly spaced", "trace": "recorded", "closed": "closed-loop"}
_COMPARED = ("p50", "p99", "p99_9", "max")
_UNJUDGED = 3


@dataclass(frozen=True)
class Tile:
    """One big number with what it counts, and a word on it."""

    value: str
    label: str
    note: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Threshold:
    """One rule of the run and whether it was kept; None when that is unknown."""

    rule: str
    kept: bool | None


@dataclass(frozen=True)
class Scenario:
    """One scenario, or the total of all."""

    name: str
    arrival: str
    tiles: tuple[Tile, ...]
    thresholds: tuple[Threshold, ...]
    percentiles: tuple[str, ...]
    latency: tuple[tuple[str, tuple[str, ...]], ...]
    errors: Markup
    plots: tuple[tuple[str, str, Markup], ...]
    health: tuple[tuple[str, str], ...]
    limited: bool
    limit: str


@dataclass(frozen=True)
class Capacity:
    """What a capacity search found."""

    tiles: tuple[Tile, ...]
    plots: tuple[tuple[str, str, Markup], ...]
    thresholds: tuple[Threshold, ...]
    sentence: str = ""
    notice: str = ""


@dataclass(frozen=True)
class LoadView:
    """The load half of the page; the first scenario is the total. `tone` is the verdict whose colour it wears.

    `side_by_side` compares the scenarios, a row each, where there are several.
    """

    sentence: str
    tone: str
    scenarios: tuple[Scenario, ...] = ()
    capacity: Capacity | None = field(default=None)
    side_by_side: tuple[tuple[str, ...], ...] = ()


def compose_load(load: Json | None, capacity: Json | None = None) -> LoadView | None:
    """The load half, or None when there is neither a load run nor a capacity search."""
    if not load and not capacity:
        return None
    found = _capacity(capacity) if capacity else None
    if not load:
        return _search_view(capacity or {}, found)
    rows = _rows(load.get("scenarios"))
    scenarios = (_scenario(load), *(_scenario(row) for row in rows if len(rows) > 1))
    crossed = [threshold for threshold in scenarios[0].thresholds if threshold.kept is False]
    tone = "fail" if crossed or not load.get("ok") else "pass"
    sentence = _sentence(load, crossed, limited=scenarios[0].limited)
    unjudged = scenarios[0].limited or load.get("exit_code") == _UNJUDGED
    compared = tuple(_compare(row) for row in rows) if len(rows) > 1 else ()
    return LoadView(sentence, "inconclusive" if unjudged else tone, scenarios, found, compared)


def _compare(load: Json) -> tuple[str, ...]:
    """One scenario's row beside the others: name, offered, answered, times, errors, turned away."""
    latency = _part(load, "latency_s")
    return (
        str(load.get("scenario") or "load"),
        _rate(number(load.get("offered_per_s"))),
        _rate(number(load.get("achieved_per_s"))),
        *(duration(number(latency.get(name))) for name in _COMPARED),
        f"{_sum(_part(load, 'errors')):,}",
        f"{_sum(_part(load, 'protected')):,}",
    )


def _sentence(load: Json, crossed: Sequence[Threshold], *, limited: bool) -> str:
    unjudged = load.get("exit_code") == _UNJUDGED and not limited
    if not load.get("ok"):
        return (
            "The target was not reached: nothing can be said of it." if unjudged else "No request got a valid answer."
        )
    p99 = number(_part(load, "latency_s").get("p99"))
    text = f"Answered {_rate(number(load.get('achieved_per_s')))} with p99 {duration(p99)}"
    if limited:
        return f"{text}; the generator was the limit, so the target is not judged."
    if unjudged and (stopped := _part(load, "generator").get("reason")):
        return f"{text}; {stopped}, so the target is not judged."
    if unjudged:
        silent = [str(row.get("scenario")) for row in _rows(load.get("scenarios")) if not row.get("ok")]
        return f"{text}; not reached, so that nothing can be said of the whole: {', '.join(silent)}."
    if crossed:
        return f"{text}; crosses {', '.join(threshold.rule for threshold in crossed)}."
    return f"{text}; every threshold kept." if load.get("thresholds") else f"{text}."


def _scenario(load: Json) -> Scenario:
    latency, service, lag = (_part(load, key) for key in ("latency_s", "service_time_s", "send_lag_s"))
    errors, turned_away = _part(load, "errors"), _part(load, "protected")
    names = sorted((name for name in latency if quantile(name)), key=lambda name: quantile(name) or 0)
    columns = [*names, *(["max"] if "max" in latency else [])]
    measured = {"from the intended time": latency, "from the sending": service}
    plots = (
        ("Latency by percentile", "time against share of answers, both logarithmic", percentile_curve(measured)),
        ("Rate and p99 over time", "one point a second", timeline(load.get("series") or ())),
    )
    return Scenario(
        name=str(load.get("scenario") or "load"),
        arrival=_ARRIVALS.get(arrival := str(load.get("arrival") or ""), arrival),
        tiles=_tiles(load, latency if any(map(number, latency.values())) else {}),
        thresholds=_thresholds(load),
        percentiles=tuple("max" if name == "max" else "p" + name[1:].replace("_", ".") for name in columns),
        latency=tuple(
            (name, tuple(duration(number(row.get(column))) for column in columns))
            for name, row in (*measured.items(), ("lag of the sending", lag))
            if row
        ),
        errors=bars({**errors, **{f"{kind} (protection)": count for kind, count in turned_away.items()}}),
        plots=tuple(plot for plot in plots if plot[2]),
        health=_health(load, lag),
        limited=bool(_part(load, "generator").get("limited")),
        limit=str(_part(load, "generator").get("reason") or ""),
    )


def _tiles(load: Json, latency: Json) -> tuple[Tile, ...]:
    ok, wrong = _sum({"ok": load.get("ok")}), _sum(_part(load, "errors"))
    turned_away = _sum(_part(load, "protected"))
    requests = ok + wrong + turned_away
    offered = number(load.get("offered_per_s"))
    note = f"{wrong / (requests or 1):.3%} of {requests:,} requests"
    if turned_away:
        note += f"; {turned_away:,} more turned away"
    return (
        Tile(
            _rate(number(load.get("achieved_per_s"))),
            "answered",
            f"of {_rate(offered)} offered" if offered is not None else "closed loop",
        ),
        Tile(duration(number(latency.get("p50"))), "p50", "half were faster"),
        Tile(duration(number(latency.get("p99"))), "p99", "one in a hundred was slower"),
        Tile(duration(number(latency.get("max"))), "slowest"),
        Tile(f"{wrong:,}", "errors", note, bad=wrong > 0),
    )


def _health(load: Json, lag: Json) -> tuple[tuple[str, str], ...]:
    generator, twice = _part(load, "generator"), _part(load, "duplicates")
    cpu, each = number(generator.get("cpu_s")), number(generator.get("cpu_us_per_request"))
    found, looked = number(twice.get("found")), number(twice.get("checked_share"))
    share, loop = number(generator.get("cpu_share")), _part(generator, "loop_delay_s")
    rows = (
        ("Limited by the generator", ("yes" if generator["limited"] else "no") if "limited" in generator else None),
        ("Schedule", str(load["schedule"]) if load.get("schedule") else None),
        ("Duration", duration(number(load.get("seconds"))) if "seconds" in load else None),
        ("Workers", _count(generator, "workers")),
        ("Workers lost", _count(generator, "lost", hides_zero=True)),
        ("Requests missing with them", _count(generator, "missing", hides_zero=True)),
        ("Requests cut off at the end", _count(generator, "abandoned", hides_zero=True)),
        ("CPU of the generator", None if cpu is None else f"{cpu:,.1f} s"),
        ("CPU of the busiest worker", None if share is None else f"{share:.0%} of a core"),
        ("CPU for each request", None if each is None else f"{each:,.1f} µs"),
        ("Lag of the sending, p99", duration(number(lag.get("p99"))) if "p99" in lag else None),
        ("Delay of its loop, p99", duration(number(loop.get("p99"))) if "p99" in loop else None),
        *_made_ahead(load),
        *_connections(_part(load, "connections")),
        ("Tokens issued twice", None if found is None else f"{found:,.0f}"),
        ("Tokens compared", None if looked is None else f"{looked:.1%}"),
        ("Turned away with Retry-After", f"{told:,}" if (told := _sum(_part(load, "retry_after"))) else None),
    )
    return tuple((name, value) for name, value in rows if value is not None)


def _connections(connections: Json) -> tuple[tuple[str, str | None], ...]:
    shares = {name: number(connections.get(name)) for name in ("reused_share", "waited_share", "resumed_share")}
    reused, waited, resumed = shares.values()
    return (
        ("Connections opened", _count(connections, "opened")),
        ("Requests on a reused connection", None if reused is None else f"{reused:.1%}"),
        ("Requests that waited for a connection", None if waited is None else f"{waited:.1%}"),
        ("Timed out on a connection that never brought an answer", _count(connections, "unserved", hides_zero=True)),
        ("TLS handshakes", _count(connections, "handshakes", hides_zero=True)),
        ("HTTP/2 connections", _count(connections, "http2", hides_zero=True)),
        ("TLS sessions resumed", f"{resumed:.1%}" if resumed is not None and connections.get("handshakes") else None),
    )


def _made_ahead(load: Json) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            f"Made ahead: {row.get('what', '')}",
            f"{number(row.get('number')) or 0:,.0f} in {duration(number(row.get('seconds')))}",
        )
        for row in _rows(load.get("prepared"))
    )


def _count(row: Json, key: str, *, hides_zero: bool = False) -> str | None:
    found = number(row.get(key))
    return None if found is None or (hides_zero and not found) else f"{found:,.0f}"


def _search_view(capacity: Json, found: Capacity | None) -> LoadView:
    value = number(capacity.get("capacity_per_s"))
    if value is None:
        reason = str(capacity.get("reason") or "")
        return LoadView(f"No capacity was found{': ' if reason else ''}{reason}.", "inconclusive", (), found)
    if value <= 0:
        return LoadView("Keeps its thresholds at no rate.", "fail", (), found)
    crossed = any(threshold.kept is False for threshold in (found.thresholds if found else ()))
    return LoadView(f"Keeps its thresholds up to {_rate(value)}.", "fail" if crossed else "pass", (), found)


def _capacity(capacity: Json) -> Capacity:
    found, saturation = (number(capacity.get(name)) for name in ("capacity_per_s", "saturation_per_s"))
    ends = [number(value) for value in capacity.get("interval_95") or ()]
    interval = f"95 % interval {ends[0]:,.0f} to {ends[1]:,.0f}" if len(ends) == 2 and None not in ends else ""
    law, climb = _part(capacity, "scalability"), _part(capacity, "saturation")
    shown = "the universal scalability law fits" if law.get("fits") else "the universal scalability law does not fit"
    plots = (
        (
            "Latency against throughput",
            "p99 at each rate that was tried, mean of the closed loop; logarithmic",
            probes(capacity.get("probes") or (), found, ends, saturation, climb.get("levels") or ()),
        ),
        ("Throughput by number of users", f"closed loop; {shown}", scaling(climb.get("levels") or (), law)),
    )
    by_generator = capacity.get("limited_by") == "generator"
    return Capacity(
        tiles=(
            Tile(_rate(found), "capacity, thresholds kept", interval),
            Tile(_rate(saturation), "saturation", "the most that came back"),
            Tile(str(capacity.get("limited_by") or "-"), "limited by", str(capacity.get("first_broken") or "")),
            *_station(_part(capacity, "queue")),
            *_room(_part(capacity, "connections")),
        ),
        plots=tuple(plot for plot in plots if plot[2]),
        thresholds=_thresholds(capacity),
        sentence=str(capacity.get("sentence") or ""),
        notice=("The generator was the limit: " if by_generator else "") + str(capacity.get("reason") or ""),
    )


def _station(queue: Json) -> tuple[Tile, ...]:
    """The workers at one queue that explain the answers, where they do."""
    workers, service, spread = (number(queue.get(name)) for name in ("workers", "service_s", "variability"))
    if not queue.get("fits") or workers is None or service is None or spread is None:
        return ()
    note = f"at one queue explain every answer: {1000 * service:,.3g} ms each, variability {spread:.2f}"
    if queue.get("agrees") is False:
        note += "; the curve of latencies says otherwise, the interval spans both"
    return (Tile(f"{workers:,.0f}", "worker" if workers == 1 else "workers", note),)


def _room(connections: Json) -> tuple[Tile, ...]:
    """How many connections the target served at a time, where that was fewer than it was offered."""
    most = number(connections.get("most"))
    if not connections.get("restrained") or most is None:
        return ()
    return (Tile(f"{most:,.0f}", "connections", "the target served no more at a time; others never brought an answer"),)


def _thresholds(row: Json) -> tuple[Threshold, ...]:
    entries: Sequence[object] = row.get("thresholds") or ()
    return tuple(_threshold(entry) for entry in entries)


def _threshold(entry: object) -> Threshold:
    if not isinstance(entry, Mapping):
        return Threshold(str(entry), None)
    named = cast("Json", entry)
    return Threshold(str(named.get("rule", "")), named.get("kept"))


def _sum(counts: Json) -> int:
    return sum(int(number(count) or 0) for count in counts.values())


def _rows(members: object) -> Sequence[Json]:
    """The scenarios, whether they stand in a list or under their names."""
    if isinstance(members, Mapping):
        return [{"scenario": name, **row} for name, row in cast("Mapping[str, Json]", members).items()]
    return cast("Sequence[Json]", members) if isinstance(members, Sequence) else ()


def _rate(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}/s" if value >= 1000 else f"{value:,.4g}/s"


def _part(row: Json, key: str) -> Json:
    part = row.get(key)
    return cast("Json", part) if isinstance(part, Mapping) else {}
