"""The kill matrix: each fault with the checks of its clause, each oddity and harness fault with all but the fuzzing.

`python -m tests.faults.matrix [--only ID]...` writes reports/kill-matrix.json and prints a table. The cross of every
fault with every check is `tests.faults.cross`.
"""

import argparse
import json
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from grantproof.clauses import Registry, load_registry
from grantproof.coverage import check_sources
from grantproof.reference.host import LAWFUL_VARIANT, write_profile
from grantproof.reference.variants import Fault, Oddity, all_faults, all_oddities
from grantproof.report.files import replace_file
from tests.faults.bundles import bundles, name_of
from tests.faults.harness import ONE_IN, run_harness
from tests.faults.shard import RULEBOOKS, Job, Outcome, checks_of, run_all, variant_host
from tests.faults.tls import LAWFUL_TLS, is_about_tls, tls_jobs

MATRIX = Path("reports/kill-matrix.json")
NOT_FUZZING = ("-k", "not fuzz")


def fault_row(
    fault: Fault, clause_id: str, outcome: Outcome, lawful: frozenset[str], registry: Registry
) -> dict[str, Any]:
    """One row of the matrix: a kill counts when a check of the clause fails here and passes on the lawful server."""
    own = {str(record["id"]) for record in outcome.records if clause_id in record["clauses"]}
    by = [check for check in outcome.ids("fail", "warn") if check in lawful and check in own]
    return {
        "id": fault.id,
        "clause": clause_id,
        "level": _level(clause_id, registry),
        "kind": fault.kind,
        "killed": bool(by),
        "by": by,
        "control_ok": bool(by),
        "verdicts": {
            verdict: len(outcome.ids(verdict)) for verdict in ("pass", "fail", "warn", "inconclusive", "not_offered")
        },
    }


def _level(clause_id: str, registry: Registry) -> str:
    clause = registry.clauses.get(clause_id)
    return clause.level(RULEBOOKS).value if clause else "unknown clause"


def build(
    only: tuple[str, ...] = (), *, oddities: bool = True, harness: bool = True, one_in: int = ONE_IN
) -> dict[str, Any]:
    """Runs the whole matrix, or the variants named.

    Args:
        only: ids of faults and oddities; empty for all.
        oddities: run them too.
        harness: run the harness faults too.
        one_in: of each check, the harness faults run one case in so many.
    """
    registry, sources = load_registry(), check_sources()
    faults = [fault for fault in all_faults().values() if not only or fault.id in only]
    odd = [oddity for oddity in all_oddities().values() if oddities and (not only or oddity.id in only)]
    document: dict[str, Any] = {"faults": [], "oddities": [], "harness": []}
    variants: list[Fault | Oddity] = [*faults, *odd]
    secure = {variant.id for variant in variants if is_about_tls(variant, registry)}
    with variant_host() as (base_url, folder), tls_jobs(_over_tls(variants, secure)) as over_tls:
        lawful_checks = {check for fault in faults if only for check in checks_of(fault, sources)}
        needed = () if odd else tuple(sorted(lawful_checks))
        lawful_arguments = NOT_FUZZING if odd and not faults else ()
        jobs = [Job("lawful", write_profile(base_url, "lawful", folder), needed, lawful_arguments), *over_tls]
        for fault in faults:
            checks = checks_of(fault, sources)
            if checks and fault.id not in secure:
                jobs.append(Job(fault.id, write_profile(base_url, fault.id, folder), checks))
        packed = bundles([oddity for oddity in odd if oddity.id not in secure], most=1 if only else 8)
        jobs += [
            Job(name, write_profile(base_url, name, folder), arguments=NOT_FUZZING)
            for name in (name_of(bundle) for bundle in packed)
        ]
        outcomes = {outcome.job.variant: outcome for outcome in _shown(run_all(jobs), len(jobs))}
        alone, companies = _unpacked(packed, outcomes, base_url, folder)
        outcomes |= alone
    lawful = frozenset(
        check for name in ("lawful", LAWFUL_TLS) if name in outcomes for check in outcomes[name].ids("pass")
    )
    known = set(outcomes["lawful"].ids("fail", "warn", "inconclusive"))
    document["lawful"] = {"failed": sorted(known), "passed": len(lawful)}
    for fault in faults:
        outcome = outcomes.get(fault.id) or Outcome(Job(fault.id, Path()), (), -1, "its clause has no check")
        document["faults"] += [
            fault_row(fault, clause_id, outcome, lawful, registry) | _trouble(outcome) for clause_id in fault.clauses
        ]
    for oddity in odd:
        outcome = outcomes[oddity.id]
        failed = sorted(_accused(outcome, companies.get(oddity.id, [oddity])) - known)
        document["oddities"].append(
            {"id": oddity.id, "failed": failed, "passed": len(outcome.ids("pass"))} | _trouble(outcome)
        )
    if harness and not only:
        document["harness"] = run_harness(one_in=one_in)
    return document


def _unpacked(
    packed: Sequence[Sequence[Oddity]], outcomes: dict[str, Outcome], base_url: str, folder: Path
) -> tuple[dict[str, Outcome], dict[str, Sequence[Oddity]]]:
    """An outcome for each oddity, its bundle's where that is green, else one of its own; and who shared it."""
    known = set(outcomes[LAWFUL_VARIANT].ids("fail", "warn", "inconclusive"))
    found: dict[str, Outcome] = {}
    companies: dict[str, Sequence[Oddity]] = {}
    alone: list[Job] = []
    for bundle in packed:
        outcome = outcomes[name_of(bundle)]
        accused = _accused(outcome, bundle) - known
        green = outcome.records and not accused
        if not green and len(bundle) > 1:
            names = ", ".join(sorted(accused)[:3])
            sys.stderr.write(f"these do not go together: {', '.join(each.id for each in bundle)} ({names})\n")
        for oddity in bundle:
            if green or len(bundle) == 1:
                found[oddity.id], companies[oddity.id] = outcome, bundle
            else:
                alone.append(Job(oddity.id, write_profile(base_url, oddity.id, folder), arguments=NOT_FUZZING))
    return found | {outcome.job.variant: outcome for outcome in _shown(run_all(alone), len(alone))}, companies


def _accused(outcome: Outcome, odd: Sequence[Oddity]) -> set[str]:
    """The checks that do not pass, but for those of clauses that the oddities disregard."""
    disregarded = {clause for oddity in odd for clause in oddity.disregards}
    found = set(outcome.ids("fail", "warn", "inconclusive"))
    return found - {str(each["id"]) for each in outcome.records if disregarded & set(each["clauses"])}


def _over_tls(
    variants: Sequence[Fault | Oddity], secure: Collection[str]
) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What is to run on servers that speak TLS: the longest first, and the lawful one with the checks of all faults."""
    sources = check_sources()
    chosen = [
        (each.id, checks_of(each, sources), ()) for each in variants if isinstance(each, Fault) and each.id in secure
    ]
    everything = [(each.id, (), NOT_FUZZING) for each in variants if isinstance(each, Oddity) and each.id in secure]
    needed = tuple(sorted({check for _, checks, _ in chosen for check in checks}))
    lawful = (LAWFUL_TLS, needed, () if needed else NOT_FUZZING)
    return [*everything, lawful, *chosen] if chosen or everything else []


def _trouble(outcome: Outcome) -> dict[str, str]:
    return {} if outcome.records else {"trouble": outcome.output.strip()[-500:] or f"pytest ended with {outcome.code}"}


def _shown(outcomes: Any, total: int) -> Any:
    for done, outcome in enumerate(outcomes, 1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done}/{total} {outcome.job.variant[:60]:<60}")
        elif done % 50 == 0 or done == total:
            sys.stderr.write(f"{done}/{total} variants\n")
        yield outcome
    if sys.stderr.isatty():
        sys.stderr.write("\n")


def problems(document: dict[str, Any]) -> list[str]:
    """What is wrong with a matrix, one line each; empty when the tester is trustworthy."""
    found = [f"lawful server: {each} does not pass" for each in document["lawful"]["failed"] if each not in REVIEWED]
    found += [
        f"fault {row['id']} ({row['clause']}) survives" + _why(row) for row in document["faults"] if not row["killed"]
    ]
    found += [
        f"oddity {row['id']}: {', '.join(row['failed'])}" + _why(row)
        for row in document["oddities"]
        if row["failed"] or "trouble" in row
    ]
    found += [
        f"harness fault {row['id']} ends in {row['verdict']}: {', '.join((row['passed'] + row['failed'])[:5])}"
        for row in document["harness"]
        if row["verdict"] not in SAFE
    ]
    return found


SAFE = ("inconclusive", "profile_error")
"""How a run may end from which nothing can be concluded."""
REVIEWED: frozenset[str] = frozenset(
    {
        "rfc9700/test_2_1_2_implicit_grant.py::test_implicit_is_out_of_use[spa-token]",
        "rfc9700/test_2_2_1_access_tokens.py::test_tokens_can_be_bound_to_their_client",
    }
)
"""Warnings on the lawful server that a rulebook makes unavoidable."""


def _why(row: dict[str, Any]) -> str:
    return f" [{row['trouble']}]" if "trouble" in row else ""


def table(document: dict[str, Any]) -> str:
    """The matrix as text."""
    faults, odd, harness = document["faults"], document["oddities"], document["harness"]
    lines = [
        f"{'killed' if row['killed'] else 'SURVIVES':<9} {row['kind']:<8} {row['id']:<56} "
        f"{row['clause']:<48} by {len(row['by'])}"
        for row in faults
    ]
    lines += [
        f"{'ACCUSED' if row['failed'] else 'green':<9} oddity   {row['id']:<56} {row['passed']} pass" for row in odd
    ]
    lines += [f"{row['verdict']:<9} harness  {row['id']}" for row in harness]
    counts = (
        (sum(row["killed"] for row in faults), len(faults), "faults killed"),
        (sum(not row["failed"] for row in odd), len(odd), "oddities left alone"),
        (sum(row["verdict"] in SAFE for row in harness), len(harness), "harness faults decide nothing"),
    )
    lines.append(", ".join(f"{number} of {total} {what}" for number, total, what in counts))
    return "\n".join(lines)


def main() -> int:
    """Builds, writes and prints the matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--no-oddities", action="store_true")
    parser.add_argument("--no-harness", action="store_true")
    parser.add_argument(
        "--every-case", action="store_true", help="run the harness faults with every case of each check"
    )
    options = parser.parse_args()
    began = time.monotonic()
    document = build(
        tuple(options.only),
        oddities=not options.no_oddities,
        harness=not options.no_harness,
        one_in=1 if options.every_case else ONE_IN,
    )
    document["seconds"] = round(time.monotonic() - began, 1)
    if not options.only:
        replace_file(MATRIX, json.dumps(document, indent=1) + "\n")
    sys.stdout.write(table(document) + "\n")
    wrong = problems(document)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
