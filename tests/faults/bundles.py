"""Several oddities on one server: as long as they replace different rules, each still stands before every check."""

from collections.abc import Sequence
from dataclasses import fields

from grantproof.reference.host import JOINT
from grantproof.reference.rules import LAWFUL, Rules
from grantproof.reference.variants import Oddity

_LONGEST_NAME = 200
"""The name of a bundle is the name of a file."""


def touched(oddity: Oddity) -> frozenset[str]:
    """The rules that an oddity replaces."""
    changed = oddity.apply(LAWFUL)
    names = (each.name for each in fields(Rules))
    return frozenset(name for name in names if getattr(changed, name) is not getattr(LAWFUL, name))


def bundles(oddities: Sequence[Oddity], most: int = 8) -> list[tuple[Oddity, ...]]:
    """Oddities packed so that no two of a bundle replace the same rule."""
    packed: list[tuple[list[Oddity], set[str]]] = []
    for oddity in sorted(oddities, key=lambda each: -len(touched(each))):
        rules = touched(oddity)
        for members, taken in packed:
            fits = sum(len(each.id) + 1 for each in members) + len(oddity.id) <= _LONGEST_NAME
            if len(members) < most and fits and not taken & rules:
                members.append(oddity)
                taken.update(rules)
                break
        else:
            packed.append(([oddity], set(rules)))
    return [tuple(members) for members, _ in packed]


def name_of(bundle: Sequence[Oddity]) -> str:
    """The variant that has all oddities of a bundle."""
    return JOINT.join(oddity.id for oddity in bundle)
