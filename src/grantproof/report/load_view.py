"""What the page says of a load run: load.json and capacity.json turned into tiles, tables and plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from markupsafe import Markup

from grantproof.report.plots import bars, duration, number, percentile_curve, probes, quantile, timeline

Json = Mapping[str, Any]
_ARRIVALS = {"poisson": "Poisson", "constant": "evenly spaced"}


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
    plot: Markup
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True)
class LoadView:
    """The load half of the page; the first scenario is the total. `tone` is the verdict whose colour it wears."""

    sentence: str
    tone: str
    scenarios: tuple[Scenario, ...] = ()
    capacity: Capacity | None = field(default=None)


def compose_load(load: Json | None, capacity: Json | None = None) -> LoadView | None:
    """The load half, or None when there is neither a load run nor a capacity search."""
    if not load and not capacity:
        return None
    found = _capacity(capacity) if capacity else None
    if not load:
        value = number((capacity or {}).get("capacity_per_s"))
        sentence = f"Keeps its thresholds up to {_rate(value)}." if value is not None else "No capacity was found."
        return LoadView(sentence, "inconclusive" if value is None else "pass", (), found)
    rows = _rows(load.get("scenarios"))
    scenarios = (_scenario(load), *(_scenario(row) for row in rows if len(rows) > 1))
    crossed = [threshold for threshold in scenarios[0].thresholds if threshold.kept is False]
    tone = "fail" if crossed or not load.get("ok") else "pass"
    sentence = _sentence(load, crossed, limited=scenarios[0].limited)
    return LoadView(sentence, "inconclusive" if scenarios[0].limited else tone, scenarios, found)


def _sentence(load: Json, crossed: Sequence[Threshold], *, limited: bool) -> str:
    if not load.get("ok"):
        return "No request got a valid answer."
    p99 = number(_part(load, "latency_s").get("p99"))
    text = f"Answered {_rate(number(load.get('achieved_per_s')))} with p99 {duration(p99)}"
    if limited:
        return f"{text}; the generator was the limit, so the target is not judged."
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
        tiles=_tiles(load, latency),
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
    generator, connections, twice = (_part(load, key) for key in ("generator", "connections", "duplicates"))
    reused, opened = number(connections.get("reused_share")), number(connections.get("opened"))
    cpu, each = number(generator.get("cpu_s")), number(generator.get("cpu_us_per_request"))
    found, looked = number(twice.get("found")), number(twice.get("checked_share"))
    rows = (
        ("Limited by the generator", ("yes" if generator["limited"] else "no") if "limited" in generator else None),
        ("Duration", duration(number(load.get("seconds"))) if "seconds" in load else None),
        ("CPU of the generator", None if cpu is None else f"{cpu:,.1f} s"),
        ("CPU for each request", None if each is None else f"{each:,.1f} µs"),
        ("Lag of the sending, p99", duration(number(lag.get("p99"))) if "p99" in lag else None),
        ("Connections opened", None if opened is None else f"{opened:,.0f}"),
        ("Requests on a reused connection", None if reused is None else f"{reused:.1%}"),
        ("Tokens issued twice", None if found is None else f"{found:,.0f}"),
        ("Tokens compared", None if looked is None else f"{looked:.1%}"),
    )
    return tuple((name, value) for name, value in rows if value is not None)


def _capacity(capacity: Json) -> Capacity:
    found = number(capacity.get("capacity_per_s"))
    low_high = [number(value) for value in capacity.get("interval_95") or ()]
    interval = (
        f"95 % interval {low_high[0]:,.0f} to {low_high[1]:,.0f}" if len(low_high) == 2 and None not in low_high else ""
    )
    return Capacity(
        tiles=(
            Tile(_rate(found), "capacity, thresholds kept", interval),
            Tile(_rate(number(capacity.get("saturation_per_s"))), "saturation", "the most that came back"),
            Tile(str(capacity.get("limited_by") or "-"), "limited by"),
        ),
        plot=probes(capacity.get("probes") or (), found),
        thresholds=_thresholds(capacity),
    )


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
