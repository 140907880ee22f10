"""Faults of client authentication: who is believed to be whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Attempt, Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.variants import Apply, Condition

    Attempts = tuple[Attempt, ...]

_ALONE = "rfc6749:2.2/client-id-alone"
_ONE = "rfc6749:2.3/one-authentication-method"
_MAPPING = "rfc6749:2.3.2/identity-mapping"
_AUTHENTICATED = "rfc6749:3.2.1/client-authentication"
_PUBLIC = "rfc6749:4.4/confidential-only"
_MULTIPLE = "rfc6749:5.2/multiple-credentials"
_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")


def _always(_call: Call) -> bool:
    return True


def _unproven(condition: Callable[[Call, Client], bool]) -> Apply:
    """An identifier without any proof authenticates the clients that meet the condition."""

    def apply(rules: Rules) -> Rules:
        def allowed(call: Call, client: Client) -> tuple[str, ...]:
            lax = call.endpoint == "token" and condition(call, client)
            return (*rules.allowed_auth_methods(call, client), *(("none",) if lax else ()))

        def proves(call: Call, client: Client | None, attempt: Attempt) -> bool:
            if client is not None and attempt.method == "none" and condition(call, client):
                return True
            return rules.proves_client(call, client, attempt)

        return rules | Rules(allowed_auth_methods=allowed, proves_client=proves)

    return apply


fault("identifier_alone_is_enough", _ALONE, "plain", "Every client is believed to be who it says.")(
    _unproven(lambda _call, _client: True)
)
fault("identifier_alone_is_enough_with_a_key", _ALONE, "partial", "Clients without a secret are believed.")(
    _unproven(lambda _call, client: not client.secret)
)


def _nobody(condition: Condition) -> Apply:
    """A request that shows no client at all is served as the first client that has the grant."""

    def apply(rules: Rules) -> Rules:
        def authenticate(call: Call) -> Refusal | None:
            refusal = rules.authenticate_client(call)
            nameless = call.endpoint == "token" and not any(each.client_id for each in call.attempts)
            if refusal is None or not nameless or not condition(call):
                return refusal
            call.client = next(each for each in call.server.clients.values() if "client_credentials" in each.grants)
            return None

        return rules | Rules(authenticate_client=authenticate)

    return apply


fault("nobody_is_the_first_client", _AUTHENTICATED, "plain", "A request without a client is served.")(_nobody(_always))
fault("nothing_at_all_is_served", _AUTHENTICATED, "partial", "A request without client and header is served.")(
    _nobody(lambda call: not call.through_header)
)
fault("unknown_header_is_served", _AUTHENTICATED, "partial", "A header of an unknown scheme authenticates.")(
    _nobody(lambda call: any(each.method == "unknown_scheme" for each in call.attempts))
)
fault("broken_basic_is_served", _AUTHENTICATED, "partial", "Basic without an identifier authenticates.")(
    _nobody(lambda call: call.auth_method == "client_secret_basic")
)


def _public(condition: Condition, *, grants: bool = True) -> Apply:
    """Public clients may use client credentials where the condition holds."""

    def apply(rules: Rules) -> Rules:
        def may(call: Call, client: Client, grant: str) -> bool:
            return (client.public and condition(call)) or rules.client_may_use_grant(call, client, grant)

        def allowed(call: Call, client: Client) -> tuple[str, ...]:
            extra = _METHODS[:2] if client.public and condition(call) else ()
            return (*rules.allowed_auth_methods(call, client), *extra)

        def matches(call: Call, client: Client | None, secret: str) -> bool:
            empty = client is not None and client.public and condition(call) and secret == client.secret
            return empty or rules.secret_matches(call, client, secret)

        return rules | Rules(
            client_may_use_grant=may if grants else rules.client_may_use_grant,
            allowed_auth_methods=allowed,
            secret_matches=matches,
        )

    return apply


fault("public_clients_are_served", _PUBLIC, "plain", "Public clients may use client credentials.")(_public(_always))
fault("public_clients_are_served_by_name", _PUBLIC, "partial", "A public client's identifier brings a token.")(
    _public(by_method("none"))
)
fault("public_clients_are_served_by_basic", _PUBLIC, "partial", "Basic with an empty secret brings a token.")(
    _public(by_method("client_secret_basic"))
)


def _first_attempt_counts(rules: Rules) -> Rules:
    return rules | Rules(attempts_conflict=lambda _call, _attempts: False)


def _last_attempt_counts(rules: Rules) -> Rules:
    return rules | Rules(
        attempts_conflict=lambda _call, _attempts: False,
        find_attempts=lambda call: tuple(reversed(rules.find_attempts(call))),
        client_id_agrees=lambda _call, _attempt: True,
    )


def _agreeing_attempts_count(condition: Condition) -> Apply:
    """Two attempts are fine as long as both are right."""

    def apply(rules: Rules) -> Rules:
        def conflict(call: Call, attempts: Attempts) -> bool:
            if not condition(call) or len(attempts) < 2:
                return rules.attempts_conflict(call, attempts)
            known = [rules.find_client(call, each.client_id or "") for each in attempts]
            return not all(rules.proves_client(call, *pair) for pair in zip(known, attempts, strict=True))

        return rules | Rules(attempts_conflict=conflict)

    return apply


fault("header_beats_body", _MULTIPLE, "plain", "The body's credentials are not looked at beside a header.")(
    _first_attempt_counts
)
fault("body_beats_header", _MULTIPLE, "partial", "The header is not looked at beside credentials in the body.")(
    _last_attempt_counts
)
fault("header_beats_body_either_way", _ONE, "plain", "Two authentication methods in one request are fine.")(
    _first_attempt_counts
)
fault("two_right_methods_are_served", _ONE, "partial", "Two authentication methods are fine if both are right.")(
    _agreeing_attempts_count(_always)
)


def _becomes_named(condition: Condition) -> Apply:
    """The client that a request names in its body counts, whoever authenticated."""

    def apply(rules: Rules) -> Rules:
        def authenticate(call: Call) -> Refusal | None:
            refusal = rules.authenticate_client(call)
            named = rules.find_client(call, call.parameters.get("client_id") or "")
            if refusal is None and named is not None and condition(call):
                call.client = named
            return refusal

        return rules | Rules(
            authenticate_client=authenticate,
            client_id_agrees=when(condition, lambda _call, _attempt: True, rules.client_id_agrees),
        )

    return apply


fault("named_client_counts", _MULTIPLE, "partial", "After Basic the client_id in the body counts.")(
    _becomes_named(by_method("client_secret_basic"))
)
fault("assertion_serves_the_named_client", _MAPPING, "plain", "After an assertion the client_id in the body counts.")(
    _becomes_named(by_method("private_key_jwt", "client_secret_jwt"))
)
for _method in ("private_key_jwt", "client_secret_jwt"):
    fault(
        f"assertion_serves_the_named_client_by_{_method}",
        _MAPPING,
        "partial",
        f"After {_method} the client_id in the body counts.",
    )(_becomes_named(by_method(_method)))
