"""Lawful rules for reading a request: method, media type, parameters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.form import Form
from grantproof.reference.form import parse_form as parse_pairs

if TYPE_CHECKING:
    from grantproof.reference.call import Call

FORM = "application/x-www-form-urlencoded"
METHODS = {
    "token": ("POST",),
    "introspection": ("POST",),
    "revocation": ("POST",),
    "authorization": ("GET", "HEAD", "POST"),
    "login": ("POST",),
    "consent": ("GET", "HEAD", "POST"),
    "resource": ("GET", "HEAD", "POST"),
    "jwks": ("GET", "HEAD"),
    "registration": ("POST", "DELETE"),
    "metadata": ("GET", "HEAD"),
    "openid_metadata": ("GET", "HEAD"),
    "appended_metadata": ("GET", "HEAD"),
}
_CREDENTIALS = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
RECOGNISED = {
    "token": frozenset(("grant_type", "scope", *_CREDENTIALS)),
    "introspection": frozenset(("token", "token_type_hint", *_CREDENTIALS)),
    "revocation": frozenset(("token", "token_type_hint", *_CREDENTIALS)),
    "authorization": frozenset(
        ("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce", "prompt", "max_age")
    ),
    "resource": frozenset(("access_token",)),
}


def allowed_methods(call: Call) -> tuple[str, ...]:
    """The methods an endpoint answers.

    Source: RFC 6749 sections 3.1 and 3.2; RFC 9110 section 15.5.6.
    """
    return METHODS[call.endpoint]


def body_limit(call: Call) -> int:
    """The largest body that is read, in bytes."""
    del call
    return 65536


def accept_media_type(call: Call, content_type: str) -> bool:
    """Whether a body of this Content-Type is read as a form; its parameters do not matter, nor does letter case.

    Source: RFC 6749 section 4.4.2 and appendix B; RFC 9110 section 8.3.1.
    """
    del call
    return content_type.partition(";")[0].strip().lower() == FORM


def parse_form(call: Call, raw: bytes) -> Form:
    """The parameters in a query or a body, as sent.

    Source: RFC 6749 appendix B.
    """
    del call
    return parse_pairs(raw)


def request_parameters(call: Call) -> Form:
    """The parameters that count: of a POST its body, of a GET its query; never both.

    Source: RFC 6749 sections 2.3.1, 3.1 and 3.2.
    """
    return call.body if call.method == "POST" else call.query


def drop_empty(call: Call, form: Form) -> Form:
    """The parameters without those that have no value, which count as left out.

    Source: RFC 6749 sections 3.1 and 3.2.
    """
    del call
    return form.without_empty()


def recognised_parameters(call: Call) -> frozenset[str]:
    """The parameters an endpoint knows; all others are ignored.

    Source: RFC 6749 sections 3.1 and 3.2.
    """
    return RECOGNISED.get(call.endpoint, frozenset())


def find_repeats(call: Call, form: Form) -> tuple[str, ...]:
    """The recognised parameters that come more than once.

    Source: RFC 6749 sections 3.1 and 3.2.
    """
    names = [name for name, _ in form.pairs]
    if len(set(names)) == len(names):
        return ()
    known = call.rules.recognised_parameters(call)
    return tuple(name for name, count in Counter(names).items() if count > 1 and name in known)


def find_malformed(call: Call, form: Form) -> tuple[str, ...]:
    """The recognised parameters whose value is not form-encoded UTF-8.

    Source: RFC 6749 appendix B.
    """
    if not form.malformed:
        return ()
    known = call.rules.recognised_parameters(call)
    return tuple(sorted(name for name in form.malformed if name in known))


def read_form_request(call: Call) -> Refusal | None:
    """Reads the parameters of a back-channel request into the call, or says why not.

    Source: RFC 6749 sections 3.2 and 5.2; RFC 7009 section 2.1; RFC 7662 section 2.1.
    """
    rules = call.rules
    if call.method not in rules.allowed_methods(call):
        return Refusal("invalid_request", "method")
    if call.body_too_large:
        return Refusal("invalid_request", "body_too_large")
    content_type = call.headers.get("content-type", "")
    if not rules.accept_media_type(call, content_type):
        return Refusal("invalid_request", "media_type")
    call.body = rules.parse_form(call, call.raw_body)
    call.parameters = rules.drop_empty(call, rules.request_parameters(call))
    malformed = rules.find_malformed(call, call.parameters)
    if malformed:
        return Refusal("invalid_request", "malformed_parameter", malformed[0])
    repeated = rules.find_repeats(call, call.parameters)
    if repeated:
        return Refusal("invalid_request", "repeated_parameter", repeated[0])
    return None
