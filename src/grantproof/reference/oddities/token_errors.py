"""Lawful but unusual token errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.call import Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, oddity, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call
    from grantproof.reference.variants import Apply, Condition

    Members = dict[str, Any]

_token = by_endpoint("token")


def _at_token(condition: Condition) -> Condition:
    return lambda call: call.endpoint == "token" and condition(call)


def _code(condition: Condition, code: str) -> Apply:
    """Another code where the condition holds, with the status that fits it."""

    def apply(rules: Rules) -> Rules:
        def answer(call: Call, refusal: Refusal) -> Answer:
            call.refusal = refusal
            changed = Refusal(code, refusal.path, refusal.subject) if condition(call) else refusal
            return rules.error_answer(call, changed)

        return rules | Rules(error_answer=answer)

    return apply


def _challenges(*lines: str) -> Apply:
    """Other challenges with every 401 of the token endpoint."""

    def apply(rules: Rules) -> Rules:
        def headers(call: Call, refusal: Refusal) -> list[tuple[str, str]]:
            found = [line for line in rules.error_headers(call, refusal) if line[0] != "www-authenticate"]
            wanted = rules.error_status(call, refusal) == 401 and call.endpoint == "token"
            return found + [("www-authenticate", line) for line in lines if wanted]

        return rules | Rules(error_headers=headers)

    return apply


def _member(name: str, value: Callable[[Call, Refusal], Any]) -> Apply:
    return lambda rules: (
        rules | Rules(error_body=lambda call, refusal: rules.error_body(call, refusal) | {name: value(call, refusal)})
    )


def _says(text: str) -> Callable[[Call, Refusal], str]:
    return lambda _call, _refusal: text


@oddity("invalid_client_by_body_is_400", "Wrong credentials outside the Authorization header are answered with 400.", 1)
def invalid_client_by_body_is_400(rules: Rules) -> Rules:
    """401 is owed only to those who used the header."""
    return rules | Rules(
        error_status=when(
            _at_token(lambda call: call.error_path not in {"method", "too_many_failures"} and not call.through_header),
            lambda call, refusal: 400 if refusal.error == "invalid_client" else rules.error_status(call, refusal),
            rules.error_status,
        ),
    )


for _id, _lines in {
    "challenge_in_small_letters": ('basic realm="token"',),
    "challenge_without_charset": ("Basic realm=token",),
    "challenge_with_charset_first": ('Basic charset="utf-8", realm="a, \\"b\\" c"',),
    "challenges_in_one_line": (
        'Digest realm="d", qop="auth, auth-int", nonce="n", Basic realm="token", Bearer realm="b"',
    ),
    "challenges_in_two_lines": ('Bearer realm="b", error="invalid_token"', 'BASIC realm=""'),
    "challenge_after_negotiate": ("Negotiate, Basic realm=token",),
}.items():
    oddity(_id, "The challenge of a 401 is written in an unusual way.", 2, 3)(_challenges(*_lines))
oddity("broken_header_is_an_invalid_request", "A header that cannot be read gets invalid_request.", 11, 12)(
    _code(_at_token(lambda call: call.through_header and call.error_path == "malformed_credentials"), "invalid_request")
)
oddity("empty_secret_by_header_is_an_invalid_request", "A header without a secret gets invalid_request.", 8, 11)(
    _code(
        _at_token(lambda call: call.through_header and not any(attempt.secret for attempt in call.attempts)),
        "invalid_request",
    )
)
oddity("public_client_is_an_unauthorized_client", "A public client that asks gets unauthorized_client.", 10)(
    _code(_at_token(lambda call: call.claimed_client is not None and call.claimed_client.public), "unauthorized_client")
)
oddity("two_methods_are_an_invalid_client", "Two authentication methods in one request get invalid_client.", 7)(
    _code(_at_token(by_error_path("two_authentication_methods", "client_id_mismatch")), "invalid_client")
)
oddity("malformed_grant_type_is_an_invalid_request", "A grant type that breaks the grammar gets invalid_request.", 11)(
    _code(
        _at_token(
            lambda call: (
                call.error_path == "unknown_grant"
                and any(
                    not (sign.isascii() and sign.isprintable()) or sign in ' "\\()'
                    for sign in call.parameters.get("grant_type") or ""
                )
            )
        ),
        "invalid_request",
    )
)


@oddity("grant_is_looked_at_first", "The grant type is looked at before the client authenticates.", 11, 12)
def grant_is_looked_at_first(rules: Rules) -> Rules:
    """Of two faults the other one is told."""

    def authenticate(call: Call) -> Refusal | None:
        grant = call.parameters.get("grant_type")
        if call.endpoint == "token" and grant is None:
            return Refusal("invalid_request", "missing_parameter", "grant_type")
        if call.endpoint == "token" and grant not in rules.known_grants(call):
            return Refusal("unsupported_grant_type", "unknown_grant", "grant_type")
        return rules.authenticate_client(call)

    return rules | Rules(authenticate_client=authenticate)


@oddity("errors_may_be_stored", "Token errors come without Cache-Control.", 20)
def errors_may_be_stored(rules: Rules) -> Rules:
    """Only what holds a token must stay out of caches."""
    return rules | Rules(
        error_answer=when(
            _token,
            lambda call, refusal: rules.error_answer(call, refusal).drop_header("cache-control").drop_header("pragma"),
            rules.error_answer,
        )
    )


@oddity("errors_without_description", "Token errors have nothing but their code.", 58)
def errors_without_description(rules: Rules) -> Rules:
    """A description is optional."""
    return rules | Rules(error_description=lambda _call, _refusal: None)


oddity("description_with_every_character", "Descriptions use every character that is allowed.", 58)(
    _member(
        "error_description",
        lambda _call, _refusal: "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in '"\\'),
    )
)
oddity("descriptions_differ", "Unknown clients and wrong secrets are told apart by the description.", 9)(
    _member("error_description", lambda _call, refusal: f"It's {refusal.path}.")
)
for _id, _address in {
    "absolute": "https://errors.example/oauth?code=invalid%20request#top",
    "relative": "../errors/oauth",
}.items():
    oddity(f"error_uri_is_{_id}", f"Token errors have an {_id} error_uri.", 58)(_member("error_uri", _says(_address)))
oddity("errors_with_more_members", "Token errors have members that no text knows.", 29)(
    _member("error_codes", lambda call, _refusal: [70011, {"at": call.earlier}])
)


@oddity("unknown_client_has_another_status", "By body, unknown clients get 400 and wrong secrets 401.", 1, 9)
def unknown_client_has_another_status(rules: Rules) -> Rules:
    """Both are lawful where no Authorization header was sent."""
    return rules | Rules(
        error_status=when(
            _at_token(lambda call: call.error_path == "unknown_client" and not call.through_header),
            lambda _call, _refusal: 400,
            rules.error_status,
        )
    )


@oddity("nobody_gets_400", "A request without any authentication gets 400.", 1)
def nobody_gets_400(rules: Rules) -> Rules:
    """401 is owed only to those who used the header."""
    return rules | Rules(
        error_status=when(
            _at_token(lambda call: call.error_path == "no_authentication" and not call.through_header),
            lambda _call, _refusal: 400,
            rules.error_status,
        )
    )
