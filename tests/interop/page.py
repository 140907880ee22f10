"""docs/servers/index.html: the recorded verdicts of all real servers side by side.

`python -m tests.interop.page` writes it.
"""

import sys
from pathlib import Path

from grantproof.clauses import load_registry
from grantproof.report.comparison import Column, compare_runs
from grantproof.report.comparison_page import render_comparison
from grantproof.report.files import replace_file
from grantproof.verdict import Verdict
from tests.interop.catalogue import ROOT, SERVERS, recorded_path
from tests.interop.verdicts import Verdicts, read_recorded

PAGE = Path("docs/servers/index.html")
TITLE = "Authorization servers side by side"
_USED = {"used": True, "unused": False, "unknown": None}


def column(name: str, recorded: Verdicts) -> Column:
    """The column of a server; its link leads to the page that says who is right."""
    return Column(
        name=name,
        rulebooks=recorded.rulebooks,
        verdicts={clause: Verdict(word) for clause, word in recorded.clauses.items() if word not in _USED},
        capabilities={clause: _USED[word] for clause, word in recorded.clauses.items() if word in _USED},
        link=f"{name}.md",
    )


def page() -> str:
    """The page as HTML."""
    columns = [column(name, read_recorded(recorded_path(name))) for name in sorted(SERVERS)]
    return render_comparison(compare_runs(columns, list(load_registry())), title=TITLE, tool_version="")


def main() -> int:
    """Writes the page."""
    replace_file(ROOT / PAGE, page())
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
