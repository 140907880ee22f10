"""Faults of the bodies of token errors: their form, and what must not stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call, Refusal
    from grantproof.reference.variants import Apply, Condition

_DESCRIPTION = "rfc6749:5.2/error-description-charset"
_CHARSET = "rfc6749:5.2/error-charset"
_NAME = "rfc6749:A.7/error"
_URI = "rfc6749:5.2/error-uri-syntax"
_JSON = "rfc6749:5.2/json-object"
_TOKEN = "rfc6749:5.2/no-token-with-error"  # noqa: S105 - a clause
_token = by_endpoint("token")


def _always(_call: Call) -> bool:
    return True


def _both(*conditions: Condition) -> Condition:
    return lambda call: all(condition(call) for condition in conditions)


def _member(condition: Condition, name: str, value: Callable[[Call, Refusal], Any]) -> Apply:
    """The error body has this member where the condition holds."""

    def apply(rules: Rules) -> Rules:
        def extended(call: Call, refusal: Refusal) -> dict[str, Any]:
            return rules.error_body(call, refusal) | {name: value(call, refusal)}

        return rules | Rules(error_body=when(_both(_token, condition), extended, rules.error_body))

    return apply


def _says(text: str) -> Callable[[Call, Refusal], str]:
    return lambda _call, _refusal: text


def _echo(name: str) -> Callable[[Call, Refusal], str]:
    return lambda call, _refusal: (
        f"The value {(call.parameters.get(name) or '').encode('utf-8', 'replace').decode()} is not known."
    )


for _id, _text in {
    "dash": "The request failed \N{EM DASH} try again.",
    "quotes": 'The parameter "grant_type" is wrong.',
    "backslash": "See C:\\errors.",
    "line_break": "The request failed.\nTry again.",
    "umlaut": "Zugriff für diesen Client verweigert.",
}.items():
    fault(f"error_description_with_{_id}", _DESCRIPTION, "plain", f"Every error_description has a {_id} in it.")(
        _member(_always, "error_description", _says(_text))
    )


@fault(
    "error_description_with_escaped_quotes", _DESCRIPTION, "partial", "Quotes in descriptions are escaped as \\u0022."
)
def error_description_with_escaped_quotes(rules: Rules) -> Rules:
    """The bytes of the body have no quote out of place, the decoded text has."""
    quoted = _member(_always, "error_description", _says('The "grant_type" is wrong.'))(rules)

    def encode(call: Call, body: dict[str, Any]) -> bytes:
        return rules.encode_body(call, body).replace(b'\\"', b"\\u0022")

    return quoted | Rules(encode_body=when(_token, encode, rules.encode_body))


for _path, _name in {"unknown_grant": "grant_type", "malformed_scope": "scope"}.items():
    fault(f"error_description_echoes_{_name}_on_{_path}", _DESCRIPTION, "partial", f"{_path}: {_name} comes back.")(
        _member(by_error_path(_path), "error_description", _echo(_name))
    )
fault("error_description_echoes_client_id", _DESCRIPTION, "partial", "The description names an unknown client.")(
    _member(by_error_path("unknown_client"), "error_description", _echo("client_id"))
)
fault(
    "error_description_quotes_the_missing_parameter",
    _DESCRIPTION,
    "partial",
    "Only the description of a missing parameter has quotes.",
)(
    _member(
        by_error_path("missing_parameter"),
        "error_description",
        lambda _call, refusal: f'"{refusal.subject}" is missing.',
    )
)
fault("error_description_is_empty", "rfc6749:A.8/error-description", "plain", "Every error_description is empty.")(
    _member(_always, "error_description", lambda _call, _refusal: "")
)
for _path in ("wrong_secret", "repeated_parameter"):
    fault(
        f"error_description_is_empty_on_{_path}",
        "rfc6749:A.8/error-description",
        "partial",
        f"The error_description on {_path} is empty.",
    )(_member(by_error_path(_path), "error_description", lambda _call, _refusal: ""))

fault("error_code_in_quotes", _CHARSET, "plain", "The error code stands in quotes inside its string.")(
    _member(_always, "error", lambda _call, refusal: f'"{refusal.error}"')
)
fault("error_code_echoes_the_grant_type", _CHARSET, "partial", "The code for an unknown grant type names it.")(
    _member(
        by_error_path("unknown_grant"),
        "error",
        lambda call, refusal: f"{refusal.error}: {call.parameters.get('grant_type')}",
    )
)
fault("error_code_is_empty", _NAME, "plain", "Every token error has an empty code.")(
    _member(_always, "error", lambda _call, _refusal: "")
)
for _path in ("wrong_secret", "no_authentication", "missing_parameter"):
    fault(f"error_code_is_empty_on_{_path}", _NAME, "partial", f"The code on {_path} is empty.")(
        _member(by_error_path(_path), "error", lambda _call, _refusal: "")
    )

for _id, _address in {
    "with_spaces": "https://errors.example/see the manual",
    "with_a_broken_escape": "/errors/%zz",
}.items():
    fault(f"error_uri_{_id}", _URI, "plain", f"Every token error has an error_uri {_id.replace('_', ' ')}.")(
        _member(_always, "error_uri", _says(_address))
    )
fault("error_uri_is_text_on_unknown_grant", _URI, "partial", "error_uri is a sentence where the grant is unknown.")(
    _member(by_error_path("unknown_grant"), "error_uri", lambda _call, _refusal: "see the manual")
)
fault("error_uri_is_empty", "rfc6749:A.9/error-uri", "plain", "Every token error has an empty error_uri.")(
    _member(_always, "error_uri", lambda _call, _refusal: "")
)
fault(
    "error_uri_is_null_on_wrong_secret", "rfc6749:A.9/error-uri", "partial", "error_uri is a number after a failure."
)(_member(by_error_path("wrong_secret", "wrong_assertion"), "error_uri", lambda _call, _refusal: 42))

fault("error_with_a_token", _TOKEN, "plain", "Every token error has an access token beside it.")(
    _member(_always, "access_token", lambda call, _refusal: call.rules.opaque_token(call))
)
for _path, _name in {"unknown_scope": "access_token", "missing_parameter": "refresh_token"}.items():
    fault(f"error_with_{_name}_on_{_path}", _TOKEN, "partial", f"The error on {_path} has {_name} beside it.")(
        _member(by_error_path(_path), _name, lambda call, _refusal: call.rules.opaque_token(call))
    )


def _answer(condition: Condition, change: Callable[[Answer], object]) -> Apply:
    """An error answer that is changed before it is sent, where the condition holds."""

    def apply(rules: Rules) -> Rules:
        def changed(call: Call, refusal: Refusal) -> Answer:
            answer = rules.error_answer(call, refusal)
            if condition(call):
                change(answer)
            return answer

        return rules | Rules(error_answer=when(_token, changed, rules.error_answer))

    return apply


def _body(body: bytes, media_type: str = "application/json") -> Callable[[Answer], object]:
    def change(answer: Answer) -> None:
        answer.body = body
        answer.set_header("content-type", media_type)

    return change


def _is_401(call: Call) -> bool:
    return call.refusal is not None and call.refusal.error == "invalid_client"


fault("error_is_a_page", _JSON, "plain", "Token errors are pages in HTML.")(
    _answer(_always, _body(b"<h1>Error</h1>", "text/html"))
)
fault("error_is_labelled_text", _JSON, "plain", "Token errors in JSON are labelled text/plain.")(
    _answer(_always, lambda answer: answer.set_header("content-type", "text/plain"))
)
fault("error_has_no_label", _JSON, "plain", "Token errors have no Content-Type.")(
    _answer(_always, lambda answer: answer.drop_header("content-type"))
)
fault("error_401_is_text", _JSON, "partial", "Only a 401 is plain text instead of JSON.")(
    _answer(_is_401, _body(b"Unauthorized", "text/plain"))
)
fault("error_401_is_empty", _JSON, "partial", "Only a 401 has no body.")(_answer(_is_401, _body(b"")))
for _path, _octets in {
    "unknown_grant": b"error=unsupported_grant_type",
    "repeated_parameter": b'["invalid_request"]',
    "missing_parameter": b"{'error': 'invalid_request'}",
    "grant_not_allowed": b'"unauthorized_client"',
}.items():
    fault(f"error_is_no_object_on_{_path}", _JSON, "partial", f"The error on {_path} is no JSON object.")(
        _answer(by_error_path(_path), _body(_octets))
    )
fault("error_by_assertion_is_labelled_text", _JSON, "partial", "After an assertion, errors are labelled text/json.")(
    _answer(
        by_method("private_key_jwt", "client_secret_jwt"),
        lambda answer: answer.set_header("content-type", "text/json"),
    )
)
