"""docs/trust.md from the kill matrix: how many faults are caught, how often a lawful server is accused.

`python -m tests.faults.trust` writes it; `make faults` writes the matrix first.
"""

import json
import sys
from pathlib import Path
from typing import Any

from grantproof.clauses import load_registry
from grantproof.report.files import replace_file
from tests.faults.matrix import MATRIX, SAFE

PAGE = Path("docs/trust.md")


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
        *([f"- `{row['id']}`: {', '.join(row['failed'])}" for row in oddities if row["failed"]] or ["None."]),
        "",
        "## Harness faults",
        "",
        "| harness fault | verdict |",
        "| --- | --- |",
        *(f"| `{row['id']}` | {row['verdict']} |" for row in harness),
    ]
    return "\n".join(lines) + "\n"


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
