"""Faults of the token endpoint: what becomes of the parameters of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.form import Form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_method, fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call
    from grantproof.reference.variants import Apply, Condition

_EMPTY = "rfc6749:3.2/empty-parameter"
_UNKNOWN = "rfc6749:3.2/unknown-parameter"
_REPEATED = "rfc6749:3.2/repeated-request-parameter"
_MISSING = "rfc6749:4.4.2/missing-grant-type"
_UTF8 = "rfc6749:B/utf-8-encoded"
_token = by_endpoint("token")


def _always(_call: Call) -> bool:
    return True


fault("empty_parameters_count", _EMPTY, "plain", "A parameter without a value is a parameter.")(
    lambda rules: rules | Rules(drop_empty=lambda _call, form: form)
)


def _keep_empty(name: str) -> Apply:
    def apply(rules: Rules) -> Rules:
        def drop(call: Call, form: Form) -> Form:
            kept = tuple(pair for pair in form.pairs if pair[1] or pair[0] == name)
            return Form(kept, form.malformed) if call.endpoint == "token" else rules.drop_empty(call, form)

        return rules | Rules(drop_empty=drop)

    return apply


for _name in ("grant_type", "scope", "client_id", "client_secret", "client_assertion"):
    fault(f"empty_{_name}_counts", _EMPTY, "partial", f"An empty {_name} is not taken for a missing one.")(
        _keep_empty(_name)
    )


def _refuse(condition: Callable[[Call], bool], refusal: Refusal) -> Apply:
    """A request that could be read is refused where the condition holds."""

    def apply(rules: Rules) -> Rules:
        def read(call: Call) -> Refusal | None:
            found = rules.read_form_request(call)
            return refusal if found is None and call.endpoint == "token" and condition(call) else found

        return rules | Rules(read_form_request=read)

    return apply


def _unknown_names(call: Call) -> list[str]:
    known = call.rules.recognised_parameters(call)
    return [name for name, _ in call.parameters.pairs if name not in known]


_stranger = Refusal("invalid_request", "unknown_parameter")
fault("unknown_parameters_are_refused", _UNKNOWN, "plain", "A parameter that nobody knows is refused.")(
    _refuse(lambda call: bool(_unknown_names(call)), _stranger)
)
fault("punctuated_parameters_are_refused", _UNKNOWN, "partial", "Punctuation in an unknown name is refused.")(
    _refuse(
        lambda call: any(name.isascii() and not name.replace("_", "").isalnum() for name in _unknown_names(call)),
        _stranger,
    )
)
fault("foreign_parameters_are_refused", _UNKNOWN, "partial", "An unknown name beyond ASCII is refused.")(
    _refuse(lambda call: any(not name.isascii() for name in _unknown_names(call)), _stranger)
)
fault("long_unknown_parameters_are_refused", _UNKNOWN, "partial", "An unknown parameter with a long value is refused.")(
    _refuse(
        lambda call: any(len(value) > 1000 and name in _unknown_names(call) for name, value in call.parameters.pairs),
        _stranger,
    )
)
fault("unknown_parameters_after_an_assertion", _UNKNOWN, "partial", "Beside an assertion nothing unknown may stand.")(
    _refuse(lambda call: bool(_unknown_names(call)) and "client_assertion" in dict(call.parameters.pairs), _stranger)
)
fault("foreign_letters_are_malformed", _UTF8, "plain", "A form with characters beyond ASCII is malformed.")(
    _refuse(lambda call: any(not (name + value).isascii() for name, value in call.parameters.pairs), _stranger)
)
fault("foreign_names_are_malformed", _UTF8, "partial", "A form with a name beyond ASCII is malformed.")(
    _refuse(lambda call: any(not name.isascii() for name, _ in call.parameters.pairs), _stranger)
)


def _equal_only(call: Call, rules: Rules, form: Form) -> tuple[str, ...]:
    return tuple(name for name in rules.find_repeats(call, form) if len(set(form.all(name))) > 1)


@fault("ignores_repeated_parameters", _REPEATED, "plain", "Repeated parameters are not noticed.")
def ignores_repeated_parameters(rules: Rules) -> Rules:
    """Nothing is ever seen as repeated."""
    return rules | Rules(find_repeats=lambda _call, _form: ())


@fault("last_of_repeated_parameters_counts", _REPEATED, "plain", "Of repeated parameters the last one counts.")
def last_of_repeated_parameters_counts(rules: Rules) -> Rules:
    """A mapping is made of the form."""
    return rules | Rules(
        find_repeats=lambda _call, _form: (),
        request_parameters=lambda call: Form(tuple(dict(rules.request_parameters(call).pairs).items())),
    )


@fault("equal_repeats_are_ignored", _REPEATED, "partial", "A parameter may come again with the same value.")
def equal_repeats_are_ignored(rules: Rules) -> Rules:
    """Only contradictions are seen."""
    return rules | Rules(find_repeats=lambda call, form: _equal_only(call, rules, form))


def _ignore_repeats(name: str) -> Apply:
    def apply(rules: Rules) -> Rules:
        def find(call: Call, form: Form) -> tuple[str, ...]:
            return tuple(each for each in rules.find_repeats(call, form) if each != name)

        return rules | Rules(find_repeats=find)

    return apply


for _name in ("grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type"):
    fault(f"repeated_{_name}_is_ignored", _REPEATED, "partial", f"A repeated {_name} is not noticed.")(
        _ignore_repeats(_name)
    )


def _missing(condition: Condition, refusal: Refusal | None) -> Apply:
    """Something else than invalid_request becomes of a request without grant_type; with no refusal a token."""

    def apply(rules: Rules) -> Rules:
        def check(call: Call) -> Refusal | None:
            missing = call.endpoint == "token" and call.parameters.get("grant_type") is None
            return refusal if missing and condition(call) else rules.check_grant(call)

        return rules | Rules(check_grant=check)

    return apply


fault("missing_grant_type_is_served", _MISSING, "plain", "Client credentials are the default grant.")(
    _missing(_always, None)
)
fault("missing_grant_type_is_unsupported", _MISSING, "plain", "A missing grant type gets unsupported_grant_type.")(
    _missing(_always, Refusal("unsupported_grant_type", "missing_parameter", "grant_type"))
)
fault("missing_grant_type_is_served_by_body", _MISSING, "partial", "It is the default beside a secret in the body.")(
    _missing(by_method("client_secret_post"), None)
)
fault("empty_grant_type_is_unsupported", _MISSING, "partial", "An empty grant type gets unsupported_grant_type.")(
    _missing(
        lambda call: "grant_type" in dict(call.body.pairs),
        Refusal("unsupported_grant_type", "unknown_grant", "grant_type"),
    )
)


def _grant_begins_with(scheme: str) -> Condition:
    return lambda call: (call.parameters.get("grant_type") or "").startswith(scheme)


for _wrong in ("invalid_grant", "invalid_request"):
    for _scheme in ("urn:", "https:"):
        fault(
            f"unknown_{_scheme[:-1]}_grant_gets_{_wrong}",
            "rfc6749:4.5/unknown-extension-grant",
            "plain" if _scheme == "urn:" else "partial",
            f"An unknown grant type that begins with {_scheme} gets {_wrong}.",
        )(
            _refuse(
                _grant_begins_with(_scheme),
                Refusal(_wrong, "unknown_grant", "grant_type"),
            )
        )


def _crash(name: str, error: str = "server_error") -> Apply:
    """What is beyond printable ASCII in this parameter breaks the server."""

    def apply(rules: Rules) -> Rules:
        def foreign(call: Call) -> bool:
            value = (call.parameters.get(name) or "") + "".join(
                (each.client_id if name == "client_id" else each.secret) or "" for each in call.attempts
            )
            return call.endpoint == "token" and any(not " " <= sign <= "~" for sign in value)

        def answer(call: Call, refusal: Refusal) -> Answer:
            found = rules.error_answer(call, refusal)
            if foreign(call):
                found.status, found.body = 500, error.encode()
            return found

        return rules | Rules(error_answer=answer)

    return apply


for _section, _name in (("A.1/client-id", "client_id"), ("A.2/client-secret", "client_secret")):
    fault(f"foreign_{_name}_breaks_the_server", f"rfc6749:{_section}", "plain", f"A foreign {_name} brings a 500.")(
        _crash(_name)
    )
    fault(
        f"foreign_{_name}_has_a_code_of_its_own",
        f"rfc6749:{_section}",
        "partial",
        f"A foreign {_name} gets an error code that no text has.",
    )(_crash(_name, '{"error":"malformed_credentials"}'))
fault("foreign_grant_type_breaks_the_server", "rfc6749:A.10/grant-type", "plain", "A foreign grant_type brings a 500.")(
    _crash("grant_type")
)
fault(
    "spaced_grant_type_is_an_invalid_grant", "rfc6749:A.10/grant-type", "partial", "One with a space: invalid_grant."
)(
    _refuse(
        lambda call: " " in (call.parameters.get("grant_type") or ""),
        Refusal("invalid_grant", "unknown_grant", "grant_type"),
    )
)
