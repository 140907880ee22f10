"""Near misses: what the user most likely meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def near_miss(word: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the known word nearest to this one; empty if none is near."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower()[:100], by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[near[0]]}?" if near else ""
