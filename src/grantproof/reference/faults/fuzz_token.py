"""Faults of the token endpoint that only unusual input meets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grantproof.reference.call import Answer, Attempt, Refusal
from grantproof.reference.form import Form
from grantproof.reference.form import parse_form as parse_pairs
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_HEADER_LINE = re.compile(r"([\w-]+): ([\x20-\x7e]*)")
_LOWER_ESCAPE = re.compile(rb"%(?=[0-9][a-f]|[a-f][0-9a-f])")


def _breaks(rules: Rules, condition: Callable[[Call], bool]) -> Rules:
    """The rules of a server that breaks down on some calls to the token endpoint."""

    def finish(call: Call, answer: Answer) -> Answer:
        if call.endpoint == "token" and condition(call):
            return Answer(500, [("content-type", "text/plain")], b"Internal Server Error")
        return rules.finish(call, answer)

    return rules | Rules(finish=finish)


def _secret(call: Call) -> str:
    return next((attempt.secret for attempt in call.attempts if attempt.secret), "")


@fault("breaks_on_client_id_not_utf8", "rfc6749:A.1/client-id", "plain", "A client_id that is no UTF-8 gets 500.")
def breaks_on_client_id_not_utf8(rules: Rules) -> Rules:
    """The identifier is decoded without care."""
    return _breaks(rules, lambda call: "client_id" in call.body.malformed)


@fault("breaks_on_client_id_with_nul", "rfc6749:A.1/client-id", "partial", "A zero octet in client_id gets 500.")
def breaks_on_client_id_with_nul(rules: Rules) -> Rules:
    """A database refuses the octet."""
    return _breaks(rules, lambda call: "\0" in (call.body.get("client_id") or ""))


@fault("breaks_on_secret_beyond_ascii", "rfc6749:A.2/client-secret", "plain", "A secret beyond ASCII gets 500.")
def breaks_on_secret_beyond_ascii(rules: Rules) -> Rules:
    """Secrets are compared as ASCII."""
    return _breaks(rules, lambda call: _BEYOND_ASCII.search(_secret(call)) is not None)


@fault("breaks_on_basic_not_utf8", "rfc6749:A.2/client-secret", "partial", "Basic that is no UTF-8 gets 500.")
def breaks_on_basic_not_utf8(rules: Rules) -> Rules:
    """Only the header is decoded without care."""
    return _breaks(rules, lambda call: call.error_path == "malformed_credentials" and call.through_header)


@fault(
    "breaks_on_basic_beyond_ascii",
    "rfc6749:5.2/authorization-header-401",
    "partial",
    "Octets beyond ASCII in the Authorization header get 500.",
)
def breaks_on_basic_beyond_ascii(rules: Rules) -> Rules:
    """A decoder of Base64 takes ASCII only, and nobody catches what it raises."""
    return _breaks(rules, lambda call: _BEYOND_ASCII.search(call.headers.get("authorization", "")) is not None)


def _compares(rules: Rules, change: Callable[[str], str]) -> Rules:
    return rules | Rules(
        secret_matches=lambda call, client, secret: (
            rules.secret_matches(call, client, secret)
            or (client is not None and bool(client.secret) and change(secret) == change(client.secret))
        )
    )


@fault(
    "secret_without_space_around", "rfc6749:4.4.2/client-authenticated", "partial", "Space around a secret is ignored."
)
def secret_without_space_around(rules: Rules) -> Rules:
    """Secrets are trimmed before they are compared."""
    return _compares(rules, str.strip)


@fault("secret_ends_at_nul", "rfc6749:4.4.2/client-authenticated", "partial", "A secret ends at the first zero octet.")
def secret_ends_at_nul(rules: Rules) -> Rules:
    """Secrets are compared as C strings."""
    return _compares(rules, lambda secret: secret.partition("\0")[0])


@fault("secret_in_any_case", "rfc6749:4.4.2/client-authenticated", "partial", "Letter case of a secret is ignored.")
def secret_in_any_case(rules: Rules) -> Rules:
    """A collation without case compares."""
    return _compares(rules, str.lower)


@fault(
    "blank_secret_by_basic", "rfc6749:4.4.2/client-authenticated", "partial", "A secret of spaces alone is accepted."
)
def blank_secret_by_basic(rules: Rules) -> Rules:
    """A blank secret counts as none to be checked, through the header."""
    lenient = _compares(rules, lambda secret: secret)
    return lenient | Rules(
        secret_matches=when(
            lambda call: call.auth_method == "client_secret_basic" and not _secret(call).strip(),
            lambda _call, client, _secret: client is not None,
            rules.secret_matches,
        )
    )


@fault("breaks_on_grant_type_with_control", "rfc6749:A.10/grant-type", "plain", "A control in grant_type gets 500.")
def breaks_on_grant_type_with_control(rules: Rules) -> Rules:
    """The grant type goes into a log that refuses controls."""
    return _breaks(rules, lambda call: _CONTROL.search(call.body.get("grant_type") or "") is not None)


@fault("grant_type_not_utf8_is_taken", "rfc6749:A.10/grant-type", "partial", "A grant_type beyond UTF-8 is granted.")
def grant_type_not_utf8_is_taken(rules: Rules) -> Rules:
    """What cannot be decoded falls back to the only grant there is."""

    def parse(call: Call, raw: bytes) -> Form:
        form = rules.parse_form(call, raw)
        if call.endpoint != "token" or "grant_type" not in form.malformed:
            return form
        pairs = tuple((name, "client_credentials" if name == "grant_type" else value) for name, value in form.pairs)
        return Form(pairs, form.malformed - {"grant_type"})

    return rules | Rules(parse_form=parse)


@fault("grants_scope_beyond_ascii", "rfc6749:5.2/invalid-scope", "partial", "A scope beyond ASCII is granted as asked.")
def grants_scope_beyond_ascii(rules: Rules) -> Rules:
    """The grammar of scope is checked for ASCII alone."""

    def choose(call: Call, client: Client) -> tuple[str, ...] | Refusal:
        text = call.parameters.get("scope") or ""
        if not _BEYOND_ASCII.search(text):
            return rules.choose_scope(call, client)
        call.requested_scope = tuple(text.split(" "))
        return call.requested_scope

    return rules | Rules(choose_scope=when(by_endpoint("token"), choose, rules.choose_scope))


@fault("refuses_quotes_anywhere", "rfc6749:3.2/unknown-parameter", "partial", "A quote in any value is refused.")
def refuses_quotes_anywhere(rules: Rules) -> Rules:
    """A filter against injection looks at parameters that nobody knows."""

    def read(call: Call) -> Refusal | None:
        refusal = rules.read_form_request(call)
        quoted = any("'" in value for _, value in call.parameters.pairs)
        return refusal or (Refusal("invalid_request", "malformed_parameter") if quoted else None)

    return rules | Rules(read_form_request=when(by_endpoint("token"), read, rules.read_form_request))


@fault(
    "repeats_beyond_ascii_unnoticed",
    "rfc6749:3.2/repeated-request-parameter",
    "partial",
    "A repeated parameter is not noticed where a value has odd characters.",
)
def repeats_beyond_ascii_unnoticed(rules: Rules) -> Rules:
    """A value with a character that is no letter, digit or underscore is thrown away before repeats are counted."""

    def parse(call: Call, raw: bytes) -> Form:
        form = rules.parse_form(call, raw)
        kept = tuple(pair for pair in form.pairs if not (pair[0] == "scope" and re.search(r"[^\w ]", pair[1])))
        return Form(kept, form.malformed - {"scope"})

    return rules | Rules(parse_form=when(by_endpoint("token"), parse, rules.parse_form))


@fault("lower_case_escapes_stay", "rfc6749:B/form-decoded", "partial", "Escapes in lower case are not decoded.")
def lower_case_escapes_stay(rules: Rules) -> Rules:
    """Only upper-case digits count as an escape."""
    return rules | Rules(
        parse_form=when(
            by_endpoint("token"), lambda _call, raw: parse_pairs(_LOWER_ESCAPE.sub(b"%25", raw)), rules.parse_form
        )
    )


@fault("html_for_bodies_not_utf8", "rfc6749:5.2/json-object", "partial", "A body with a bare octet gets HTML.")
def html_for_bodies_not_utf8(rules: Rules) -> Rules:
    """The framework answers before the endpoint does."""

    def finish(call: Call, answer: Answer) -> Answer:
        if call.endpoint == "token" and not call.raw_body.isascii():
            return Answer(400, [("content-type", "text/html")], b"<h1>Bad Request</h1>")
        return rules.finish(call, answer)

    return rules | Rules(finish=finish)


@fault("breaks_on_half_escapes", "rfc6749:5.2/status-400", "partial", "A percent sign without digits gets 500.")
def breaks_on_half_escapes(rules: Rules) -> Rules:
    """Escapes are decoded without care."""
    return _breaks(rules, lambda call: re.search(rb"%(?![0-9A-Fa-f]{2})", call.raw_body) is not None)


@fault(
    "description_repeats_the_scope_raw",
    "rfc6749:5.2/error-description-charset",
    "partial",
    "A bad scope is named as it came.",
)
def description_repeats_the_scope_raw(rules: Rules) -> Rules:
    """The description of one error repeats what was sent."""
    return rules | Rules(
        error_description=when(
            lambda call: call.endpoint == "token" and call.error_path in {"unknown_scope", "malformed_scope"},
            lambda call, _refusal: f"unknown scope {call.parameters.get('scope')}",
            rules.error_description,
        )
    )


@fault("scope_becomes_a_header", "rfc6749:10.14/sanitized-values", "partial", "A bad scope is repeated in a header.")
def scope_becomes_a_header(rules: Rules) -> Rules:
    """Line ends in a value end the header line, too."""

    def finish(call: Call, answer: Answer) -> Answer:
        answer = rules.finish(call, answer)
        if call.endpoint == "token" and call.refusal and call.refusal.subject == "scope":
            first, *rest = (call.parameters.get("scope") or "").splitlines()
            lines = [f"x-refused-scope: {first}", *rest]
            answer.headers += [(found[1], found[2]) for found in map(_HEADER_LINE.fullmatch, lines) if found]
        return answer

    return rules | Rules(finish=finish)


@fault("unknown_methods_are_post", "rfc6749:3.2/post-only", "partial", "A method nobody knows is served like POST.")
def unknown_methods_are_post(rules: Rules) -> Rules:
    """Only the known methods are told apart."""
    known = {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return rules | Rules(
        allowed_methods=when(
            lambda call: call.endpoint == "token" and call.method not in known,
            lambda call: (call.method,),
            rules.allowed_methods,
        ),
        request_parameters=when(by_endpoint("token"), lambda call: call.body, rules.request_parameters),
    )


@fault(
    "unreadable_credentials_are_anybody",
    "rfc6749:3.2.1/client-authentication",
    "partial",
    "Basic credentials that cannot be read authenticate the first client.",
)
def unreadable_credentials_are_anybody(rules: Rules) -> Rules:
    """An exception in the decoder leaves a default in place."""

    def authenticate(call: Call) -> Refusal | None:
        refusal = rules.authenticate_client(call)
        if refusal is None or refusal.path != "malformed_credentials":
            return refusal
        call.client = next(iter(call.server.clients.values()))
        return None

    return rules | Rules(authenticate_client=when(by_endpoint("token"), authenticate, rules.authenticate_client))


@fault("quote_ends_the_query", "rfc6749:2.2/client-id-alone", "partial", "A quote in any value stands for the secret.")
def quote_ends_the_query(rules: Rules) -> Rules:
    """Values go into a query as they came."""

    def proves(call: Call, client: Client | None, attempt: Attempt) -> bool:
        injected = any("'" in value for _, value in call.parameters.pairs)
        return rules.proves_client(call, client, attempt) or (injected and client is not None)

    return rules | Rules(
        proves_client=when(by_method("none"), proves, rules.proves_client),
        allowed_auth_methods=lambda call, client: (*rules.allowed_auth_methods(call, client), "none"),
    )


@fault("breaks_on_names_not_utf8", "rfc6749:B/utf-8-encoded", "partial", "A name that is no UTF-8 gets 500.")
def breaks_on_names_not_utf8(rules: Rules) -> Rules:
    """Names are decoded without care."""

    def unreadable(call: Call) -> bool:
        return any("\udc80" <= character <= "\udcff" for name, _ in call.body.pairs for character in name)

    return _breaks(rules, unreadable)
