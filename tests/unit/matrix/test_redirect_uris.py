"""The mutations of redirect URIs, and how a browser on its way to one is noticed."""

import pytest

from grantproof.matrix.redirect_uris import MUTATIONS, is_loopback, mutations, sent_to
from grantproof.wire.answer import Answer, AuthorizationAnswer, Redirect
from grantproof.wire.headers import Headers

PLAIN = "https://app.example/cb"
WITH_QUERY = "https://app.example/cb2?x=1&y=a%2fb"
OWN = "https://as.example/authorize"


def ended(url: str | None, *locations: str, kind: str = "3xx") -> AuthorizationAnswer:
    steps = tuple(Answer(302, Headers((("Location", each),)), b"", OWN) for each in locations)
    return AuthorizationAnswer(None if url is None else Redirect(kind, url), None, steps)


@pytest.mark.parametrize("uri", [PLAIN, WITH_QUERY])
def test_every_mutation_differs_from_the_registered_uri(uri: str) -> None:
    built = {mutation.id: mutation.build(uri) for mutation in MUTATIONS}
    assert not [name for name, text in built.items() if text == uri]


def test_every_mutation_applies_to_one_of_two_usual_uris() -> None:
    assert not [each.id for each in MUTATIONS if each.build(PLAIN) is None and each.build(WITH_QUERY) is None]


def test_ids_are_unique_and_groups_select() -> None:
    assert len({mutation.id for mutation in MUTATIONS}) == len(MUTATIONS)
    assert {mutation.group for mutation in mutations("fragment", "relative")} == {"fragment", "relative"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("suffix-host", "https://app.example.attacker.example/cb"),
        ("host-as-user", "https://app.example@attacker.example/cb"),
        ("default-port", "https://app.example:443/cb"),
        ("needless-escape", "https://app.example/c%62"),
        ("slash-slash-host", "//app.example/cb"),
        ("scheme-twin", "http://app.example/cb"),
    ],
)
def test_mutation(name: str, expected: str) -> None:
    assert next(each for each in MUTATIONS if each.id == name).build(PLAIN) == expected


@pytest.mark.parametrize(
    "url", ["https://app.example/cb#error=x", "https://APP.example/other", "https://app.example./"]
)
def test_host_of_a_uri_is_noticed(url: str) -> None:
    assert sent_to(ended(url), [PLAIN]) == "a 3xx redirect"


def test_script_to_a_scheme_without_host_is_noticed() -> None:
    assert sent_to(ended("javascript:alert(1)#error=x", kind="script"), ["javascript:alert(1)"]) == "a script redirect"


@pytest.mark.parametrize("location", ["/cb#access_token=x", "%2Fcb#error=x"])
def test_relative_uri_in_a_location_is_noticed(location: str) -> None:
    assert sent_to(ended(None, location), ["/cb"]) == "a Location header of status 302"


@pytest.mark.parametrize("location", ["/login?request=1", "/", "/cbx", "https://as.example/cb", "/cb/consent"])
def test_own_pages_are_no_redirection_to_the_client(location: str) -> None:
    assert sent_to(ended(None, location), ["/cb", "/", PLAIN]) is None


def test_page_of_another_site_is_no_redirection_to_the_client() -> None:
    assert sent_to(ended("https://help.as.example/error"), [PLAIN, "https://[::1", "   "]) is None


@pytest.mark.parametrize(
    ("host", "expected"), [("localhost", True), ("127.0.0.9", True), ("::1", True), ("a.example", False)]
)
def test_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
