"""Faults of client authentication, token answers and the authorization answer: one of each shape."""

from __future__ import annotations

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, by_method, fault, when


@fault("accepts_wrong_secret_by_body", "rfc6749:5.2/invalid-client", "partial", "Any secret in the body will do.")
def accepts_wrong_secret_by_body(rules: Rules) -> Rules:
    """Only the Authorization header is checked."""
    return rules | Rules(
        secret_matches=when(
            by_method("client_secret_post"), lambda _call, client, _secret: client is not None, rules.secret_matches
        ),
    )


@fault(
    "basic_credentials_not_decoded", "rfc6749:2.3.1/form-urlencoded-credentials", "plain", "Basic is taken literally."
)
def basic_credentials_not_decoded(rules: Rules) -> Rules:
    """The form-encoding inside Basic credentials stays."""
    return rules | Rules(decode_basic_part=lambda _call, raw: raw.decode("utf-8", "replace"))


@fault(
    "ignores_repeated_parameters",
    "rfc6749:3.2/repeated-request-parameter",
    "plain",
    "Repeated parameters are not noticed.",
)
def ignores_repeated_parameters(rules: Rules) -> Rules:
    """Nothing is ever seen as repeated."""
    return rules | Rules(find_repeats=lambda _call, _form: ())


@fault("token_answer_may_be_cached", "rfc6749:5.1/no-store", "plain", "Answers lack Cache-Control and Pragma.")
def token_answer_may_be_cached(rules: Rules) -> Rules:
    """No answer says no-store."""
    return rules | Rules(cache_headers=lambda _call: [])


@fault("unknown_grant_is_forbidden", "rfc6749:5.2/status-400", "partial", "An unknown grant type is answered with 403.")
def unknown_grant_is_forbidden(rules: Rules) -> Rules:
    """One error path has the wrong status."""
    status = when(by_error_path("unknown_grant"), lambda _call, _refusal: 403, rules.error_status)
    return rules | Rules(error_status=status)


@fault("state_lost_on_errors", "rfc6749:4.2.2.1/state", "partial", "Error answers come back without state.")
def state_lost_on_errors(rules: Rules) -> Rules:
    """State only comes back with a token."""
    return rules | Rules(
        echo_state=when(lambda call: call.refusal is not None, lambda _call, _pending: None, rules.echo_state)
    )
