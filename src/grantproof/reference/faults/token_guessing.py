"""Faults of handles that can be guessed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import after_requests, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.variants import Apply, Condition


def _always(_call: Call) -> bool:
    return True


def _guessable(make: Callable[[int, str], str], condition: Condition = _always) -> Apply:
    """Handles are made of a counter and of what the lawful rule gives."""

    def apply(rules: Rules) -> Rules:
        numbers = itertools.count(1000)
        return rules | Rules(
            opaque_token=when(condition, lambda call: make(next(numbers), rules.opaque_token(call)), rules.opaque_token)
        )

    return apply


_128 = "rfc6749:10.10/guess-probability-128"
_160 = "rfc6749:10.10/guess-probability-160"
fault("handles_are_counted", _128, "plain", "Handles are numbers in a row.")(
    _guessable(lambda number, _chance: f"{number:032d}")
)
fault("handles_have_48_random_bits", _128, "partial", "Eight characters of a handle are random.")(
    _guessable(lambda _number, chance: "access-token-of-this-server-" + chance[:8])
)
fault("handles_are_counted_later", _128, "partial", "After some requests, handles are numbers in a row.")(
    _guessable(lambda number, _chance: f"{number:032d}", after_requests(3))
)
fault("handles_have_132_random_bits", _160, "plain", "22 characters of a handle are random.")(
    _guessable(lambda _number, chance: "access-token-" + chance[:22])
)
