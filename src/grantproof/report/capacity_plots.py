"""Plots of a capacity search: latency against throughput with the knee, and throughput by number of users."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from grantproof.report.plots import (
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    caption,
    drawing,
    duration,
    legend,
    log_axis,
    number,
    polyline,
    rate_grid,
    round_up,
    time_grid,
)

_HEIGHT, _BOTTOM = 300, 232


def probes(
    rows: Sequence[Mapping[str, Any]],
    capacity: float | None,
    interval: Sequence[float | None] = (),
    saturation: float | None = None,
    levels: Sequence[Mapping[str, Any]] = (),
) -> Markup:
    """p99 at each rate that a capacity search tried; a ring where the thresholds were kept, a cross where not.

    The line is the mean latency of the closed loop: by Little's law its users over its throughput.

    Args:
        rows: the probes.
        capacity: where the knee is, a dotted line.
        interval: its ends, a band.
        saturation: the most that came back, a dashed line.
        levels: throughput by number of users.
    """
    points = [
        (rate, p99, bool(row.get("kept")))
        for row in rows
        if (rate := number(row.get("offered_per_s"))) is not None and (p99 := number(row.get("p99"))) is not None
    ]
    if len(points) < 2:
        return Markup()
    climb = [
        (rate, users / rate)
        for row in levels
        if (users := number(row.get("users"))) and (rate := number(row.get("per_s")))
    ]
    rates = [*(rate for rate, _, _ in points), *(rate for rate, _ in climb)]
    low, high = min(rates), max(*rates, saturation or 0.0)
    x = Axis(low, high, LEFT + 12, WIDTH - RIGHT - 12)
    y = log_axis([*(p99 for _, p99, _ in points), *(mean for _, mean in climb)], _BOTTOM, TOP)
    parts = [_band(x, interval, low, high), time_grid(y)]
    for value, style in ((capacity, "mark"), (saturation, "line l2")):
        if value is not None and low <= value <= high:
            parts.append(Markup('<path class="{}" d="M{} {}V{}"/>').format(style, x.place(value), TOP, _BOTTOM))
    if len(climb) > 1:
        parts.append(polyline([(x.place(rate), y.place(mean), "") for rate, mean in climb], "l1"))
    parts += [_probe(x.place(rate), y.place(p99), rate, p99, kept=kept) for rate, p99, kept in points]
    parts += [caption(x.place(rate), _BOTTOM + 20, f"{rate:,.0f}/s", "middle") for rate in (low, high)]
    first = "circle: thresholds kept, cross: crossed; dotted: capacity"
    parts.append(caption(LEFT, _HEIGHT - 28, first, "start"))
    line = "; line: mean" if len(climb) > 1 else ""
    parts.append(caption(LEFT, _HEIGHT - 10, f"grey: interval; dashed: saturation{line}", "start"))
    return drawing(_HEIGHT, f"p99 at {len(points)} rates that were tried", parts)


def scaling(levels: Sequence[Mapping[str, Any]], law: Mapping[str, Any]) -> Markup:
    """Throughput by number of users on a logarithmic scale; the universal scalability law beside it where it fits."""
    points = [
        (users, rate)
        for row in levels
        if (users := number(row.get("users"))) is not None and (rate := number(row.get("per_s"))) is not None
    ]
    if len(points) < 2:
        return Markup()
    x = Axis(points[0][0], points[-1][0], LEFT + 12, WIDTH - RIGHT - 12, logarithmic=True)
    y = Axis(0, round_up(max(rate for _, rate in points)), _BOTTOM, TOP)
    parts = [rate_grid(y)]
    alone, contention, coherence = (number(law.get(name)) for name in ("alone_per_s", "contention", "coherence"))
    names = ["measured"]
    if law.get("fits") and alone is not None and contention is not None and coherence is not None:
        fitted = [
            (users, alone * users / (1 + contention * (users - 1) + coherence * users * (users - 1)))
            for users, _ in points
        ]
        parts.append(polyline([(x.place(users), y.place(rate), "") for users, rate in fitted], "l2"))
        names.append("scalability law")
    parts.append(polyline([(x.place(users), y.place(rate), "") for users, rate in points], "l1"))
    parts += [caption(x.place(users), _BOTTOM + 20, f"{users:g}", "middle") for users, _ in points]
    parts.append(legend(names, _HEIGHT - 12))
    best = max(points, key=lambda point: point[1])
    return drawing(_HEIGHT, f"Throughput by number of users; the most is {best[1]:,.0f} per s with {best[0]:g}", parts)


def _band(x: Axis, interval: Sequence[float | None], low: float, high: float) -> Markup:
    ends = [min(max(end, low), high) for end in interval if end is not None]
    if len(ends) != 2 or ends[0] >= ends[1]:
        return Markup()
    start, end = x.place(ends[0]), x.place(ends[1])
    shape = Markup('<rect class="band" x="{}" y="{}" width="{}" height="{}"/>')
    return shape.format(start, TOP, round(end - start, 1), _BOTTOM - TOP)


def _probe(x: float, y: float, rate: float, p99: float, *, kept: bool) -> Markup:
    title = f"{rate:,.1f} per s: p99 {duration(p99)}, {'kept' if kept else 'crossed'}"
    if kept:
        return Markup('<circle class="kept" cx="{}" cy="{}" r="5"><title>{}</title></circle>').format(x, y, title)
    cross = Markup('<path class="crossed" d="M{} {}m-5 -5l10 10m0 -10l-10 10"><title>{}</title></path>')
    return cross.format(x, y, title)
