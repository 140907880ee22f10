"""Which checks run: roles become parameters; rulebooks and the user's selection decide the rest."""

from typing import TYPE_CHECKING, cast

import pytest

from grantproof.clauses import RULEBOOKS, Clause, Registry, content_root
from grantproof.errors import GrantproofError
from grantproof.roles import ROLES, Holder, distinct
from grantproof.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from grantproof.plugin.state import RunState

_RANKS = {"must": 2, "should": 1, "may": 0}


def parametrize_roles(metafunc: pytest.Metafunc, state: "RunState | None") -> None:
    """Gives each argument that names a role one value a holder; without a holder the one value None."""
    for name in metafunc.fixturenames:
        if name not in ROLES:
            continue
        holders: list[Holder | None] = list(distinct(ROLES[name].find(state.profile))) if state is not None else []
        holders = holders or [None]
        metafunc.parametrize(
            name, holders, ids=[str(holder).lower() if holder is None else str(holder) for holder in holders]
        )


def clauses_of(item: pytest.Item, registry: Registry) -> tuple[Clause, ...]:
    """The clauses that a check decides, in the order in which it names them.

    Raises:
        pytest.UsageError: one is not in the catalogue.
    """
    found: list[Clause] = []
    for mark in item.iter_markers("clause"):
        for clause_id in mark.args:
            try:
                found.append(registry[clause_id])
            except GrantproofError as problem:
                raise pytest.UsageError(f"{item.nodeid}: {problem}") from None
    return tuple(found)


def holders_of(item: pytest.Item) -> dict[str, Holder | None]:
    """The holders of roles that a parametrized check was given, by role."""
    callspec = getattr(item, "callspec", None)
    params = cast("dict[str, object]", callspec.params) if callspec is not None else {}
    return {name: cast("Holder | None", value) for name, value in params.items() if name in ROLES}


def grant_of(item: pytest.Item, clauses: "Sequence[Clause]") -> str:
    """The grant that a check is about: its role's, else its clauses' only one, else both."""
    for name in holders_of(item):
        return "client_credentials" if name.endswith(("service", "client")) else "implicit"
    grants = {grant for clause in clauses for grant in clause.grants}
    return grants.pop() if len(grants) == 1 else "both"


def needs_of(item: pytest.Item, clauses: "Sequence[Clause]") -> list[str]:
    """What must be offered for a check, by its clauses and by its own marks, each once."""
    needs = [need for clause in clauses for need in clause.needs]
    needs += [need for mark in item.iter_markers("needs") for need in mark.args]
    return list(dict.fromkeys(needs))


def _waits(item: pytest.Item, registry: Registry) -> bool:
    return item.get_closest_marker("clause") is not None and "slow" in needs_of(item, clauses_of(item, registry))


def effective(clauses: "Sequence[Clause]", rulebooks: "Sequence[str]") -> Level:
    """The strongest level among the clauses of a check."""
    return max((clause.level(rulebooks) for clause in clauses), key=lambda level: level.rank, default=Level.NONE)


def select(config: pytest.Config, state: "RunState", items: list[pytest.Item]) -> None:
    """Deselects what the rulebooks do not hold or the user did not ask for, labels the rest, and puts what waits last.

    Raises:
        pytest.UsageError: a check names a clause that is not in the catalogue.
    """
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("clause") is None:
            kept.append(item)
            continue
        clauses = clauses_of(item, state.registry)
        chosen = _is_chosen(config, item, clauses, state.rulebooks, state.wanted)
        (kept if chosen else dropped).append(item)
        item.user_properties += [("clause", clause.id) for clause in clauses]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    # What waits for the end of a token finds it ended by then: the token is as old as the run.
    items[:] = sorted(kept, key=lambda item: _waits(item, state.registry))
    state.waits = bool(items) and _waits(items[-1], state.registry)


def _words(config: pytest.Config, option: str) -> list[str]:
    values = cast("list[str]", config.getoption(f"grantproof_{option}"))
    return [value.strip() for value in values]


def check_selection(
    rulebooks: "Sequence[str]", grants: "Sequence[str]", wanted: "Sequence[str]", registry: Registry
) -> None:
    """Refuses names that nothing has.

    Raises:
        pytest.UsageError: one clear line for the first of them.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only a selection pays for it

    known: list[tuple[str, Sequence[str], Sequence[str]]] = [
        ("rulebook", rulebooks, RULEBOOKS),
        ("grant", grants, ("client_credentials", "implicit")),
    ]
    for kind, names, allowed in known:
        for name in names:
            if name not in allowed:
                near = get_close_matches(name, allowed, n=1)
                raise pytest.UsageError(
                    f"unknown {kind} {name!r}"
                    + (f": did you mean {near[0]}?" if near else f": one of {', '.join(allowed)}")
                )
    for name in wanted:
        if not any(means(name, clause) for clause in registry):
            near = get_close_matches(name, [clause.id for clause in registry], n=1)
            raise pytest.UsageError(
                f"no clause, section or specification {name!r}" + (f": did you mean {near[0]}?" if near else "")
            )


def may_hold(path: "Path", wanted: "Sequence[str]") -> bool:
    """Whether a module can have a check of the wanted clauses; a shipped check names its clauses literally."""
    if not path.is_relative_to(content_root("conformance")):
        return True
    text = path.read_text("utf-8")
    return any(f'"{name}' in text for name in wanted)


def means(name: str, clause: Clause) -> bool:
    """Whether a word of the user's means a clause: by its id, its section or one around it, or its specification."""
    if "/" in name:
        return clause.id == name
    spec, _, section = name.partition(":")
    return clause.spec == spec and (
        not section or clause.section == section or clause.section.startswith(section + ".")
    )


def _is_chosen(
    config: pytest.Config,
    item: pytest.Item,
    clauses: "Sequence[Clause]",
    rulebooks: "Sequence[str]",
    wanted: "Sequence[str]",
) -> bool:
    level = effective(clauses, rulebooks)
    if level is Level.NONE:
        return False
    least: str | None = config.getoption("grantproof_level")
    if least is not None and level.rank < _RANKS[least]:
        return False
    if wanted and not any(means(name, clause) for name in wanted for clause in clauses):
        return False
    grants = _words(config, "grant")
    return not grants or grant_of(item, clauses) in {*grants, "both"}
