"""What `init` makes of a login page."""

import pytest

from grantproof.login.page import Page, read_page
from grantproof.login.proposal import Proposal, propose
from grantproof.wire.answer import Answer
from grantproof.wire.headers import Headers

NAMED = '<input name="user"><input type="password" name="pw">'


def page_of(body: str) -> Page:
    headers = Headers((("Content-Type", "text/html"),))
    page = read_page(Answer(200, headers, body.encode(), "https://as.example/login"))
    assert page is not None
    return page


SURE = {
    f'<form id="login">{NAMED}<button>go</button></form>':
        Proposal("form#login", {"user": "username", "pw": "password"}, None),
    f'<form action="/search"><input name="q"></form><form>{NAMED}</form>':
        Proposal('input[name="pw"]', {"user": "username", "pw": "password"}, None),
    '<form id="f"><input name="x"><input type="hidden" name="user_hint"><input name="pw" type="PASSWORD"></form>':
        Proposal("form#f", {"x": "username", "pw": "password"}, None),
    '<form id="f"><input name="realm"><input type="email" name="j_email"><input type=password name="j_pw"></form>':
        Proposal("form#f", {"j_email": "username", "j_pw": "password"}, None),
}  # fmt: skip


@pytest.mark.parametrize("body", SURE)
def test_a_plain_login_is_proposed(body: str) -> None:
    assert propose(page_of(body)) == SURE[body]


DOUBTFUL = {
    '<form id="f"><input name="user"></form>': ({"user": "username"}, None, "asked for on a later page"),
    '<form id="f"><input type="password" name="pw"></form>': ({"pw": "password"}, None, "no field for the user's name"),
    f'<form id="f">{NAMED}</form><form>{NAMED}</form>':
        ({"user": "username", "pw": "password"}, None, "several forms on the page ask for a password"),
    '<form id="f"><input name="user"><input name="email"><input type=password name="pw"></form>':
        ({"user": "username", "pw": "password"}, None, "may go into user or email"),
    f'<form id="f">{NAMED}<button name="do" value="in">in</button><button name="do" value="no">no</button></form>':
        ({"user": "username", "pw": "password"}, 'button[name="do"][value="in"]', "several buttons"),
    f'<form id="f">{NAMED}<input type="submit" id="in"><button>no</button></form>':
        ({"user": "username", "pw": "password"}, "#in", "several buttons"),
}  # fmt: skip


@pytest.mark.parametrize("body", DOUBTFUL)
def test_a_doubt_is_said(body: str) -> None:
    fill, submit, doubt = DOUBTFUL[body]
    found = propose(page_of(body))
    assert found is not None
    assert (found.when, found.fill, found.submit) == ("form#f", fill, submit)
    assert any(doubt in each for each in found.doubts), found.doubts


@pytest.mark.parametrize(
    "body",
    [
        "<p>Something is wrong",
        '<form><input name="q"></form>',
        '<form><input type="password"></form>',
        '<form><input type="password" name=\'"]{};x\'></form>',
        '<div><input type="password" name="pw"></div>',
    ],
)
def test_what_is_no_login_form_is_not_proposed(body: str) -> None:
    assert propose(page_of(body)) is None
