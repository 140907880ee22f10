"""Faults and oddities of the transport: each on a TLS server of its own, in the same outcomes as all others."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from grantproof.clauses import Registry
from grantproof.embedded import start
from grantproof.reference.rules import LAWFUL
from grantproof.reference.variants import Fault, Oddity, all_oddities, rules_of
from tests.faults.shard import Job

TLS_NEEDS = frozenset({"tls", "plain_http"})
LAWFUL_TLS = "lawful over TLS"
_AT_ONCE = 4


def is_about_tls(variant: Fault | Oddity, registry: Registry) -> bool:
    """Whether a variant shows only on a server that speaks TLS: by its clause, or by how it listens."""
    broken = [registry[each] for each in variant.clauses] if isinstance(variant, Fault) else []
    needed = any(TLS_NEEDS & set(clause.needs) for clause in broken)
    return needed or rules_of((variant.id,)).listener is not LAWFUL.listener


@contextmanager
def tls_jobs(variants: Sequence[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> Generator[list[Job]]:
    """A job for each variant (id, checks, arguments) on a server of its own; `LAWFUL_TLS` is the lawful one."""
    oddities = all_oddities()

    def serve(variant: tuple[str, tuple[str, ...], tuple[str, ...]]) -> Job:
        name, checks, arguments = variant
        named = () if name == LAWFUL_TLS else (name,)
        server = start((), named, tls=True) if name in oddities else start(named, (), tls=True)
        return Job(name, servers.enter_context(server), checks, arguments)

    with ExitStack() as servers:
        with ThreadPoolExecutor(_AT_ONCE) as starters:
            jobs = list(starters.map(serve, variants))
        yield jobs
