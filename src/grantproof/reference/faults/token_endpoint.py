"""Faults of the token endpoint: methods, parameters, media types, letter case, and challenges by HTTP's rules."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from grantproof.reference.call import Refusal
from grantproof.reference.form import Form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import after_requests, by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Answer, Call
    from grantproof.reference.variants import Apply, Condition

_POST = "rfc6749:3.2/post-only"
_EMPTY = "rfc6749:3.2/empty-parameter"
_UNKNOWN = "rfc6749:3.2/unknown-parameter"
_REPEATED = "rfc6749:3.2/repeated-request-parameter"
_MISSING = "rfc6749:4.4.2/missing-grant-type"
_BODY = "rfc6749:4.4.2/form-encoded-body"
_CASE = "rfc6749:1.9/case-sensitive"
_DECODED = "rfc6749:B/form-decoded"
_UTF8 = "rfc6749:B/utf-8-encoded"
_REALM = "rfc7617:2/realm"
_CHARSET = "rfc7617:2.1/charset"
_CHALLENGE = "rfc9110:15.5.2/challenge"
_ALLOW = "rfc9110:15.5.6/allow"
_token = by_endpoint("token")


def _always(_call: Call) -> bool:
    return True


def _at_token(condition: Condition) -> Condition:
    return lambda call: call.endpoint == "token" and condition(call)


def _method(*methods: str, condition: Condition = _always) -> Apply:
    """These methods bring tokens too, with parameters in the body or else in the query."""

    def apply(rules: Rules) -> Rules:
        def parameters(call: Call) -> Form:
            return call.body if call.body.pairs else call.query

        return rules | Rules(
            allowed_methods=when(
                _at_token(condition), lambda call: (*rules.allowed_methods(call), *methods), rules.allowed_methods
            ),
            accept_media_type=when(
                lambda call: call.endpoint == "token" and call.method in methods,
                lambda _call, _type: True,
                rules.accept_media_type,
            ),
            request_parameters=when(
                lambda call: call.endpoint == "token" and call.method in methods, parameters, rules.request_parameters
            ),
        )

    return apply


fault("every_method_is_served", _POST, "plain", "A token request may come by any method.")(
    _method("GET", "PUT", "PATCH", "DELETE")
)
for _verb in ("GET", "PUT", "PATCH", "DELETE"):
    fault(f"{_verb.lower()}_is_served", _POST, "partial", f"A token request may come by {_verb}.")(_method(_verb))
fault("get_is_served_by_basic", _POST, "partial", "A token request with a header may come by GET.")(
    _method("GET", condition=lambda call: call.through_header)
)

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
for _id, _words, _odd in (
    ("punctuated", "with punctuation in its name", lambda name: not name.replace("_", "").isalnum() and name.isascii()),
    ("foreign", "with a name beyond ASCII", lambda name: not name.isascii()),
):
    fault(f"{_id}_parameters_are_refused", _UNKNOWN, "partial", f"An unknown parameter {_words} is refused.")(
        _refuse(lambda call, odd=_odd: any(odd(name) for name in _unknown_names(call)), _stranger)
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


for _name in ("grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type"):
    fault(f"repeated_{_name}_is_ignored", _REPEATED, "partial", f"A repeated {_name} is not noticed.")(
        lambda rules, name=_name: (
            rules
            | Rules(
                find_repeats=lambda call, form: tuple(each for each in rules.find_repeats(call, form) if each != name)
            )
        )
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
for _wrong in ("invalid_grant", "invalid_request"):
    for _scheme in ("urn:", "https:"):
        fault(
            f"unknown_{_scheme[:-1]}_grant_gets_{_wrong}",
            "rfc6749:4.5/unknown-extension-grant",
            "plain" if _scheme == "urn:" else "partial",
            f"An unknown grant type that begins with {_scheme} gets {_wrong}.",
        )(
            _refuse(
                lambda call, scheme=_scheme: (call.parameters.get("grant_type") or "").startswith(scheme),
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


def _type(accepts: Callable[[str], bool]) -> Apply:
    return lambda rules: (
        rules | Rules(accept_media_type=when(_token, lambda _call, sent: accepts(sent), rules.accept_media_type))
    )


_FORM = "application/x-www-form-urlencoded"
fault("charset_in_the_media_type_is_refused", _BODY, "plain", "The media type must stand alone.")(
    _type(lambda sent: sent == _FORM)
)
fault("media_type_in_capitals_is_refused", _BODY, "partial", "The media type must be in small letters.")(
    _type(lambda sent: sent.partition(";")[0] == _FORM)
)
fault("charset_without_a_space_is_refused", _BODY, "partial", "A charset must follow a space.")(
    _type(lambda sent: sent.lower() == _FORM or sent.lower().startswith(f"{_FORM}; "))
)
fault("quoted_charset_is_refused", _BODY, "partial", "A charset must not be quoted.")(
    _type(lambda sent: sent.lower().startswith(_FORM) and '"' not in sent)
)


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

for _id, _kind, _condition in (
    ("", "plain", _always),
    ("_on_unknown_client", "partial", by_error_path("unknown_client")),
    ("_by_body", "partial", by_method("client_secret_post")),
):
    for _clause, _wrong, _text in (
        (_REALM, "basic_challenge_without_realm", 'Basic charset="UTF-8"'),
        (_CHARSET, "basic_challenge_with_latin_1", 'Basic realm="token", charset="ISO-8859-1"'),
    ):
        fault(f"{_wrong}{_id}", _clause, _kind, f"The challenge is: {_text}.")(  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - both kinds are literals above
            lambda rules, condition=_condition, text=_text: (
                rules | Rules(challenge=when(_at_token(condition), lambda _call, _refusal: text, rules.challenge))
            )
        )
fault("no_challenge_at_all", _CHALLENGE, "plain", "A 401 has no challenge.")(
    lambda rules: rules | Rules(challenge=when(_token, lambda _call, _refusal: None, rules.challenge))
)
for _id, _condition in {
    "without_header": lambda call: not call.through_header,
    "on_wrong_assertion": by_error_path("wrong_assertion"),
    "on_no_authentication": by_error_path("no_authentication"),
    "on_malformed_credentials": by_error_path("malformed_credentials"),
}.items():
    fault(f"no_challenge_{_id}", _CHALLENGE, "partial", f"A 401 {_id.replace('_', ' ')} has no challenge.")(
        lambda rules, condition=_condition: (
            rules | Rules(challenge=when(_at_token(condition), lambda _call, _refusal: None, rules.challenge))
        )
    )


def _allow(endpoints: tuple[str, ...], value: str | None) -> Apply:
    """A 405 of these endpoints has this Allow, or none."""

    def apply(rules: Rules) -> Rules:
        def finish(call: Call, answer: Answer) -> Answer:
            if answer.status == 405 and (call.endpoint in endpoints or not endpoints):
                answer = answer.drop_header("allow") if value is None else answer.set_header("allow", value)
            return rules.finish(call, answer)

        return rules | Rules(finish=finish)

    return apply


fault("no_allow_with_405", _ALLOW, "plain", "No 405 has an Allow.")(_allow((), None))
for _name in ("token", "introspection", "authorization", "jwks"):
    fault(f"no_allow_with_405_of_{_name}", _ALLOW, "partial", f"A 405 of the {_name} endpoint has no Allow.")(
        _allow((_name,), None)
    )
fault("allow_names_what_was_refused", _ALLOW, "partial", "A 405 names methods that do not work.")(
    _allow(("token",), "OPTIONS, TRACE")
)


@fault("endpoint_with_a_fragment", "rfc6749:3.2/no-fragment-in-endpoint", "plain", "Metadata name one with a fragment.")
def endpoint_with_a_fragment(rules: Rules) -> Rules:
    """The token endpoint's URL ends in a fragment."""

    def metadata(call: Call) -> dict[str, Any]:
        found = rules.common_metadata(call)
        return found | {"token_endpoint": f"{found['token_endpoint']}#token"}

    return rules | Rules(common_metadata=metadata)


@fault("endpoint_with_an_empty_fragment", "rfc6749:3.2/no-fragment-in-endpoint", "partial", "It ends in a bare hash.")
def endpoint_with_an_empty_fragment(rules: Rules) -> Rules:
    """An empty fragment is one too."""

    def metadata(call: Call) -> dict[str, Any]:
        found = rules.common_metadata(call)
        return found | {"token_endpoint": f"{found['token_endpoint']}#"}

    return rules | Rules(common_metadata=metadata)


def _guessable(make: Callable[[int, str], str], condition: Condition = _always) -> Apply:
    """Handles are made of a counter and of what the lawful rule gives."""

    def apply(rules: Rules) -> Rules:
        numbers = itertools.count(1000)
        return rules | Rules(
            opaque_token=when(condition, lambda call: make(next(numbers), rules.opaque_token(call)), rules.opaque_token)
        )

    return apply


_128 = "rfc6749:10.10/guess-probability-128"
_160 = "rfc6749:10.10/guess-probability-160"
fault("handles_are_counted", _128, "plain", "Handles are numbers in a row.")(
    _guessable(lambda number, _chance: f"{number:032d}")
)
fault("handles_have_48_random_bits", _128, "partial", "Eight characters of a handle are random.")(
    _guessable(lambda _number, chance: "access-token-of-this-server-" + chance[:8])
)
fault("handles_are_counted_later", _128, "partial", "After some requests, handles are numbers in a row.")(
    _guessable(lambda number, _chance: f"{number:032d}", after_requests(3))
)
fault("handles_have_132_random_bits", _160, "plain", "22 characters of a handle are random.")(
    _guessable(lambda _number, chance: "access-token-" + chance[:22])
)
