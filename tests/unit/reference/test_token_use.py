"""Introspection, revocation and the protected resource of the embedded server (RFC 7662, RFC 7009, RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.unit.reference.conftest import Target

INACTIVE = {"active": False}


def introspect(target: Target, token: str, client: str = "resource-server") -> httpx.Response:
    auth = (client, target.secret(client.replace("-", "_")))
    return target.http.post("/introspect", data={"token": token, "token_type_hint": "refresh_token"}, auth=auth)


def revoke(target: Target, token: str, client: str = "service") -> httpx.Response:
    auth = (client, target.secret(client.replace("-", "_")))
    return target.http.post("/revoke", data={"token": token, "token_type_hint": "unheard-of"}, auth=auth)


def use(target: Target, token: str) -> int:
    return target.http.get("/resource", headers={"authorization": f"Bearer {token}"}).status_code


def test_resource_server_and_owner_see_a_token_and_others_do_not(target: Target) -> None:
    token = target.token(scope="write").json()["access_token"]
    for client in ("resource-server", "service"):
        found = introspect(target, token, client).json()
        assert (found["active"], found["scope"], found["client_id"]) == (True, "write", "service")
    assert introspect(target, token, "service-other").json() == INACTIVE


def test_introspection_needs_a_client_and_a_token(target: Target) -> None:
    assert target.http.post("/introspect", data={"token": "x"}).status_code == 401
    assert target.http.post("/introspect", data={"token": "x", "client_id": "spa"}).status_code == 401
    assert introspect(target, "").json()["error"] == "invalid_request"
    assert introspect(target, "unheard-of").json() == INACTIVE


@pytest.mark.parametrize("client", ["service", "disposable"])
def test_revoked_token_is_dead_everywhere(target: Target, client: str) -> None:
    token = target.token(client).json()["access_token"]
    assert use(target, token) == 200
    assert revoke(target, token, client).status_code == 200
    assert use(target, token) == 401
    assert introspect(target, token).json() == INACTIVE


def test_foreign_tokens_are_not_revoked_and_unknown_ones_do_no_harm(target: Target) -> None:
    token = target.token().json()["access_token"]
    assert revoke(target, token, "service-other").status_code == 400
    assert use(target, token) == 200
    assert revoke(target, "unheard-of").status_code == 200


def test_public_client_revokes_its_own_token(target: Target) -> None:
    token = target.fragment(target.decide(target.consent_page()))["access_token"]
    assert introspect(target, token).json()["username"] == "alice"
    assert target.http.post("/revoke", data={"token": token, "client_id": "spa-single"}).status_code == 400
    assert target.http.post("/revoke", data={"token": token, "client_id": "spa"}).status_code == 200
    assert use(target, token) == 401


@pytest.mark.parametrize(("client", "seconds"), [("service", 600), ("short-lived", 2)])
def test_expired_token_is_dead(target: Target, client: str, seconds: int) -> None:
    token = target.token(client).json()["access_token"]
    target.now += seconds - 1
    assert use(target, token) == 200
    target.now += 1
    assert use(target, token) == 401
    assert introspect(target, token).json() == INACTIVE


@pytest.mark.parametrize(
    ("headers", "path", "status", "challenge"),
    [
        ({}, "/resource", 401, 'Bearer realm="grantproof"'),
        ({}, "/resource?access_token=TOKEN", 401, 'Bearer realm="grantproof"'),
        (
            {"authorization": "Bearer \u00a7\u00ff"},
            "/resource",
            401,
            'Bearer realm="grantproof", error="invalid_token"',
        ),
        ({"authorization": "Bearer"}, "/resource", 400, 'Bearer realm="grantproof", error="invalid_request"'),
        (
            {"authorization": "Bearer TOKEN"},
            "/resource?access_token=TOKEN",
            400,
            'Bearer realm="grantproof", error="invalid_request"',
        ),
        (
            {"authorization": "bEARER WRITE"},
            "/resource",
            403,
            'Bearer realm="grantproof", error="insufficient_scope", scope="read"',
        ),
    ],
)
def test_resource_challenges(target: Target, headers: dict[str, str], path: str, status: int, challenge: str) -> None:
    token = target.token().json()["access_token"]
    write = target.token(scope="write").json()["access_token"]
    sent: dict[bytes, bytes] = {
        name.encode(): value.replace("TOKEN", token).replace("WRITE", write).encode("latin-1")
        for name, value in headers.items()
    }
    answer = target.http.get(path.replace("TOKEN", token), headers=sent)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (status, challenge)


def test_resource_takes_a_token_in_the_body(target: Target) -> None:
    token = target.token().json()["access_token"]
    assert target.http.post("/resource", data={"access_token": token}).json()["sub"] == "service"
