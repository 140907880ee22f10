"""Faults of letter case and of form decoding in token requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.form import Form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.variants import Apply, Condition

_CASE = "rfc6749:1.9/case-sensitive"
_DECODED = "rfc6749:B/form-decoded"
_token = by_endpoint("token")


def _always(_call: Call) -> bool:
    return True


def _folded(name: str) -> Apply:
    """The value of this parameter is taken without regard to letter case."""

    def apply(rules: Rules) -> Rules:
        def parameters(call: Call) -> Form:
            form = rules.request_parameters(call)
            if call.endpoint != "token":
                return form
            pairs = tuple((key, value.lower() if key == name else value) for key, value in form.pairs)
            return Form(pairs, form.malformed)

        return rules | Rules(request_parameters=parameters)

    return apply


def _folded_names(condition: Condition) -> Apply:
    def apply(rules: Rules) -> Rules:
        def parameters(call: Call) -> Form:
            form = rules.request_parameters(call)
            pairs = tuple((key.lower(), value) for key, value in form.pairs)
            return Form(pairs, form.malformed) if condition(call) else form

        return rules | Rules(request_parameters=parameters)

    return apply


fault("letter_case_of_names_is_ignored", _CASE, "plain", "Parameter names are taken in any letter case.")(
    _folded_names(_always)
)
fault("letter_case_of_names_is_ignored_in_forms", _CASE, "partial", "Names in a token request, in any letter case.")(
    _folded_names(_token)
)
for _name in ("grant_type", "scope"):
    fault(f"letter_case_of_{_name}_is_ignored", _CASE, "partial", f"A {_name} is taken in any letter case.")(
        _folded(_name)
    )


@fault("letter_case_of_client_id_is_ignored", _CASE, "partial", "A client_id is taken in any letter case.")
def letter_case_of_client_id_is_ignored(rules: Rules) -> Rules:
    """Identifiers are compared in small letters."""
    return rules | Rules(
        find_client=lambda call, name: next(
            (each for each in call.server.clients.values() if each.id.lower() == name.lower()), None
        )
    )


@fault("letter_case_of_response_type_is_ignored", _CASE, "partial", "A response_type is taken in any letter case.")
def letter_case_of_response_type_is_ignored(rules: Rules) -> Rules:
    """TOKEN is as good as token."""
    return rules | Rules(parse_response_type=lambda call, text: rules.parse_response_type(call, text.lower()))


def _raw(change: Callable[[bytes], bytes], condition: Condition = _always) -> Apply:
    """The body is read after a change of its octets."""
    return lambda rules: (
        rules
        | Rules(
            parse_form=when(
                lambda call: call.endpoint == "token" and condition(call),
                lambda call, raw: rules.parse_form(call, change(raw)),
                rules.parse_form,
            )
        )
    )


fault("plus_in_a_form_stays_a_plus", _DECODED, "plain", "A plus in a form is not a space.")(
    _raw(lambda raw: raw.replace(b"+", b"%2B"))
)
fault("plus_in_a_form_stays_a_plus_after_basic", _DECODED, "partial", "A plus is not a space beside a header.")(
    _raw(lambda raw: raw.replace(b"+", b"%2B"), lambda call: call.through_header)
)
fault("percent_20_in_a_form_stays", _DECODED, "partial", "%20 in a form is not decoded.")(
    _raw(lambda raw: raw.replace(b"%20", b"%2520"))
)
fault("percent_2b_in_a_form_is_a_space", _DECODED, "partial", "A form is decoded twice as far as a plus goes.")(
    _raw(lambda raw: raw.replace(b"%2B", b"+").replace(b"%2b", b"+"))
)
fault("escaped_letters_in_a_form_stay", _DECODED, "partial", "An escape in small letters is not decoded.")(
    _raw(lambda raw: raw.replace(b"%6", b"%256"))
)
