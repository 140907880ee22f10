"""Faults of the errors that the authorization endpoint tells the client: code, place, characters, company."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition, Kind

Pairs = tuple[tuple[str, str], ...]
_CHARSET, _OF_TYPE = "4.2.2.1/error-description-charset", "4.1.2.1/error-description-charset"
_URI, _URI_OF_TYPE = "4.2.2.1/error-uri-syntax", "4.1.2.1/error-uri-syntax"
_SCOPE_PATHS = ("unknown_scope", "malformed_scope")
_HELP = "https://as.example/"
_TYPE_PATHS = ("missing_parameter", "unknown_response_type")


def _coded(rules: Rules, condition: Condition, code: str) -> Rules:
    """Rules that give another error code where a condition holds."""

    def pairs(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
        return rules.error_pairs(call, pending, replace(refusal, error=code))

    return rules | Rules(error_pairs=when(condition, pairs, rules.error_pairs))


_ROWS_1: tuple[tuple[str, str, Kind, tuple[str, ...], str], ...] = (
    ("missing_type_unsupported", "3.1.1/missing-response-type", "plain", _TYPE_PATHS[:1], "unsupported_response_type"),
    ("unknown_type_invalid", "4.2.2.1/unsupported-response-type", "plain", _TYPE_PATHS[1:], "invalid_request"),
    ("repeated_parameter_is_denied", "4.2.2.1/invalid-request", "plain", ("repeated_parameter",), "access_denied"),
    ("unauthorized_is_denied", "4.2.2.1/unauthorized-client", "plain", ("response_type_not_allowed",), "access_denied"),
    ("denial_is_invalid_request", "4.2.2.1/access-denied", "plain", ("denied",), "invalid_request"),
    ("unknown_scope_is_invalid_request", "4.2.2.1/invalid-scope", "plain", ("unknown_scope",), "invalid_request"),
    ("malformed_scope_is_invalid_request", "4.2.2.1/invalid-scope", "partial", ("malformed_scope",), "invalid_request"),
    ("denial_is_invalid_grant", "4.2.2.1/error-code", "plain", ("denied",), "invalid_grant"),
    ("unknown_type_is_invalid_client", "4.2.2.1/error-code", "partial", _TYPE_PATHS[1:], "invalid_client"),
    ("error_code_beyond_ascii", "4.2.2.1/error-charset", "plain", ("unknown_scope",), "invalid\u2014scope"),
    ("error_code_with_quote", "4.2.2.1/error-charset", "partial", ("denied",), 'access_"denied"'),
    ("error_code_empty_on_denial", "A.7/error", "plain", ("denied",), ""),
    ("error_code_with_backslash", "A.7/error", "partial", ("repeated_parameter",), "invalid\\request"),
    ("response_type_error_beyond_ascii", "4.1.2.1/error-charset", "plain", _TYPE_PATHS, "unsupported\u00a0type"),
    ("response_type_error_with_backslash", "4.1.2.1/error-charset", "partial", ("missing_parameter",), "OAuth\\Error"),
)
for _id, _clause, _kind, _paths, _code in _ROWS_1:
    fault(_id, f"rfc6749:{_clause}", _kind, f"The error is {_code!r}.")(
        partial(_coded, condition=by_error_path(*_paths), code=_code)
    )


@fault("unauthorized_served_in_a_session", "rfc6749:4.2.2.1/unauthorized-client", "partial", "A session lets all in.")
def unauthorized_served_in_a_session(rules: Rules) -> Rules:
    """The registration is looked at before the login only."""

    def may(_call: Call, _client: Client, _kind: frozenset[str]) -> bool:
        return True

    return rules | Rules(
        client_may_use_response_type=when(lambda call: call.logged_in, may, rules.client_may_use_response_type)
    )


def _state_repeats_first(rules: Rules, condition: Condition) -> Rules:
    def repeats(call: Call, form: object) -> tuple[str, ...]:
        del form
        found = rules.find_repeats(call, call.parameters)
        return tuple(name for name in found if name != "state")

    return rules | Rules(
        find_repeats=when(lambda c: c.endpoint == "authorization" and condition(c), repeats, rules.find_repeats)
    )


@fault("repeated_state_not_noticed", "rfc6749:4.2.2.1/invalid-request", "partial", "A second state is overlooked.")
def repeated_state_not_noticed(rules: Rules) -> Rules:
    """One parameter is taken as it comes."""
    return _state_repeats_first(rules, lambda _call: True)


def _page_instead(rules: Rules, condition: Condition) -> Rules:
    """Rules that show an error page where the client should be told."""

    def send(call: Call, pending: PendingRequest, pairs: Pairs) -> Answer:
        if call.refusal is not None and condition(call):
            return rules.error_page(call, call.refusal)
        return rules.send_pairs(call, pending, pairs)

    return rules | Rules(send_pairs=send)


_ROWS_2: tuple[tuple[str, str, Kind, tuple[str, ...]], ...] = (
    ("scope_errors_end_on_a_page", "4.2.2.1/fragment", "partial", ("unknown_scope",)),
    ("denial_ends_on_a_page", "4.2.2.1/access-denied", "partial", ("denied",)),
    ("response_type_errors_end_on_a_page", "3.1.1/response-type-error", "partial", ("unknown_response_type",)),
    ("unauthorized_clients_end_on_a_page", "4.2.2.1/unauthorized-client", "partial", ("response_type_not_allowed",)),
)
for _id, _clause, _kind, _paths in _ROWS_2:
    fault(_id, f"rfc6749:{_clause}", _kind, "The client is not told.")(
        partial(_page_instead, condition=by_error_path(*_paths))
    )


def _combined(call: Call) -> bool:
    return call.pending is not None and len(call.pending.response_type) > 1


def _placed(rules: Rules, condition: Condition) -> Rules:
    return rules | Rules(
        placement=when(
            lambda call: call.refusal is not None and condition(call), lambda _call, _pending: "query", rules.placement
        )
    )


_ROWS_3: tuple[tuple[str, str, Kind, Condition], ...] = (
    ("errors_in_query", "rfc6749:4.2.2.1/fragment", "plain", lambda _call: True),
    ("denial_in_query", "rfc6749:4.2.2.1/fragment", "partial", by_error_path("denied")),
    ("scope_errors_in_query", "rfc6749:4.2.2.1/fragment", "partial", by_error_path("unknown_scope", "malformed_scope")),
    ("login_required_in_query", "rfc6749:4.2.2.1/fragment", "partial", by_error_path("not_logged_in")),
    ("errors_of_combinations_in_query", "oauth-responses:5/errors-in-same-mode", "plain", _combined),
)
for _id, _clause, _kind, _condition in _ROWS_3:
    fault(_id, _clause, _kind, "Errors stand in the query.")(partial(_placed, condition=_condition))


@fault("errors_in_both_places", "rfc6749:4.2.2.1/fragment", "partial", "Errors stand in query and fragment.")
def errors_in_both_places(rules: Rules) -> Rules:
    """To be on the safe side."""

    def both(_call: Call, uri: str, _where: str, encoded: str) -> str:
        return f"{uri}{'&' if '?' in uri else '?'}{encoded}#{encoded}"

    return rules | Rules(redirect_location=when(lambda c: c.refusal is not None, both, rules.redirect_location))


@fault("errors_not_encoded", "rfc6749:4.2.2.1/fragment", "partial", "Descriptions stand in the fragment as they are.")
def errors_not_encoded(rules: Rules) -> Rules:
    """Names and values joined, nothing encoded."""
    raw = when(
        lambda call: call.refusal is not None,
        lambda _call, pairs: "&".join(f"{name}={value}" for name, value in pairs),
        rules.encode_pairs,
    )
    return rules | Rules(encode_pairs=raw)


def _described(rules: Rules, condition: Condition, describe: Callable[[Call], str]) -> Rules:
    def description(call: Call, refusal: Refusal) -> str | None:
        own = rules.error_description(call, refusal)
        return describe(call) if call.pending is not None and condition(call) else own

    return rules | Rules(error_description=description)


def _echo(*names: str) -> Callable[[Call], str]:
    def text(call: Call) -> str:
        form = call.pending.parameters if call.pending is not None else call.parameters
        return "Not understood: " + ", ".join(form.get(name) or "" for name in names)

    return text


_ROWS_4: tuple[tuple[str, str, Kind, tuple[str, ...], Callable[[Call], str]], ...] = (
    ("description_beyond_ascii", _CHARSET, "plain", ("unknown_scope",), lambda _c: "The scope \u2014 unknown"),
    ("description_with_quotes_on_denial", _CHARSET, "partial", ("denied",), lambda _c: 'You said "no"'),
    ("description_echoes_scope", _CHARSET, "partial", ("malformed_scope",), _echo("scope")),
    ("description_with_line_break", _CHARSET, "partial", ("repeated_parameter",), lambda _c: "line\nbreak"),
    ("description_empty", "A.8/error-description", "plain", ("unknown_scope", "malformed_scope"), lambda _c: ""),
    ("description_empty_on_denial", "A.8/error-description", "partial", ("denied",), lambda _c: ""),
    ("description_of_type_beyond_ascii", _OF_TYPE, "plain", _TYPE_PATHS[:1], lambda _c: "Fehlt\u2026"),
    ("description_echoes_type", _OF_TYPE, "partial", _TYPE_PATHS[1:], _echo("response_type")),
)
for _id, _clause, _kind, _paths, _describe in _ROWS_4:
    fault(_id, f"rfc6749:{_clause}", _kind, "The description is not as it must be.")(
        partial(_described, condition=by_error_path(*_paths), describe=_describe)
    )


def _more(rules: Rules, condition: Condition, pair: tuple[str, str]) -> Rules:
    """Rules that add a parameter to errors where a condition holds."""

    def added(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
        return (*rules.error_pairs(call, pending, refusal), pair)

    return rules | Rules(error_pairs=when(condition, added, rules.error_pairs))


_ROWS_5: tuple[tuple[str, str, Kind, tuple[str, ...], tuple[str, str]], ...] = (
    ("error_uri_with_space", _URI, "plain", ("unknown_scope",), ("error_uri", f"{_HELP}help me")),
    ("error_uri_with_quote_on_denial", _URI, "partial", ("denied",), ("error_uri", f'{_HELP}"no"')),
    ("error_uri_empty", "A.9/error-uri", "plain", ("unknown_scope",), ("error_uri", "")),
    (
        "error_uri_beyond_ascii",
        "A.9/error-uri",
        "partial",
        ("repeated_parameter",),
        ("error_uri", f"{_HELP}h\u00fclfe"),
    ),
    ("error_uri_of_type_with_space", _URI_OF_TYPE, "plain", _TYPE_PATHS[1:], ("error_uri", "see the docs")),
    ("error_uri_of_missing_type_broken", _URI_OF_TYPE, "partial", _TYPE_PATHS[:1], ("error_uri", f"{_HELP}\\help")),
    ("token_beside_error", "4.2.2.1/no-token-with-error", "plain", _SCOPE_PATHS, ("access_token", "a" * 40)),
    ("token_beside_denial", "4.2.2.1/no-token-with-error", "partial", ("denied",), ("access_token", "a" * 40)),
    ("error_twice", "3.1/repeated-response-parameter", "partial", ("unknown_scope",), ("error", "invalid_scope")),
)
for _id, _clause, _kind, _paths, _pair in _ROWS_5:
    fault(_id, f"rfc6749:{_clause}", _kind, f"Errors bring a wrong {_pair[0]}.")(
        partial(_more, condition=by_error_path(*_paths), pair=_pair)
    )


@fault("errors_in_latin_1", "rfc6749:B/utf-8-encoded", "partial", "A description that echoes is encoded as Latin-1.")
def errors_in_latin_1(rules: Rules) -> Rules:
    """Another encoding than the request's."""
    echoing = _described(rules, lambda call: call.refusal is not None, _echo("scope", "response_type"))
    latin = when(
        lambda call: call.refusal is not None,
        lambda _call, pairs: "&".join(f"{name}={_latin(value)}" for name, value in pairs),
        rules.encode_pairs,
    )
    return echoing | Rules(encode_pairs=latin)


def _latin(value: str) -> str:
    octets = value.encode("latin-1", "replace")
    return "".join(chr(octet) if chr(octet).isalnum() and octet < 0x80 else f"%{octet:02X}" for octet in octets)
