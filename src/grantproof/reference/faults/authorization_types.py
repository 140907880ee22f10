"""Faults of response types and scopes in authorization requests, and of how these are decoded."""

from __future__ import annotations

from functools import partial
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
    from grantproof.reference.variants import Condition, Kind


def _here(call: Call) -> bool:
    return call.endpoint == "authorization"


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


_ROWS_2: tuple[tuple[str, str, Kind, bool, bool], ...] = (
    ("response_type_guessed", "3.1.1/response-type-error", "plain", True, True),
    ("missing_response_type_guessed", "3.1.1/response-type-error", "partial", True, False),
    ("unknown_response_type_guessed", "A.3/response-type", "plain", False, True),
    ("obligatory_response_type_guessed", "4.2.1/required-parameters", "plain", True, False),
)
for _id, _clause, _kind, _missing, _unknown in _ROWS_2:
    fault(_id, f"rfc6749:{_clause}", _kind, "The response type is guessed.")(
        partial(_guessing, missing=_missing, unknown=_unknown)
    )


@fault("response_type_guessed_in_a_session", "rfc6749:4.2.1/required-parameters", "partial", "In a session it is.")
def response_type_guessed_in_a_session(rules: Rules) -> Rules:
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


@fault("silence_is_consent", "rfc6749:3.1/resource-owner-authenticated", "partial", "prompt=none needs no login.")
def silence_is_consent(rules: Rules) -> Rules:
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
