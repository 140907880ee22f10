"""`grantproof clauses`."""

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from grantproof.clauses import Clause, Registry


@click.command("clauses")
@click.option("--format", "style", type=click.Choice(["table", "markdown", "json"]), default="table", show_default=True)
def command(style: str) -> None:
    """Prints the catalogue and its coverage."""
    from grantproof.clauses import load_registry

    registry = load_registry()
    rows = [_row(clause) for clause in registry]
    if style == "json":
        click.echo(json.dumps({"clauses": rows}, indent=1))
        return
    click.echo(coverage_table(registry, rows, markdown=style == "markdown"))
    if style == "markdown":
        click.echo()
        click.echo(clause_table(rows))


def _row(clause: "Clause") -> dict[str, Any]:
    from grantproof.coverage import checks_by_clause
    from grantproof.reference import variants
    from grantproof.verdict import Level

    return {
        "id": clause.id,
        "spec": clause.spec,
        "section": clause.section,
        "level": next(iter(clause.levels.values()), Level.NONE).value,
        "levels": {rulebook: level.value for rulebook, level in clause.levels.items()},
        "grants": list(clause.grants),
        "statement": clause.statement,
        "url": clause.url,
        "requirements": list(clause.requirements),
        "checks": list(checks_by_clause().get(clause.id, ())),
        "untestable": clause.untestable,
        "faults": sorted(fault.id for fault in variants.all_faults().values() if clause.id in fault.clauses),
    }


def coverage_table(registry: "Registry", rows: list[dict[str, Any]], *, markdown: bool) -> str:
    """A line per specification: how many clauses it has, and how many are checked, untestable or still open."""
    head = ["specification", "clauses", "checked", "untestable", "open", "requirements", "faults"]
    table: list[list[str]] = []
    for spec in registry.titles:
        own = [row for row in rows if row["spec"] == spec]
        checked = sum(1 for row in own if row["checks"])
        untestable = sum(1 for row in own if row["untestable"] and not row["checks"])
        table.append(
            [spec, *(str(number) for number in (
                len(own), checked, untestable, len(own) - checked - untestable,
                sum(len(row["requirements"]) for row in own), sum(len(row["faults"]) for row in own),
            ))]
        )  # fmt: skip
    table.append(["all", *(str(sum(int(line[column]) for line in table)) for column in range(1, len(head)))])
    if markdown:
        lines = ["| " + " | ".join(line) + " |" for line in table]
        return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines])
    widths = [max(len(line[column]) for line in [head, *table]) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            word.ljust(width) if place == 0 else word.rjust(width)
            for place, (word, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, *table]
    )


def clause_table(rows: list[dict[str, Any]]) -> str:
    """Every clause with its level, its number of checks and of faults."""
    lines = ["| clause | level | statement | checks | faults |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        checks = (
            str(len(row["checks"]))
            if row["checks"]
            else ("untestable: " + row["untestable"] if row["untestable"] else "open")
        )
        lines.append(
            f"| [{row['id']}]({row['url']}) | {row['level']} | {row['statement']} | {checks} | {len(row['faults'])} |"
        )
    return "\n".join(lines)
