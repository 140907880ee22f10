"""Lawful but unusual ways to write what goes to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.state import PendingRequest

Pairs = tuple[tuple[str, str], ...]


@oddity("fragment_in_lower_case_escapes", "The fragment is escaped in lower case, a space as %20.", 40, 42)
def fragment_in_lower_case_escapes(rules: Rules) -> Rules:
    """Both spellings decode to the same."""

    def lower(value: str) -> str:
        parts = quote(value, safe="").split("%")
        return parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])

    return rules | Rules(encode_pairs=lambda _call, pairs: "&".join(f"{lower(n)}={lower(v)}" for n, v in pairs))


@oddity("fragment_in_another_order", "State comes first, and there are parameters nobody knows.", 29, 40)
def fragment_in_another_order(rules: Rules) -> Rules:
    """Order means nothing, and clients ignore what they do not know."""

    def pairs(call: Call, pending: PendingRequest) -> Pairs:
        return (*reversed(rules.success_pairs(call, pending)), ("session_state", "a.b"), ("not-before-policy", "0"))

    return rules | Rules(success_pairs=pairs)


@oddity("fragment_wholly_escaped", "Every octet of every value is escaped, letters too.", 40, 42)
def fragment_wholly_escaped(rules: Rules) -> Rules:
    """What needs no escape may have one."""

    def escaped(value: str) -> str:
        return "".join(f"%{octet:02X}" for octet in value.encode("utf-8", "replace"))

    return rules | Rules(encode_pairs=lambda _call, pairs: "&".join(f"{n}={escaped(v)}" for n, v in pairs))


@oddity("fragment_as_browsers_write_it", "A star is left as it is, a tilde is escaped.", 40, 42)
def fragment_as_browsers_write_it(rules: Rules) -> Rules:
    """As the forms of a browser are written."""

    def written(value: str) -> str:
        return quote_plus(value, safe="*").replace("~", "%7E")

    return rules | Rules(encode_pairs=lambda _call, pairs: "&".join(f"{written(n)}={written(v)}" for n, v in pairs))


@oddity(
    "fragment_with_blank_extras", "There are parameters without a value, and one that names the user's account.", 29, 40
)
def fragment_with_blank_extras(rules: Rules) -> Rules:
    """They are nothing to the client."""

    def pairs(call: Call, pending: PendingRequest) -> Pairs:
        return (("authuser", "0"), ("hd", ""), *rules.success_pairs(call, pending), ("session_state", ""))

    return rules | Rules(success_pairs=pairs)
