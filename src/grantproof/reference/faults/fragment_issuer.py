"""Faults of the iss parameter, of response modes and of combined response types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition, Kind

Pairs = tuple[tuple[str, str], ...]
ANNOUNCED = "authorization_response_iss_parameter_supported"


def _always(_call: Call) -> bool:
    return True


def _refused(call: Call) -> bool:
    return call.refusal is not None


def _just_logged_in(call: Call) -> bool:
    return call.pending is not None and call.pending.authenticated


def _combined(call: Call) -> bool:
    return call.pending is not None and len(call.pending.response_type) > 1


def _issuer(rules: Rules, condition: Condition, change: Callable[[str], str | None]) -> Rules:
    def issuer(call: Call) -> str | None:
        return change(call.server.issuer)

    return rules | Rules(response_issuer=when(condition, issuer, rules.response_issuer))


_ROWS_1: tuple[tuple[str, str, Kind, Condition, Callable[[str], str | None]], ...] = (
    ("issuer_missing", "2/iss-in-response", "plain", _always, lambda _iss: None),
    ("issuer_missing_on_errors", "2/iss-in-response", "partial", _refused, lambda _iss: None),
    ("issuer_missing_on_denial", "2/iss-in-response", "partial", by_error_path("denied"), lambda _iss: None),
    ("issuer_missing_after_login", "2/iss-in-response", "partial", _just_logged_in, lambda _iss: None),
    ("issuer_with_query", "2/iss-https-url", "plain", _always, lambda iss: f"{iss}?v=1"),
    ("issuer_with_fragment_on_errors", "2/iss-https-url", "partial", _refused, lambda iss: f"{iss}#as"),
    ("issuer_with_slash", "2.3/iss-equals-metadata-issuer", "plain", _always, lambda iss: f"{iss}/"),
    ("issuer_of_errors_with_slash", "2.3/iss-equals-metadata-issuer", "partial", _refused, lambda iss: f"{iss}/"),
    ("issuer_unlike_id_token", "2.4/iss-equals-id-token-iss", "plain", _always, lambda iss: iss.upper()),
    ("issuer_unlike_id_token_at_times", "2.4/iss-equals-id-token-iss", "partial", _combined, lambda iss: f"{iss}/"),
)
for _id, _clause, _kind, _condition, _change in _ROWS_1:
    fault(_id, f"rfc9207:{_clause}", _kind, "The iss parameter is wrong.")(
        partial(_issuer, condition=_condition, change=_change)
    )


def _announced(rules: Rules, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Rules:
    return rules | Rules(common_metadata=lambda call: change(rules.common_metadata(call)))


@fault("issuer_not_announced", "rfc9207:2.3/support-announced", "plain", "The metadata does not mention iss.")
def issuer_not_announced(rules: Rules) -> Rules:
    """It is sent without a word."""
    return _announced(rules, lambda members: {name: value for name, value in members.items() if name != ANNOUNCED})


@fault("issuer_announced_as_text", "rfc9207:2.3/support-announced", "partial", "The metadata says so in a string.")
def issuer_announced_as_text(rules: Rules) -> Rules:
    """A string is no boolean."""
    return _announced(rules, lambda members: {**members, ANNOUNCED: "true"})


@fault("endpoint_with_fragment", "rfc6749:3.1/no-fragment-in-endpoint", "plain", "The endpoint's URI has a fragment.")
def endpoint_with_fragment(rules: Rules) -> Rules:
    """As single-page logins have it."""
    return _announced(
        rules,
        lambda members: {**members, "authorization_endpoint": f"{members['authorization_endpoint']}#start"},
    )


@fault("endpoint_with_empty_fragment", "rfc6749:3.1/no-fragment-in-endpoint", "partial", "Its URI ends in a hash.")
def endpoint_with_empty_fragment(rules: Rules) -> Rules:
    """A hash is a fragment, though an empty one."""
    return _announced(
        rules, lambda members: {**members, "authorization_endpoint": f"{members['authorization_endpoint']}#"}
    )


def _asks_query(pending: PendingRequest) -> bool:
    return pending.response_mode == "query"


def _asks_query_fresh(pending: PendingRequest) -> bool:
    return pending.response_mode == "query" and pending.authenticated


def _placed(rules: Rules, condition: Callable[[PendingRequest], bool]) -> Rules:
    def placement(call: Call, pending: PendingRequest) -> str:
        chosen = call.refusal is None and condition(pending)
        return "query" if chosen else rules.placement(call, pending)

    return rules | Rules(placement=placement, response_modes=lambda _call: ("fragment", "form_post", "query"))


_ROWS_2: tuple[tuple[str, str, Kind, Callable[[PendingRequest], bool]], ...] = (
    ("default_mode_is_query", "2.1/token-default-fragment", "plain", lambda each: each.response_mode == ""),
    ("default_mode_is_query_for_some", "2.1/token-default-fragment", "partial", lambda each: not each.client.public),
    ("mode_query_obeyed", "7/token-never-in-query", "plain", _asks_query),
    ("mode_query_obeyed_after_login", "7/token-never-in-query", "partial", _asks_query_fresh),
    ("mode_query_obeyed_in_a_combination", "5/id-token-token-never-in-query", "plain", _asks_query),
    ("mode_query_obeyed_by_the_fresh", "5/id-token-token-never-in-query", "partial", _asks_query_fresh),
)
for _id, _clause, _kind, _chosen in _ROWS_2:
    fault(_id, f"oauth-responses:{_clause}", _kind, "The query has a token.")(partial(_placed, condition=_chosen))


@fault("named_default_mode_refused", "oauth-responses:2.1/explicit-default-mode", "plain", "fragment may not be named.")
def named_default_mode_refused(rules: Rules) -> Rules:
    """Only the other modes can be asked for."""
    return rules | Rules(response_modes=lambda _call: ("form_post",))


def _combination(rules: Rules, condition: Condition, change: Callable[[Pairs], Pairs]) -> Rules:
    def pairs(call: Call, pending: PendingRequest) -> Pairs:
        return change(rules.success_pairs(call, pending))

    return rules | Rules(success_pairs=when(lambda c: _combined(c) and condition(c), pairs, rules.success_pairs))


def _without(name: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: tuple(pair for pair in pairs if pair[0] != name)


_ROWS_3: tuple[tuple[str, Kind, Condition, str], ...] = (
    ("combination_lacks_id_token", "plain", _always, "id_token"),
    ("combination_lacks_token_type", "partial", _always, "token_type"),
    ("combination_lacks_token_after_login", "partial", _just_logged_in, "access_token"),
)
for _id, _kind, _condition, _name in _ROWS_3:
    fault(
        _id,
        "oauth-responses:5/id-token-token-parameters",
        _kind,
        f"No {_name} comes.",
    )(partial(_combination, condition=_condition, change=_without(_name)))


def _typed(rules: Rules, condition: Condition) -> Rules:
    return rules | Rules(token_type=when(condition, lambda _call: "MAC", rules.token_type))


@fault("openid_token_type_is_another", "oidc-core:3.2.2.5/token-type-bearer", "plain", "The token_type is MAC.")
def openid_token_type_is_another(rules: Rules) -> Rules:
    """A type that nobody agreed on."""
    return _typed(rules, _always)


@fault("combination_token_type_is_another", "oidc-core:3.2.2.5/token-type-bearer", "partial", "At times it is MAC.")
def combination_token_type_is_another(rules: Rules) -> Rules:
    """Only the combined response type."""
    return _typed(rules, _combined)


def _twice(rules: Rules, name: str, condition: Condition) -> Rules:
    def pairs(call: Call, pending: PendingRequest) -> Pairs:
        found = rules.success_pairs(call, pending)
        return (*found, *(pair for pair in found if pair[0] == name))

    return rules | Rules(success_pairs=when(condition, pairs, rules.success_pairs))


@fault("state_twice", "rfc6749:3.1/repeated-response-parameter", "plain", "The fragment has the state twice.")
def state_twice(rules: Rules) -> Rules:
    """Two layers add it."""
    return _twice(rules, "state", _always)


@fault("token_type_twice_after_login", "rfc6749:3.1/repeated-response-parameter", "partial", "token_type comes twice.")
def token_type_twice_after_login(rules: Rules) -> Rules:
    """Only after a login."""
    return _twice(rules, "token_type", _just_logged_in)
