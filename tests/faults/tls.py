"""Faults and oddities of the transport: each on a TLS server of its own, in the same outcomes as all others."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from grantproof.clauses import Registry
from grantproof.embedded import start
from grantproof.reference.rules import LAWFUL
from grantproof.reference.variants import Fault, Oddity, all_oddities, rules_of
from tests.faults.shard import Job, Outcome, run_all

TLS_NEEDS = frozenset({"tls", "plain_http"})
LAWFUL_TLS = "lawful"
_AT_ONCE = 4
_PATIENCE_S = 900


def is_about_tls(variant: Fault | Oddity, registry: Registry) -> bool:
    """Whether a variant shows only on a server that speaks TLS: by its clause, or by how it listens."""
    broken = [registry[each] for each in variant.clauses] if isinstance(variant, Fault) else []
    needed = any(TLS_NEEDS & set(clause.needs) for clause in broken)
    return needed or rules_of((variant.id,)).listener is not LAWFUL.listener


def run_tls(variants: Sequence[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> Iterator[Outcome]:
    """Runs variants (id, checks, arguments), each on its own server, a few at a time; `lawful` is the lawful one."""
    oddities = all_oddities()
    for first in range(0, len(variants), _AT_ONCE):
        with ExitStack() as servers:
            jobs: list[Job] = []
            for variant, checks, arguments in variants[first : first + _AT_ONCE]:
                named = () if variant == LAWFUL_TLS else (variant,)
                as_oddity = variant in oddities
                server = start((), named, tls=True) if as_oddity else start(named, (), tls=True)
                jobs.append(Job(variant, servers.enter_context(server), checks, arguments, patience_s=_PATIENCE_S))
            yield from run_all(jobs)
