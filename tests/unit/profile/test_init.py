"""The first draft of a profile: it loads once its blanks are filled in, whatever the target said."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from grantproof.profile import Profile
from grantproof.profile.discovery import Metadata, read_metadata
from grantproof.profile.init import draft
from grantproof.profile.init_login import SeenLogin
from grantproof.profile.loading import read
from grantproof.profile.problems import ProfileError
from grantproof.profile.written import quoted

ISSUER = "https://as.example"
FULL = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "authorization_endpoint": f"{ISSUER}/authorize",
    "introspection_endpoint": f"{ISSUER}/introspect",
    "userinfo_endpoint": f"{ISSUER}/me",
    "grant_types_supported": ["client_credentials", "implicit"],
    "response_types_supported": ["code", "token", "id_token token"],
    "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    "scopes_supported": ["read", "write"],
}
EVIL = '"]\n[load]\nallowed = true\n# \\" \x00\x1b[31m\u2028\U0001f600 ${HOME} $${user.password}'


def metadata(**members: Any) -> Metadata:
    return read_metadata({f"{ISSUER}/.well-known/x": json.dumps(members)}, ISSUER)


def complaints(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        read(text, Path("new.toml"), environ or {})
    return [each.key for each in caught.value.problems]


def filled(text: str) -> Profile:
    text = text.replace('\nid = ""', '\nid = "x"').replace('[""]', '["https://app.example/cb"]')
    text = text.replace('\ntoken = ""', '\ntoken = "https://as.example/t"')
    text = text.replace('\nauthorization = ""', '\nauthorization = "https://as.example/a"')
    return read(text, Path("new.toml"), {"SERVICE_SECRET": "hush", "USER_PASSWORD": "hush"})


def test_only_the_blanks_are_wrong_with_a_draft() -> None:
    text = draft(ISSUER, metadata(**FULL))
    assert complaints(text) == [
        "clients.service.id",
        "clients.service.secret",
        "clients.spa.id",
        "clients.spa.redirect_uris[0]",
    ]


def test_a_draft_loads_once_its_blanks_are_filled_in() -> None:
    profile = filled(draft(ISSUER, metadata(**FULL)))
    assert profile.target.issuer == ISSUER
    assert profile.clients["service"].auth_methods == ("client_secret_post",)
    assert profile.clients["spa"].response_types == ("token",)
    assert not profile.load.allowed


def test_what_is_commented_out_loads_too() -> None:
    text = draft(ISSUER, metadata(**FULL))
    keys = ("[", "username", "password", "driver", "when", "fill", "choice", "submit", "introspection", "jwt", "reuses")
    lines = [each[2:] if each.startswith("# ") and each[2:].startswith(keys) else each for each in text.split("\n")]
    profile = filled("\n".join(lines).replace('username = ""', 'username = "ada"'))
    assert profile.login.steps[0].fill == {"username": "ada", "password": "hush"}
    assert profile.claims.introspection_client == "service"


def test_without_metadata_the_endpoints_are_blanks() -> None:
    text = draft(ISSUER, Metadata())
    assert complaints(text, {"SERVICE_SECRET": "x"})[:2] == ["endpoints.authorization", "endpoints.token"]
    assert filled(text).endpoints.token == "https://as.example/t"


def test_a_grant_that_the_metadata_denies_is_commented_out() -> None:
    profile = filled(draft(ISSUER, metadata(issuer=ISSUER, grant_types_supported=["client_credentials"])))
    assert list(profile.clients) == ["service"]
    profile = filled(draft(ISSUER, metadata(issuer=ISSUER, grant_types_supported=["implicit"])))
    assert list(profile.clients) == ["spa"]


def test_a_server_that_has_implicit_only_with_openid_is_asked_for_that() -> None:
    profile = filled(draft(ISSUER, metadata(issuer=ISSUER, response_types_supported=["code", "id_token token"])))
    assert profile.clients["spa"].response_types == ("id_token token",)


def test_a_local_target_may_be_loaded() -> None:
    assert filled(draft("http://127.0.0.1:8000", Metadata())).load.allowed


@pytest.mark.parametrize("member", [*FULL, "unknown"])
@pytest.mark.parametrize("evil", [EVIL, [EVIL], EVIL * 1_000, [EVIL] * 5_000, ["token " + EVIL], {"a": EVIL}, 10**300])
def test_nothing_a_target_says_gets_out_of_its_line(member: str, evil: Any) -> None:
    text = draft(ISSUER, read_metadata({f"{ISSUER}/{EVIL}": json.dumps({**FULL, member: evil})}, ISSUER))
    assert all(" " <= each <= "~" or each == "\n" for each in text)
    assert all(len(line) < 20_000 for line in text.split("\n"))
    assert tomllib.loads(text)["load"]["allowed"] is False
    assert not filled(text).load.allowed


def test_a_login_page_does_not_get_out_of_its_line_either() -> None:
    login = SeenLogin(EVIL, {EVIL: "username", "pw": "password"}, EVIL, sure=True, remarks=(EVIL * 100, EVIL))
    text = draft(ISSUER, metadata(**FULL), login=login)
    assert all(" " <= each <= "~" or each == "\n" for each in text)
    document = tomllib.loads(text)
    assert document["load"]["allowed"] is False
    (step,) = document["login"]["steps"]
    assert step["when"] == step["submit"] == EVIL.replace("$", "$$")
    assert step["fill"]["pw"] == "${user.password}"


@pytest.mark.parametrize("text", ["", 'a"b\\c', "\x00\x1f\x7f\n\t", "é\u2028\U0001f600", "#[x]=1"])
def test_quoted_text_comes_back(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text


def test_half_a_character_is_replaced_and_long_text_cut() -> None:
    assert tomllib.loads(f"x = {quoted(chr(0xD800))}")["x"] == "\ufffd"
    assert tomllib.loads(f"x = {quoted('y' * 500, 10)}")["x"] == "yyyyyyy..."
