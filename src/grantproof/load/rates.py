"""Rates of several scenarios as people write them."""

from collections.abc import Iterable

from grantproof.errors import GrantproofError


def parse_rates(texts: Iterable[str], option: str) -> dict[str, float]:
    """The rates of scenarios, from `NAME=RATE` each.

    Args:
        texts: what was given.
        option: by which option, for errors.

    Raises:
        GrantproofError: one is not of this form, or its rate not above zero.
    """
    rates: dict[str, float] = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = 0.0
        if not name or not 0 < rate < float("inf"):
            raise GrantproofError(f"{text!r} is no scenario with a rate", option, "write it like implicit=20")
        rates[name] = rate
    return rates
