"""The key set of a hostile server, and what its keys verify."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from grantproof.errors import NotOffered
from grantproof.idp import Idp
from tests.unit.idp.conftest import Connect
from tests.unit.login.server import Reply

RSA_KEY = rsa.generate_private_key(65_537, 2048)
OTHER_KEY = rsa.generate_private_key(65_537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
RSA_JWK: dict[str, Any] = {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "r"}
EC_JWK: dict[str, Any] = {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "e"}
CLAIMS = {"sub": "x", "exp": 1, "nbf": 99_999_999_999, "iat": 99_999_999_999, "aud": ["a"], "jti": 5}
NESTED = "[" * 100_000


def keys(connect: Connect, document: str) -> Idp:
    idp, _ = connect({"/jwks": lambda _: Reply(document)}, endpoints='jwks = "{origin}/jwks"')
    return idp


def key_set(*members: object) -> str:
    return json.dumps({"keys": list(members)})


@pytest.mark.parametrize(
    "document",
    [
        "", "no JSON", "[]", "null", "{}", NESTED, '{"keys": ' + NESTED,
        '{"keys": null}', '{"keys": "x"}', '{"keys": {"kty": "RSA"}}', '{"keys": []}', '{"keys": [null, 1, "x", []]}',
        key_set({}), key_set({"kty": 5}), key_set({"kty": []}), key_set({"kty": "RSA"}),
        key_set({"kty": "RSA", "n": "", "e": ""}), key_set({"kty": "RSA", "n": 5, "e": {}}),
        key_set({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), key_set({**RSA_JWK, "alg": ["RS256"]}),
        key_set({**RSA_JWK, "alg": "XX256"}), key_set({**EC_JWK, "crv": "P-999"}), key_set({**EC_JWK, "x": "AAAA"}),
        key_set({"kty": "OKP", "crv": "Ed25519", "x": "AA"}), key_set({"kty": "oct", "k": 5}),
    ],
)  # fmt: skip
def test_what_is_no_key_set_is_the_servers_fault(connect: Connect, document: str) -> None:
    idp = keys(connect, document)
    with pytest.raises(AssertionError, match=r"JWK set|JSON"):
        _ = idp.jwks
    assert isinstance(idp.key_set, dict)


def test_keys_that_nobody_knows_are_passed_over(connect: Connect) -> None:
    idp = keys(connect, key_set({"kty": "future"}, {**EC_JWK, "crv": "P-999"}, RSA_JWK, "x"))
    assert [key.key_id for key in idp.jwks.keys] == ["r"]


def test_without_a_jwks_endpoint_there_are_no_keys(connect: Connect) -> None:
    idp, _ = connect({})
    assert idp.key_set == {}
    with pytest.raises(NotOffered):
        _ = idp.jwks


@pytest.mark.parametrize(
    ("key", "algorithm", "headers"),
    [
        (RSA_KEY, "RS256", {"kid": "r"}),
        (RSA_KEY, "PS384", {}),
        (EC_KEY, "ES256", {"kid": "e"}),
        (EC_KEY, "ES256", None),
    ],
)
def test_a_signature_is_verified_and_nothing_else(connect: Connect, key: Any, algorithm: str, headers: Any) -> None:
    idp = keys(connect, key_set({"kty": "future"}, RSA_JWK, EC_JWK))
    header, claims = idp.verify_jwt(jwt.encode(CLAIMS, key, algorithm=algorithm, headers=headers))
    assert header["alg"] == algorithm
    assert claims == CLAIMS


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def by_hand(header: object, payload: object = CLAIMS, signature: str = "AAAA") -> str:
    parts = [encoded(json.dumps(part).encode()) for part in (header, payload)]
    return ".".join([*parts, signature])


@pytest.mark.parametrize(
    "token",
    [
        "", "opaque", "a.b", "a.b.c", "a.b.c.d.e", "ä.ö.ü", "." * 1000, f"{NESTED}.{NESTED}.",
        by_hand({"alg": "RS256", "kid": "r"}), by_hand({"alg": "none"}, signature=""),
        by_hand({"alg": "RS256", "kid": []}),
        by_hand({"alg": []}), by_hand([]), by_hand("x"), by_hand({}), by_hand({"alg": "RS256", "crit": ["x"], "x": 1}),
        by_hand({"alg": "RS256", "b64": False, "crit": ["b64"]}),
        jwt.encode(CLAIMS, OTHER_KEY, algorithm="RS256"),
        jwt.encode(CLAIMS, OTHER_KEY, algorithm="RS256", headers={"kid": "r"}),
        jwt.encode(CLAIMS, RSA_KEY, algorithm="RS256", headers={"kid": "another"}),
        jwt.encode(CLAIMS, RSA_KEY, algorithm="RS256", headers={"kid": "e"}),
        jwt.encode(CLAIMS, "x" * 32, algorithm="HS256"), jwt.encode(CLAIMS, "", algorithm="none"),
        jwt.encode(CLAIMS, RSA_KEY, algorithm="RS256")[:-8],
        by_hand({"alg": "RS256"}).replace(".", f".{NESTED}", 1),
    ],
)  # fmt: skip
def test_what_no_key_verifies_is_the_servers_fault(connect: Connect, token: str) -> None:
    idp = keys(connect, key_set(RSA_JWK, EC_JWK))
    with pytest.raises(AssertionError, match=r"is no signed JWT|verifies the token"):
        idp.verify_jwt(token)


def test_a_public_key_is_no_secret_to_sign_with(connect: Connect) -> None:
    head = by_hand({"alg": "HS256", "kid": "r"}).rpartition(".")[0]
    seal = encoded(hmac.digest(PUBLIC_PEM, head.encode(), hashlib.sha256))
    idp = keys(connect, key_set(RSA_JWK))
    with pytest.raises(AssertionError, match="verifies the token"):
        idp.verify_jwt(f"{head}.{seal}")


def test_key_identifiers_of_odd_types_match_nothing(connect: Connect) -> None:
    idp = keys(connect, key_set({**RSA_JWK, "kid": ["r"]}, {**EC_JWK, "kid": {"a": 1}}))
    with pytest.raises(AssertionError, match="none of 0 matching keys"):
        idp.verify_jwt(jwt.encode(CLAIMS, RSA_KEY, algorithm="RS256", headers={"kid": "r"}))
    assert idp.verify_jwt(jwt.encode(CLAIMS, RSA_KEY, algorithm="RS256"))[1] == CLAIMS


@pytest.mark.parametrize(
    ("token", "facts"),
    [("opaque", {}), (by_hand({"alg": "x"}, []), {}), (by_hand({"alg": "RS256"}, {"scope": "a b"}), {"scope": "a b"})],
)
def test_facts_of_a_token_are_read_without_keys(connect: Connect, token: str, facts: dict[str, Any]) -> None:
    idp, _ = connect({})
    assert idp.facts_of(token) == facts


@pytest.mark.parametrize(
    ("claims", "scope"),
    [
        ({}, None),
        ({"scope": "a b"}, {"a", "b"}),
        ({"scp": ["a", 5]}, {"a", "5"}),
        ({"scope": 5}, None),
        ({"scope": ""}, set[str]()),
    ],
)
def test_the_scope_of_a_token(connect: Connect, claims: dict[str, Any], scope: set[str] | None) -> None:
    idp, _ = connect({})
    assert idp.scope_of(by_hand({"alg": "RS256"}, claims)) == scope
