"""Faults and oddities: one small declaration each, that replaces rules of the lawful server.

A fault breaks one clause; an oddity is lawful but unusual. Modules in `faults/` and `oddities/` declare them:

    @fault("accepts_wrong_secret_by_body", "rfc6749:5.2/invalid-client", "partial", "A wrong secret ... is accepted.")
    def accepts_wrong_secret_by_body(rules: Rules) -> Rules:
        return rules | Rules(
            secret_matches=when(
                by_method("client_secret_post"), lambda _call, client, _secret: client is not None, rules.secret_matches
            )
        )
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, TypeVar

from grantproof.errors import GrantproofError

from .call import Call
from .rules import LAWFUL, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable

P = ParamSpec("P")
R = TypeVar("R")
Apply = Callable[[Rules], Rules]
Condition = Callable[[Call], bool]
Kind = Literal["plain", "partial"]
_ID = re.compile(r"\A[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a clause; `partial` when only some requests meet it.

    `also` are clauses that the same observation decides.
    """

    id: str
    clause: str
    kind: Literal["plain", "partial"]
    describe: str
    apply: Apply
    also: tuple[str, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        """Every clause that it breaks, its own first."""
        return (self.clause, *self.also)


@dataclass(frozen=True, slots=True)
class Oddity:
    """A lawful but unusual behaviour; `traps` are the numbers of the known traps that it springs.

    `disregards` are clauses of stricter documents that it does not follow, being lawful by RFC 6749 alone.
    """

    id: str
    describe: str
    traps: tuple[int, ...]
    apply: Apply
    disregards: tuple[str, ...] = ()


_faults: dict[str, Fault] = {}
_oddities: dict[str, Oddity] = {}


def fault(
    fault_id: str, clause: str, kind: Literal["plain", "partial"], describe: str, *, also: tuple[str, ...] = ()
) -> Callable[[Apply], Apply]:
    """Declares the decorated change of rules as a fault.

    Raises:
        GrantproofError: The identifier is taken or malformed.
    """

    def declare(apply: Apply) -> Apply:
        _refuse_duplicate(fault_id)
        _faults[fault_id] = Fault(fault_id, clause, kind, describe, apply, also)
        return apply

    return declare


def oddity(oddity_id: str, describe: str, *traps: int, disregards: tuple[str, ...] = ()) -> Callable[[Apply], Apply]:
    """Declares the decorated change of rules as an oddity.

    Raises:
        GrantproofError: The identifier is taken or malformed.
    """

    def declare(apply: Apply) -> Apply:
        _refuse_duplicate(oddity_id)
        _oddities[oddity_id] = Oddity(oddity_id, describe, traps, apply, disregards)
        return apply

    return declare


def _refuse_duplicate(variant_id: str) -> None:
    if variant_id in _faults or variant_id in _oddities or variant_id == "lawful":
        raise GrantproofError(f"the variant {variant_id!r} is declared twice")
    if not _ID.match(variant_id):
        raise GrantproofError(f"the variant {variant_id!r} is not lower-case words joined by underscores")


@cache
def _import_declarations() -> None:
    for package in ("faults", "oddities"):
        found = importlib.import_module(f"{__package__}.{package}")
        for module in pkgutil.iter_modules(found.__path__):
            importlib.import_module(f"{found.__name__}.{module.name}")


def all_faults() -> dict[str, Fault]:
    """Every declared fault by its identifier."""
    _import_declarations()
    return dict(sorted(_faults.items()))


def all_oddities() -> dict[str, Oddity]:
    """Every declared oddity by its identifier."""
    _import_declarations()
    return dict(sorted(_oddities.items()))


def rules_of(variant_ids: Iterable[str]) -> Rules:
    """The lawful rules with these faults and oddities applied, in order.

    Raises:
        GrantproofError: A variant is not known.
    """
    known: dict[str, Fault | Oddity] = {**all_faults(), **all_oddities()}
    rules = LAWFUL
    for variant_id in variant_ids:
        if variant_id == "lawful":
            continue
        if variant_id not in known:
            raise GrantproofError(f"no fault and no oddity is called {variant_id!r}", hint="grantproof serve --list")
        rules = known[variant_id].apply(rules)
    return rules


def when(
    condition: Condition,
    then: Callable[Concatenate[Call, P], R],
    otherwise: Callable[Concatenate[Call, P], R],
) -> Callable[Concatenate[Call, P], R]:
    """A rule that is `then` for the calls that meet a condition and `otherwise` for all others."""

    def choose(call: Call, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return then(call, *args, **kwargs) if condition(call) else otherwise(call, *args, **kwargs)

    return choose


def by_method(*methods: str) -> Condition:
    """Calls whose client authenticates by one of these methods."""
    return lambda call: call.auth_method in methods


def by_grant(*names: str) -> Condition:
    """Calls that ask for one of these grants."""
    return lambda call: call.grant in names


def by_endpoint(*names: str) -> Condition:
    """Calls to one of these endpoints."""
    return lambda call: call.endpoint in names


def by_error_path(*paths: str) -> Condition:
    """Calls that are refused on one of these paths."""
    return lambda call: call.error_path in paths


def after_requests(count: int) -> Condition:
    """Calls to an endpoint that had at least this many requests before."""
    return lambda call: call.earlier >= count
