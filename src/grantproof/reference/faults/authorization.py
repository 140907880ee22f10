"""Faults of reading an authorization request: methods, and empty, unknown and repeated parameters."""

from __future__ import annotations

from dataclasses import replace
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
    from grantproof.reference.variants import Condition, Kind

KNOWN = frozenset(
    ("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce", "prompt", "max_age")
)


def _here(call: Call) -> bool:
    return call.endpoint == "authorization"


def _always(_call: Call) -> bool:
    return True


def _sessionless(call: Call) -> bool:
    return "cookie" not in call.headers


def _methods(rules: Rules, condition: Condition, names: tuple[str, ...]) -> Rules:
    def allowed(call: Call) -> tuple[str, ...]:
        return tuple(name for name in rules.allowed_methods(call) if name not in names)

    return rules | Rules(
        allowed_methods=when(lambda call: _here(call) and condition(call), allowed, rules.allowed_methods)
    )


_ROWS_1: tuple[tuple[str, str, Kind, Condition, tuple[str, ...]], ...] = (
    ("get_refused", "rfc6749:3.1/get", "plain", lambda _call: True, ("GET", "HEAD")),
    ("get_refused_with_id_token", "rfc6749:3.1/get", "partial", lambda c: b"id_token" in c.raw_query, ("GET", "HEAD")),
    ("get_refused_without_session", "rfc6749:3.1/get", "partial", _sessionless, ("GET", "HEAD")),
    ("post_refused", "rfc6749:3.1/post", "plain", lambda _call: True, ("POST",)),
    ("post_refused_before_the_login", "rfc6749:3.1/post", "partial", _sessionless, ("POST",)),
    (
        "post_refused_at_first",
        "oidc-core:3.1.2.1/get-and-post",
        "partial",
        _sessionless,
        ("POST",),
    ),
)
for _id, _clause, _kind, _condition, _names in _ROWS_1:
    fault(f"authorization_{_id}", _clause, _kind, f"{_names[0]} is refused here.")(
        partial(_methods, condition=_condition, names=_names)
    )


@fault("authorization_post_body_ignored", "oidc-core:3.1.2.1/get-and-post", "plain", "A POST is read from its query.")
def authorization_post_body_ignored(rules: Rules) -> Rules:
    """The query counts whatever the method."""
    return rules | Rules(request_parameters=when(_here, lambda call: call.query, rules.request_parameters))


def _keeping_empty(rules: Rules, name: str, condition: Condition) -> Rules:
    """Rules that keep one empty parameter, or all with an empty name, as if they had a value."""

    def keep(_call: Call, form: Form) -> Form:
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
    )(partial(_keeping_empty, name=_name, condition=_always))


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


_UNKNOWN: tuple[tuple[str, str, Kind, Callable[[Call, str], bool]], ...] = (
    ("unknown_parameter_refused", "rfc6749:3.1/unknown-parameter", "plain", lambda _call, _name: True),
    ("unknown_parameter_refused_by_post", "rfc6749:3.1/unknown-parameter", "partial", lambda c, _: c.method == "POST"),
    ("unknown_parameter_with_dot_refused", "rfc6749:3.1/unknown-parameter", "partial", lambda _, name: "." in name),
    (
        "unknown_parameter_beyond_ascii_refused",
        "rfc6749:3.1/unknown-parameter",
        "partial",
        lambda _, n: not n.isascii(),
    ),
    ("unlisted_parameter_refused", "oidc-core:3.1.2.1/unknown-parameters-ignored", "plain", lambda _call, _name: True),
    (
        "unknown_parameter_refused_before_login",
        "rfc6749:3.1/unknown-parameter",
        "partial",
        lambda c, _: not c.logged_in,
    ),
)
for _id, _clause, _kind, _refused in _UNKNOWN:
    fault(_id, _clause, _kind, "A parameter that nobody knows is an error.")(
        partial(_refusing_unknown, condition=_refused)
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
    lambda rules: _taking_repeats(rules, frozenset(_REPEATABLE), _always, last=False)
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
        )(partial(_taking_repeats, names=frozenset((_name,)), condition=_always, last=_last))


@fault("repeats_of_equal_values_taken", "rfc6749:3.1/repeated-request-parameter", "partial", "Equal repeats are taken.")
def repeats_of_equal_values_taken(rules: Rules) -> Rules:
    """Only a contradiction is noticed."""

    def read(call: Call) -> Form:
        form = rules.request_parameters(call)
        return replace(form, pairs=tuple(dict.fromkeys(form.pairs))) if _here(call) else form

    return rules | Rules(request_parameters=read)
