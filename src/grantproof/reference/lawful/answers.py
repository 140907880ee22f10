"""Lawful rules of the answers of the token, introspection and revocation endpoints (RFC 6749 sections 5.1 and 5.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grantproof.reference.call import Answer

if TYPE_CHECKING:
    from grantproof.reference.call import Call, Refusal

DESCRIPTIONS = {
    "method": "The method is not supported here.",
    "body_too_large": "The body is too large.",
    "media_type": "The body is not application/x-www-form-urlencoded.",
    "malformed_parameter": "A parameter is not form-encoded UTF-8.",
    "repeated_parameter": "A parameter is repeated.",
    "missing_parameter": "A required parameter is missing.",
    "no_authentication": "The client is not authenticated.",
    "two_authentication_methods": "The request uses more than one authentication method.",
    "client_id_mismatch": "The client identifiers of the request differ.",
    "too_many_failures": "There were too many failed attempts.",
    "unknown_grant": "The grant type is not supported.",
    "grant_not_allowed": "The client may not use this grant.",
    "malformed_scope": "The scope is malformed.",
    "unknown_scope": "The scope is unknown or not allowed.",
    "foreign_token": "The token belongs to another client.",
    "malformed_state": "The state has characters that are not allowed.",
    "unknown_response_type": "The response type is not supported.",
    "response_type_not_allowed": "The client may not use this response type.",
    "unknown_response_mode": "The response mode is not supported.",
    "malformed_prompt": "The prompt is not understood.",
    "malformed_max_age": "The maximum age is not a number of seconds.",
    "request_object": "Request objects are not supported.",
    "denied": "The user denied the request.",
    "not_logged_in": "The user is not logged in.",
    "no_consent": "The user has to be asked.",
}
STATUSES = {"method": 405, "body_too_large": 413, "too_many_failures": 429}


def error_description(call: Call, refusal: Refusal) -> str | None:
    """A text for developers, in the allowed characters, with nothing of the request in it.

    Source: RFC 6749 sections 4.2.2.1 and 5.2.
    """
    del call
    return DESCRIPTIONS.get(refusal.path, "Client authentication failed.")


def error_body(call: Call, refusal: Refusal) -> dict[str, Any]:
    """The members of an error answer.

    Source: RFC 6749 section 5.2.
    """
    body: dict[str, Any] = {"error": refusal.error}
    description = call.rules.error_description(call, refusal)
    if description is not None:
        body["error_description"] = description
    return body


def error_status(call: Call, refusal: Refusal) -> int:
    """The status of an error answer: 400, or 401 when the client is not authenticated.

    Source: RFC 6749 section 5.2; RFC 9110 sections 15.5.2 and 15.5.6.
    """
    del call
    return STATUSES.get(refusal.path, 401 if refusal.error == "invalid_client" else 400)


def challenge(call: Call, refusal: Refusal) -> str | None:
    """The challenge of a 401, which is there for every 401.

    Source: RFC 6749 section 5.2; RFC 7617 section 2; RFC 9110 section 15.5.2.
    """
    if call.rules.error_status(call, refusal) != 401:
        return None
    return f'Basic realm="{call.server.realm}", charset="UTF-8"'


def cache_headers(call: Call) -> list[tuple[str, str]]:
    """The headers that keep an answer out of every cache.

    Source: RFC 6749 section 5.1; RFC 9111 section 5.2.2.5.
    """
    del call
    return [("cache-control", "no-store"), ("pragma", "no-cache")]


def json_content_type(call: Call) -> str:
    """The media type of an answer in JSON.

    Source: RFC 6749 section 5.1.
    """
    del call
    return "application/json"


def success_headers(call: Call) -> list[tuple[str, str]]:
    """The headers of a successful answer.

    Source: RFC 6749 section 5.1.
    """
    rules = call.rules
    return [("content-type", rules.json_content_type(call)), *rules.cache_headers(call)]


def error_headers(call: Call, refusal: Refusal) -> list[tuple[str, str]]:
    """The headers of an error answer.

    Source: RFC 6749 section 5.2; RFC 9110 sections 10.2.1, 10.2.3 and 11.6.1.
    """
    rules = call.rules
    headers = [("content-type", rules.json_content_type(call)), *rules.cache_headers(call)]
    wanted = rules.challenge(call, refusal)
    if wanted is not None:
        headers.append(("www-authenticate", wanted))
    if refusal.path == "method":
        headers.append(("allow", ", ".join(rules.allowed_methods(call))))
    if refusal.path == "body_too_large":
        headers.append(("connection", "close"))
    if refusal.retry_after_s:
        headers.append(("retry-after", str(refusal.retry_after_s)))
    return headers


def success_status(call: Call) -> int:
    """The status of a successful answer.

    Source: RFC 6749 section 5.1.
    """
    del call
    return 200


def token_type(call: Call) -> str:
    """The type of every access token.

    Source: RFC 6749 section 7.1; RFC 6750 section 4.
    """
    del call
    return "Bearer"


def success_body(call: Call, token: str, scope: tuple[str, ...]) -> dict[str, Any]:
    """The members of a successful token answer.

    Source: RFC 6749 sections 4.4.3 and 5.1.
    """
    rules = call.rules
    body: dict[str, Any] = {"access_token": token, "token_type": rules.token_type(call)}
    lifetime_s = rules.reported_lifetime(call)
    if lifetime_s is not None:
        body["expires_in"] = lifetime_s
    if rules.report_scope(call, call.requested_scope, scope):
        body["scope"] = " ".join(scope)
    return body


def reported_lifetime(call: Call) -> int | None:
    """The expires_in of an answer, in seconds.

    Source: RFC 6749 sections 4.2.2 and 5.1.
    """
    return call.record.expires_at - int(call.now) if call.record else None


def encode_body(call: Call, body: dict[str, Any]) -> bytes:
    """A body as JSON in UTF-8.

    Source: RFC 6749 section 5.1.
    """
    del call
    return json.dumps(body, separators=(",", ":")).encode()


def finish(call: Call, answer: Answer) -> Answer:
    """The last look at an answer before it is sent, for every endpoint."""
    del call
    return answer


def error_answer(call: Call, refusal: Refusal) -> Answer:
    """A whole error answer of a back-channel endpoint.

    Source: RFC 6749 section 5.2.
    """
    rules = call.rules
    call.refusal = refusal
    body = rules.encode_body(call, rules.error_body(call, refusal))
    return Answer(rules.error_status(call, refusal), rules.error_headers(call, refusal), body)


def success_answer(call: Call, body: dict[str, Any]) -> Answer:
    """A whole successful answer of a back-channel endpoint.

    Source: RFC 6749 section 5.1.
    """
    rules = call.rules
    return Answer(rules.success_status(call), rules.success_headers(call), rules.encode_body(call, body))
