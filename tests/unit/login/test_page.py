"""What would take a browser away from a page by itself."""

import pytest

from grantproof.login.page import find_redirect, is_inert, read_page, resolve
from grantproof.wire.answer import Answer
from grantproof.wire.headers import Headers

BASE = "https://as.example/authorize?x=1"


def answer(body: str = "", status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(status, Headers((("Content-Type", "text/html"), *headers)), body.encode(), BASE)


TWO = '<form action="/a"></form><form id="it" name="it" action="/b"></form>'
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
    (answer('<form action="/a"></form><form action="/b"></form><script>document.forms[1].submit()</script>'),
     "form_post", "https://as.example/b"),
    (answer(f'{TWO}<script>document.getElementById("it").submit()</script>'),
     "form_post", "https://as.example/b"),
    (answer(f"{TWO}<script>document.it.requestSubmit()</script>"),
     "form_post", "https://as.example/b"),
    (answer(f"{TWO}<script>document.forms['it'].submit()</script>"),
     "form_post", "https://as.example/b"),
    (answer('<base href="/deep/"><script>location = "next"</script>'), "script", "https://as.example/deep/next"),
    (answer('<svg onload="location = \'/next\'">'), "script", "https://as.example/next"),
    (answer('<script type="module">location = "/next"</script>'), "script", "https://as.example/next"),
    (answer('<script type="text/JavaScript; charset=utf-8">location = "/next"</script>'), "script", "https://as.example/next"),
    (answer("<script>x = 1 // location\nlocation = 'https://evil.example/' // gone\n</script>"), "script", "https://evil.example/"),
    (answer("", 200, ("Refresh", "0 https://evil.example/")), "meta", "https://evil.example/"),
    (answer("", 200, ("Refresh", "0")), None, None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kind", "url"), REDIRECTS)
def test_finds_what_leads_away(given: Answer, kind: str | None, url: str | None) -> None:
    redirect = find_redirect(given, read_page(given))
    found = (redirect.kind, redirect.url) if redirect is not None else (None, None)
    assert found == (kind, url)


@pytest.mark.parametrize(
    "given",
    [
        answer("<p>hello"),
        answer('<a href="https://evil.example/">continue</a>'),
        answer("<form action=https://evil.example/><button>go</button></form>"),
        answer("<script>if (location == 'https://evil.example/') {}</script>"),
        answer("<script>var allocation = 'https://evil.example/'</script>"),
        answer("<script>\n// location = 'https://evil.example/'\n</script>"),
        answer("<script>\n/* location = 'https://evil.example/'\n */ 1</script>"),
        answer("<script type='application/json'>{\"x\": \"location = 'https://evil.example/'\"}</script>"),
        answer("<template><script>location = 'https://evil.example/'</script></template>"),
        answer("<form action=/cb><input name=a></form><script>$('form').submit(function () { return true })</script>"),
        answer("<form action=/cb><input name=a></form><script>$('#b').click(function () { go() })</script>"),
        answer("<form action=/cb><input type=password name=a></form><script>function go() { f.submit() }</script>"),
        answer("<form action=/cb><input name=a></form><script>document.forms[3].submit()</script>"),
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


@pytest.mark.parametrize("body", ["<p>Wrong.", '<form method="post"><input name="a"><button>go</button></form>', ""])
def test_a_page_without_script_or_refresh_is_inert(body: str) -> None:
    assert is_inert(answer(body))


@pytest.mark.parametrize(
    "body",
    [
        "<SCRIPT>1</SCRIPT>",
        "<script src=/x.js></script>",
        "<body onload=f()>",
        "<img src=x ONERROR = f()>",
        "<a href='javascript:f()'>",
        "<meta http-equiv=refresh content=1>",
        "<iframe src=/x>",
        "<frameset>",
        "<object data=x>",
        "<embed src=x>",
        "<svg><set>",
        "<scr\x00ipt>",
        "<scr\x1b(Bipt>",
    ],
)
def test_a_page_that_may_act_by_itself_is_not(body: str) -> None:
    assert not is_inert(answer(body))


@pytest.mark.parametrize("kind", ["text/html; charset=utf-16", "application/xhtml+xml", "", "text/html;charset=x"])
def test_a_page_that_may_be_read_in_another_way_is_not(kind: str) -> None:
    assert not is_inert(Answer(200, Headers((("Content-Type", kind),)), b"<p>Hello", BASE))


@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; Charset=UTF-8", "text/html; charset='us-ascii'"])
def test_the_common_ways_to_name_a_page_are_known(kind: str) -> None:
    assert is_inert(Answer(200, Headers((("Content-Type", kind),)), b"<p>Hello", BASE))
