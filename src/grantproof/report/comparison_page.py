"""The page that shows several servers side by side: one file, no network, the same look as report.html."""

from typing import TYPE_CHECKING

from grantproof.report.html import TILE_ORDER, assets, environment

if TYPE_CHECKING:
    from grantproof.report.comparison import Comparison


def render_comparison(comparison: "Comparison", *, title: str, tool_version: str) -> str:
    """The page as HTML.

    Args:
        comparison: the servers and their verdicts.
        title: the heading.
        tool_version: whose page it is.
    """
    template = environment().get_template("compare.html.j2")
    verdicts = tuple(verdict for verdict, _ in TILE_ORDER)
    return template.render(assets=assets(), comparison=comparison, title=title, version=tool_version, verdicts=verdicts)
