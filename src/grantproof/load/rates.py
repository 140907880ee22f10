"""Rates of several scenarios as people write them."""

from collections.abc import Iterable
from typing import Final

from grantproof.errors import GrantproofError

MOST_PER_S: Final = 10_000_000.0
"""Far more than any machine sends; beyond it a run would only count what it is late with."""


def parse_rates(texts: Iterable[str], option: str) -> dict[str, float]:
    """The rates of scenarios, from `NAME=RATE` each.

    Args:
        texts: what was given.
        option: by which option, for errors.

    Raises:
        GrantproofError: one is not of this form, or its rate not above zero or beyond all reason.
    """
    rates: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = 0.0
        if not name or not 0 < rate <= MOST_PER_S:
            raise GrantproofError(f"{text!r} is no scenario with a rate", option, "write it like implicit=20")
        rates[name] = rate
    return rates
