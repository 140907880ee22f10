"""Faults of reading an authorization request: methods, empty, unknown and repeated parameters, response types, scopes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.form import Form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest
    from grantproof.reference.variants import Condition

KNOWN = frozenset(
    ("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce", "prompt", "max_age")
)


def _here(call: Call) -> bool:
    return call.endpoint == "authorization"


def _methods(rules: Rules, condition: Condition, *names: str) -> Rules:
    def allowed(call: Call) -> tuple[str, ...]:
        return tuple(name for name in rules.allowed_methods(call) if name not in names)

    return rules | Rules(
        allowed_methods=when(lambda call: _here(call) and condition(call), allowed, rules.allowed_methods)
    )


for _id, _clause, _kind, _condition, _names in (
    ("get_refused", "rfc6749:3.1/get", "plain", lambda _call: True, ("GET", "HEAD")),
    ("get_refused_with_id_token", "rfc6749:3.1/get", "partial", lambda c: b"id_token" in c.raw_query, ("GET", "HEAD")),
    ("get_refused_without_session", "rfc6749:3.1/get", "partial", lambda c: "cookie" not in c.headers, ("GET", "HEAD")),
    ("post_refused", "rfc6749:3.1/post", "plain", lambda _call: True, ("POST",)),
    (
        "post_refused_without_session",
        "oidc-core:3.1.2.1/get-and-post",
        "partial",
        lambda c: "cookie" not in c.headers,
        ("POST",),
    ),  # fmt: skip
):
    fault(f"authorization_{_id}", _clause, "plain" if _kind == "plain" else "partial", f"{_names[0]} is refused here.")(
        lambda rules, condition=_condition, names=_names: _methods(rules, condition, *names)
    )  # type: ignore[misc] # the defaults bind the loop's values


@fault("authorization_post_body_ignored", "oidc-core:3.1.2.1/get-and-post", "plain", "A POST is read from its query.")
def authorization_post_body_ignored(rules: Rules) -> Rules:
    """The query counts whatever the method."""
    return rules | Rules(request_parameters=when(_here, lambda call: call.query, rules.request_parameters))


def _keeping_empty(rules: Rules, name: str, condition: Condition) -> Rules:
    """Rules that keep one empty parameter, or all with an empty name, as if they had a value."""

    def keep(call: Call, form: Form) -> Form:
        return Form(
            tuple(pair for pair in form.pairs if pair[1] or name in {"", pair[0]}),
            form.malformed,
        )

    return rules | Rules(drop_empty=when(lambda call: _here(call) and condition(call), keep, rules.drop_empty))


for _name in ("", "scope", "state", "redirect_uri", "response_type", "response_mode", "max_age"):
    fault(
        f"authorization_empty_{_name or 'parameters'}_counts",
        "rfc6749:3.1/empty-parameter",
        "partial" if _name else "plain",
        f"An empty {_name or 'parameter'} counts as one with a value.",
    )(lambda rules, name=_name: _keeping_empty(rules, name, lambda _call: True))  # type: ignore[misc] # the default binds the loop's value


@fault("authorization_empty_counts_by_post", "rfc6749:3.1/empty-parameter", "partial", "In a POST empty values count.")
def authorization_empty_counts_by_post(rules: Rules) -> Rules:
    """One way in does not clean up."""
    return _keeping_empty(rules, "", lambda call: call.method == "POST")


def _refusing_unknown(rules: Rules, condition: Callable[[Call, str], bool]) -> Rules:
    def check(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        for name, _value in call.parameters.pairs:
            if name not in KNOWN and condition(call, name):
                return Refusal("invalid_request", "malformed_parameter", name)
        return rules.check_authorization(call, client)

    return rules | Rules(check_authorization=check)


_UNKNOWN: tuple[tuple[str, str, str, Callable[[Call, str], bool]], ...] = (
    ("unknown_parameter_refused", "rfc6749:3.1/unknown-parameter", "plain", lambda _call, _name: True),
    ("unknown_parameter_refused_by_post", "rfc6749:3.1/unknown-parameter", "partial", lambda c, _: c.method == "POST"),
    ("unknown_parameter_with_dot_refused", "rfc6749:3.1/unknown-parameter", "partial", lambda _, name: "." in name),
    (
        "unknown_parameter_beyond_ascii_refused",
        "rfc6749:3.1/unknown-parameter",
        "partial",
        lambda _, n: not n.isascii(),
    ),
    (
        "unknown_parameter_refused_by_openid",
        "oidc-core:3.1.2.1/unknown-parameters-ignored",
        "plain",
        lambda _c, _n: True,
    ),  # fmt: skip
    (
        "unknown_parameter_refused_before_login",
        "rfc6749:3.1/unknown-parameter",
        "partial",
        lambda c, _: not c.logged_in,
    ),
)
for _id, _clause, _kind, _refused in _UNKNOWN:
    fault(_id, _clause, "plain" if _kind == "plain" else "partial", "A parameter that nobody knows is an error.")(
        lambda rules, refused=_refused: _refusing_unknown(rules, refused)  # type: ignore[misc] # the default binds the loop's value
    )


def _taking_repeats(rules: Rules, names: frozenset[str], condition: Condition, *, last: bool) -> Rules:
    """Rules that take the first or the last of a repeated parameter."""

    def read(call: Call) -> Form:
        form = rules.request_parameters(call)
        if not _here(call):
            return form
        kept: list[tuple[str, str]] = []
        for name, value in form.pairs:
            chosen = form.last(name) if last else form.get(name)
            if name not in names or not condition(call):
                kept.append((name, value))
            elif all(name != own for own, _ in kept):
                kept.append((name, chosen or ""))
        return replace(form, pairs=tuple(kept))

    return rules | Rules(request_parameters=read)


_REPEATABLE = ("client_id", "redirect_uri", "response_type", "scope", "state")
fault("repeats_taken", "rfc6749:3.1/repeated-request-parameter", "plain", "The first of repeated parameters counts.")(
    lambda rules: _taking_repeats(rules, frozenset(_REPEATABLE), lambda _call: True, last=False)
)
fault("repeats_taken_by_post", "rfc6749:3.1/repeated-request-parameter", "partial", "In a POST repeats do not matter.")(
    lambda rules: _taking_repeats(rules, frozenset(_REPEATABLE), lambda call: call.method == "POST", last=True)
)
for _name in _REPEATABLE:
    for _last in (False, True):
        _word = "last" if _last else "first"
        fault(
            f"{_word}_{_name}_taken",
            "rfc6749:3.1/repeated-request-parameter",
            "partial",
            f"Of a repeated {_name} the {_word} counts.",
        )(
            lambda rules, name=_name, last=_last: _taking_repeats(
                rules, frozenset((name,)), lambda _call: True, last=last
            )
        )  # type: ignore[misc] # the defaults bind the loop's values


@fault("repeats_of_equal_values_taken", "rfc6749:3.1/repeated-request-parameter", "partial", "Equal repeats are taken.")
def repeats_of_equal_values_taken(rules: Rules) -> Rules:
    """Only a contradiction is noticed."""

    def read(call: Call) -> Form:
        form = rules.request_parameters(call)
        return replace(form, pairs=tuple(dict.fromkeys(form.pairs))) if _here(call) else form

    return rules | Rules(request_parameters=read)


@fault("response_type_order_matters", "rfc6749:3.1.1/composite-order", "plain", "One order of id_token token is known.")
def response_type_order_matters(rules: Rules) -> Rules:
    """The response type is compared as text."""
    return rules | Rules(
        response_type_known=lambda call, kind: (
            rules.response_type_known(call, kind) and call.parameters.get("response_type") != "token id_token"
        )
    )


@fault("response_type_last_word_counts", "rfc6749:3.1.1/composite-order", "partial", "token id_token brings no token.")
def response_type_last_word_counts(rules: Rules) -> Rules:
    """The words are not a set."""
    return rules | Rules(
        parse_response_type=lambda call, text: rules.parse_response_type(
            call, "id_token" if text == "token id_token" else text
        )
    )


def _guessing(rules: Rules, *, missing: bool, unknown: bool) -> Rules:
    """Rules that take a missing or an unknown response type for token."""

    def read(call: Call) -> Form:
        form = rules.request_parameters(call)
        kind = form.get("response_type")
        known = kind in {"token", "id_token", "code", "id_token token", "token id_token"}
        if not _here(call) or known or not (unknown if kind else missing):
            return form
        return Form((*form.without("response_type").pairs, ("response_type", "token")), form.malformed)

    return rules | Rules(request_parameters=read)


for _id, _clause, _kind, _missing, _unknown in (
    ("response_type_guessed", "3.1.1/response-type-error", "plain", True, True),
    ("missing_response_type_guessed", "3.1.1/response-type-error", "partial", True, False),
    ("unknown_response_type_guessed", "A.3/response-type", "plain", False, True),
    ("obligatory_response_type_guessed", "4.2.1/required-parameters", "plain", True, False),
):
    fault(_id, f"rfc6749:{_clause}", "plain" if _kind == "plain" else "partial", "The response type is guessed.")(
        lambda rules, missing=_missing, unknown=_unknown: _guessing(rules, missing=missing, unknown=unknown)  # type: ignore[misc] # the defaults bind the loop's values
    )


@fault("obligatory_response_type_guessed_when_logged_in", "rfc6749:4.2.1/required-parameters", "partial", "It is guessed in a session.")  # fmt: skip
def obligatory_response_type_guessed_when_logged_in(rules: Rules) -> Rules:
    """Whoever is logged in gets a token."""
    guessed = _guessing(rules, missing=True, unknown=False)
    return rules | Rules(
        request_parameters=when(lambda call: call.logged_in, guessed.request_parameters, rules.request_parameters)
    )


@fault("response_type_letter_case_ignored", "rfc6749:3.1.1/response-type-error", "partial", "TOKEN counts as token.")
def response_type_letter_case_ignored(rules: Rules) -> Rules:
    """Values are case-sensitive, but not here."""
    return rules | Rules(parse_response_type=lambda call, text: rules.parse_response_type(call, text.lower()))


@fault("response_type_punctuation_ignored", "rfc6749:A.3/response-type", "partial", "Odd characters are left out.")
def response_type_punctuation_ignored(rules: Rules) -> Rules:
    """What is not a letter is thrown away."""

    def parse(call: Call, text: str) -> frozenset[str]:
        return rules.parse_response_type(call, "".join(c for c in text if c.isascii() and (c.isalpha() or c in "_ ")))

    return rules | Rules(parse_response_type=parse)


def _scope(rules: Rules, change: Callable[[tuple[str, ...]], tuple[str, ...] | None]) -> Rules:
    def granted(call: Call, client: Client, requested: tuple[str, ...]) -> tuple[str, ...] | None:
        found = rules.granted_scope(call, client, requested)
        return change(found) if found and call.grant == "implicit" else found

    def named(call: Call, asked: tuple[str, ...] | None, found: tuple[str, ...]) -> bool:
        return rules.report_scope(call, asked, found)

    return rules | Rules(granted_scope=granted, report_scope=named)


@fault("only_first_scope_granted", "rfc6749:3.3/scope-order", "plain", "Only the first scope of a request counts.")
def only_first_scope_granted(rules: Rules) -> Rules:
    """The rest is overlooked."""
    return _scope(rules, lambda scope: scope[:1] if "openid" not in scope else ("openid", scope[0]))


@fault("scopes_in_order_only", "rfc6749:3.3/scope-order", "partial", "Scopes in another order are refused.")
def scopes_in_order_only(rules: Rules) -> Rules:
    """The scope is compared as text."""
    return _scope(rules, lambda scope: scope if list(scope) == sorted(scope) else None)


def _without_scope(rules: Rules, error: str, condition: Condition) -> Rules:
    def check(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        if call.parameters.get("scope") is None and condition(call):
            return Refusal(error, "missing_parameter", "scope")
        return rules.check_authorization(call, client)

    return rules | Rules(check_authorization=check)


@fault("missing_scope_is_invalid_request", "rfc6749:3.3/scope-omitted", "plain", "No scope means invalid_request.")
def missing_scope_is_invalid_request(rules: Rules) -> Rules:
    """The wrong code."""
    return _without_scope(rules, "invalid_request", lambda _call: True)


@fault("missing_scope_is_denied_to_some", "rfc6749:3.3/scope-omitted", "partial", "Some get access_denied for it.")
def missing_scope_is_denied_to_some(rules: Rules) -> Rules:
    """Confidential clients are treated differently."""
    return _without_scope(
        rules, "access_denied", lambda call: call.claimed_client is not None and not call.claimed_client.public
    )


@fault("authorization_plus_is_a_plus", "rfc6749:B/form-decoded", "partial", "A plus in a request stays a plus.")
def authorization_plus_is_a_plus(rules: Rules) -> Rules:
    """Percent signs are decoded, the plus is not; only scopes are parted by both."""

    def parse(call: Call, raw: bytes) -> Form:
        parts = [part if part.startswith(b"scope=") else part.replace(b"+", b"%2B") for part in raw.split(b"&")]
        return rules.parse_form(call, b"&".join(parts))

    return rules | Rules(parse_form=when(_here, parse, rules.parse_form))


@fault("authorization_decoded_twice", "rfc6749:B/form-decoded", "partial", "A request is decoded twice.")
def authorization_decoded_twice(rules: Rules) -> Rules:
    """A gateway decodes, the server does it again."""
    return rules | Rules(
        parse_form=when(_here, lambda call, raw: rules.parse_form(call, raw.replace(b"%25", b"%")), rules.parse_form)
    )


@fault("silent_request_needs_no_login", "rfc6749:3.1/resource-owner-authenticated", "partial", "prompt=none logs one in.")  # fmt: skip
def silent_request_needs_no_login(rules: Rules) -> Rules:
    """Silence is taken for consent."""

    def silent(_call: Call, _pending: PendingRequest) -> bool:
        return False

    return rules | Rules(
        login_required=when(
            lambda c: c.pending is not None and "none" in c.pending.prompt, silent, rules.login_required
        ),
        consent_required=when(
            lambda c: c.pending is not None and "none" in c.pending.prompt, silent, rules.consent_required
        ),
    )
