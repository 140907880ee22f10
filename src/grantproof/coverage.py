"""Which checks decide which clauses, read from the sources of the checks, so that no pytest is needed to know it."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grantproof.clauses import content_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class CheckSource:
    """One test function of the content folder, and the clauses that it names."""

    id: str
    clauses: tuple[str, ...]
    line: int


@cache
def check_sources(root: Path | None = None) -> tuple[CheckSource, ...]:
    """Every check below the conformance root, in order."""
    root = root or content_root("conformance")
    return tuple(source for path in sorted(root.glob("*/test_*.py")) for source in _sources(root, path))


def checks_by_clause(root: Path | None = None) -> "Mapping[str, tuple[str, ...]]":
    """The ids of the checks of each clause that has one."""
    found: dict[str, tuple[str, ...]] = {}
    for source in check_sources(root):
        for clause_id in source.clauses:
            found[clause_id] = (*found.get(clause_id, ()), source.id)
    return found


def _sources(root: Path, path: Path) -> "Iterator[CheckSource]":
    below = path.relative_to(root).as_posix()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield CheckSource(f"{below}::{node.name}", tuple(_named(node)), node.lineno)


def _named(function: ast.FunctionDef) -> "Iterator[str]":
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "clause":
            for argument in decorator.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
