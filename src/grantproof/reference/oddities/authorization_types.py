"""Lawful but unusual readings of what an authorization request asks for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest


@oddity("response_type_spaces_ignored", "Spaces too many in a response type do not matter.", 49)
def response_type_spaces_ignored(rules: Rules) -> Rules:
    """What they mean is not defined."""
    return rules | Rules(parse_response_type=lambda _call, text: frozenset(filter(None, text.split(" "))))


@oddity("response_type_doubles_refused", "A response type with a word twice is not supported.", 49)
def response_type_doubles_refused(rules: Rules) -> Rules:
    """What it means is not defined."""

    def parse(_call: Call, text: str) -> frozenset[str]:
        words = text.split(" ")
        return frozenset(words) if len(set(words)) == len(words) else frozenset((text,))

    return rules | Rules(parse_response_type=parse)


def _silent(rules: Rules, error: str) -> Rules:
    def refusal(call: Call, pending: PendingRequest, need: str) -> Refusal | None:
        found = rules.silent_refusal(call, pending, need)
        return None if found is None else replace(found, error=error)

    return rules | Rules(silent_refusal=refusal)


oddity("silent_requests_need_an_account", "prompt=none is answered with account_selection_required.", 47)(
    partial(_silent, error="account_selection_required")
)


@oddity("request_objects_are_known", "Request objects are refused whatever the scope; so is claims.", 17, 47)
def request_objects_are_known(rules: Rules) -> Rules:
    """They are parameters of OpenID Connect, with errors of their own."""
    errors = {
        "request": "request_not_supported",
        "request_uri": "request_uri_not_supported",
        "claims": "invalid_request",
    }

    def check(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        checked = rules.check_authorization(call, client)
        found = [name for name in errors if call.parameters.get(name) is not None]
        if found and not isinstance(checked, Refusal):
            return Refusal(errors[found[0]], "request_object", found[0])
        return checked

    return rules | Rules(check_authorization=check)
