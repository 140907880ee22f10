"""Faults of successful token answers: status, headers, members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import after_requests, by_endpoint, by_method, fault, when

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


def _declare(
    fault_id: str, clause: str, describe: str, change: Callable[[Condition], Apply], places: tuple[str, ...]
) -> None:
    """Declares a fault that is always there, and one for each place."""
    for place in ("", *places):
        kind, condition, words = WHERE[place]
        fault(f"{fault_id}{place}", f"rfc6749:{clause}", kind, f"{describe}, {words}.")(change(condition))


def _members(change: Callable[[Members], Members]) -> Callable[[Condition], Apply]:
    """Other members in the body of a success."""

    def under(condition: Condition) -> Apply:
        def apply(rules: Rules) -> Rules:
            def changed(call: Call, token: str, scope: tuple[str, ...]) -> Members:
                return change(rules.success_body(call, token, scope))

            return rules | Rules(success_body=when(condition, changed, rules.success_body))

        return apply

    return under


def _with(**members: Any) -> Callable[[Condition], Apply]:
    return _members(lambda body: body | members)


def _without(name: str) -> Callable[[Condition], Apply]:
    return _members(lambda body: {key: value for key, value in body.items() if key != name})


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


def _encoded(change: Callable[[Members], bytes]) -> Callable[[Condition], Apply]:
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


def _twice(name: str) -> Callable[[Members], bytes]:
    return lambda body: json.dumps(body).replace("{", f'{{"{name}":"first",', 1).encode()


_declare("success_has_status_201", "5.1/status-200", "A token comes with status 201", _status(201), ("_by_body",))
_declare("success_has_status_202", "5.1/status-200", "A token comes with status 202", _status(202), ("_by_assertion",))
_declare(
    "success_is_an_array",
    "5.1/json-object",
    "The success body is an array",
    _encoded(lambda body: json.dumps([body]).encode()),
    ("_for_jwts",),
)
_declare(
    "success_is_nested",
    "5.1/json-object",
    "The members stand one level too deep",
    _members(lambda body: {"data": body}),
    ("_by_body",),
)
for _type, _name in {"text/html": "html", "text/json": "text_json", "application/jwt": "jwt"}.items():
    _declare(
        f"success_is_labelled_{_name}",
        "5.1/content-type",
        f"The success body is labelled {_type}",
        _header("content-type", _type),
        ("_by_body", "_for_jwts") if _name == "html" else (),
    )
_declare("success_has_no_label", "5.1/content-type", "There is no Content-Type", _header("content-type", None), ())
_declare(
    "access_token_is_misnamed",
    "5.1/access-token",
    "The token's member is called token",
    _members(lambda body: {"token" if name == "access_token" else name: value for name, value in body.items()}),
    ("_for_handles",),
)
_declare(
    "access_token_is_empty", "5.1/access-token", "The token is the empty string", _with(access_token=""), ("_by_body",)
)
_declare(
    "access_token_is_an_object",
    "5.1/access-token",
    "The token is an object",
    _members(lambda body: body | {"access_token": {"value": body["access_token"]}}),
    ("_for_jwts",),
)
_declare(
    "token_type_is_missing",
    "5.1/token-type",
    "There is no token_type",
    _without("token_type"),
    ("_by_assertion", "_for_handles"),
)
_declare("token_type_is_empty", "5.1/token-type", "token_type is empty", _with(token_type=""), ("_by_body",))
_declare(
    "expires_in_is_missing",
    "5.1/expires-in",
    "There is no expires_in",
    _without("expires_in"),
    ("_for_handles", "_by_assertion"),
)
_declare("expires_in_is_zero", "5.1/expires-in", "expires_in is 0", _with(expires_in=0), ())
_declare("expires_in_is_negative", "5.1/expires-in", "expires_in is below 0", _with(expires_in=-1), ("_for_jwts",))
_declare(
    "expires_in_is_text",
    "5.1/expires-in-number",
    "expires_in is a string",
    _with(expires_in="600"),
    ("_by_body", "_for_jwts"),
)
_declare("expires_in_is_a_boolean", "5.1/expires-in-number", "expires_in is true", _with(expires_in=True), ())
_declare("expires_in_is_null", "5.1/expires-in-number", "expires_in is null", _with(expires_in=None), ("_for_handles",))
_declare("expires_in_has_a_fraction", "A.14/expires-in", "expires_in is 600.0", _with(expires_in=600.0), ("_by_body",))
_declare("expires_in_has_an_exponent", "A.14/expires-in", "expires_in is 1e+22", _with(expires_in=1e22), ())
_declare("expires_in_has_a_sign", "A.14/expires-in", "expires_in is -600", _with(expires_in=-600), ("_for_jwts",))
_declare(
    "scope_is_an_array",
    "5.1/json-strings",
    "scope is an array",
    _with(scope=["read", "write"]),
    ("_by_body", "_without_scope"),
)
_declare("token_type_is_an_array", "5.1/json-strings", "token_type is an array", _with(token_type=["Bearer"]), ())
_declare(
    "success_may_be_stored",
    "5.1/no-store",
    "Cache-Control is missing",
    _header("cache-control", None),
    ("_by_body", "_by_assertion", "_without_scope", "_for_jwts", "_later"),
)
_declare(
    "success_has_no_cache_only",
    "5.1/no-store",
    "Cache-Control says no-cache only",
    _header("cache-control", "no-cache, must-revalidate"),
    (),
)
_declare(
    "success_is_private_only",
    "5.1/no-store",
    "Cache-Control says private, max-age=60",
    _header("cache-control", "private, max-age=60"),
    (),
)
_declare(
    "success_without_pragma",
    "5.1/pragma",
    "Pragma is missing",
    _header("pragma", None),
    ("_by_body", "_without_scope", "_for_handles", "_later"),
)
_declare("success_with_another_pragma", "5.1/pragma", "Pragma says public", _header("pragma", "public"), ())
_declare(
    "scope_begins_with_a_space", "A.4/scope", "scope begins with a space", _with(scope=" read"), ("_without_scope",)
)
_declare("scope_has_two_spaces", "A.4/scope", "scope has two spaces", _with(scope="read  write"), ("_by_body",))
_declare("scope_is_empty", "A.4/scope", "scope is the empty string", _with(scope=""), ("_for_jwts",))
_declare("scope_has_quotes", "A.4/scope", "scope stands in quotes", _with(scope='"read"'), ())
for _text, _name in {"\u00e9": "an_accent", "\n": "a_line_break"}.items():
    _declare(
        f"access_token_with_{_name}",
        "A.12/access-token",
        f"The token has {_name.replace('_', ' ')} in it",
        _members(lambda body, text=_text: body | {"access_token": body["access_token"] + text}),
        ("_for_handles", "_for_jwts"),
    )
_declare(
    "token_type_has_a_space",
    "A.13/token-type",
    "token_type has a space",
    _with(token_type="Bearer token"),  # noqa: S106 - a type
    ("_by_body",),
)
_declare("token_type_has_a_bracket", "A.13/token-type", "token_type is <Bearer>", _with(token_type="<Bearer>"), ())  # noqa: S106 - a type
for _type in ("mac", "JWT", "access_token"):
    _declare(
        f"token_type_is_{_type.lower()}",
        "8.1/registered-token-type",
        f"token_type is {_type}",
        _with(token_type=_type),
        ("_for_jwts",) if _type == "JWT" else ("_by_assertion",),
    )
_declare(
    "refresh_token_comes_along",
    "4.4.3/no-refresh-token",
    "A refresh token comes along",
    _with(refresh_token="a-refresh-token"),  # noqa: S106 - nothing accepts it
    ("_by_body", "_for_jwts"),
)
_declare(
    "refresh_token_with_a_tab",
    "A.17/refresh-token",
    "A refresh token with a tab in it comes along",
    _with(refresh_token="a\trefresh token"),  # noqa: S106 - nothing accepts it
    ("_by_assertion",),
)
_declare(
    "refresh_token_is_empty", "A.17/refresh-token", "An empty refresh token comes along", _with(refresh_token=""), ()
)
for _text, _name in {"valid for": "a_space", "größe": "an_umlaut", "ext:scope": "a_colon", "": "nothing"}.items():
    _declare(
        f"member_name_with_{_name}",
        "8.2/parameter-names",
        f"A member of the success body has {_name.replace('_', ' ')} in its name",
        _with(**{_text: 1}),
        ("_by_body", "_for_jwts") if _name == "a_space" else (),
    )
_declare(
    "member_repeated_in_success",
    "3.2/repeated-response-parameter",
    "token_type stands twice in the success body",
    _encoded(_twice("token_type")),
    ("_by_assertion", "_for_handles"),
)


@fault("refresh_token_with_offline_access", "rfc6749:4.4.3/no-refresh-token", "partial", "Who asks for it gets one.")
def refresh_token_with_offline_access(rules: Rules) -> Rules:
    """The scope offline_access brings a refresh token and is left out of the grant."""

    def parse(call: Call, text: str) -> tuple[str, ...] | None:
        return rules.parse_scope(call, " ".join(each for each in text.split(" ") if each != "offline_access"))

    def body(call: Call, token: str, scope: tuple[str, ...]) -> Members:
        asked = "offline_access" in (call.parameters.get("scope") or "").split(" ")
        return rules.success_body(call, token, scope) | ({"refresh_token": rules.opaque_token(call)} if asked else {})

    return rules | Rules(parse_scope=parse, success_body=body)


def _repeat_in_errors(condition: Condition) -> Apply:
    return lambda rules: (
        rules
        | Rules(
            encode_body=when(
                lambda call: call.endpoint == "token" and call.refusal is not None and condition(call),
                lambda _call, body: _twice("error")(body),
                rules.encode_body,
            )
        )
    )


fault("member_repeated_in_errors", "rfc6749:3.2/repeated-response-parameter", "plain", "error stands twice.")(
    _repeat_in_errors(by_endpoint("token"))
)
fault(
    "member_repeated_in_errors_by_body",
    "rfc6749:3.2/repeated-response-parameter",
    "partial",
    "error stands twice in an answer to a secret in the body.",
)(_repeat_in_errors(by_method("client_secret_post")))


@fault("member_name_with_a_space_in_errors", "rfc6749:8.2/parameter-names", "partial", "An error has such a member.")
def member_name_with_a_space_in_errors(rules: Rules) -> Rules:
    """Successes have no such member."""
    return rules | Rules(error_body=lambda call, refusal: rules.error_body(call, refusal) | {"more info": "none"})


@fault("token_answer_may_be_cached", "rfc6749:5.1/no-store", "plain", "Answers lack Cache-Control and Pragma.")
def token_answer_may_be_cached(rules: Rules) -> Rules:
    """No answer says no-store."""
    return rules | Rules(cache_headers=lambda _call: [])
