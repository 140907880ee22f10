"""docs/trust.md from the kill matrix: how many faults are caught, how often a lawful server is accused.

`python -m tests.faults.trust` writes it; `make faults` writes the matrix first.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from grantproof.clauses import load_registry
from grantproof.report.files import replace_file
from tests.faults.matrix import MATRIX, SAFE
from tests.interop.catalogue import SERVERS, recorded_path
from tests.interop.verdicts import read_recorded

PAGE = Path("docs/trust.md")
PAGES = Path("docs/servers")
_NAMED = 5
_ENTRY = re.compile(r"^`[a-z0-9]+(?:-[a-z]+)*:.*?\*\*(?P<who>[A-Z][^*]*)\*\*", re.MULTILINE)
_SIDES = {"server": "server", "deployment": "deployment", "combination": "deployment", "suite": "ours", "ours": "ours"}
_WRONG = "Where the suite was wrong"


def page(document: dict[str, Any]) -> str:
    """The page as Markdown."""
    faults, oddities, harness = document["faults"], document["oddities"], document["harness"]
    lines = [
        "# Trust",
        "",
        "Made from the kill matrix after `make faults`; do not edit. A fault is one rule of the lawful embedded",
        "server broken; it is killed when a check of its clause fails that passes on the lawful server. An oddity is",
        "lawful but unusual; every check must leave it alone. A harness fault is a network or a profile so broken",
        "that no check may pass and none may accuse the server.",
        "",
        "| specification | faults | killed | plain | partial | clauses with a fault |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for spec in load_registry().titles:
        own = [row for row in faults if row["clause"].startswith(f"{spec}:")]
        if own:
            lines.append(_row(spec, own))
    lines.append(_row("all", faults))
    green = sum(not row["failed"] for row in oddities)
    safe = sum(row["verdict"] in SAFE for row in harness)
    lines += [
        "",
        f"Oddities left alone: {green} of {len(oddities)}.",
        f"Harness faults that decide nothing: {safe} of {len(harness)}.",
        "",
        "## Faults that survive",
        "",
        *([f"- `{row['id']}` ({row['clause']})" for row in faults if not row["killed"]] or ["None."]),
        "",
        "## Oddities that are accused",
        "",
        *([f"- `{row['id']}`: {_some(row['failed'])}" for row in oddities if row["failed"]] or ["None."]),
        "",
        "## Real servers",
        "",
        "Servers that nobody here wrote: the recorded verdicts under `rfc6749`; who is right about each finding, those",
        "with `bcp9700` beside it included, as [its page](servers/README.md) argues it; and how often the suite had",
        "judged wrongly there, since mended.",
        "",
        "| server | pass | fail | warn | inconclusive | findings | server's | deployment's | ours | mended |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_server(name) for name in sorted(SERVERS) if not name.startswith("embedded")),
        "",
        "## Harness faults",
        "",
        "| harness fault | verdict |",
        "| --- | --- |",
        *(f"| `{row['id']}` | {row['verdict']} |" for row in harness),
    ]
    return "\n".join(lines) + "\n"


def _some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(f"`{name}`" for name in names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _server(name: str) -> str:
    """The row of a real server, from its recorded verdicts and its page."""
    counts = read_recorded(recorded_path(name)).clause_summary
    whose = triage((PAGES / f"{name}.md").read_text("utf-8"))
    cells = [counts.get(word, 0) for word in ("pass", "fail", "warn", "inconclusive")]
    cells += [len(whose["server"]) + len(whose["deployment"]) + len(whose["ours"])]
    cells += [len(whose[each]) for each in ("server", "deployment", "ours", "mended")]
    return f"| [{name}](servers/{name}.md) | " + " | ".join(map(str, cells)) + " |"


def triage(text: str) -> dict[str, list[str]]:
    """Whose each finding of a server's page is: the `server`, the `deployment` or `ours`; and what was `mended`.

    Raises:
        ValueError: a finding says of nobody that it is theirs.
    """
    whose: dict[str, list[str]] = {"server": [], "deployment": [], "ours": [], "mended": []}
    head, _, wrong = text.partition(f"## {_WRONG}")
    for who in _ENTRY.findall(head):
        whose[_side(who)].append(who)
    for header, rows in _tables(head):
        who = next((column for column in ("who", "clauses that fail") if column in header), None)
        for row in rows if who else ():
            whose[_side(row[header.index("who")] if who == "who" else "server")].append(row[0])
    for _, rows in _tables(wrong.partition("\n## ")[0]):
        whose["mended"] += [row[0] for row in rows]
    return whose


def _side(who: str) -> str:
    first = who.lower().split()[0].rstrip(".,:")
    if first not in _SIDES:
        raise ValueError(f"nobody's finding: {who!r}")
    return _SIDES[first]


def _tables(text: str) -> list[tuple[list[str], list[list[str]]]]:
    """The tables of a Markdown text: the names of their columns, and their rows."""
    tables: list[tuple[list[str], list[list[str]]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        header, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines())
        tables.append((header, rows[1:]))
    return tables


def _row(name: str, rows: list[dict[str, Any]]) -> str:
    counts = (
        len(rows),
        sum(row["killed"] for row in rows),
        sum(row["kind"] == "plain" for row in rows),
        sum(row["kind"] == "partial" for row in rows),
        len({row["clause"] for row in rows}),
    )
    return f"| {name} | " + " | ".join(map(str, counts)) + " |"


def main() -> int:
    """Writes the page."""
    replace_file(PAGE, page(json.loads(MATRIX.read_text("utf-8"))))
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
