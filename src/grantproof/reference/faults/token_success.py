"""Faults of successful token answers: status, headers, members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import after_requests, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from grantproof.reference.call import Answer, Call
    from grantproof.reference.variants import Apply, Condition

    Kind = Literal["plain", "partial"]
    Members = dict[str, Any]


def _succeeds(call: Call) -> bool:
    return call.endpoint == "token" and call.refusal is None


def _without_scope(call: Call) -> bool:
    return call.parameters.get("scope") is None


def _for_jwts(call: Call) -> bool:
    return call.client is not None and call.client.token_format == "jwt"  # noqa: S105 - a format


def _for_handles(call: Call) -> bool:
    return not _for_jwts(call)


WHERE: dict[str, tuple[Kind, Condition, str]] = {
    "": ("plain", lambda _call: True, "always"),
    "_by_body": ("partial", by_method("client_secret_post"), "after a secret in the body"),
    "_by_assertion": ("partial", by_method("private_key_jwt", "client_secret_jwt"), "after an assertion"),
    "_for_jwts": ("partial", _for_jwts, "when the token is a JWT"),
    "_for_handles": ("partial", _for_handles, "when the token is a handle"),
    "_without_scope": ("partial", _without_scope, "when no scope was requested"),
    "_later": ("partial", after_requests(8), "after some requests"),
}


def declare(
    fault_id: str, clause: str, describe: str, change: Callable[[Condition], Apply], places: tuple[str, ...]
) -> None:
    """Declares a fault that is always there, and one for each place."""
    for place in ("", *places):
        kind, condition, words = WHERE[place]
        fault(f"{fault_id}{place}", f"rfc6749:{clause}", kind, f"{describe}, {words}.")(change(condition))


def members(change: Callable[[Members], Members]) -> Callable[[Condition], Apply]:
    """Other members in the body of a success."""

    def under(condition: Condition) -> Apply:
        def apply(rules: Rules) -> Rules:
            def changed(call: Call, token: str, scope: tuple[str, ...]) -> Members:
                return change(rules.success_body(call, token, scope))

            return rules | Rules(success_body=when(condition, changed, rules.success_body))

        return apply

    return under


def with_members(**added: Any) -> Callable[[Condition], Apply]:
    """These members beside the others, or in their place."""
    return members(lambda body: body | added)


def with_longer_token(text: str) -> Callable[[Condition], Apply]:
    """A token with this text behind it."""
    return members(lambda body: body | {"access_token": body["access_token"] + text})


def _without(name: str) -> Callable[[Condition], Apply]:
    return members(lambda body: {key: value for key, value in body.items() if key != name})


def _status(status: int) -> Callable[[Condition], Apply]:
    return lambda condition: (
        lambda rules: (
            rules
            | Rules(
                success_status=when(
                    lambda call: _succeeds(call) and condition(call), lambda _: status, rules.success_status
                )
            )
        )
    )


def _header(name: str, value: str | None) -> Callable[[Condition], Apply]:
    """Another value of a header, or none."""

    def under(condition: Condition) -> Apply:
        def apply(rules: Rules) -> Rules:
            def changed(call: Call, body: Members) -> Answer:
                answer = rules.success_answer(call, body)
                return answer.drop_header(name) if value is None else answer.set_header(name, value)

            return rules | Rules(
                success_answer=when(
                    lambda call: call.endpoint == "token" and condition(call), changed, rules.success_answer
                )
            )

        return apply

    return under


def encoded(change: Callable[[Members], bytes]) -> Callable[[Condition], Apply]:
    """Another encoding of the body of a success."""
    return lambda condition: (
        lambda rules: (
            rules
            | Rules(
                encode_body=when(
                    lambda call: _succeeds(call) and condition(call),
                    lambda _call, body: change(body),
                    rules.encode_body,
                )
            )
        )
    )


def member_twice(name: str) -> Callable[[Members], bytes]:
    """An object in JSON that begins with this member once more."""
    return lambda body: json.dumps(body).replace("{", f'{{"{name}":"first",', 1).encode()


declare("success_has_status_201", "5.1/status-200", "A token comes with status 201", _status(201), ("_by_body",))
declare("success_has_status_202", "5.1/status-200", "A token comes with status 202", _status(202), ("_by_assertion",))
declare(
    "success_is_an_array",
    "5.1/json-object",
    "The success body is an array",
    encoded(lambda body: json.dumps([body]).encode()),
    ("_for_jwts",),
)
declare(
    "success_begins_with_a_mark",
    "5.1/json-object",
    "A byte order mark stands before the success body",
    encoded(lambda body: b"\xef\xbb\xbf" + json.dumps(body).encode()),
    (),
)
declare(
    "success_is_nested",
    "5.1/json-object",
    "The members stand one level too deep",
    members(lambda body: {"data": body}),
    ("_by_body",),
)
for _type, _name in {"text/html": "html", "text/json": "text_json", "application/jwt": "jwt"}.items():
    declare(
        f"success_is_labelled_{_name}",
        "5.1/content-type",
        f"The success body is labelled {_type}",
        _header("content-type", _type),
        ("_by_body", "_for_jwts") if _name == "html" else (),
    )
declare("success_has_no_label", "5.1/content-type", "There is no Content-Type", _header("content-type", None), ())
declare(
    "access_token_is_misnamed",
    "5.1/access-token",
    "The token's member is called token",
    members(lambda body: {"token" if name == "access_token" else name: value for name, value in body.items()}),
    ("_for_handles",),
)
declare(
    "access_token_is_empty",
    "5.1/access-token",
    "The token is the empty string",
    with_members(access_token=""),
    ("_by_body",),
)
declare(
    "access_token_is_an_object",
    "5.1/access-token",
    "The token is an object",
    members(lambda body: body | {"access_token": {"value": body["access_token"]}}),
    ("_for_jwts",),
)
declare(
    "token_type_is_missing",
    "5.1/token-type",
    "There is no token_type",
    _without("token_type"),
    ("_by_assertion", "_for_handles"),
)
declare("token_type_is_empty", "5.1/token-type", "token_type is empty", with_members(token_type=""), ("_by_body",))
declare(
    "expires_in_is_missing",
    "5.1/expires-in",
    "There is no expires_in",
    _without("expires_in"),
    ("_for_handles", "_by_assertion"),
)
declare("expires_in_is_zero", "5.1/expires-in", "expires_in is 0", with_members(expires_in=0), ())
declare(
    "expires_in_is_negative", "5.1/expires-in", "expires_in is below 0", with_members(expires_in=-1), ("_for_jwts",)
)
declare(
    "expires_in_is_text",
    "5.1/expires-in-number",
    "expires_in is a string",
    with_members(expires_in="600"),
    ("_by_body", "_for_jwts"),
)
declare("expires_in_is_a_boolean", "5.1/expires-in-number", "expires_in is true", with_members(expires_in=True), ())
declare(
    "expires_in_is_null",
    "5.1/expires-in-number",
    "expires_in is null",
    with_members(expires_in=None),
    ("_for_handles",),
)
declare(
    "scope_is_an_array",
    "5.1/json-strings",
    "scope is an array",
    with_members(scope=["read", "write"]),
    ("_by_body", "_without_scope"),
)
declare("token_type_is_an_array", "5.1/json-strings", "token_type is an array", with_members(token_type=["Bearer"]), ())
declare(
    "success_may_be_stored",
    "5.1/no-store",
    "Cache-Control is missing",
    _header("cache-control", None),
    ("_by_body", "_by_assertion", "_without_scope", "_for_jwts", "_later"),
)
declare(
    "success_has_no_cache_only",
    "5.1/no-store",
    "Cache-Control says no-cache only",
    _header("cache-control", "no-cache, must-revalidate"),
    (),
)
declare(
    "success_is_private_only",
    "5.1/no-store",
    "Cache-Control says private, max-age=60",
    _header("cache-control", "private, max-age=60"),
    (),
)
declare(
    "success_without_pragma",
    "5.1/pragma",
    "Pragma is missing",
    _header("pragma", None),
    ("_by_body", "_without_scope", "_for_handles", "_later"),
)
declare("success_with_another_pragma", "5.1/pragma", "Pragma says public", _header("pragma", "public"), ())
declare(
    "refresh_token_comes_along",
    "4.4.3/no-refresh-token",
    "A refresh token comes along",
    with_members(refresh_token="a-refresh-token"),  # noqa: S106 - nothing accepts it
    ("_by_body", "_for_jwts"),
)


@fault("token_answer_may_be_cached", "rfc6749:5.1/no-store", "plain", "Answers lack Cache-Control and Pragma.")
def token_answer_may_be_cached(rules: Rules) -> Rules:
    """No answer says no-store."""
    return rules | Rules(cache_headers=lambda _call: [])
