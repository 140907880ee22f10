"""Faults of the grammar of token answers: values, names of members, members that stand twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.faults.token_success import (
    declare,
    encoded,
    member_twice,
    with_longer_token,
    with_members,
)
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_method, fault, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.variants import Apply, Condition

    Members = dict[str, Any]

declare(
    "expires_in_has_a_fraction", "A.14/expires-in", "expires_in is 600.0", with_members(expires_in=600.0), ("_by_body",)
)
declare("expires_in_has_an_exponent", "A.14/expires-in", "expires_in is 1e+22", with_members(expires_in=1e22), ())
declare("expires_in_has_a_sign", "A.14/expires-in", "expires_in is -600", with_members(expires_in=-600), ("_for_jwts",))
declare(
    "scope_begins_with_a_space",
    "A.4/scope",
    "scope begins with a space",
    with_members(scope=" read"),
    ("_without_scope",),
)
declare("scope_has_two_spaces", "A.4/scope", "scope has two spaces", with_members(scope="read  write"), ("_by_body",))
declare("scope_is_empty", "A.4/scope", "scope is the empty string", with_members(scope=""), ("_for_jwts",))
declare("scope_has_quotes", "A.4/scope", "scope stands in quotes", with_members(scope='"read"'), ())
for _text, _name in {"\u00e9": "an_accent", "\n": "a_line_break"}.items():
    declare(
        f"access_token_with_{_name}",
        "A.12/access-token",
        f"The token has {_name.replace('_', ' ')} in it",
        with_longer_token(_text),
        ("_for_handles", "_for_jwts"),
    )
declare(
    "token_type_has_a_space",
    "A.13/token-type",
    "token_type has a space",
    with_members(token_type="Bearer token"),  # noqa: S106 - a type
    ("_by_body",),
)
declare(
    "token_type_has_a_bracket",
    "A.13/token-type",
    "token_type is <Bearer>",
    with_members(token_type="<Bearer>"),  # noqa: S106 - a type
    (),
)
for _type in ("mac", "JWT", "access_token"):
    declare(
        f"token_type_is_{_type.lower()}",
        "8.1/registered-token-type",
        f"token_type is {_type}",
        with_members(token_type=_type),
        ("_for_jwts",) if _type == "JWT" else ("_by_assertion",),
    )
declare(
    "refresh_token_with_a_tab",
    "A.17/refresh-token",
    "A refresh token with a tab in it comes along",
    with_members(refresh_token="a\trefresh token"),  # noqa: S106 - nothing accepts it
    ("_by_assertion",),
)
declare(
    "refresh_token_is_empty",
    "A.17/refresh-token",
    "An empty refresh token comes along",
    with_members(refresh_token=""),
    (),
)
for _text, _name in {"valid for": "a_space", "größe": "an_umlaut", "ext:scope": "a_colon", "": "nothing"}.items():
    declare(
        f"member_name_with_{_name}",
        "8.2/parameter-names",
        f"A member of the success body has {_name.replace('_', ' ')} in its name",
        with_members(**{_text: 1}),
        ("_by_body", "_for_jwts") if _name == "a_space" else (),
    )
declare(
    "member_repeated_in_success",
    "3.2/repeated-response-parameter",
    "token_type stands twice in the success body",
    encoded(member_twice("token_type")),
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
                lambda _call, body: member_twice("error")(body),
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
