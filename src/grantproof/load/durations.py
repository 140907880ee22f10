"""Durations as people write them."""

import re
from typing import Final

from grantproof.errors import GrantproofError

_DURATION = re.compile(r"(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s?)?")

_LONGEST_S: Final = 366 * 86_400
_SHOWN: Final = 40


def parse_duration(text: str) -> float:
    """Seconds of `30s`, `2m`, `1h30m`, `45` or `1.5s`.

    Raises:
        GrantproofError: it is no duration above zero, or more than a year.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    try:
        parts = [float(part or 0) for part in found.groups()] if found else []
    except ValueError:
        parts = []
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    if not 0 < seconds <= _LONGEST_S:
        shown = text if len(text) < _SHOWN else f"{text[:_SHOWN]}..."
        raise GrantproofError(f"{shown!r} is no duration", "--duration", "write it like 30s, 2m or 1h30m")
    return seconds
