"""Faults of scopes at the token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_method, fault, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.variants import Apply, Condition

    Scope = tuple[str, ...]

_NAMED = "rfc6749:5.1/scope-when-different"
_ORDER = "rfc6749:3.3/scope-order"
_OMITTED = "rfc6749:3.3/scope-omitted"
_CLIENT = "rfc6749:10.3/scope-by-client"


@fault("scope_is_never_named", _NAMED, "plain", "No answer names the scope.")
def scope_is_never_named(rules: Rules) -> Rules:
    """Even a narrowed scope goes unsaid."""
    return rules | Rules(report_scope=lambda _call, _requested, _granted: False)


@fault("scope_is_named_only_after_basic", _NAMED, "partial", "A narrowed scope goes unsaid but after Basic.")
def scope_is_named_only_after_basic(rules: Rules) -> Rules:
    """Other methods are not told."""
    return rules | Rules(
        report_scope=when(
            by_method("client_secret_basic"), rules.report_scope, lambda _call, _requested, _granted: False
        )
    )


@fault("requested_scope_is_named", _NAMED, "partial", "The answer names what was requested, not what was granted.")
def requested_scope_is_named(rules: Rules) -> Rules:
    """The scope member is an echo."""
    return rules | Rules(
        success_body=lambda call, token, scope: rules.success_body(call, token, call.requested_scope or scope)
    )


@fault("wider_scope_goes_unsaid", _NAMED, "partial", "A token has all of a client's scopes, whatever it asked for.")
def wider_scope_goes_unsaid(rules: Rules) -> Rules:
    """One scope asked for brings all of them, and the answer is silent."""
    return rules | Rules(
        granted_scope=lambda call, client, requested: (
            client.scopes if rules.granted_scope(call, client, requested) else None
        ),
        report_scope=lambda _call, requested, granted: requested is None or not set(requested) <= set(granted),
    )


def _first_only(rules: Rules) -> Rules:
    def grant(call: Call, client: Client, requested: Scope) -> Scope | None:
        granted = rules.granted_scope(call, client, requested)
        return granted[:1] if granted else None

    return rules | Rules(granted_scope=grant)


fault("first_scope_counts", _ORDER, "plain", "Only the first scope of a request is granted.")(_first_only)


def _sorted_only(condition: Condition) -> Apply:
    def apply(rules: Rules) -> Rules:
        def grant(call: Call, client: Client, requested: Scope) -> Scope | None:
            return rules.granted_scope(call, client, requested) if list(requested) == sorted(requested) else None

        return rules | Rules(granted_scope=when(condition, grant, rules.granted_scope))

    return apply


fault("scopes_must_be_sorted", _ORDER, "plain", "Scopes that do not come in order are unknown.")(
    _sorted_only(lambda _call: True)
)
fault("scopes_must_be_sorted_in_the_body", _ORDER, "partial", "Scopes must come in order after a secret in the body.")(
    _sorted_only(by_method("client_secret_post"))
)


def _omitted(condition: Condition, refusal: Refusal) -> Apply:
    def apply(rules: Rules) -> Rules:
        def choose(call: Call, client: Client) -> Scope | Refusal:
            missing = call.parameters.get("scope") is None and call.endpoint == "token"
            return refusal if missing and condition(call) else rules.choose_scope(call, client)

        return rules | Rules(choose_scope=choose)

    return apply


for _error in ("invalid_request", "unauthorized_client"):
    fault(f"missing_scope_gets_{_error}", _OMITTED, "plain", f"A request without scope gets {_error}.")(
        _omitted(lambda _call: True, Refusal(_error, "missing_parameter", "scope"))
    )
for _method in ("client_secret_post", "private_key_jwt"):
    fault(
        f"missing_scope_gets_invalid_request_by_{_method}",
        _OMITTED,
        "partial",
        f"A request without scope gets invalid_request where the client authenticated by {_method}.",
    )(_omitted(by_method(_method), Refusal("invalid_request", "missing_parameter", "scope")))


def _foreign_scope(condition: Condition) -> Apply:
    """Any known scope is granted to any client."""

    def apply(rules: Rules) -> Rules:
        def grant(call: Call, _client: Client, requested: Scope) -> Scope | None:
            return requested if set(requested) <= set(rules.supported_scopes(call)) else None

        return rules | Rules(
            granted_scope=when(lambda call: call.endpoint == "token" and condition(call), grant, rules.granted_scope)
        )

    return apply


fault("foreign_scope_is_granted", _CLIENT, "plain", "A client gets a scope that only another one may have.")(
    _foreign_scope(lambda _call: True)
)
for _method in ("client_secret_post", "private_key_jwt"):
    fault(
        f"foreign_scope_is_granted_by_{_method}",
        _CLIENT,
        "partial",
        f"A client that authenticates by {_method} gets a scope that only another one may have.",
    )(_foreign_scope(by_method(_method)))
