"""What a decoded TOML or JSON value is, for readers that trust none of it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

Location = tuple[str | int, ...]
"""The path of a value: names of keys, places in arrays."""


def is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value is a table; the keys of what TOML and JSON decode to are strings."""
    return isinstance(value, Mapping)


def is_array(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value is an array."""
    return isinstance(value, (list, tuple))


def table_or_empty(value: object) -> Mapping[str, Any]:
    """The value if it is a table, else an empty one."""
    return value if is_table(value) else {}


def array_or_empty(value: object) -> Sequence[Any]:
    """The value if it is an array, else an empty one."""
    return value if is_array(value) else ()


def lookup(document: object, location: Location) -> object:
    """The value at a path, None where there is none."""
    found = document
    for step in location:
        if is_table(found) and isinstance(step, str):
            found = found.get(step)
        elif is_array(found) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return None
    return found
