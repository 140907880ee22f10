"""Client assertions at the embedded server (RFC 7523)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

if TYPE_CHECKING:
    import httpx

    from tests.unit.reference.conftest import Target

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def claims_of(target: Target, client: str = "service-jwt") -> dict[str, Any]:
    return {"iss": client, "sub": client, "aud": f"{target.issuer}/token", "exp": int(target.now) + 60, "jti": "one"}


def send(target: Target, assertion: str, **form: str) -> httpx.Response:
    return target.token(None, **{"client_assertion": assertion, "client_assertion_type": TYPE, **form})


def sign(target: Target, **changes: object) -> str:
    claims = {name: value for name, value in (claims_of(target) | changes).items() if value is not None}
    return jwt.encode(claims, target.credentials.private_key, "RS256")


def test_private_key_proves_the_client(target: Target) -> None:
    answer = send(target, sign(target))
    assert answer.status_code == 200
    assert jwt.get_unverified_header(answer.json()["access_token"])["alg"] == "RS256"


def test_shared_key_proves_the_client(target: Target) -> None:
    assertion = jwt.encode(claims_of(target, "service-hmac"), target.secret("service_hmac"), "HS256")
    assert send(target, assertion, client_id="service-hmac").status_code == 200


def test_issuer_is_an_audience_too(target: Target) -> None:
    assert send(target, sign(target, aud=[target.issuer, "https://other.example"])).status_code == 200


def test_assertion_counts_once(target: Target) -> None:
    assertion = sign(target)
    assert [send(target, assertion).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "service"},
        {"iss": None},
        {"sub": "service"},
        {"sub": None},
        {"aud": "https://other.example/token"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"nbf": 4_000_000_000},
        {"jti": 7},
    ],
)
def test_wrong_claims_prove_nothing(target: Target, changes: dict[str, object]) -> None:
    answer = send(target, sign(target, **changes))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("assertion", ["x", "a.b.c", "..", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."])
def test_garbage_proves_nothing(target: Target, assertion: str) -> None:
    assert send(target, assertion).json()["error"] == "invalid_client"


def test_public_key_is_not_a_shared_key(target: Target) -> None:
    forged = jwt.encode(claims_of(target), "k" * 64, "HS256")
    assert send(target, forged).json()["error"] == "invalid_client"


def test_client_id_has_to_agree(target: Target) -> None:
    assert send(target, sign(target), client_id="service").json()["error"] == "invalid_request"
