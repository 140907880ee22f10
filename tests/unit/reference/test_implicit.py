"""The authorization endpoint, login and consent of the embedded server (RFC 6749 section 4.2, OpenID Connect)."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import jwt
import pytest

if TYPE_CHECKING:
    from jwt.types import Options

    from tests.unit.reference.conftest import Target

OIDC = {
    "client_id": "oidc-app",
    "redirect_uri": "https://oidc.example/cb",
    "scope": "openid read",
    "response_type": "id_token token",
    "nonce": "n-1",
}
CONFIDENTIAL = {"client_id": "confidential-app", "redirect_uri": "https://confidential.example/cb"}


def test_token_comes_in_the_fragment_with_state_and_issuer(target: Target) -> None:
    state = "".join(map(chr, range(0x20, 0x7F)))
    answer = target.decide(target.consent_page(state=state))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://app.example/cb#")
    found = target.fragment(answer)
    assert target.http.get("/resource", headers={"authorization": f"Bearer {found.pop('access_token')}"}).is_success
    assert found == {
        "token_type": "Bearer", "expires_in": "600", "scope": "read", "state": state, "iss": target.issuer
    }  # fmt: skip


def test_query_of_the_redirect_uri_survives(target: Target) -> None:
    uri = "https://app.example/cb2?x=1&y=a%20b"
    assert target.decide(target.consent_page(redirect_uri=uri)).headers["location"].startswith(f"{uri}#")


def test_only_registered_redirect_uri_may_be_left_out(target: Target) -> None:
    answer = target.decide(target.consent_page(client_id="spa-single", redirect_uri=""))
    assert answer.headers["location"].startswith("https://single.example/cb#")


def test_request_may_be_posted(target: Target) -> None:
    form = {"response_type": "token", "client_id": "spa-single"}
    assert 'id="login"' in target.http.post("/authorize", data=form).text


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ""},
        {"client_id": "nobody"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://app.example/cb/"},
        {"redirect_uri": "https://app.example/cb#"},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": "https://app.example/cb2?x=1&y=a+b"},
        {**OIDC, "redirect_uri": ""},
    ],
)
def test_untrusted_requests_get_a_page(target: Target, changes: dict[str, str]) -> None:
    answer = target.authorize(**changes)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_identification_gets_a_page(target: Target, name: str) -> None:
    query = "response_type=token&client_id=spa&redirect_uri=https://app.example/cb"
    value = re.findall(rf"{name}=([^&]+)", query)[0]
    assert target.http.get(f"/authorize?{query}&{name}={value}").status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "unheard-of"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unauthorized_client"),
        ({"client_id": "restricted", "redirect_uri": "https://restricted.example/cb"}, "unauthorized_client"),
        ({"scope": "unheard-of"}, "invalid_scope"),
        ({"scope": "read  write"}, "invalid_scope"),
        ({"response_mode": "query"}, "invalid_request"),
        ({**OIDC, "nonce": ""}, "invalid_request"),
        ({**OIDC, "request": "x"}, "request_not_supported"),
        ({**OIDC, "max_age": "soon"}, "invalid_request"),
    ],
)
def test_errors_reach_the_client_after_the_login_and_at_once_within_a_session(
    target: Target, changes: dict[str, str], error: str
) -> None:
    page = target.authorize(**changes)
    assert 'id="login"' in page.text
    first, second = target.login(page), target.authorize(**changes)
    for answer in (first, second):
        assert answer.status_code == 303
        found = target.fragment(answer)
        assert (found["error"], found["state"], found["iss"]) == (error, "xyz", target.issuer)
        assert "access_token" not in found


def test_error_to_a_code_request_stands_in_the_query(target: Target) -> None:
    answer = target.login(target.authorize(response_type="code"))
    assert answer.headers["location"].startswith("https://app.example/cb?error=unsupported_response_type&")


@pytest.mark.parametrize("query", ["state=a%00b", "state=%C3%A9", "state=%FF", "state=a&state=b"])
def test_impossible_state_is_refused_and_not_echoed(target: Target, query: str) -> None:
    request = f"/authorize?response_type=token&client_id=spa-single&{query}"
    found = target.fragment(target.login(target.http.get(request)))
    assert (found["error"], "state" in found) == ("invalid_request", False)


def test_denial_is_access_denied(target: Target) -> None:
    found = target.fragment(target.decide(target.consent_page(), "deny"))
    assert (found["error"], found["state"], "access_token" in found) == ("access_denied", "xyz", False)


def test_wrong_password_shows_the_login_again(target: Target) -> None:
    page = target.authorize()
    form = target.hidden(page) | {"username": "alice", "password": "wrong"}
    answer = target.http.post("/login", data=form)
    assert 'id="login"' in answer.text
    assert 'class="message"' in answer.text
    assert target.login(page).status_code == 303


def test_session_identifier_changes_at_the_login(target: Target) -> None:
    page = target.authorize()
    before = target.http.cookies["grantproof_session"]
    target.login(page)
    assert target.http.cookies["grantproof_session"] != before
    assert before not in target.server.store.sessions


def test_consent_counts_once_in_its_own_session_and_with_its_own_form_value(target: Target) -> None:
    page = target.consent_page()
    form = target.hidden(page) | {"decision": "allow"}
    stranger = target.browser()
    assert stranger.post("/consent", data=form).status_code == 400
    assert target.http.post("/consent", data=form | {"csrf": "guess"}).status_code == 400
    assert [target.http.post("/consent", data=form).status_code for _ in range(2)] == [303, 400]


def test_login_cannot_be_skipped(target: Target) -> None:
    page = target.authorize()
    form = target.hidden(page)
    assert 'id="login"' in target.http.get("/consent", params={"request": form["request"]}).text
    assert 'id="login"' in target.http.post("/consent", data=form | {"decision": "allow"}).text


def test_public_clients_need_consent_every_time_and_confidential_ones_once(target: Target) -> None:
    target.decide(target.consent_page())
    assert 'id="consent"' in target.authorize().text
    target.decide(target.authorize(**CONFIDENTIAL))
    assert "access_token" in target.fragment(target.authorize(**CONFIDENTIAL, prompt="none"))
    assert 'id="consent"' in target.authorize(**CONFIDENTIAL, prompt="consent").text


def test_silence_is_kept(target: Target) -> None:
    assert target.fragment(target.authorize(prompt="none"))["error"] == "login_required"
    target.consent_page()
    assert target.fragment(target.authorize(prompt="none"))["error"] == "consent_required"
    assert target.fragment(target.authorize(prompt="none login"))["error"] == "invalid_request"


def test_login_is_repeated_when_the_client_asks_for_it(target: Target) -> None:
    target.consent_page()
    assert 'id="login"' in target.authorize(prompt="login").text
    target.now += 30
    assert 'id="consent"' in target.authorize(max_age="60").text
    again = target.authorize(max_age="20")
    assert 'id="login"' in again.text
    assert 'id="consent"' in target.http.get(target.login(again).headers["location"]).text


def test_pages_are_protected_and_escape_what_they_show(target: Target) -> None:
    page = target.authorize(client_id="spa-single", redirect_uri="", state='"><script>')
    assert "<script" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")


def test_consent_page_names_client_scope_and_lifetime(target: Target) -> None:
    text = target.consent_page(scope="read write").text
    assert all(part in text for part in ("Single-page application", "<li>read</li><li>write</li>", "600 seconds"))


@pytest.mark.parametrize("response_type", ["id_token token", "token id_token"])
def test_id_token_is_bound_to_the_request(target: Target, response_type: str) -> None:
    found = target.fragment(target.decide(target.consent_page(**OIDC | {"response_type": response_type})))
    header = jwt.get_unverified_header(found["id_token"])
    key = next(key for key in target.http.get("/jwks").json()["keys"] if key["kid"] == header["kid"])
    options: Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(found["id_token"], jwt.PyJWK(key), audience="oidc-app", options=options)
    assert (claims["iss"], claims["sub"], claims["nonce"]) == (target.issuer, "alice", "n-1")
    assert len(claims["at_hash"]) == 22


def test_id_token_alone_comes_without_access_token(target: Target) -> None:
    found = target.fragment(target.decide(target.consent_page(**OIDC | {"response_type": "id_token"})))
    assert set(found) == {"id_token", "state", "iss"}


def test_form_post_carries_the_answer_in_a_page(target: Target) -> None:
    page = target.decide(target.consent_page(response_mode="form_post", state="a&b"))
    assert page.status_code == 200
    assert 'action="https://app.example/cb"' in page.text
    assert target.hidden(page)["state"] == "a&b"
    nonce = unescape(re.findall(r'<script nonce="([^"]+)"', page.text)[0])
    assert f"script-src 'nonce-{nonce}'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/authorize", "/login", "/consent"])
def test_other_methods_are_refused_with_allow(target: Target, path: str) -> None:
    answer = target.http.delete(path)
    assert (answer.status_code, "POST" in answer.headers["allow"]) == (405, True)
