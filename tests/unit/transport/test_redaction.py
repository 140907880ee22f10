"""No secret survives, whatever it stands in; what is no secret stays readable."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from grantproof.transport import Redactor

SECRET = "p%+:&=/~\" q<s'"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-_nature"
SPELLINGS = [
    SECRET,
    quote_plus(SECRET, safe=""),
    quote(SECRET, safe=""),
    json.dumps(SECRET),
    html.escape(SECRET),
    base64.b64encode(SECRET.encode()).decode(),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_known_secret_goes_in_every_spelling(spelling: str) -> None:
    cleaned = Redactor([SECRET]).text(f"before {spelling} after")
    assert spelling.strip('"') not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        f"https://c.example/cb#access_token={TOKEN}&state=s",
        f"client_id=a&client_secret={TOKEN}&grant_type=x",
        f'{{"access_token": "{TOKEN}", "expires_in": 1}}',
        f'{{"id_token":"{TOKEN}"',
        f'<input type="hidden" name="access_token" value="{TOKEN}">',
        f"<INPUT value='{TOKEN}' type=hidden name='id_token'>",
    ],
)
def test_what_stands_under_a_secrets_name_goes(text: str) -> None:
    cleaned = Redactor().text(text)
    assert TOKEN not in cleaned
    assert "redacted" in cleaned


@pytest.mark.parametrize("text", [TOKEN, f"got {TOKEN}!", f"x={TOKEN}", f"/path/{TOKEN}", quote(TOKEN, safe="")])
def test_a_learned_token_goes_wherever_it_stands(text: str) -> None:
    redactor = Redactor()
    redactor.learn(TOKEN)
    assert TOKEN not in redactor.text(text)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", "Basic abc=", "Basic <redacted credentials>"),
        ("authorization", "opaque", "<redacted authorization>"),
        ("Cookie", "sid=abc; x=y", "<redacted cookie>"),
        ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=<redacted cookie>; Path=/; HttpOnly"),
        ("Content-Type", "text/html", "text/html"),
    ],
)
def test_headers(name: str, value: str, expected: str) -> None:
    assert Redactor().header(name, value) == expected


@pytest.mark.parametrize(
    "text", ["error=invalid_request&state=xyz", '{"error": "invalid_client"}', "token_type=Bearer&scope=read"]
)
def test_the_rest_stays(text: str) -> None:
    assert Redactor(["unrelated-secret"]).text(text) == text


def test_nested_values_are_cleaned() -> None:
    cleaned = Redactor(["hush-hush"]).value({"a": ["hush-hush", 1, {"b": "x hush-hush"}], "c": None})
    assert cleaned == {"a": ["<redacted secret>", 1, {"b": "x <redacted secret>"}], "c": None}


def test_a_secret_too_short_to_find_is_left_to_structure() -> None:
    assert Redactor(["a"]).text("a banana") == "a banana"
    assert Redactor(["a"]).text("client_secret=a") == "client_secret=<redacted client_secret>"


def test_repr_shows_nothing() -> None:
    assert repr(Redactor(["hush-hush"])) == "Redactor()"


@pytest.mark.parametrize("secret", [TOKEN, "a-client-secret-of-some-length"])
def test_a_shortened_repr_shows_no_end_of_a_secret(secret: str) -> None:
    redactor = Redactor(["a-client-secret-of-some-length"])
    redactor.learn(TOKEN)
    cleaned = redactor.text(f"assert '{secret[:12]}...{secret[-12:]}' == ''")
    assert secret[:6] not in cleaned
    assert secret[-6:] not in cleaned
    assert redactor.text("and so on... and on") == "and so on... and on"
