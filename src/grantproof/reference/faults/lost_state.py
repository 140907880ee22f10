"""Faults of the state in authorization answers that are errors."""

from __future__ import annotations

from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault, when


@fault("state_lost_on_errors", "rfc6749:4.2.2.1/state", "partial", "Error answers come back without state.")
def state_lost_on_errors(rules: Rules) -> Rules:
    """State only comes back with a token."""
    return rules | Rules(
        echo_state=when(lambda call: call.refusal is not None, lambda _call, _pending: None, rules.echo_state)
    )
