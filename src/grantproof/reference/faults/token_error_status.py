"""Faults of the status and of the challenge of token errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import after_requests, by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.variants import Apply, Condition

_HEADER = "rfc6749:5.2/authorization-header-401"
_CHALLENGE = "rfc6749:5.2/www-authenticate"
_STATUS = "rfc6749:5.2/status-400"


def _status(condition: Condition, status: int) -> Apply:
    return lambda rules: (
        rules
        | Rules(
            error_status=when(condition, lambda _call, _refusal: status, rules.error_status),
        )
    )


def _not_invalid_client(call: Call) -> bool:
    return call.endpoint == "token" and call.refusal is not None and call.refusal.error != "invalid_client"


def _both(*conditions: Condition) -> Condition:
    return lambda call: all(condition(call) for condition in conditions)


fault("token_errors_have_status_200", _STATUS, "plain", "Token errors come with status 200.")(
    _status(_not_invalid_client, 200)
)
for _path, _wrong in {
    "missing_parameter": 422,
    "repeated_parameter": 409,
    "unknown_scope": 401,
    "malformed_scope": 200,
    "grant_not_allowed": 403,
    "two_authentication_methods": 401,
}.items():
    fault(f"{_path}_has_status_{_wrong}", _STATUS, "partial", f"The error on {_path} comes with status {_wrong}.")(
        _status(by_error_path(_path), _wrong)
    )
fault("unknown_grant_is_forbidden", _STATUS, "partial", "An unknown grant type is answered with 403.")(
    _status(by_error_path("unknown_grant"), 403)
)
for _method in ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"):
    fault(
        f"token_errors_have_status_403_by_{_method}",
        _STATUS,
        "partial",
        f"Token errors come with status 403 where the client authenticated by {_method}.",
    )(_status(_both(_not_invalid_client, by_method(_method)), 403))
fault("later_token_errors_have_status_500", _STATUS, "partial", "Token errors have status 500 after some requests.")(
    _status(_both(_not_invalid_client, after_requests(12)), 500)
)

_through_header: Condition = lambda call: call.through_header  # noqa: E731 - a condition like those of variants


def _invalid_client(call: Call) -> bool:
    return call.endpoint == "token" and call.refusal is not None and call.refusal.error == "invalid_client"


fault("invalid_client_is_always_400", _HEADER, "plain", "Failed authentication has status 400, by header too.")(
    _status(_invalid_client, 400)
)
for _path, _wrong in {"unknown_client": 400, "wrong_secret": 403, "malformed_credentials": 400}.items():
    fault(
        f"{_path}_by_header_has_status_{_wrong}",
        _HEADER,
        "partial",
        f"The error on {_path} through the Authorization header has status {_wrong}.",
    )(_status(_both(by_error_path(_path), _through_header), _wrong))


def _challenge(condition: Condition, challenge: Callable[[Call, Refusal], str | None]) -> Apply:
    return lambda rules: rules | Rules(challenge=when(condition, challenge, rules.challenge))


def _challenging(scheme: str) -> Callable[[Call, Refusal], str]:
    return lambda _call, _refusal: f'{scheme} realm="token"'


fault("no_challenge_with_401", _CHALLENGE, "plain", "A 401 of the token endpoint has no challenge.")(
    _challenge(by_endpoint("token"), lambda _call, _refusal: None)
)
for _path in ("unknown_client", "wrong_secret"):
    fault(f"no_challenge_on_{_path}", _CHALLENGE, "partial", f"The 401 on {_path} has no challenge.")(
        _challenge(_both(by_endpoint("token"), by_error_path(_path)), lambda _call, _refusal: None)
    )
for _scheme in ("Bearer", "Digest"):
    fault(
        f"challenge_for_{_scheme.lower()}_only",
        _CHALLENGE,
        "partial",
        f"The challenge after Basic authentication is for {_scheme}.",
    )(_challenge(by_endpoint("token"), _challenging(_scheme)))
