"""Lawful but unusual token answers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import TokenRecord
    from grantproof.reference.variants import Apply

    Members = dict[str, Any]

_token = by_endpoint("token")


def _finish(change: Callable[[Answer], object]) -> Apply:
    """Every answer of the token endpoint is changed before it is sent."""

    def apply(rules: Rules) -> Rules:
        def finish(call: Call, answer: Answer) -> Answer:
            answer = rules.finish(call, answer)
            if call.endpoint == "token":
                change(answer)
            return answer

        return rules | Rules(finish=finish)

    return apply


def _cache(lines: list[tuple[str, str]]) -> Apply:
    return lambda rules: rules | Rules(cache_headers=lambda _call: lines)


def _members(change: Callable[[Call, Members], Members]) -> Apply:
    return lambda rules: (
        rules | Rules(success_body=lambda call, token, scope: change(call, rules.success_body(call, token, scope)))
    )


def _token_type(written: str) -> Apply:
    return lambda rules: rules | Rules(token_type=lambda _call: written)


def _media_type(written: str) -> Apply:
    return lambda rules: rules | Rules(json_content_type=lambda _call: written)


for _written in ("bearer", "BEARER"):
    oddity(
        "lower_case_token_type" if _written == "bearer" else "upper_case_token_type",
        f"token_type is written {_written}.",
        26,
    )(_token_type(_written))
for _id, _type in {
    "charset_in_content_type": "application/json;charset=UTF-8",
    "content_type_in_capitals": "Application/JSON",
    "several_content_type_parameters": 'application/json ; charset="utf-8"; profile=oauth',
}.items():
    oddity(_id, f"The media type of JSON is written {_type}.", 19)(_media_type(_type))
for _id, _lines in {
    "cache_control_in_capitals": [("cache-control", "No-Store"), ("pragma", "No-Cache")],
    "cache_control_with_more_directives": [
        ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
        ("pragma", "no-cache"),
        ("expires", "0"),
    ],
    "cache_control_in_two_lines": [
        ("cache-control", "private"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
    ],
}.items():
    oddity(_id, "Caching is forbidden in an unusual way.", 20)(_cache(_lines))
oddity("more_members", "The success body has members that no text knows.", 29)(
    _members(
        lambda call, body: (
            {"ext_expires_in": 1, "not-before-policy": 0, "x.y_z": {"a": [None]}, "session": call.earlier} | body
        )
    )
)
oddity("scope_is_always_named", "Every answer names the scope, in alphabetical order backwards.", 22)(
    lambda rules: (
        rules
        | Rules(
            report_scope=lambda _call, _requested, _granted: True,
            success_body=lambda call, token, scope: rules.success_body(call, token, tuple(sorted(scope, reverse=True))),
        )
    )
)
oddity("unknown_scope_is_left_out", "An unknown scope is left out of the grant, and the answer says so.", 22, 23)(
    lambda rules: (
        rules
        | Rules(
            granted_scope=lambda _call, client, requested: (
                tuple(scope for scope in requested if scope in client.scopes) or client.default_scope or None
            )
        )
    )
)
oddity("malformed_scope_is_read_kindly", "Spaces too many in a scope do not matter.", 25)(
    lambda rules: (
        rules | Rules(parse_scope=lambda call, text: rules.parse_scope(call, re.sub(" +", " ", text.strip(" "))))
    )
)


@oddity("scope_is_required", "A token request without scope gets invalid_scope.", 18, 24)
def scope_is_required(rules: Rules) -> Rules:
    """There is no default scope."""
    from grantproof.reference.call import Refusal  # noqa: PLC0415 - the module's other rules refuse nothing

    def choose(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        if call.endpoint == "token" and call.parameters.get("scope") is None:
            return Refusal("invalid_scope", "unknown_scope", "scope")
        return rules.choose_scope(call, client)

    return rules | Rules(choose_scope=choose)


oddity("json_with_much_white_space", "Bodies in JSON are indented, their members turned round, all escaped.", 29)(
    lambda rules: (
        rules
        | Rules(encode_body=lambda _call, body: json.dumps(dict(reversed(body.items())), indent=8).encode() + b"\r\n")
    )
)
oddity("handle_with_every_character", "Handles use every character that a bearer token may have.", 28)(
    lambda rules: rules | Rules(opaque_token=lambda call: f"{rules.opaque_token(call)}.~+/-_==")
)
oddity("extra_headers", "Token answers come with cookies, CORS and request ids.", 14)(
    _finish(
        lambda answer: answer.headers.extend(
            [("x-request-id", "1"), ("access-control-allow-origin", "*"), ("set-cookie", "seen=1; Path=/")]
        )
    )
)


@oddity("same_token_comes_back", "The same token comes back while it lives, and its expires_in decreases.", 32, 71)
def same_token_comes_back(rules: Rules) -> Rules:
    """Tokens are kept for the client and the scope."""
    kept: dict[tuple[str, tuple[str, ...]], tuple[str, TokenRecord]] = {}

    def issue(call: Call, client: Client, scope: tuple[str, ...]) -> str:
        known = kept.get((client.id, scope)) if call.grant == "client_credentials" else None
        if known is not None and rules.token_is_live(call, known[1]):
            call.record = known[1]
            return known[0]
        token = rules.issue_token(call, client, scope)
        if call.grant == "client_credentials" and call.record is not None:
            kept[client.id, scope] = token, call.record
        return token

    return rules | Rules(issue_token=issue)


@oddity("slow_token_answers", "Every fiftieth answer of the token endpoint takes a fifth of a second.", 72)
def slow_token_answers(rules: Rules) -> Rules:
    """A few answers wait, the first one among them."""

    def wait(call: Call, answer: Answer) -> Answer:
        answer.delay_s = 0.2
        return rules.finish(call, answer)

    return rules | Rules(finish=when(lambda call: _token(call) and call.earlier % 50 == 0, wait, rules.finish))


@oddity("every_token_is_a_jwt", "Every access token is a JWT: all but its signature may be known.", 31, 68)
def every_token_is_a_jwt(rules: Rules) -> Rules:
    """No client gets handles."""
    return rules | Rules(token_format=lambda _call, _client: "jwt")


@oddity("json_wholly_escaped", "Every character of every string in JSON is escaped.", 29, 58)
def json_wholly_escaped(rules: Rules) -> Rules:
    """Names and values read the same afterwards."""

    def escaped(found: re.Match[str]) -> str:
        text: str = json.loads(found[0])
        return '"' + "".join(f"\\u{ord(sign):04X}" for sign in text) + '"'

    def encode(call: Call, body: Members) -> bytes:
        text = rules.encode_body(call, body).decode()
        return re.sub(r'"(?:[^"\\]|\\.)*"', escaped, text).encode()

    return rules | Rules(encode_body=encode)


oddity("json_with_other_letters", "Bodies in JSON have letters beyond ASCII in members that no text knows.", 29)(
    lambda rules: (
        rules
        | Rules(
            encode_body=when(
                _token,
                lambda _call, body: json.dumps(
                    {**body, "greeting": "Gr\u00fc\u00dfe \U0001f511"}, ensure_ascii=False
                ).encode(),
                rules.encode_body,
            )
        )
    )
)


@oddity("default_scope_goes_unsaid", "An answer to a request without scope does not name the default one.", 22)
def default_scope_goes_unsaid(rules: Rules) -> Rules:
    """Whether nothing asked for differs from something granted is disputed."""
    return rules | Rules(
        report_scope=lambda call, requested, granted: (
            requested is not None and rules.report_scope(call, requested, granted)
        )
    )


oddity("cache_control_for_nobody", "Cache-Control has quoted and unknown directives before no-store.", 20)(
    _cache(
        [
            ("cache-control", 'private="set-cookie", no-cache="a, b", stale-if-error=0 ,no-store'),
            ("pragma", "no-cache, x=1"),
        ]
    )
)
