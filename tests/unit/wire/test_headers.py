"""Header fields: repeatable lines, directives, challenges."""

import pytest

from grantproof.wire.headers import Challenge, Headers

CHALLENGES: list[tuple[str, list[Challenge]]] = [
    ('Basic realm="x"', [Challenge("basic", (("realm", "x"),))]),
    ("Bearer", [Challenge("bearer")]),
    ('bearer error="invalid_token", error_description="a, b"',
     [Challenge("bearer", (("error", "invalid_token"), ("error_description", "a, b")))]),
    ('Negotiate, Basic realm="r", charset="UTF-8"',
     [Challenge("negotiate"), Challenge("basic", (("realm", "r"), ("charset", "UTF-8")))]),
    ('Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
     [Challenge("newauth", (("realm", "apps"), ("type", "1"), ("title", 'Login to "apps"'))),
      Challenge("basic", (("realm", "simple"),))]),
    ("Negotiate abc123==", [Challenge("negotiate", (), "abc123==")]),
    ("", []),
    (', , Basic realm = "r"', [Challenge("basic", (("realm", "r"),))]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), CHALLENGES)
def test_reads_every_challenge_of_a_line(line: str, expected: list[Challenge]) -> None:
    assert list(Headers((("WWW-Authenticate", line),)).challenges) == expected


def test_reads_challenges_over_several_lines() -> None:
    headers = Headers((("www-authenticate", "Bearer"), ("WWW-AUTHENTICATE", 'Basic realm="r"')))
    assert [challenge.scheme for challenge in headers.challenges] == ["bearer", "basic"]
    assert headers.challenges[1].get("REALM") == "r"


@pytest.mark.parametrize("line", ['Basic realm="unclosed', "====", "Basic ,,,=", '"', "Basic realm=", "\x00"])
def test_hostile_challenges_end(line: str) -> None:
    assert len(Headers((("WWW-Authenticate", line),)).challenges) <= 2


def test_directives_are_collected_over_lines_without_case() -> None:
    headers = Headers((("Cache-Control", "No-Store, max-age=0"), ("cache-control", "private")))
    assert headers.directives("Cache-Control") == {"no-store", "max-age", "private"}
    assert headers.directives("Pragma") == frozenset()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("application/json", "application/json"),
        ("Application/JSON;charset=UTF-8", "application/json"),
        (" text/html ;x", "text/html"),
    ],
)
def test_media_type_is_compared_without_case_and_parameters(value: str, expected: str) -> None:
    assert Headers((("Content-Type", value),)).media_type == expected


def test_absent_is_absent() -> None:
    headers = Headers((("A", "1"), ("a", "2")))
    assert headers.get("b") is None
    assert headers.all("A") == ("1", "2")
    assert "a" in headers
    assert 1 not in headers
    assert headers.media_type == ""
