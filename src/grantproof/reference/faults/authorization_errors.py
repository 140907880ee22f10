"""Faults of the errors that the authorization endpoint tells the client: code, place, characters, company."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition

Pairs = tuple[tuple[str, str], ...]
_TYPE_PATHS = ("missing_parameter", "unknown_response_type")


def _coded(rules: Rules, condition: Condition, code: str) -> Rules:
    """Rules that give another error code where a condition holds."""

    def pairs(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
        return rules.error_pairs(call, pending, replace(refusal, error=code))

    return rules | Rules(error_pairs=when(condition, pairs, rules.error_pairs))


for _id, _clause, _kind, _paths, _code in (
    ("missing_response_type_is_unsupported", "3.1.1/missing-response-type", "plain", ("missing_parameter",), "unsupported_response_type"),
    ("unknown_response_type_is_invalid", "4.2.2.1/unsupported-response-type", "plain", ("unknown_response_type",), "invalid_request"),
    ("repeated_parameter_is_denied", "4.2.2.1/invalid-request", "plain", ("repeated_parameter",), "access_denied"),
    ("unauthorized_client_is_denied", "4.2.2.1/unauthorized-client", "plain", ("response_type_not_allowed",), "access_denied"),
    ("denial_is_invalid_request", "4.2.2.1/access-denied", "plain", ("denied",), "invalid_request"),
    ("unknown_scope_is_invalid_request", "4.2.2.1/invalid-scope", "plain", ("unknown_scope",), "invalid_request"),
    ("malformed_scope_is_invalid_request", "4.2.2.1/invalid-scope", "partial", ("malformed_scope",), "invalid_request"),
    ("denial_is_invalid_grant", "4.2.2.1/error-code", "plain", ("denied",), "invalid_grant"),
    ("unknown_response_type_is_invalid_client", "4.2.2.1/error-code", "partial", ("unknown_response_type",), "invalid_client"),
    ("error_code_beyond_ascii", "4.2.2.1/error-charset", "plain", ("unknown_scope",), "invalid\u2014scope"),
    ("error_code_with_quote", "4.2.2.1/error-charset", "partial", ("denied",), 'access_"denied"'),
    ("error_code_empty_on_denial", "A.7/error", "plain", ("denied",), ""),
    ("error_code_with_backslash", "A.7/error", "partial", ("repeated_parameter",), "invalid\\request"),
    ("response_type_error_beyond_ascii", "4.1.2.1/error-charset", "plain", _TYPE_PATHS, "unsupported\u00a0type"),
    ("response_type_error_with_backslash", "4.1.2.1/error-charset", "partial", ("missing_parameter",), "OAuth\\Error"),
):  # fmt: skip
    fault(_id, f"rfc6749:{_clause}", "plain" if _kind == "plain" else "partial", f"The error is {_code!r}.")(
        lambda rules, paths=_paths, code=_code: _coded(rules, by_error_path(*paths), code)  # type: ignore[misc] # the defaults bind the loop's values
    )


@fault("unauthorized_client_served_when_logged_in", "rfc6749:4.2.2.1/unauthorized-client", "partial", "Anyone may, in a session.")  # fmt: skip
def unauthorized_client_served_when_logged_in(rules: Rules) -> Rules:
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


for _id, _clause, _kind, _paths in (
    ("scope_errors_end_on_a_page", "4.2.2.1/fragment", "partial", ("unknown_scope",)),
    ("denial_ends_on_a_page", "4.2.2.1/access-denied", "partial", ("denied",)),
    ("response_type_errors_end_on_a_page", "3.1.1/response-type-error", "partial", ("unknown_response_type",)),
    ("unauthorized_clients_end_on_a_page", "4.2.2.1/unauthorized-client", "partial", ("response_type_not_allowed",)),
):
    fault(_id, f"rfc6749:{_clause}", "plain" if _kind == "plain" else "partial", "The client is not told.")(
        lambda rules, paths=_paths: _page_instead(rules, by_error_path(*paths))  # type: ignore[misc] # the default binds the loop's value
    )


def _placed(rules: Rules, condition: Condition) -> Rules:
    return rules | Rules(
        placement=when(
            lambda call: call.refusal is not None and condition(call), lambda _call, _pending: "query", rules.placement
        )
    )


for _id, _clause, _kind, _condition in (
    ("errors_in_query", "rfc6749:4.2.2.1/fragment", "plain", lambda _call: True),
    ("denial_in_query", "rfc6749:4.2.2.1/fragment", "partial", by_error_path("denied")),
    ("scope_errors_in_query", "rfc6749:4.2.2.1/fragment", "partial", by_error_path("unknown_scope", "malformed_scope")),
    ("login_required_in_query", "rfc6749:4.2.2.1/fragment", "partial", by_error_path("not_logged_in")),
    ("errors_of_combinations_in_query", "oauth-responses:5/errors-in-same-mode", "plain", lambda call: call.pending is not None and len(call.pending.response_type) > 1),
):  # fmt: skip
    fault(_id, _clause, "plain" if _kind == "plain" else "partial", "Errors stand in the query.")(
        lambda rules, condition=_condition: _placed(rules, condition)  # type: ignore[misc] # the default binds the loop's value
    )


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


for _id, _clause, _kind, _paths, _describe in (
    ("description_beyond_ascii", "4.2.2.1/error-description-charset", "plain", ("unknown_scope",), lambda _c: "The scope \u2014 unknown"),
    ("description_with_quotes_on_denial", "4.2.2.1/error-description-charset", "partial", ("denied",), lambda _c: 'You said "no"'),
    ("description_echoes_scope", "4.2.2.1/error-description-charset", "partial", ("malformed_scope",), _echo("scope")),
    ("description_with_line_break", "4.2.2.1/error-description-charset", "partial", ("repeated_parameter",), lambda _c: "line\nbreak"),
    ("description_empty", "A.8/error-description", "plain", ("unknown_scope", "malformed_scope"), lambda _c: ""),
    ("description_empty_on_denial", "A.8/error-description", "partial", ("denied",), lambda _c: ""),
    ("description_of_type_beyond_ascii", "4.1.2.1/error-description-charset", "plain", ("missing_parameter",), lambda _c: "Fehlt\u2026"),
    ("description_echoes_type", "4.1.2.1/error-description-charset", "partial", ("unknown_response_type",), _echo("response_type")),
):  # fmt: skip
    fault(
        _id, f"rfc6749:{_clause}", "plain" if _kind == "plain" else "partial", "The description is not as it must be."
    )(
        lambda rules, paths=_paths, describe=_describe: _described(rules, by_error_path(*paths), describe)  # type: ignore[misc] # the defaults bind the loop's values
    )


def _more(rules: Rules, condition: Condition, *pairs: tuple[str, str]) -> Rules:
    """Rules that add parameters to errors where a condition holds."""

    def added(call: Call, pending: PendingRequest, refusal: Refusal) -> Pairs:
        return (*rules.error_pairs(call, pending, refusal), *pairs)

    return rules | Rules(error_pairs=when(condition, added, rules.error_pairs))


for _id, _clause, _kind, _paths, _pair in (
    ("error_uri_with_space", "4.2.2.1/error-uri-syntax", "plain", ("unknown_scope",), ("error_uri", "https://as.example/help me")),
    ("error_uri_with_quote_on_denial", "4.2.2.1/error-uri-syntax", "partial", ("denied",), ("error_uri", 'https://as.example/"no"')),
    ("error_uri_empty", "A.9/error-uri", "plain", ("unknown_scope",), ("error_uri", "")),
    ("error_uri_beyond_ascii", "A.9/error-uri", "partial", ("repeated_parameter",), ("error_uri", "https://as.example/h\u00fclfe")),
    ("error_uri_of_type_with_space", "4.1.2.1/error-uri-syntax", "plain", ("unknown_response_type",), ("error_uri", "see the docs")),
    ("error_uri_of_missing_type_broken", "4.1.2.1/error-uri-syntax", "partial", ("missing_parameter",), ("error_uri", "https://as.example/\\help")),
    ("token_beside_error", "4.2.2.1/no-token-with-error", "plain", ("unknown_scope", "malformed_scope", "repeated_parameter"), ("access_token", "a" * 40)),
    ("token_beside_denial", "4.2.2.1/no-token-with-error", "partial", ("denied",), ("access_token", "a" * 40)),
    ("error_twice", "3.1/repeated-response-parameter", "partial", ("unknown_scope",), ("error", "invalid_scope")),
):  # fmt: skip
    fault(_id, f"rfc6749:{_clause}", "plain" if _kind == "plain" else "partial", f"Errors bring a wrong {_pair[0]}.")(
        lambda rules, paths=_paths, pair=_pair: _more(rules, by_error_path(*paths), pair)  # type: ignore[misc] # the defaults bind the loop's values
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
