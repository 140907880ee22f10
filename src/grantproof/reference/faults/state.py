"""Faults of the state that has to come back with every authorization response."""

from __future__ import annotations

import html
import secrets
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition, Kind


def _mangled(rules: Rules, condition: Condition, change: Callable[[str], str | None]) -> Rules:
    """Rules that change the state of the answers for which a condition holds."""

    def echo(call: Call, pending: PendingRequest) -> str | None:
        state = rules.echo_state(call, pending)
        return None if state is None else change(state)

    return rules | Rules(echo_state=when(condition, echo, rules.echo_state))


def _granted(call: Call) -> bool:
    return call.refusal is None


def _refused(call: Call) -> bool:
    return call.refusal is not None


def _lost(_state: str) -> str | None:
    return None


CHANGES: dict[str, Callable[[str], str]] = {
    "plus_becomes_space": lambda state: state.replace("+", " "),
    "decoded_again": unquote,
    "decoded_again_as_form": unquote_plus,
    "stripped": str.strip,
    "lower_case": str.lower,
    "cut_at_ampersand": lambda state: state.partition("&")[0],
    "cut_at_hash": lambda state: state.partition("#")[0],
    "cut_at_equals": lambda state: state.partition("=")[0],
    "cut_at_quote": lambda state: state.partition('"')[0],
    "cut_at_256_characters": lambda state: state[:256],
    "html_escaped": html.escape,
    "backslashes_lost": lambda state: state.replace("\\", ""),
    "markup_removed": lambda state: state.replace("<", "").replace(">", ""),
    "tilde_lost": lambda state: state.replace("~", ""),
    "zero_counts_as_none": lambda state: "" if state == "0" else state,
}
for _name, _change in CHANGES.items():
    _words = _name.replace("_", " ")
    fault(f"state_{_name}", "rfc6749:4.2.2/state", "partial", f"State beside a token: {_words}.")(
        partial(_mangled, condition=_granted, change=_change)
    )
for _name in ("plus_becomes_space", "decoded_again", "html_escaped", "lower_case"):
    _words = _name.replace("_", " ")
    fault(f"error_state_{_name}", "rfc6749:4.2.2.1/state", "partial", f"State beside an error: {_words}.")(
        partial(_mangled, condition=_refused, change=CHANGES[_name])
    )
_ROWS_1: tuple[tuple[str, str, Kind], ...] = (
    ("unknown_response_type", "4.1.2.1/state", "plain"),
    ("missing_parameter", "4.1.2.1/state", "partial"),
    ("unknown_scope", "4.2.2.1/state", "partial"),
    ("malformed_scope", "4.2.2.1/state", "partial"),
    ("denied", "4.2.2.1/state", "partial"),
    ("repeated_parameter", "4.2.2.1/state", "partial"),
    ("response_type_not_allowed", "4.2.2.1/state", "partial"),
)
for _path, _clause, _kind in _ROWS_1:
    fault(
        f"state_lost_when_{_path}",
        f"rfc6749:{_clause}",
        _kind,
        f"State is lost on one error path: {_path.replace('_', ' ')}.",
    )(partial(_mangled, condition=by_error_path(_path), change=_lost))


@fault("state_lost", "rfc6749:4.2.2/state", "plain", "State never comes back with a token.")
def state_lost(rules: Rules) -> Rules:
    """Only errors have it."""
    return _mangled(rules, _granted, _lost)


@fault("state_lost_everywhere", "rfc6749:4.2.2.1/state", "plain", "State never comes back.")
def state_lost_everywhere(rules: Rules) -> Rules:
    """It is not even read."""
    return _mangled(rules, lambda _call: True, _lost)


@fault("state_lost_after_login", "rfc6749:4.2.2/state", "partial", "A login in between loses the state.")
def state_lost_after_login(rules: Rules) -> Rules:
    """The login page does not keep it."""
    return _mangled(
        rules, lambda call: _granted(call) and call.pending is not None and call.pending.authenticated, _lost
    )


@fault("state_lost_in_a_combination", "oauth-responses:5/state-echoed", "plain", "id_token token comes without state.")
def state_lost_in_a_combination(rules: Rules) -> Rules:
    """One response type forgets it."""
    return _mangled(rules, lambda call: call.pending is not None and len(call.pending.response_type) > 1, _lost)


@fault("error_of_a_combination_without_state", "oauth-responses:5/state-echoed", "partial", "Errors lose the state.")
def error_of_a_combination_without_state(rules: Rules) -> Rules:
    """One response type forgets it on errors."""
    return _mangled(
        rules,
        lambda call: _refused(call) and call.pending is not None and len(call.pending.response_type) > 1,
        _lost,
    )


def _state_or(call: Call, pending: PendingRequest, rules: Rules, invented: str) -> str | None:
    state = rules.echo_state(call, pending)
    return invented if state is None and pending.state is None else state


@fault("state_invented", "rfc6749:4.2.2/no-invented-state", "plain", "A client without state gets one.")
def state_invented(rules: Rules) -> Rules:
    """The server makes one up."""
    return rules | Rules(
        echo_state=lambda call, pending: _state_or(call, pending, rules, secrets.token_urlsafe(8)),
    )


@fault("state_empty_when_absent", "rfc6749:4.2.2/no-invented-state", "partial", "An absent state comes back empty.")
def state_empty_when_absent(rules: Rules) -> Rules:
    """The name without a value."""
    return rules | Rules(echo_state=when(_granted, lambda c, p: _state_or(c, p, rules, ""), rules.echo_state))


@fault(
    "state_beyond_ascii_altered",
    "rfc6819:4.4.2.5/state-echoed",
    "partial",
    "Letters beyond ASCII come back as question marks.",
)
def state_beyond_ascii_altered(rules: Rules) -> Rules:
    """Neither refused nor kept."""
    accepted = rules | Rules(state_allowed=lambda _call, _state: True)
    return _mangled(accepted, _granted, lambda state: state.encode("ascii", "replace").decode())


@fault("state_short_refused", "rfc6749:A.5/state", "partial", "A state of less than eight characters is refused.")
def state_short_refused(rules: Rules) -> Rules:
    """The server decides what is hard enough to guess, though the value is none of its business."""
    return rules | Rules(state_allowed=lambda call, state: len(state) >= 8 and rules.state_allowed(call, state))


@fault("state_printable_refused", "rfc6749:A.5/state", "plain", "A state with punctuation is refused.")
def state_printable_refused(rules: Rules) -> Rules:
    """Only letters and digits are taken for safe."""
    return rules | Rules(state_allowed=lambda _call, state: state.replace("-", "a").replace("_", "a").isalnum())
