"""Faults of client authentication: who gets a token, and how credentials are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.form import decode_component
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Attempt, Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.variants import Apply, Condition

    Attempts = tuple[Attempt, ...]

_ALONE = "rfc6749:2.2/client-id-alone"
_ONE = "rfc6749:2.3/one-authentication-method"
_BASIC = "rfc6749:2.3.1/basic"
_ENCODED = "rfc6749:2.3.1/form-urlencoded-credentials"
_URI = "rfc6749:2.3.1/credentials-not-in-uri"
_SECRET = "rfc6749:4.4.2/client-authenticated"  # noqa: S105 - a clause
_MAPPING = "rfc6749:2.3.2/identity-mapping"
_AUTHENTICATED = "rfc6749:3.2.1/client-authentication"
_NAMED = "rfc6749:3.2.1/client-id-parameter"
_PUBLIC = "rfc6749:4.4/confidential-only"
_MULTIPLE = "rfc6749:5.2/multiple-credentials"
_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")
_BY_SECRET = by_method("client_secret_basic", "client_secret_post")


def _always(_call: Call) -> bool:
    return True


# What stands for a secret.


def _secret(condition: Condition, accepts: Callable[[Call, Client, str], bool]) -> Apply:
    """A secret is also right where `accepts` says so."""

    def apply(rules: Rules) -> Rules:
        def matches(call: Call, client: Client | None, secret: str) -> bool:
            lax = client is not None and condition(call) and accepts(call, client, secret)
            return lax or rules.secret_matches(call, client, secret)

        return rules | Rules(secret_matches=matches)

    return apply


def _same_half(_call: Call, client: Client, secret: str) -> bool:
    return bool(client.secret) and secret[: len(client.secret) // 2] == client.secret[: len(client.secret) // 2]


def _is_prefix(_call: Call, client: Client, secret: str) -> bool:
    return bool(secret) and client.secret.startswith(secret)


def _has_prefix(_call: Call, client: Client, secret: str) -> bool:
    return bool(client.secret) and secret.startswith(client.secret)


def _of_anyone(call: Call, client: Client, secret: str) -> bool:
    return bool(client.secret) and any(secret == other.secret for other in call.server.clients.values())


_LAX: dict[str, tuple[str, Callable[[Call, Client, str], bool]]] = {
    "anything": ("Any secret will do", lambda _call, _client, _secret: True),
    "anything_but_nothing": ("Any secret that is not empty will do", lambda _call, _client, secret: bool(secret)),
    "its_first_half": ("The first half of a secret is compared", _same_half),
    "its_beginning": ("A beginning of the secret will do", _is_prefix),
    "more_than_itself": ("What follows the secret is not compared", _has_prefix),
    "other_letter_case": (
        "Letter case of a secret does not matter",
        lambda _call, client, secret: bool(secret) and secret.lower() == client.secret.lower(),
    ),
    "surrounding_spaces": (
        "Spaces around a secret do not matter",
        lambda _call, client, secret: bool(client.secret) and secret.strip() == client.secret,
    ),
    "secret_of_anyone": ("The secret of any client will do", _of_anyone),
}
for _name, (_words, _accepts) in _LAX.items():
    fault(
        f"secret_may_be_{_name}",
        _SECRET,
        "plain" if _name == "anything" else "partial",
        f"{_words}.",
    )(_secret(_always, _accepts))
for _method in ("client_secret_basic", "client_secret_post"):
    for _name in ("anything", "its_beginning", "secret_of_anyone"):
        fault(
            f"secret_may_be_{_name}_by_{_method}",
            _SECRET,
            "partial",
            f"{_LAX[_name][0]}, by {_method} only.",
        )(_secret(by_method(_method), _LAX[_name][1]))
fault("accepts_wrong_secret_by_body", "rfc6749:5.2/invalid-client", "partial", "Any secret in the body will do.")(
    _secret(by_method("client_secret_post"), _LAX["anything"][1])
)
fault("empty_secret_is_enough", _ALONE, "partial", "An empty secret by Basic will do.")(
    _secret(by_method("client_secret_basic"), lambda _call, _client, secret: not secret)
)
for _method in ("client_secret_basic", "client_secret_post"):
    fault(f"identifier_is_a_secret_by_{_method}", _ALONE, "partial", f"The identifier is a secret too, by {_method}.")(
        _secret(by_method(_method), lambda _call, client, secret: secret == client.id)
    )


# Identifiers without proof.


def _unproven(condition: Callable[[Call, Client], bool]) -> Apply:
    """An identifier without any proof authenticates the clients that meet the condition."""

    def apply(rules: Rules) -> Rules:
        def allowed(call: Call, client: Client) -> tuple[str, ...]:
            lax = call.endpoint == "token" and condition(call, client)
            return (*rules.allowed_auth_methods(call, client), *(("none",) if lax else ()))

        def proves(call: Call, client: Client | None, attempt: Attempt) -> bool:
            if client is not None and attempt.method == "none" and condition(call, client):
                return True
            return rules.proves_client(call, client, attempt)

        return rules | Rules(allowed_auth_methods=allowed, proves_client=proves)

    return apply


fault("identifier_alone_is_enough", _ALONE, "plain", "Every client is believed to be who it says.")(
    _unproven(lambda _call, _client: True)
)
fault("identifier_alone_is_enough_with_a_key", _ALONE, "partial", "Clients without a secret are believed.")(
    _unproven(lambda _call, client: not client.secret)
)


def _nobody(condition: Condition) -> Apply:
    """A request that shows no client at all is served as the first client that has the grant."""

    def apply(rules: Rules) -> Rules:
        def authenticate(call: Call) -> Refusal | None:
            refusal = rules.authenticate_client(call)
            nameless = call.endpoint == "token" and not any(each.client_id for each in call.attempts)
            if refusal is None or not nameless or not condition(call):
                return refusal
            call.client = next(each for each in call.server.clients.values() if "client_credentials" in each.grants)
            return None

        return rules | Rules(authenticate_client=authenticate)

    return apply


fault("nobody_is_the_first_client", _AUTHENTICATED, "plain", "A request without a client is served.")(_nobody(_always))
fault("nothing_at_all_is_served", _AUTHENTICATED, "partial", "A request without client and header is served.")(
    _nobody(lambda call: not call.through_header)
)
fault("unknown_header_is_served", _AUTHENTICATED, "partial", "A header of an unknown scheme authenticates.")(
    _nobody(lambda call: any(each.method == "unknown_scheme" for each in call.attempts))
)
fault("broken_basic_is_served", _AUTHENTICATED, "partial", "Basic without an identifier authenticates.")(
    _nobody(lambda call: call.auth_method == "client_secret_basic")
)


def _public(condition: Condition, *, grants: bool = True) -> Apply:
    """Public clients may use client credentials where the condition holds."""

    def apply(rules: Rules) -> Rules:
        def may(call: Call, client: Client, grant: str) -> bool:
            return (client.public and condition(call)) or rules.client_may_use_grant(call, client, grant)

        def allowed(call: Call, client: Client) -> tuple[str, ...]:
            extra = _METHODS[:2] if client.public and condition(call) else ()
            return (*rules.allowed_auth_methods(call, client), *extra)

        def matches(call: Call, client: Client | None, secret: str) -> bool:
            empty = client is not None and client.public and condition(call) and secret == client.secret
            return empty or rules.secret_matches(call, client, secret)

        return rules | Rules(
            client_may_use_grant=may if grants else rules.client_may_use_grant,
            allowed_auth_methods=allowed,
            secret_matches=matches,
        )

    return apply


fault("public_clients_are_served", _PUBLIC, "plain", "Public clients may use client credentials.")(_public(_always))
fault("public_clients_are_served_by_name", _PUBLIC, "partial", "A public client's identifier brings a token.")(
    _public(by_method("none"))
)
fault("public_clients_are_served_by_basic", _PUBLIC, "partial", "Basic with an empty secret brings a token.")(
    _public(by_method("client_secret_basic"))
)


# More than one proof.


def _first_attempt_counts(rules: Rules) -> Rules:
    return rules | Rules(attempts_conflict=lambda _call, _attempts: False)


def _last_attempt_counts(rules: Rules) -> Rules:
    return rules | Rules(
        attempts_conflict=lambda _call, _attempts: False,
        find_attempts=lambda call: tuple(reversed(rules.find_attempts(call))),
        client_id_agrees=lambda _call, _attempt: True,
    )


def _agreeing_attempts_count(condition: Condition) -> Apply:
    """Two attempts are fine as long as both are right."""

    def apply(rules: Rules) -> Rules:
        def conflict(call: Call, attempts: Attempts) -> bool:
            if not condition(call) or len(attempts) < 2:
                return rules.attempts_conflict(call, attempts)
            known = [rules.find_client(call, each.client_id or "") for each in attempts]
            return not all(rules.proves_client(call, *pair) for pair in zip(known, attempts, strict=True))

        return rules | Rules(attempts_conflict=conflict)

    return apply


fault("header_beats_body", _MULTIPLE, "plain", "The body's credentials are not looked at beside a header.")(
    _first_attempt_counts
)
fault("body_beats_header", _MULTIPLE, "partial", "The header is not looked at beside credentials in the body.")(
    _last_attempt_counts
)
fault("header_beats_body_either_way", _ONE, "plain", "Two authentication methods in one request are fine.")(
    _first_attempt_counts
)
fault("two_right_methods_are_served", _ONE, "partial", "Two authentication methods are fine if both are right.")(
    _agreeing_attempts_count(_always)
)


def _becomes_named(condition: Condition) -> Apply:
    """The client that a request names in its body counts, whoever authenticated."""

    def apply(rules: Rules) -> Rules:
        def authenticate(call: Call) -> Refusal | None:
            refusal = rules.authenticate_client(call)
            named = rules.find_client(call, call.parameters.get("client_id") or "")
            if refusal is None and named is not None and condition(call):
                call.client = named
            return refusal

        return rules | Rules(
            authenticate_client=authenticate,
            client_id_agrees=when(condition, lambda _call, _attempt: True, rules.client_id_agrees),
        )

    return apply


fault("named_client_counts", _MULTIPLE, "partial", "After Basic the client_id in the body counts.")(
    _becomes_named(by_method("client_secret_basic"))
)
fault("assertion_serves_the_named_client", _MAPPING, "plain", "After an assertion the client_id in the body counts.")(
    _becomes_named(by_method("private_key_jwt", "client_secret_jwt"))
)
for _method in ("private_key_jwt", "client_secret_jwt"):
    fault(
        f"assertion_serves_the_named_client_by_{_method}",
        _MAPPING,
        "partial",
        f"After {_method} the client_id in the body counts.",
    )(_becomes_named(by_method(_method)))


# How credentials are read.


def _not_allowed(method: str, condition: Condition = _always) -> Apply:
    def apply(rules: Rules) -> Rules:
        def allowed(call: Call, client: Client) -> tuple[str, ...]:
            known = rules.allowed_auth_methods(call, client)
            return tuple(each for each in known if each != method) if condition(call) else known

        return rules | Rules(allowed_auth_methods=allowed)

    return apply


fault("basic_is_not_supported", _BASIC, "plain", "HTTP Basic is refused.")(_not_allowed("client_secret_basic"))
fault("basic_is_not_supported_for_handles", _BASIC, "partial", "HTTP Basic is refused to clients that get handles.")(
    _not_allowed(
        "client_secret_basic",
        lambda call: call.claimed_client is not None and call.claimed_client.token_format == "opaque",  # noqa: S105 - a format
    )
)


def _decoding(decode: Callable[[bytes], str | None]) -> Apply:
    return lambda rules: rules | Rules(decode_basic_part=lambda _call, raw: decode(raw))


fault("basic_credentials_not_decoded", _ENCODED, "plain", "Basic is taken literally.")(
    _decoding(lambda raw: raw.decode("utf-8", "replace"))
)
fault("plus_in_basic_stays_a_plus", _ENCODED, "partial", "A plus in Basic credentials is not a space.")(
    _decoding(lambda raw: decode_component(raw.replace(b"+", b"%2B"))[0])
)
fault("percent_20_in_basic_stays", _ENCODED, "partial", "Basic credentials are decoded but for %20.")(
    _decoding(lambda raw: decode_component(raw.replace(b"%20", b"%2520"))[0])
)
fault("lower_case_hex_in_basic_stays", _ENCODED, "partial", "Escapes in Basic credentials must be in capitals.")(
    _decoding(
        lambda raw: (
            None if any(part[:2] != part[:2].upper() for part in raw.split(b"%")[1:]) else decode_component(raw)[0]
        )
    )
)
fault("needless_escapes_in_basic_are_refused", _ENCODED, "partial", "Only reserved characters may be escaped.")(
    _decoding(
        lambda raw: (
            None
            if any(bytes.fromhex(part[:2].decode()).isalnum() for part in raw.split(b"%")[1:])
            else decode_component(raw)[0]
        )
    )
)


def _colon_after_decoding(rules: Rules) -> Rules:
    def parse(call: Call, credentials: str) -> tuple[str, str] | None:
        found = rules.parse_basic(call, credentials)
        if found is None:
            return None
        name, _, secret = ":".join(found).partition(":")
        return name, secret

    return rules | Rules(parse_basic=parse)


fault("basic_is_split_after_decoding", _ENCODED, "partial", "An escaped colon in an identifier parts it.")(
    _colon_after_decoding
)


@fault("scheme_must_be_capitalised", "rfc9110:11.1/scheme-case", "plain", "The scheme must be written Basic.")
def scheme_must_be_capitalised(rules: Rules) -> Rules:
    """Letter case of the scheme matters."""
    return rules | Rules(same_scheme=lambda _call, sent, _known: sent == "Basic")


@fault("scheme_must_not_be_in_capitals", "rfc9110:11.1/scheme-case", "partial", "BASIC is unknown; basic is not.")
def scheme_must_not_be_in_capitals(rules: Rules) -> Rules:
    """Two spellings are known."""
    return rules | Rules(same_scheme=lambda _call, sent, _known: sent in {"Basic", "basic"})


def _from_query(names: tuple[str, ...], condition: Condition = _always) -> Apply:
    """Parameters of the query count where the body has none of that name."""

    def apply(rules: Rules) -> Rules:
        def parameters(call: Call) -> object:
            form = rules.request_parameters(call)
            if call.endpoint != "token" or call.method != "POST" or not condition(call):
                return form
            extra = tuple(pair for pair in call.query.pairs if pair[0] in names and form.get(pair[0]) is None)
            return type(form)(form.pairs + extra, form.malformed)

        return rules | Rules(request_parameters=parameters)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - a Form, whose class only the rules know

    return apply


fault("query_counts", _URI, "plain", "Parameters of the token request may stand in the query.")(
    _from_query(("grant_type", "scope", "client_id", "client_secret"))
)
fault("secret_in_the_query_counts", _URI, "partial", "The secret may stand in the query.")(
    _from_query(("client_secret",))
)
fault("query_counts_for_an_empty_body", _URI, "partial", "The query counts where the body is empty.")(
    _from_query(("grant_type", "scope", "client_id", "client_secret"), lambda call: not call.raw_body)
)


@fault("name_beside_basic_is_a_second_method", _NAMED, "plain", "client_id beside a header is refused.")
def name_beside_basic_is_a_second_method(rules: Rules) -> Rules:
    """The client's name counts as an attempt to authenticate."""
    return rules | Rules(
        attempts_conflict=when(
            by_endpoint("token"),
            lambda call, attempts: (
                rules.attempts_conflict(call, attempts)
                or (call.through_header and call.parameters.get("client_id") is not None)
            ),
            rules.attempts_conflict,
        )
    )


@fault("no_limit_to_guessing", "rfc6749:2.3.1/brute-force", "plain", "Wrong secrets may be tried without end.")
def no_limit_to_guessing(rules: Rules) -> Rules:
    """Nobody ever has to wait."""
    return rules | Rules(must_wait=lambda _call, _client: False)
