"""report.html: one file that shows a run to people, from a disk, without a network.

Rules of this file:
- Every value is drawn visible and escaped by the environment (`finalize`, autoescape); no template marks anything safe.
- The page allows itself one style and one script, both by hash; inline style attributes are refused by its own policy.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from grantproof.report.load_view import compose_load
from grantproof.report.page import compose
from grantproof.report.visible import one_line, visible
from grantproof.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment

    from grantproof.report.record import Run

WORDS = {verdict: verdict.value.replace("_", " ") for verdict in Verdict}
TILE_ORDER = (
    (Verdict.FAIL, "findings"),
    (Verdict.WARN, "findings"),
    (Verdict.INCONCLUSIVE, "inconclusive"),
    (Verdict.PASS, "clauses"),
    (Verdict.WAIVED, "waivers"),
    (Verdict.NOT_OFFERED, "not-offered"),
)
_BAR_ORDER = (
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.INCONCLUSIVE,
    Verdict.WAIVED,
    Verdict.PASS,
    Verdict.NOT_OFFERED,
)


@dataclass(frozen=True)
class Assets:
    """What a page carries inline."""

    style: Markup
    script: Markup
    policy: str


def render_html(
    run: "Run | None",
    *,
    load: "Mapping[str, Any] | None" = None,
    capacity: "Mapping[str, Any] | None" = None,
    tool_version: str = "",
) -> str:
    """The page of a run, of a load run, or of both.

    Args:
        run: the conformance run, if there was one.
        load: the members of load.json, if there was a load run.
        capacity: the members of capacity.json, if there was a capacity search.
        tool_version: for a page without a run, which would know it.

    Raises:
        ValueError: nothing was given.
    """
    page = compose(run) if run else None
    load_view = compose_load(load, capacity)
    if page is None and load_view is None:
        raise ValueError("a page needs a run, a load run or a capacity search")
    target: Mapping[str, Any] = (load or capacity or {}).get("target") or {}
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            assets=assets(),
            page=page,
            load=load_view,
            target_name=one_line(run.target.name if run else str(target.get("name") or "load run"), 160),
            issuer=one_line(run.target.issuer if run else str(target.get("issuer") or ""), 300),
            version=run.tool_version if run else tool_version,
            tiles=TILE_ORDER,
        )
    )


@cache
def environment() -> "Environment":
    """The templates, with everything escaped and made visible."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - only a page pays for it

    environment = Environment(
        autoescape=True,
        finalize=_finalize,
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names: dict[str, Any] = {"words": WORDS, "share_bar": share_bar}
    filters: dict[str, Any] = {"count": _count, "day": _day, "took": _took}
    environment.globals.update(names)
    environment.filters.update(filters)
    return environment


def share_bar(counts: "Mapping[Verdict, int]") -> Markup:
    """One bar, divided by how often each verdict came."""
    total = sum(counts.values())
    label = ", ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in _BAR_ORDER if counts[verdict])
    piece = Markup('<rect class="{}" x="{:.2f}%" width="{:.2f}%" height="100%"/>')
    parts: list[Markup] = []
    start = 0.0
    for verdict in _BAR_ORDER:
        width = 100 * counts[verdict] / total if total else 0
        if width:
            parts.append(piece.format(verdict.value, start, max(width - 0.25, 0.4)))
        start += width
    return Markup('<svg class="bar" role="img" aria-label="{}">{}</svg>').format(label, Markup().join(parts))


def _finalize(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template(name: str) -> str:
    return files("grantproof.report").joinpath("templates", name).read_text("utf-8")


@cache
def assets() -> Assets:
    """Style, script and the policy that allows just these."""
    style, script = _template("report.css"), _template("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Assets(Markup(style), Markup(script), policy)  # noqa: S704 - our own files


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _day(started: str) -> str:
    return started[:19].replace("T", " ") + " UTC" if len(started) >= 19 else started


def _took(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
