"""Plots of a load run as inline SVG: no library, no script, colours from the page's style sheet.

Rules of this file:
- Every text goes through `Markup.format`, which escapes it; what a target named is drawn visible first.
- A plot is a picture of numbers that stand in a table beside it, so its label sums up and does not repeat them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grantproof.report.visible import one_line

WIDTH = 520
LEFT, RIGHT, TOP = 62, 14, 14
_SMALLEST_S = 1e-6
_LABEL = 36  # pixels from one label of an axis to the next


@dataclass(frozen=True)
class Axis:
    """Maps values to pixels, linearly or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """The pixel of a value, rounded to a tenth."""
        low, high, value = (self._scale(number) for number in (self.low, self.high, value))
        share = (value - low) / ((high - low) or 1)
        return round(self.start + share * (self.end - self.start), 1)

    def _scale(self, number: float) -> float:
        return math.log10(max(number, _SMALLEST_S)) if self.logarithmic else number


def number(value: object) -> float | None:
    """The value as a finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def duration(seconds: float | None) -> str:
    """A time as people read it: `850 µs`, `4.9 ms`, `912 ms`, `1.20 s`."""
    if seconds is None:
        return "-"
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 999.5:
            scaled = seconds * factor
            return f"{scaled:.0f} {unit}" if scaled >= 99.5 or unit == "µs" else f"{scaled:.1f} {unit}"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:,.0f} s"


def quantile(name: str) -> float | None:
    """The share that a percentile's name says: p99_9 is 0.999; None for another name."""
    digits = name[1:].replace("_", ".")
    try:
        share = float(digits) / 100 if name[:1] == "p" else None
    except ValueError:
        return None
    return share if share is not None and 0 < share < 1 else None


def percentile_curve(curves: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Time against the share of answers, both on a logarithmic scale; one line for each named set of percentiles."""
    height, bottom = 280, 222
    lines = {name: points for name, row in curves.items() if (points := _points(row))}
    if not lines:
        return Markup()
    times = [seconds for points in lines.values() for _, seconds, _ in points]
    ends = [place for points in lines.values() for place, _, _ in points]
    y = log_axis(times, bottom, TOP)
    x = Axis(min(ends), max(ends), LEFT + 8, WIDTH - RIGHT - 14)
    parts = [time_grid(y)]
    marks = {place: label for points in lines.values() for place, _, label in points}
    last = 0.0
    for place, label in sorted(marks.items()):
        if (middle := x.place(place)) - last >= _LABEL:  # else they would run into each other
            parts.append(caption(middle, bottom + 20, label, "middle"))
            last = middle
    for index, (name, points) in enumerate(lines.items()):
        placed = [
            (x.place(place), y.place(seconds), f"{name}, {label}: {duration(seconds)}")
            for place, seconds, label in points
        ]
        parts.append(polyline(placed, f"l{index + 1}"))
        parts.append(_dots(placed, f"l{index + 1}"))
    parts.append(legend(list(lines), height - 12))
    worst = next(iter(lines.values()))[-1]
    return drawing(height, f"Latency by percentile; {worst[2]} is {duration(worst[1])}", parts)


def timeline(series: Sequence[Mapping[str, Any]]) -> Markup:
    """Above, what was offered and what was answered each second; below, p99 on a logarithmic scale; one time axis."""
    rows = _thinned([row for row in series if number(row.get("t")) is not None])
    if len(rows) < 2:
        return Markup()
    height, upper, lower = 350, 132, 292
    x = Axis(float(rows[0]["t"]), float(rows[-1]["t"]), LEFT, WIDTH - RIGHT)
    rates = [value for row in rows for key in ("offered", "ok") if (value := number(row.get(key))) is not None]
    rate = Axis(0, round_up(max(rates, default=1)), upper, TOP)
    parts = [rate_grid(rate)]
    for index, key in enumerate(("offered", "ok")):
        parts.append(polyline([(x.place(t), rate.place(v), "") for t, v in _track(rows, key)], f"l{2 - index}"))
    p99 = _track(rows, "p99")
    if p99:
        y = log_axis([seconds for _, seconds in p99], lower, upper + 44)
        parts.append(time_grid(y))
        parts.append(polyline([(x.place(t), y.place(v), "") for t, v in p99], "l3"))
    parts.append(caption(LEFT, lower + 20, f"{rows[0]['t']:g} s", "start"))
    parts.append(caption(WIDTH - RIGHT, lower + 20, f"{rows[-1]['t']:g} s", "end"))
    parts.append(legend(["answered per s", "offered per s", "p99"], height - 12))
    top = max((value for _, value in p99), default=None)
    return drawing(height, f"Rate and p99 over time; the highest p99 of a second is {duration(top)}", parts)


def bars(counts: Mapping[str, object]) -> Markup:
    """Numbers by kind, the largest first; kinds that never came are left out."""
    present = [(kind, int(found)) for kind, value in counts.items() if (found := number(value))]
    rows = sorted(present, key=lambda row: -row[1])[:12]
    if not rows:
        return Markup()
    most, step = rows[0][1], 30
    parts: list[Markup] = []
    for index, (kind, count) in enumerate(rows):
        top = TOP + index * step
        width = max(2, round((WIDTH - 260) * count / most))
        parts.append(caption(150, top + 14, one_line(kind, 22), "end"))
        parts.append(Markup('<rect class="bar" x="160" y="{}" width="{}" height="18" rx="3"/>').format(top, width))
        parts.append(caption(168 + width, top + 14, f"{count:,}", "start"))
    return drawing(TOP * 2 + len(rows) * step, ", ".join(f"{kind}: {count:,}" for kind, count in rows), parts)


def _points(row: Mapping[str, Any]) -> list[tuple[float, float, str]]:
    found = [
        (-math.log10(1 - share), seconds, "p" + name[1:].replace("_", "."))
        for name, value in row.items()
        if (share := quantile(name)) is not None and (seconds := number(value)) is not None
    ]
    found.sort()
    slowest = number(row.get("max"))
    if found and slowest is not None:
        found.append((found[-1][0] + 0.6, slowest, "max"))
    return found


def _track(rows: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(float(row["t"]), value) for row in rows if (value := number(row.get(key))) is not None]


def _thinned(rows: list[Mapping[str, Any]], limit: int = 400) -> list[Mapping[str, Any]]:
    """At most about `limit` rows: of each bucket the one with the worst p99, so that no stall disappears."""
    step = math.ceil(len(rows) / limit) or 1
    return [
        max(rows[start : start + step], key=lambda row: number(row.get("p99")) or 0)
        for start in range(0, len(rows), step)
    ]


def log_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """A logarithmic axis over whole decades that holds all values."""
    low = 10.0 ** math.floor(math.log10(max(min(values), _SMALLEST_S)))
    high = 10.0 ** math.ceil(math.log10(max(*values, _SMALLEST_S * 10, low * 1.01)))
    return Axis(low, high, start, end, logarithmic=True)


def round_up(value: float) -> float:
    """The next round number, for the end of an axis."""
    if value <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def time_grid(axis: Axis) -> Markup:
    """Horizontal lines with times."""
    decades = range(round(math.log10(axis.low)), round(math.log10(axis.high)) + 1)
    factors = (1, 2, 5) if len(decades) <= 2 else (1,)
    ticks = [
        factor * 10.0**decade for decade in decades for factor in factors if factor * 10.0**decade <= axis.high * 1.01
    ]
    return Markup().join(
        _tick(axis.place(tick), f"{tick * 1000:g} ms" if tick < 1 else f"{tick:g} s") for tick in ticks
    )


def rate_grid(axis: Axis) -> Markup:
    """Horizontal lines with rates: zero, the middle, the end."""
    ticks = (0, axis.high / 2, axis.high)
    return Markup().join(_tick(axis.place(tick), f"{tick:,g}/s" if tick else "0") for tick in ticks)


def _tick(y: float, text: str) -> Markup:
    grid = Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, y, WIDTH - RIGHT)
    return grid + caption(LEFT - 8, y + 4, text, "end")


def caption(x: float, y: float, text: str, anchor: str) -> Markup:
    """A text."""
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, one_line(text, 60))


def polyline(points: Sequence[tuple[float, float, str]], style: str) -> Markup:
    """A line through points of pixels."""
    path = "L".join(f"{x:g} {y:g}" for x, y, _ in points)
    return Markup('<path class="line {}" d="M{}"/>').format(style, path) if points else Markup()


def _dots(points: Sequence[tuple[float, float, str]], style: str) -> Markup:
    dot = Markup('<circle class="dot {}" cx="{}" cy="{}" r="4"><title>{}</title></circle>')
    return Markup().join(dot.format(style, x, y, title) for x, y, title in points)


def legend(names: Sequence[str], y: float) -> Markup:
    """What each line is, in one row."""
    entry = Markup('<path class="line l{}" d="M{} {}h22"/>')
    parts: list[Markup] = []
    x = float(LEFT)
    for index, name in enumerate(names, 1):
        parts.append(entry.format(index, x, y - 4) + caption(x + 28, y, name, "start"))
        x += 52 + 7.2 * len(name)
    return Markup().join(parts)


def drawing(height: float, label: str, parts: Sequence[Markup]) -> Markup:
    """The picture with a sentence for who cannot see it."""
    opening = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, height, one_line(label, 600)
    )
    return opening + Markup().join(parts) + Markup("</svg>")
