"""Faults of the error codes of the token endpoint, and tokens where an error is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.variants import Apply, Condition

_CODE = "rfc6749:5.2/error-code"
_REQUEST = "rfc6749:5.2/invalid-request"
_CLIENT = "rfc6749:5.2/invalid-client"
_LEAVE = "rfc6749:5.2/unauthorized-client"
_GRANT = "rfc6749:5.2/unsupported-grant-type"
_SCOPE = "rfc6749:5.2/invalid-scope"
_token = by_endpoint("token")


def _both(*conditions: Condition) -> Condition:
    return lambda call: all(condition(call) for condition in conditions)


def _code(condition: Condition, code: Any) -> Apply:
    """The error member is this where the condition holds."""

    def apply(rules: Rules) -> Rules:
        def renamed(call: Call, refusal: Refusal) -> dict[str, Any]:
            return rules.error_body(call, refusal) | {"error": code}

        return rules | Rules(error_body=when(_both(_token, condition), renamed, rules.error_body))

    return apply


def _always(_call: Call) -> bool:
    return True


def _about(subject: str) -> Condition:
    return lambda call: call.refusal is not None and call.refusal.subject == subject


fault("error_code_is_invented", _CODE, "plain", "Every token error has the code error_occurred.")(
    _code(_always, "error_occurred")
)
fault("error_is_an_object", _CODE, "partial", "The error on an unknown grant type is an object with a code in it.")(
    _code(by_error_path("unknown_grant"), {"code": "unsupported_grant_type"})
)
for _path, _wrong in {
    "unknown_grant": "unsupported_grant",
    "missing_parameter": "missing_parameter",
    "repeated_parameter": "INVALID_REQUEST",
    "wrong_secret": "unauthorized",
    "unknown_client": "client_not_found",
    "wrong_assertion": "assertion_failed",
    "no_authentication": "login_required",
    "malformed_credentials": "malformed_header",
    "unknown_scope": "bad_scope",
    "grant_not_allowed": "forbidden",
}.items():
    fault(f"{_path}_has_an_invented_code", _CODE, "partial", f"The error on {_path} has the code {_wrong}.")(
        _code(by_error_path(_path), _wrong)
    )

fault("repeated_parameter_is_an_invalid_grant", _REQUEST, "plain", "A repeated parameter gets invalid_grant.")(
    _code(by_error_path("repeated_parameter"), "invalid_grant")
)
for _subject, _wrong in {"scope": "invalid_scope", "grant_type": "unsupported_grant_type"}.items():
    fault(f"repeated_{_subject}_gets_{_wrong}", _REQUEST, "partial", f"A repeated {_subject} gets {_wrong}.")(
        _code(_both(by_error_path("repeated_parameter"), _about(_subject)), _wrong)
    )

fault("failed_authentication_is_an_invalid_grant", _CLIENT, "plain", "Failed authentication gets invalid_grant.")(
    _code(lambda call: call.refusal is not None and call.refusal.error == "invalid_client", "invalid_grant")
)
for _path, _wrong in {
    "unknown_client": "unauthorized_client",
    "wrong_secret": "invalid_grant",
    "wrong_assertion": "invalid_grant",
    "no_authentication": "invalid_request",
}.items():
    fault(f"{_path}_gets_{_wrong}", _CLIENT, "partial", f"The error on {_path} is {_wrong}.")(
        _code(by_error_path(_path), _wrong)
    )
for _method in ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"):
    fault(
        f"failed_authentication_is_unauthorized_by_{_method}",
        _CLIENT,
        "partial",
        f"Failed authentication by {_method} gets unauthorized_client.",
    )(
        _code(
            _both(by_method(_method), lambda call: call.refusal is not None and call.refusal.error == "invalid_client"),
            "unauthorized_client",
        )
    )

for _wrong in ("invalid_request", "unsupported_grant_type", "invalid_grant"):
    fault(f"grant_not_allowed_gets_{_wrong}", _LEAVE, "plain", f"A client without leave for the grant gets {_wrong}.")(
        _code(by_error_path("grant_not_allowed"), _wrong)
    )


@fault("grant_not_allowed_is_served", _LEAVE, "plain", "Every client may use client credentials.")
def grant_not_allowed_is_served(rules: Rules) -> Rules:
    """Leave for the grant is not looked at."""
    return rules | Rules(client_may_use_grant=lambda _call, client, _grant: not client.public)


@fault("grant_not_allowed_is_served_by_body", _LEAVE, "partial", "Leave is only looked at after Basic.")
def grant_not_allowed_is_served_by_body(rules: Rules) -> Rules:
    """A client that sends its secret in the body may use every grant."""
    return rules | Rules(
        client_may_use_grant=when(
            by_method("client_secret_post"), lambda _call, client, _grant: not client.public, rules.client_may_use_grant
        )
    )


for _wrong in ("invalid_grant", "invalid_request"):
    fault(f"unknown_grant_gets_{_wrong}", _GRANT, "plain", f"An unknown grant type gets {_wrong}.")(
        _code(by_error_path("unknown_grant"), _wrong)
    )
for _method in ("client_secret_post", "private_key_jwt"):
    fault(
        f"unknown_grant_gets_invalid_grant_by_{_method}",
        _GRANT,
        "partial",
        f"An unknown grant type gets invalid_grant where the client authenticated by {_method}.",
    )(_code(_both(by_error_path("unknown_grant"), by_method(_method)), "invalid_grant"))


@fault("similar_grant_names_are_served", _GRANT, "partial", "Punctuation in grant_type does not matter.")
def similar_grant_names_are_served(rules: Rules) -> Rules:
    """A hyphen is as good as an underscore."""

    def normalise(call: Call) -> Any:
        sent = (call.parameters.get("grant_type") or "").replace("-", "_")
        if sent == "client_credentials":
            call.parameters = type(call.parameters)(
                (("grant_type", sent), *call.parameters.without("grant_type").pairs)
            )
        return rules.check_grant(call)

    return rules | Rules(check_grant=normalise)


fault("wrong_scope_is_an_invalid_request", _SCOPE, "plain", "A wrong scope gets invalid_request.")(
    _code(lambda call: call.refusal is not None and call.refusal.error == "invalid_scope", "invalid_request")
)
for _path in ("unknown_scope", "malformed_scope"):
    fault(f"{_path}_is_an_invalid_request", _SCOPE, "partial", f"The error on {_path} is invalid_request.")(
        _code(by_error_path(_path), "invalid_request")
    )


@fault("unknown_scope_is_granted", _SCOPE, "plain", "Every scope is granted as it was asked for.")
def unknown_scope_is_granted(rules: Rules) -> Rules:
    """No scope is unknown."""
    return rules | Rules(granted_scope=lambda _call, _client, requested: requested)


@fault("unknown_scope_beside_a_known_one_is_granted", _SCOPE, "partial", "One known scope lets unknown ones in.")
def unknown_scope_beside_a_known_one_is_granted(rules: Rules) -> Rules:
    """Only the first scope is looked at."""
    return rules | Rules(
        granted_scope=lambda call, client, requested: (
            requested if requested[0] in client.scopes else rules.granted_scope(call, client, requested)
        )
    )
