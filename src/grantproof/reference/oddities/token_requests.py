"""Lawful but unusual ways to read a token request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from grantproof.reference.call import Answer, Refusal
from grantproof.reference.clients import RESOURCES
from grantproof.reference.form import Form
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.variants import Apply

_token = by_endpoint("token")


def _other_methods(status: int, media_type: str, body: bytes, *, allow: bool = False) -> Apply:
    """What is no POST gets this answer."""

    def apply(rules: Rules) -> Rules:
        def finish(call: Call, answer: Answer) -> Answer:
            if call.endpoint != "token" or call.method == "POST":
                return rules.finish(call, answer)
            headers = [("content-type", media_type), *((("allow", "OPTIONS, post, POST"),) if allow else ())]
            return Answer(status, headers, body)

        return rules | Rules(finish=finish)

    return apply


oddity("get_finds_nothing", "GET at the token endpoint gets a page with 404.", 13)(
    _other_methods(404, "text/html", b"<h1>Not found</h1>")
)
oddity("get_shows_a_page", "GET at the token endpoint shows a page with status 200.", 13)(
    _other_methods(200, "text/html", b"<h1>Token endpoint</h1>")
)
oddity("get_is_an_invalid_request", "GET at the token endpoint gets invalid_request.", 13)(
    _other_methods(400, "application/json", b'{"error":"invalid_request"}')
)
oddity("get_with_a_long_allow", "A 405 lists several methods.", 13)(
    _other_methods(405, "text/plain", b"Method not allowed", allow=True)
)


@oddity("raw_basic_is_accepted_too", "Basic credentials that are not form-encoded are accepted too.", 5, 6)
def raw_basic_is_accepted_too(rules: Rules) -> Rules:
    """Both readings are tried."""
    from base64 import b64decode  # noqa: PLC0415 - only this oddity reads credentials itself

    def parse(call: Call, credentials: str) -> tuple[str, str] | None:
        decoded = rules.parse_basic(call, credentials)
        known = rules.find_client(call, decoded[0]) if decoded else None
        if decoded is not None and rules.secret_matches(call, known, decoded[1]):
            return decoded
        try:
            raw = b64decode(credentials, validate=True).decode("utf-8")
        except ValueError:
            return decoded
        for client in call.server.clients.values():
            if client.secret and raw == f"{client.id}:{client.secret}":
                return client.id, client.secret
        return decoded

    return rules | Rules(parse_basic=parse)


@oddity("json_is_accepted_too", "A token request may come as JSON.", 14)
def json_is_accepted_too(rules: Rules) -> Rules:
    """Members of an object are parameters."""

    def parse(call: Call, raw: bytes) -> Form:
        if not call.headers.get("content-type", "").startswith("application/json"):
            return rules.parse_form(call, raw)
        try:
            document = json.loads(raw or b"{}")
        except ValueError:
            return Form()
        return Form(tuple((str(name), str(value)) for name, value in document.items()))

    return rules | Rules(
        parse_form=when(_token, parse, rules.parse_form),
        accept_media_type=when(
            _token,
            lambda call, sent: sent.startswith("application/json") or rules.accept_media_type(call, sent),
            rules.accept_media_type,
        ),
    )


@oddity("other_media_types_get_415", "A body that is no form gets status 415.", 14, 15)
def other_media_types_get_415(rules: Rules) -> Rules:
    """HTTP has a status for it."""
    return rules | Rules(
        error_status=when(lambda call: call.error_path == "media_type", lambda _call, _refusal: 415, rules.error_status)
    )


@oddity("repeated_unknown_parameters_are_refused", "A parameter that nobody knows must not come twice.", 16, 17)
def repeated_unknown_parameters_are_refused(rules: Rules) -> Rules:
    """Every repeat is refused."""

    def find(_call: Call, form: Form) -> tuple[str, ...]:
        names = [name for name, _ in form.pairs]
        return tuple(dict.fromkeys(name for name in names if names.count(name) > 1))

    return rules | Rules(find_repeats=when(_token, find, rules.find_repeats))


@oddity("resource_may_be_repeated", "resource and audience are known, and may come several times.", 16)
def resource_may_be_repeated(rules: Rules) -> Rules:
    """Their own specifications let them."""
    extra = frozenset(("resource", "audience"))

    def find(call: Call, form: Form) -> tuple[str, ...]:
        return tuple(name for name in rules.find_repeats(call, form) if name not in extra)

    return rules | Rules(
        recognised_parameters=when(
            _token, lambda call: rules.recognised_parameters(call) | extra, rules.recognised_parameters
        ),
        find_repeats=find,
    )


@oddity("no_scope_at_all", "The server has no scopes: it ignores the parameter and names what it gives.", 22, 23)
def no_scope_at_all(rules: Rules) -> Rules:
    """Every client gets its default."""

    def choose(call: Call, client: object) -> tuple[str, ...] | Refusal:
        known = call.client
        if call.endpoint != "token" or known is None:
            return rules.choose_scope(call, client)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - a Client, handed on
        return known.default_scope

    return rules | Rules(
        choose_scope=choose,
        report_scope=when(_token, lambda _call, _requested, granted: bool(granted), rules.report_scope),
    )


oddity("get_leads_to_the_manual", "GET at the token endpoint is sent on to the documentation.", 13)(
    lambda rules: (
        rules
        | Rules(
            finish=when(
                lambda call: call.endpoint == "token" and call.method != "POST",
                lambda _call, _answer: Answer(302, [("location", "https://docs.example/token-endpoint")]),
                rules.finish,
            )
        )
    )
)


@oddity("client_comes_before_parameters", "A broken parameter is told only to clients that have authenticated.", 12, 16)
def client_comes_before_parameters(rules: Rules) -> Rules:
    """Of two faults the other one is told."""

    def read(call: Call) -> Refusal | None:
        refusal = rules.read_form_request(call)
        if refusal is not None and refusal.path in {"repeated_parameter", "malformed_parameter"}:
            return rules.authenticate_client(call) or refusal
        return refusal

    return rules | Rules(read_form_request=when(_token, read, rules.read_form_request))


@oddity("resources_are_known_by_name", "The parameter resource must name a resource that there is.", 17)
def resources_are_known_by_name(rules: Rules) -> Rules:
    """The parameter belongs to RFC 8707."""

    def check(call: Call) -> Refusal | None:
        named = call.parameters.all("resource")
        known = call.server.url("resource")
        unknown = (
            Refusal("invalid_target", "unknown_resource", "resource") if set(named) - {known, *RESOURCES} else None
        )
        return rules.check_grant(call) or unknown

    return rules | Rules(check_grant=check)
