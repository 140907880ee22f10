"""What would take a browser away from a page by itself."""

import pytest

from grantproof.login.page import find_redirect, read_page, resolve
from grantproof.wire.answer import Answer
from grantproof.wire.headers import Headers

BASE = "https://as.example/authorize?x=1"


def answer(body: str = "", status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(status, Headers((("Content-Type", "text/html"), *headers)), body.encode(), BASE)


REDIRECTS = [
    (answer("", 302, ("Location", "https://c.example/cb#a=1")), "3xx", "https://c.example/cb#a=1"),
    (answer("", 303, ("Location", "/login?y=2")), "3xx", "https://as.example/login?y=2"),
    (answer("", 307, ("Location", "com.app:/cb")), "3xx", "com.app:/cb"),
    (answer("", 302, ("Location", "//evil.example/")), "3xx", "https://evil.example/"),
    (answer("", 200, ("Refresh", "0; url=https://evil.example/")), "meta", "https://evil.example/"),
    (answer('<meta http-equiv="Refresh" content="3;URL=\'https://evil.example/\'">'), "meta", "https://evil.example/"),
    (answer("<script>location = 'https://evil.example/'</script>"), "script", "https://evil.example/"),
    (answer('<script>window.location.href="https:\\/\\/evil.example\\u002F"</script>'), "script", "https://evil.example/"),
    (answer("<script>top.location.replace(`/next`)</script>"), "script", "https://as.example/next"),
    (answer("<body onload=\"document.location.assign('https://evil.example/')\">"), "script", "https://evil.example/"),
    (answer("<form action=https://c.example/cb><input name=a></form><script>document.forms[0].submit()</script>"),
     "form_post", "https://c.example/cb"),
    (answer('<body onload="document.forms[0].submit()"><form action="/cb"><input name=a></form>'), "form_post", "https://as.example/cb"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kind", "url"), REDIRECTS)
def test_finds_what_leads_away(given: Answer, kind: str, url: str) -> None:
    redirect = find_redirect(given, read_page(given))
    assert redirect is not None
    assert (redirect.kind, redirect.url) == (kind, url)


@pytest.mark.parametrize(
    "given",
    [
        answer("<p>hello"),
        answer('<a href="https://evil.example/">continue</a>'),
        answer("<form action=https://evil.example/><button>go</button></form>"),
        answer("<script>if (location == 'https://evil.example/') {}</script>"),
        answer("<script>var allocation = 'https://evil.example/'</script>"),
        answer("", 302),
        answer("", 201, ("Location", "https://evil.example/")),
        answer("<script>location = 'https://as.example/authorize?x=1#top'</script>"),
    ],
)
def test_leaves_alone_what_needs_a_click(given: Answer) -> None:
    assert find_redirect(given, read_page(given)) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"<", b"<form" * 5000, b"<a>" * 20_000, b"\xff\xfe<html>", b"<?xml version='1.0' encoding='x'?>"],
)
def test_hostile_pages_are_read_or_given_up(body: bytes) -> None:
    given = Answer(200, Headers((("Content-Type", "text/html"),)), body, BASE)
    page = read_page(given)
    assert page is None or len(page.describe()) < 2000


def test_what_is_no_html_is_no_page() -> None:
    assert read_page(Answer(200, Headers((("Content-Type", "application/json"),)), b"<html>", BASE)) is None


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("https://[", "https://["), ("http://x y", "http://x y"), ("", BASE), ("#a", BASE + "#a")],
)
def test_odd_references_are_kept(reference: str, expected: str) -> None:
    assert resolve(BASE, reference) == expected
