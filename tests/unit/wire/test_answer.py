"""Answers as checks read them: nothing a server says raises anything but AssertionError."""

import pytest

from grantproof.wire.answer import Answer, AuthorizationAnswer, Redirect, TokenAnswer
from grantproof.wire.form import Form
from grantproof.wire.headers import Headers


def token_answer(body: bytes, status: int = 200) -> TokenAnswer:
    return TokenAnswer(status, Headers(), body, "https://as.example/token")


def went(url: str, redirect_uri: str | None = None, form: Form | None = None) -> AuthorizationAnswer:
    return AuthorizationAnswer(Redirect("3xx", url, 302, form), None, (), (), redirect_uri)


BROKEN = [b"", b"[]", b"{", b"\xff", b'"x"', b"null", b'{"a": NaN}', b"[" * 100_000, b"1", b"{}extra"]


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_no_json_object_is_the_servers_fault(body: bytes) -> None:
    answer = token_answer(body)
    with pytest.raises(AssertionError):
        _ = answer.members
    with pytest.raises(AssertionError):
        _ = answer.access_token
    assert answer.error is None
    assert answer.get("error") is None


def test_reads_members_and_repeats() -> None:
    answer = token_answer(b'{"access_token": "t", "scope": "a", "scope": "b", "x": {"y": 1, "y": 2}}')
    assert answer.access_token == "t"
    assert answer.repeated_members == {"scope"}
    assert answer.members["scope"] == "b"


@pytest.mark.parametrize("body", [b'{"access_token": "t"}', b'oops {"access_token":"t"', b'{"access_token": ["t"]}'])
def test_a_token_in_any_shape_counts_as_issued(body: bytes) -> None:
    assert token_answer(body).issued


@pytest.mark.parametrize(
    "body", [b"", b'{"access_token": ""}', b'{"access_token": null}', b'{"error": "access_token"}', b"\xff"]
)
def test_no_token_is_no_token(body: bytes) -> None:
    assert not token_answer(body).issued


@pytest.mark.parametrize("body", [b'{"access_token": 5}', b'{"access_token": ""}', b"{}"])
def test_a_token_that_is_no_string_is_refused(body: bytes) -> None:
    with pytest.raises(AssertionError):
        _ = token_answer(body).access_token


def test_error_that_is_no_string_is_none() -> None:
    assert token_answer(b'{"error": 1}').error is None
    assert token_answer(b'{"error": "invalid_scope"}').error == "invalid_scope"


def test_fragment_and_query_are_read_apart() -> None:
    answer = went("https://c.example/cb?x=1&y=a%20b#access_token=t&state=a+b", "https://c.example/cb?x=1&y=a%20b")
    assert answer.access_token == "t"
    assert answer.state == "a b"
    assert answer.query.get("y") == "a b"
    assert answer.own_query == Form()
    assert answer.raw_fragment == "access_token=t&state=a+b"
    assert answer.issued


def test_what_the_redirect_uri_brought_is_not_the_servers() -> None:
    answer = went("https://c.example/cb?x=1&error=access_denied&x=1", "https://c.example/cb?x=1")
    assert answer.own_query.pairs == (("error", "access_denied"), ("x", "1"))
    assert answer.error == "access_denied"


def test_a_posted_form_holds_the_parameters() -> None:
    answer = went("https://c.example/cb", form=Form((("access_token", "t"), ("state", "s"))))
    assert (answer.access_token, answer.state) == ("t", "s")


def test_a_page_has_no_parameters() -> None:
    answer = AuthorizationAnswer(None, Answer(400, Headers(), b"no", "https://as.example/a"), ())
    assert (answer.location, answer.error, answer.state, answer.issued) == (None, None, None, False)
    assert answer.describe() == "a page with status 400 and no redirect"
    with pytest.raises(AssertionError):
        _ = answer.access_token


@pytest.mark.parametrize(
    ("location", "uri", "expected"),
    [
        ("https://c.example/cb#a=1", "https://c.example/cb", True),
        ("https://c.example/cb?e=1", "https://c.example/cb", True),
        ("https://c.example/cb?x=1&e=1", "https://c.example/cb?x=1", True),
        ("https://c.example/cb?e=1&x=1", "https://c.example/cb?x=1", True),
        ("https://c.example/cb?x=1&e=1&y=%20", "https://c.example/cb?x=1&y=%20", True),
        ("https://c.example/cb?y=%20&x=1&e=1", "https://c.example/cb?x=1&y=%20", False),
        ("https://c.example/cb?x=1&y=+&e=1", "https://c.example/cb?x=1&y=%20", False),
        ("https://c.example/cb?x=11", "https://c.example/cb?x=1", False),
        ("https://c.example/cb?e=1", "https://c.example/cb?x=1", False),
        ("https://c.example/cb", "https://c.example/cb?x=1", False),
        ("https://c.example/cbx", "https://c.example/cb", False),
        ("https://c.example.evil.example/cb", "https://c.example", False),
    ],
)
def test_went_to(location: str, uri: str, *, expected: bool) -> None:
    assert went(location).went_to(uri) is expected


def test_reprs_show_no_token() -> None:
    answer = went("https://c.example/cb#access_token=hush")
    assert "hush" not in repr(answer)
    assert "hush" not in repr(token_answer(b'{"access_token": "hush"}'))
    assert "hush" not in answer.describe()
