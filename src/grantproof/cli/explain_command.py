"""`grantproof explain CLAUSE`."""

import click


@click.command("explain")
@click.argument("clause_id", metavar="CLAUSE")
def command(clause_id: str) -> None:
    """Says what a clause demands, how strongly, and what checks and breaks it."""
    from grantproof.clauses import load_registry
    from grantproof.coverage import checks_by_clause
    from grantproof.reference import variants

    clause = load_registry()[clause_id]
    click.echo(f"{clause.id}\n\n  {clause.statement}\n")
    click.echo(f"  binds     {clause.binds}, for {' and '.join(clause.grants)}")
    for rulebook, level in clause.levels.items():
        click.echo(f"  level     {level.value} under {rulebook}")
    if clause.needs:
        click.echo(f"  needs     {', '.join(clause.needs)}")
    for check in checks_by_clause().get(clause.id, ()):
        click.echo(f"  check     {check}")
    for fault in variants.all_faults().values():
        if clause.id in fault.clauses:
            click.echo(f"  fault     {fault.id}: {fault.describe}")
    if clause.untestable:
        click.echo(f"  untestable: {clause.untestable}")
    click.echo(f"  read      {clause.url}")
