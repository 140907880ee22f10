"""The token endpoint of the embedded server (RFC 6749 sections 2.3, 4.4, 5.1 and 5.2)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import jwt
import pytest

if TYPE_CHECKING:
    import httpx
    from jwt.types import Options

    from tests.unit.reference.conftest import Target

FORM = {"content-type": "application/x-www-form-urlencoded"}
ALLOWED_IN_DESCRIPTIONS = {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}


def basic(client_id: str, secret: str) -> str:
    return base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


def assert_refused(answer: httpx.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert set(answer.json()["error_description"]) <= ALLOWED_IN_DESCRIPTIONS
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_token_answer_has_every_member_and_header(target: Target) -> None:
    answer = target.token(scope="read")
    body = answer.json()
    assert (answer.status_code, body.pop("access_token") != "") == (200, True)
    assert body == {"token_type": "Bearer", "expires_in": 600}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"


def test_jwt_access_token_follows_its_profile(target: Target) -> None:
    token = target.token(scope="write read").json()["access_token"]
    header = jwt.get_unverified_header(token)
    key = next(key for key in target.http.get("/jwks").json()["keys"] if key["kid"] == header["kid"])
    audience = f"{target.issuer}/resource"
    options: Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, jwt.PyJWK(key), audience=audience, options=options)
    assert header["typ"] == "at+jwt"
    assert claims.pop("jti")
    assert claims == {
        "iss": target.issuer,
        "aud": audience,
        "sub": "service",
        "client_id": "service",
        "iat": int(target.now),
        "exp": int(target.now) + 600,
        "scope": "write read",
    }


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_credentials_are_form_encoded_and_the_scheme_has_no_case(target: Target, scheme: str) -> None:
    credentials = basic("svc:res %1", target.secret("service_reserved"))
    headers = {"authorization": f"{scheme} {credentials}"}
    answer = target.http.post("/token", data={"grant_type": "client_credentials"}, headers=headers)
    assert answer.status_code == 200


def test_reserved_characters_are_not_taken_raw(target: Target) -> None:
    raw = base64.b64encode(f"svc:res %1:{target.secret('service_reserved')}".encode()).decode()
    headers = {"authorization": f"Basic {raw}"}
    assert_refused(target.http.post("/token", data={"grant_type": "x"}, headers=headers), 401, "invalid_client")


def test_body_credentials_work(target: Target) -> None:
    form = {"client_id": "svc:res %1", "client_secret": target.secret("service_reserved")}
    assert target.token(None, **form).status_code == 200


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic !", "Basic YQ==", "Basic /////w==", "Digest x", "Bearer x", ""]
)
def test_unreadable_credentials_are_invalid_client(target: Target, authorization: str) -> None:
    headers = {"authorization": authorization}
    answer = target.http.post("/token", data={"grant_type": "client_credentials"}, headers=headers)
    assert_refused(answer, 401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith('Basic realm="')


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_id": "service", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "service"}, 401, "invalid_client"),
        ({"client_id": "service", "client_secret": ""}, 401, "invalid_client"),
        ({}, 401, "invalid_client"),
        ({"client_id": "spa"}, 400, "unauthorized_client"),
        ({"client_id": "spa", "client_secret": "x"}, 401, "invalid_client"),
    ],
)
def test_clients_without_proof_get_nothing(target: Target, form: dict[str, str], status: int, error: str) -> None:
    assert_refused(target.token(None, **form), status, error)


def test_registered_authentication_method_is_enforced(target: Target) -> None:
    form = {"client_id": "service-hmac", "client_secret": target.secret("service_hmac")}
    assert_refused(target.token(None, **form), 401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "Client_Credentials"}, 400, "unsupported_grant_type"),
        ({"scope": "unheard-of"}, 400, "invalid_scope"),
        ({"scope": "read  write"}, 400, "invalid_scope"),
        ({"scope": 'read"'}, 400, "invalid_scope"),
        ({"scope": "r\u00e9ad"}, 400, "invalid_scope"),
        ({"scope": "openid"}, 400, "invalid_scope"),
        ({"client_secret": "x"}, 400, "invalid_request"),
        ({"client_id": "service-other"}, 400, "invalid_request"),
        ({"client_assertion": "x"}, 400, "invalid_request"),
    ],
)
def test_faulty_requests_are_refused(target: Target, form: dict[str, str], status: int, error: str) -> None:
    assert_refused(target.token(**form), status, error)


@pytest.mark.parametrize("form", [{"scope": ""}, {"client_id": "service"}, {"client_secret": ""}, {"unheard_of": "x"}])
def test_harmless_parameters_change_nothing(target: Target, form: dict[str, str]) -> None:
    answer = target.token(**form)
    assert (answer.status_code, answer.json()["scope"]) == (200, "read")


def test_narrowed_scope_is_reported(target: Target) -> None:
    assert target.token("service-other", scope="read write").json()["scope"] == "read"


def test_client_without_the_grant_is_unauthorized(target: Target) -> None:
    assert_refused(target.token("restricted"), 400, "unauthorized_client")


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=client_credentials&scope=read&scope=write",
        b"grant_type=client_credentials&scope=%FF",
        b"grant_type=client_credentials&scope=%zz",
        b"\x00\xff&&&===%",
    ],
)
def test_repeated_and_malformed_parameters_are_invalid_requests(target: Target, body: bytes) -> None:
    auth = ("service", target.secret("service"))
    assert_refused(target.http.post("/token", content=body, headers=FORM, auth=auth), 400, "invalid_request")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("Application/X-WWW-Form-URLencoded; charset=UTF-8", 200),
        ("application/json", 400),
        ("text/plain", 400),
        ("", 400),
    ],
)
def test_only_form_bodies_are_read(target: Target, content_type: str, status: int) -> None:
    auth = ("service", target.secret("service"))
    headers = {"content-type": content_type}
    answer = target.http.post("/token", content=b"grant_type=client_credentials", headers=headers, auth=auth)
    assert answer.status_code == status


def test_get_is_not_a_token_request(target: Target) -> None:
    answer = target.http.get("/token", params={"grant_type": "client_credentials"})
    assert_refused(answer, 405, "invalid_request")
    assert answer.headers["allow"] == "POST"


def test_query_parameters_are_never_used(target: Target) -> None:
    query = {"grant_type": "client_credentials", "client_id": "service", "client_secret": target.secret("service")}
    assert_refused(target.http.post("/token", params=query, data={"x": "y"}), 401, "invalid_client")


def test_two_authorization_headers_are_two_methods(target: Target) -> None:
    header = ("authorization", f"Basic {basic('service', target.secret('service'))}")
    answer = target.http.post("/token", data={"grant_type": "client_credentials"}, headers=[header, header])
    assert_refused(answer, 400, "invalid_request")


def test_large_bodies_are_not_read(target: Target) -> None:
    assert_refused(target.token(x="y" * 70_000), 413, "invalid_request")


def test_ten_wrong_secrets_lock_a_disposable_client_for_a_minute(target: Target) -> None:
    wrong = {"client_id": "disposable", "client_secret": "wrong"}
    statuses = [target.token(None, **wrong).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    locked = target.token("disposable")
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "60")
    assert target.token("service").status_code == 200
    target.now += 61
    assert target.token("disposable").status_code == 200
