"""Client registration at the embedded server."""

from typing import Any

import pytest

from tests.unit.reference.conftest import Target


def register(target: Target, **members: Any) -> Any:
    return target.http.post("/register", json=members)


def token_status(target: Target, made: Any) -> int:
    credentials = (made["client_id"], made["client_secret"])
    answer = target.http.post("/token", data={"grant_type": "client_credentials"}, auth=credentials)
    return int(answer.status_code)


def test_a_new_client_gets_tokens_until_it_is_ended(target: Target) -> None:
    answer = register(target, client_name="Nightly")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    assert token_status(target, made) == 200
    refused = target.http.delete(made["registration_client_uri"], headers={"Authorization": "Bearer wrong"})
    assert (refused.status_code, token_status(target, made)) == (401, 200)
    header = {"Authorization": f"Bearer {made['registration_access_token']}"}
    assert target.http.delete(made["registration_client_uri"], headers=header).status_code == 204
    assert token_status(target, made) == 401
    assert target.http.delete(made["registration_client_uri"], headers=header).status_code == 401


def test_the_server_chooses_identifier_and_secret(target: Target) -> None:
    made = register(target, client_id="alice", client_secret="mine", sub="alice").json()
    assert made["client_id"] != "alice"
    assert made["client_secret"] != "mine"
    assert "sub" not in made


def test_a_public_client_has_no_secret(target: Target) -> None:
    made = register(
        target,
        token_endpoint_auth_method="none",
        grant_types=["implicit"],
        redirect_uris=["https://new.example/cb", "http://127.0.0.1/cb"],
    )
    assert made.status_code == 201
    assert "client_secret" not in made.json()


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"redirect_uris": ["http://new.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://new.example/cb#here"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["/cb"]}, "invalid_redirect_uri"),
        ({"grant_types": ["implicit"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://new.example/cb"}, "invalid_client_metadata"),
        ({"redirect_uris": [1]}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": ["none"]}, "invalid_client_metadata"),
    ],
)
def test_what_cannot_be_registered(target: Target, members: dict[str, Any], error: str) -> None:
    answer = register(target, **members)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 10_000])
def test_a_body_that_is_no_object(target: Target, body: bytes) -> None:
    answer = target.http.post("/register", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_other_methods_are_refused(target: Target) -> None:
    answer = target.http.get("/register")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, DELETE")
