"""Faults of access tokens in JWT form: what they say (RFC 9068), and who believes a forged one."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from grantproof.reference.clients import RESOURCES
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_grant, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import TokenRecord

Claims = dict[str, Any]
IMPLICIT = by_grant("implicit")
SERVICE = by_grant("client_credentials")


def _always(_call: Call) -> bool:
    return True


def _claims(rules: Rules, change: Callable[[Claims], Claims], where: Callable[[Call], bool] = _always) -> Rules:
    """The rules with other claims in access tokens."""

    def claims(call: Call, client: Client, record: TokenRecord) -> Claims:
        return change(rules.token_claims(call, client, record))

    return rules | Rules(token_claims=when(where, claims, rules.token_claims))


def _header(rules: Rules, change: Claims, where: Callable[[Call], bool] = _always) -> Rules:
    """The rules with another header of access tokens."""

    def header(call: Call, client: Client) -> Claims:
        return rules.token_header(call, client) | change

    return rules | Rules(token_header=when(where, header, rules.token_header))


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signing(rules: Rules, sign: Callable[[Call, Claims, Claims, str], str], where: Callable[[Call], bool]) -> Rules:
    """The rules with another signature under access tokens, not under ID tokens."""

    def chosen(call: Call, claims: Claims, header: Claims, alg: str) -> str:
        chosen_sign = sign if "typ" in header else rules.sign
        return chosen_sign(call, claims, header, alg)

    return rules | Rules(sign=when(where, chosen, rules.sign))


def _without_signature(_call: Call, claims: Claims, header: Claims, alg: str) -> str:
    return f"{_encode({'alg': alg, **header})}.{_encode(claims)}."


def _unsigned(name: str) -> Callable[[Call, Claims, Claims, str], str]:
    return lambda _call, claims, header, _alg: f"{_encode({**header, 'alg': name})}.{_encode(claims)}.AAAA"


def _by_hmac(_call: Call, claims: Claims, header: Claims, _alg: str) -> str:
    return jwt.encode(claims, "a secret that is shared with resource servers", algorithm="HS256", headers=header)


@cache
def _unpublished(alg: str) -> Any:
    if alg == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _by_unpublished_key(_call: Call, claims: Claims, header: Claims, alg: str) -> str:
    return jwt.encode(claims, _unpublished(alg), algorithm=alg, headers=header)


SIGNATURES: tuple[tuple[str, str, str, str, Any], ...] = (
    ("unsigned", "rfc9068:2.1/signed", "The signature is missing.", "both", _without_signature),
    ("alg_none", "rfc9068:2.1/alg-not-none", "The algorithm is none.", "both", _unsigned("none")),
    ("alg_none_in_capitals", "rfc9068:2.1/alg-not-none", "The algorithm is None.", "one", _unsigned("None")),
    ("hmac", "rfc9068:2.1/asymmetric-signature", "The algorithm is HS256.", "both", _by_hmac),
    (
        "unpublished_key",
        "rfc9068:4/keys-and-issuer-published",
        "The key is not published.",
        "both",
        _by_unpublished_key,
    ),
)


def _declare_signature(name: str, clause: str, what: str, sign: Any, *, plain: bool) -> None:
    if plain:

        @fault(f"jwt_{name}", clause, "plain", what)
        def everywhere(rules: Rules) -> Rules:
            return _signing(rules, sign, _always)

        del everywhere

    @fault(f"jwt_{name}_for_implicit", clause, "partial", f"{what} So it is in the implicit grant.")
    def partly(rules: Rules) -> Rules:
        return _signing(rules, sign, IMPLICIT)

    del partly


for _name, _clause, _what, _extent, _sign in SIGNATURES:
    _declare_signature(_name, _clause, _what, _sign, plain=_extent == "both")


def _without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {own: value for own, value in claims.items() if own != name}


def _with(name: str, change: Callable[[Any], Any]) -> Callable[[Claims], Claims]:
    return lambda claims: claims | {name: change(claims[name])}


REQUIRED = {"iss": "iss-claim", "exp": "exp-claim", "aud": "aud-claim", "sub": "sub-claim",
            "client_id": "client-id-claim", "iat": "iat-claim", "jti": "jti-claim"}  # fmt: skip
WRONG: tuple[tuple[str, str, str, Callable[[Any], Any]], ...] = (
    ("iss", "with_slash", "iss ends with a slash.", lambda value: f"{value}/"),
    ("exp", "as_text", "exp is a string.", str),
    ("exp", "in_milliseconds", "exp counts milliseconds.", lambda value: value * 1000),
    ("exp", "a_day_late", "exp is a day later than expires_in says.", lambda value: value + 86_400),
    ("aud", "empty", "aud is an empty list.", lambda _: []),
    ("aud", "blank", "aud is an empty string.", lambda _: ""),
    ("sub", "as_number", "sub is a number.", len),
    ("sub", "empty", "sub is an empty string.", lambda _: ""),
    ("client_id", "as_title", "client_id is another name of the client.", lambda value: f"{value}-app"),
    ("iat", "as_text", "iat is a string.", str),
    ("iat", "tomorrow", "iat is a day ahead.", lambda value: value + 86_400),
    ("iat", "in_milliseconds", "iat counts milliseconds.", lambda value: value * 1000),
    ("jti", "constant", "Every jti is the same.", lambda _: "1"),
    ("jti", "as_number", "jti is a number.", lambda value: int.from_bytes(str(value).encode()[:6], "big")),
)


def _declare_claim(member: str) -> None:
    clause = f"rfc9068:2.2/{REQUIRED[member]}"

    @fault(f"jwt_without_{member}", clause, "plain", f"Tokens have no {member}.")
    def missing(rules: Rules) -> Rules:
        return _claims(rules, _without(member))

    @fault(f"jwt_without_{member}_for_implicit", clause, "partial", f"Tokens of users have no {member}.")
    def partly(rules: Rules) -> Rules:
        return _claims(rules, _without(member), IMPLICIT)

    del missing, partly


def _declare_wrong(member: str, name: str, what: str, change: Callable[[Any], Any]) -> None:
    @fault(f"jwt_{member}_{name}", f"rfc9068:2.2/{REQUIRED[member]}", "partial", what)
    def wrong(rules: Rules) -> Rules:
        return _claims(rules, _with(member, change))

    del wrong


for _member in REQUIRED:
    _declare_claim(_member)
for _member, _name, _what, _change in WRONG:
    _declare_wrong(_member, _name, _what, _change)


@fault("jwt_jti_by_the_second", "rfc9068:2.2/jti-claim", "partial", "The jti is the time.")
def jwt_jti_by_the_second(rules: Rules) -> Rules:
    """Tokens of one second share it; the time is cut to ten seconds, so that this is seen."""
    return _claims(rules, lambda claims: claims | {"jti": f"{claims['client_id']}-{claims['iat'] // 10}"})


@fault("jwt_type_is_jwt", "rfc9068:2.1/typ-at-jwt", "plain", "The type is that of any JWT.")
def jwt_type_is_jwt(rules: Rules) -> Rules:
    """An ID token looks the same."""
    return _header(rules, {"typ": "JWT"})


@fault("jwt_type_is_jwt_for_implicit", "rfc9068:2.1/typ-at-jwt", "partial", "Some types are those of any JWT.")
def jwt_type_is_jwt_for_implicit(rules: Rules) -> Rules:
    """Only the tokens of users are so."""
    return _header(rules, {"typ": "JWT"}, IMPLICIT)


@fault("jwt_type_with_prefix", "rfc9068:2.1/typ-without-prefix", "plain", "The type is written in full.")
def jwt_type_with_prefix(rules: Rules) -> Rules:
    """The prefix is lawful and not recommended."""
    return _header(rules, {"typ": "application/at+jwt"})


@fault("jwt_sub_at_random", "rfc9068:2.2/sub-names-client", "plain", "The subject is new in every token.")
def jwt_sub_at_random(rules: Rules) -> Rules:
    """It stands for nobody."""
    return _claims(rules, _with("sub", lambda _: secrets.token_hex(8)), SERVICE)


@fault("jwt_sub_of_all_clients", "rfc9068:2.2/sub-names-client", "partial", "All clients are one subject.")
def jwt_sub_of_all_clients(rules: Rules) -> Rules:
    """The subject says that there is no user."""
    return _claims(rules, _with("sub", lambda _: "service-account"), SERVICE)


@fault("jwt_sub_is_the_client_for_users", "rfc9068:2.2/sub-names-user", "plain", "The subject is the client.")
def jwt_sub_is_the_client_for_users(rules: Rules) -> Rules:
    """The user who agreed is not in the token."""
    return _claims(rules, lambda claims: claims | {"sub": claims["client_id"]}, IMPLICIT)


@fault("jwt_without_scope", "rfc9068:2.2.3/scope-claim", "plain", "Tokens have no scope.")
def jwt_without_scope(rules: Rules) -> Rules:
    """What was granted is only in the answer."""
    return _claims(rules, _without("scope"))


@fault("jwt_scope_as_list", "rfc9068:2.2.3/scope-claim", "partial", "The scope is a list.")
def jwt_scope_as_list(rules: Rules) -> Rules:
    """Each value stands alone."""
    return _claims(rules, _with("scope", str.split))


@fault("jwt_scope_of_the_client", "rfc9068:2.2.3/scope-claim", "partial", "Tokens name every scope of the client.")
def jwt_scope_of_the_client(rules: Rules) -> Rules:
    """What was asked for does not matter."""

    def claims(call: Call, client: Client, record: TokenRecord) -> Claims:
        return rules.token_claims(call, client, record) | {"scope": " ".join(client.scopes)}

    return rules | Rules(token_claims=claims)


@fault("jwt_of_unpublished_issuer", "rfc9068:4/keys-and-issuer-published", "partial", "iss is another server's.")
def jwt_of_unpublished_issuer(rules: Rules) -> Rules:
    """The name of an inner host is in the token."""
    return _claims(rules, _with("iss", lambda _: "http://localhost:8080"))


# Who believes a forged token.


def _decoded(part: str) -> Claims | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return cast("Claims", found) if isinstance(found, dict) else None


def _believing(rules: Rules, believes: Any, where: Callable[[Call], bool] = _always) -> Rules:
    """The rules under which a JWT that is not known counts for the token with its jti, if `believes` says so."""

    def find(call: Call, token: str) -> TokenRecord | None:
        known = rules.find_token(call, token)
        parts = token.split(".")
        if known is not None or len(parts) != 3:
            return known
        header, claims = _decoded(parts[0]), _decoded(parts[1])
        if header is None or claims is None or not believes(call, token, header, parts[2]):
            return None
        live = (each for each in call.store.tokens.values() if rules.token_is_live(call, each))
        return next((each for each in live if each.jti == claims.get("jti")), None)

    return rules | Rules(find_token=when(where, find, rules.find_token))


def _any_signature(_call: Call, _token: str, _header: Claims, _signature: str) -> bool:
    return True


def _alg_none(_call: Call, _token: str, header: Claims, _signature: str) -> bool:
    return str(header.get("alg")).lower() == "none"


def _no_signature(_call: Call, _token: str, _header: Claims, signature: str) -> bool:
    return signature == ""


def _own_key(_call: Call, token: str, header: Claims, _signature: str) -> bool:
    try:
        jwt.api_jws.decode(token, jwt.PyJWK.from_dict(header["jwk"]), algorithms=[str(header.get("alg"))])
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return False
    return True


def _public_key_as_secret(call: Call, token: str, header: Claims, signature: str) -> bool:
    if header.get("alg") != "HS256":
        return False
    signed = token.rpartition(".")[0].encode()
    for private in call.server.keys.private.values():
        pem = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        mac = base64.urlsafe_b64encode(hmac.digest(pem, signed, "sha256")).rstrip(b"=").decode()
        if hmac.compare_digest(mac.encode(), signature.encode()):
            return True
    return False


BELIEFS: dict[str, tuple[str, Any]] = {
    "jwt_signature_not_verified": ("Signatures are not verified", _any_signature),
    "jwt_alg_none_believed": ("Tokens with the algorithm none are believed", _alg_none),
    "jwt_empty_signature_believed": ("An empty signature is not verified", _no_signature),
    "jwt_own_key_believed": ("A key in the header is trusted", _own_key),
    "jwt_hmac_with_public_key_believed": ("The public key counts as a shared secret", _public_key_as_secret),
}


def _declare_belief(name: str, what: str, believes: Any, kind: str) -> None:
    places = (("introspection", "rfc7662:4/signature-checked"), ("resource", "rfc6749:7/token-validated"),
              ("", "rfc6750:5.2/integrity"))  # fmt: skip
    for place, clause in places:

        @fault(f"{name}_at_{place}" if place else name, clause, kind, f"{what}{f' at {place}' if place else ''}.")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - one of the two kinds
        def declared(rules: Rules, place: str = place) -> Rules:
            return _believing(rules, believes, by_endpoint(place) if place else _always)

        del declared


for _name, (_what, _believes) in BELIEFS.items():
    _declare_belief(_name, _what, _believes, "plain" if _name == "jwt_signature_not_verified" else "partial")


@fault(
    "audience_whatever_resource_is_named",
    "rfc9068:5/distinct-aud-per-resource",
    "plain",
    "The named resource does not matter.",
    also=("rfc9068:3/resource-becomes-aud",),
)
def audience_whatever_resource_is_named(rules: Rules) -> Rules:
    """Every token is for the server's own resource."""
    return rules | Rules(token_audience=lambda call: call.server.url("resource"))


@fault(
    "audience_of_the_first_resource",
    "rfc9068:5/distinct-aud-per-resource",
    "partial",
    "Tokens for one resource are made for another.",
)
def audience_of_the_first_resource(rules: Rules) -> Rules:
    """A table has the same line twice."""

    def audience(call: Call) -> str:
        found = rules.token_audience(call)
        return RESOURCES[0] if found in RESOURCES else found

    return rules | Rules(token_audience=audience)
