"""Faults of client authentication: what stands for a secret, and how credentials are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.form import decode_component
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.variants import Apply, Condition

_ALONE = "rfc6749:2.2/client-id-alone"
_BASIC = "rfc6749:2.3.1/basic"
_ENCODED = "rfc6749:2.3.1/form-urlencoded-credentials"
_URI = "rfc6749:2.3.1/credentials-not-in-uri"
_SECRET = "rfc6749:4.4.2/client-authenticated"  # noqa: S105 - a clause
_NAMED = "rfc6749:3.2.1/client-id-parameter"


def _always(_call: Call) -> bool:
    return True


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


def _not_allowed(method: str, condition: Condition = _always) -> Apply:
    def apply(rules: Rules) -> Rules:
        def allowed(call: Call, client: Client) -> tuple[str, ...]:
            known = rules.allowed_auth_methods(call, client)
            return tuple(each for each in known if each != method) if condition(call) else known

        return rules | Rules(allowed_auth_methods=allowed)

    return apply


fault("basic_is_not_supported", _BASIC, "plain", "HTTP Basic is refused.")(_not_allowed("client_secret_basic"))
fault("basic_is_not_supported_for_jwts", _BASIC, "partial", "HTTP Basic is refused to clients that get JWTs.")(
    _not_allowed(
        "client_secret_basic",
        lambda call: call.claimed_client is not None and call.claimed_client.token_format == "jwt",  # noqa: S105 - a format
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
