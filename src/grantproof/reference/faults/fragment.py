"""Faults of the token response of the implicit grant: where it stands, what is in it, how it is written."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition, Kind

Pairs = tuple[tuple[str, str], ...]


def _always(_call: Call) -> bool:
    return True


def _composite(call: Call) -> bool:
    return call.pending is not None and len(call.pending.response_type) > 1


def _just_logged_in(call: Call) -> bool:
    return call.pending is not None and call.pending.authenticated


def _confidential(call: Call) -> bool:
    return call.pending is not None and not call.pending.client.public


def _granted(call: Call) -> bool:
    return call.refusal is None


CONDITIONS: dict[str, Condition] = {
    "": _always,
    "_in_a_combination": _composite,
    "_after_login": _just_logged_in,
    "_for_confidential_clients": _confidential,
}


def _on_success(rules: Rules, condition: Condition, change: Callable[[Pairs], Pairs]) -> Rules:
    """Rules that change the parameters of a successful answer where a condition holds."""

    def changed(call: Call, pending: PendingRequest) -> Pairs:
        return change(rules.success_pairs(call, pending))

    return rules | Rules(success_pairs=when(condition, changed, rules.success_pairs))


def _without(name: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: tuple(pair for pair in pairs if pair[0] != name)


def _with(name: str, value: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: tuple((key, value if key == name else kept) for key, kept in pairs)


def _more(name: str, value: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: (*pairs, (name, value))


def _declare(fault_id: str, clause: str, suffix: str, describe: str, change: Callable[[Pairs], Pairs]) -> None:
    kind: Kind = "partial" if suffix else "plain"
    where = suffix.replace("_", " ")
    fault(f"{fault_id}{suffix}", clause, kind, f"{describe}{where}.")(
        lambda rules: _on_success(rules, CONDITIONS[suffix], change)
    )


for _suffix in ("", "_in_a_combination"):
    _declare("token_missing", "rfc6749:4.2.2/access-token", _suffix, "No access_token comes", _without("access_token"))
    _declare("token_type_missing", "rfc6749:4.2.2/token-type", _suffix, "No token_type comes", _without("token_type"))
    _declare("expires_in_missing", "rfc6749:4.2.2/expires-in", _suffix, "No expires_in comes", _without("expires_in"))
for _suffix in CONDITIONS:
    _declare(
        "refresh_token_issued",
        "rfc6749:4.2.2/no-refresh-token",
        _suffix,
        "A refresh token comes with the access token",
        _more("refresh_token", secrets.token_urlsafe(24)),
    )
_ROWS_1: tuple[tuple[str, str, Kind, str, str], ...] = (
    ("token_empty", "4.2.2/access-token", "partial", "access_token", ""),
    ("token_with_control_character", "A.12/access-token", "plain", "access_token", "token\x07" + "a" * 40),
    ("token_with_letters_beyond_ascii", "A.12/access-token", "partial", "access_token", "t\u00f6ken" + "a" * 40),
    ("token_type_empty", "4.2.2/token-type", "partial", "token_type", ""),
    ("token_type_of_two_words", "A.13/token-type", "plain", "token_type", "Bearer token"),
    ("token_type_with_comma", "A.13/token-type", "partial", "token_type", "Bearer,MAC"),
    ("lifetime_zero", "4.2.2/expires-in", "partial", "expires_in", "0"),
    ("lifetime_negative", "A.14/expires-in", "partial", "expires_in", "-600"),
    ("lifetime_with_fraction", "A.14/expires-in", "plain", "expires_in", "600.0"),
    ("lifetime_as_duration", "A.14/expires-in", "partial", "expires_in", "PT10M"),
    ("lifetime_in_other_digits", "A.14/expires-in", "partial", "expires_in", "\u0666\u0660\u0660"),
)
for _id, _clause, _kind, _name, _value in _ROWS_1:
    fault(f"fragment_{_id}", f"rfc6749:{_clause}", _kind, f"{_name} is wrong.")(
        partial(_on_success, condition=_always, change=_with(_name, _value))
    )


def _placed(rules: Rules, condition: Condition, where: str) -> Rules:
    return rules | Rules(
        placement=when(lambda call: _granted(call) and condition(call), lambda _call, _pending: where, rules.placement)
    )


@fault("token_in_query", "rfc6749:4.2.2/fragment", "plain", "The token response stands in the query.")
def token_in_query(rules: Rules) -> Rules:
    """As a code would."""
    return _placed(rules, _always, "query")


@fault("token_in_query_after_login", "rfc6749:4.2.2/fragment", "partial", "After a login the token is in the query.")
def token_in_query_after_login(rules: Rules) -> Rules:
    """The second way to the response is another."""
    return _placed(rules, _just_logged_in, "query")


@fault(
    "token_in_query_for_confidential", "rfc6749:4.2.2/fragment", "partial", "Confidential clients get it in the query."
)
def token_in_query_for_confidential(rules: Rules) -> Rules:
    """Servers can read a query."""
    return _placed(rules, _confidential, "query")


@fault("token_in_query_and_fragment", "rfc6749:4.2.2/fragment", "partial", "The token response stands in both places.")
def token_in_query_and_fragment(rules: Rules) -> Rules:
    """To be on the safe side."""

    def both(_call: Call, uri: str, _where: str, encoded: str) -> str:
        return f"{uri}{'&' if '?' in uri else '?'}{encoded}#{encoded}"

    return rules | Rules(redirect_location=when(_granted, both, rules.redirect_location))


@fault("fragment_not_encoded", "rfc6749:4.2.2/fragment", "partial", "Values stand in the fragment as they are.")
def fragment_not_encoded(rules: Rules) -> Rules:
    """Names and values joined, nothing encoded."""
    return rules | Rules(encode_pairs=lambda _call, pairs: "&".join(f"{name}={value}" for name, value in pairs))


@fault("fragment_spaces_not_encoded", "rfc6749:4.2.2/fragment", "partial", "A space stays a space in the fragment.")
def fragment_spaces_not_encoded(rules: Rules) -> Rules:
    """Only a part of the characters is encoded."""
    return rules | Rules(
        encode_pairs=lambda _call, pairs: "&".join(f"{name}={quote(value, safe=' ')}" for name, value in pairs)
    )


@fault("fragment_percent_not_encoded", "rfc6749:4.2.2/fragment", "partial", "A percent sign is not encoded.")
def fragment_percent_not_encoded(rules: Rules) -> Rules:
    """Values count as encoded already."""
    return rules | Rules(
        encode_pairs=lambda _call, pairs: "&".join(f"{name}={quote(value, safe='%')}" for name, value in pairs)
    )


@fault("fragment_encoded_twice", "rfc6749:4.2.2/state", "partial", "The values in the fragment are encoded twice.")
def fragment_encoded_twice(rules: Rules) -> Rules:
    """Two layers encode."""
    return rules | Rules(
        encode_pairs=lambda call, pairs: rules.encode_pairs(
            call, tuple((name, quote(value, safe="")) for name, value in pairs)
        )
    )


@fault("narrowed_scope_not_named", "rfc6749:4.2.2/scope-when-different", "plain", "A narrowed scope is not named.")
def narrowed_scope_not_named(rules: Rules) -> Rules:
    """The scope never comes back."""
    return rules | Rules(report_scope=when(lambda call: call.pending is not None, _never_reported, rules.report_scope))


def _never_reported(_call: Call, _requested: tuple[str, ...] | None, _granted: tuple[str, ...]) -> bool:
    return False


@fault(
    "requested_scope_named", "rfc6749:4.2.2/scope-when-different", "partial", "The requested scope is named instead."
)
def requested_scope_named(rules: Rules) -> Rules:
    """The answer repeats the request."""

    def changed(call: Call, pending: PendingRequest) -> Pairs:
        asked = " ".join(pending.requested_scope or pending.scope)
        return _with("scope", asked)(rules.success_pairs(call, pending))

    return rules | Rules(success_pairs=changed)


@fault("narrowed_unnamed_for_some", "rfc6749:4.2.2/scope-when-different", "partial", "Some are not told.")
def narrowed_unnamed_for_some(rules: Rules) -> Rules:
    """Some clients are not told what they got."""
    return rules | Rules(report_scope=when(_confidential, _never_reported, rules.report_scope))


@fault("scope_silently_halved", "rfc6749:4.2.2/scope-when-different", "partial", "Half the scope is left out silently.")
def scope_silently_halved(rules: Rules) -> Rules:
    """A good request gets less, and the answer does not say so."""

    def halved(call: Call, client: Client, requested: tuple[str, ...]) -> tuple[str, ...] | None:
        granted = rules.granted_scope(call, client, requested)
        return granted[-1:] if granted and "openid" not in granted else granted

    return rules | Rules(
        granted_scope=halved,
        report_scope=when(lambda call: call.pending is not None, _never_reported, rules.report_scope),
    )


def _scope_written(rules: Rules, write: Callable[[tuple[str, ...]], str]) -> Rules:
    def changed(call: Call, pending: PendingRequest) -> Pairs:
        return _with("scope", write(pending.scope))(rules.success_pairs(call, pending))

    return rules | Rules(success_pairs=changed)


@fault("fragment_scope_quoted", "rfc6749:A.4/scope", "plain", "The scope in the fragment is a JSON array.")
def fragment_scope_quoted(rules: Rules) -> Rules:
    """A list instead of words."""
    return _scope_written(rules, lambda scope: "[" + ", ".join(f'"{name}"' for name in scope) + "]")


@fault("fragment_scope_with_two_spaces", "rfc6749:A.4/scope", "partial", "Two spaces part the scopes in the fragment.")
def fragment_scope_with_two_spaces(rules: Rules) -> Rules:
    """Something was taken out between the words."""
    return _scope_written(rules, lambda scope: "  ".join((*scope, "")))


@fault("fragment_scope_empty", "rfc6749:A.4/scope", "partial", "The scope in the fragment is empty.")
def fragment_scope_empty(rules: Rules) -> Rules:
    """The parameter without its value."""
    return _scope_written(rules, lambda _scope: "")
