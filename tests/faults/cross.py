"""The whole cross: every fault with every check but the fuzzing, in shards, and resumed where it was broken off.

`python -m tests.faults.cross [--shard 1/4] [--keep FILE]` appends a line for each fault to the file as it is done,
skips the faults that have one, and prints which checks kill what. The file holds for one commit.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grantproof.clauses import load_registry
from grantproof.coverage import check_sources
from grantproof.errors import GrantproofError
from grantproof.reference.host import write_profile
from grantproof.reference.variants import all_faults
from tests.faults.matrix import NOT_FUZZING
from tests.faults.shard import Job, Outcome, run_all, variant_host
from tests.faults.tls import is_about_tls

KEPT = Path("reports/cross.jsonl")
Row = Mapping[str, Any]


def shard_of(names: Sequence[str], text: str) -> tuple[str, ...]:
    """The names of shard K of N, written K/N and counted from 1: every N-th, so that all shards take about as long.

    Raises:
        GrantproofError: it is no shard.
    """
    number, _, total = text.partition("/")
    if not (number.isdigit() and total.isdigit() and 1 <= int(number) <= int(total)):
        raise GrantproofError(f"{text!r} is no shard", hint="write it like 1/4")
    return tuple(names[int(number) - 1 :: int(total)])


def read_kept(path: Path, commit: str) -> dict[str, Row]:
    """The rows of this commit by fault; none where the file is another commit's, whose rows count no longer."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    if not lines or json.loads(lines[0]) != {"commit": commit}:
        return {}
    rows: list[dict[str, Any]] = []
    for line in lines[1:]:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break  # the line that was being written when it was broken off
    return {row["id"]: row for row in rows}


def row_of(outcome: Outcome) -> dict[str, Any]:
    """What one fault did to every check."""
    found = {verdict: outcome.ids(verdict) for verdict in ("fail", "warn", "inconclusive")}
    return {"id": outcome.job.variant, "passed": len(outcome.ids("pass")), **found}


def summary(rows: Iterable[Row], checks: Sequence[str]) -> list[str]:
    """Lines that say how much each check kills: nothing, something, or something that no other check does."""
    kills: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    survivors: list[str] = []
    for row in rows:
        by = {str(check).partition("[")[0] for check in (*row["fail"], *row["warn"])}
        kills.update(by)
        if len(by) == 1:
            alone.update(by)
        if not by:
            survivors.append(str(row["id"]))
    idle = [check for check in checks if not kills[check]]
    return [
        f"{len(checks)} checks: {sum(alone[each] > 0 for each in checks)} kill a fault that no other check kills",
        f"{len(idle)} kill nothing here: {', '.join(idle) or 'none'}",
        f"{len(survivors)} faults survive without the fuzzing: {', '.join(survivors) or 'none'}",
    ]


def run(shard: str, path: Path, commit: str, arguments: tuple[str, ...] = NOT_FUZZING) -> dict[str, Row]:
    """Runs what is missing of a shard and gives all rows that there are.

    Args:
        shard: K/N.
        path: where the rows are kept.
        commit: what they hold for.
        arguments: what pytest selects the checks by.

    Raises:
        GrantproofError: it is no shard.
    """
    registry = load_registry()
    faults = [fault.id for fault in all_faults().values() if not is_about_tls(fault, registry)]
    rows = read_kept(path, commit)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not rows:
        path.write_text(json.dumps({"commit": commit}) + "\n", "utf-8")
    missing = [name for name in shard_of(faults, shard) if name not in rows]
    with variant_host() as (base_url, folder), path.open("a", encoding="utf-8") as kept:
        jobs = [Job(name, write_profile(base_url, name, folder), arguments=arguments) for name in missing]
        for done, outcome in enumerate(run_all(jobs), 1):
            rows[outcome.job.variant] = row = row_of(outcome)
            kept.write(json.dumps(row) + "\n")
            kept.flush()
            if done % 25 == 0 or done == len(jobs):
                sys.stderr.write(f"{done}/{len(jobs)} faults of shard {shard}\n")
    return rows


def main() -> int:
    """Runs a shard and prints what is known so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard", default="1/1", metavar="K/N")
    parser.add_argument("--keep", type=Path, default=KEPT, metavar="FILE")
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    rows = run(options.shard, options.keep, commit)
    checks = [source.id for source in check_sources() if "fuzz" not in source.id]
    sys.stdout.write("\n".join(summary(rows.values(), checks)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
