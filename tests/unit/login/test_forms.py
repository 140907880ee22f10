"""The forms driver on small servers: what it sends, where it stops, and what it never tells another server."""

from collections.abc import Callable
from typing import Any

import pytest

from grantproof.errors import Inconclusive
from grantproof.login.forms import FormsDriver
from grantproof.login.journey import MAX_HOPS, MAX_PAGES, Journey, UserAgent, origin_of
from grantproof.profile.signing_in import LoginStep
from grantproof.transport import Recorder, Redactor, Transport
from grantproof.wire.request import Request
from tests.unit.login.server import Heard, Pages, Reply, Site, redirect, serve

CALLBACK = "https://app.example/cb"
DONE = f"{CALLBACK}#access_token=t0ken&state=1"
SIGN_IN = {"fill": {"username": "alice", "password": "pa55word"}}
"""A step without `when`: any page with a form."""


def walk(
    site: Site, *steps: dict[str, Any], agent: UserAgent | None = None, origins: tuple[str, ...] = (), **options: Any
) -> Journey:
    transport = Transport(Recorder(Redactor(["pa55word"])), timeout_s=5)
    driver = FormsDriver(transport, [LoginStep.model_validate(step) for step in steps], {site.origin, *origins})
    with transport:
        return driver.walk(Request("GET", f"{site.origin}/authorize?x=1"), agent or UserAgent(), **options)


def page(body: str) -> Callable[[Heard], Reply]:
    return lambda _heard: Reply(f"<title>Sign in</title>{body}")


def done(_heard: Heard) -> Reply:
    return redirect(DONE)


LOGIN = '<form id="login" action="/login" method="post"><input name="username"><input type="password" name="password">'


TICKS = """
    <input type="checkbox" name="stay" value="1" checked><input type="checkbox" name="news" value="1">
    <input type="checkbox" name="scope" value="read" checked><input type="checkbox" name="scope" value="write" checked>
    <input type="radio" name="for" value="once"><input type="radio" name="for" value="ever" checked>
    <input type="checkbox" name="bare" checked>
"""
CHOICES = """
    <select name="realm"><option value="a">A<option value="b" selected>B</select>
    <select name="language"><option value="de"><option value="en"></select>
    <select name="many" multiple><option value="1" selected><option value="2"><option value="3" selected></select>
    <select name="none"></select><textarea name="note">x</textarea>
"""
UNSENT = """
    <input name="empty"><input name="off" value="1" disabled><input value="unnamed"><input type="reset" name="r">
    <input type="button" name="b" value="1"><input type="file" name="f"><input type="submit" value="go">
"""
BUTTONS = """
    <button type="button" name="act" value="help"></button>
    <button name="act" value="yes"></button><input type="submit" name="act" value="no">
"""
NAMED = '<input name="username"><input name="password">'


@pytest.mark.parametrize(
    ("form", "step", "sent"),
    [
        (f'<input type="hidden" name="csrf" value="a&amp;b=c">{NAMED}', SIGN_IN,
         {"csrf": ["a&b=c"], "username": ["alice"], "password": ["pa55word"]}),
        (TICKS, {}, {"stay": ["1"], "scope": ["read", "write"], "for": ["ever"], "bare": ["on"]}),
        (TICKS, {"fill": {"news": "1", "scope": "read"}},
         {"stay": ["1"], "scope": ["read"], "for": ["ever"], "bare": ["on"], "news": ["1"]}),
        (CHOICES, {}, {"realm": ["b"], "language": ["de"], "many": ["1", "3"], "note": ["x"]}),
        (CHOICES, {"fill": {"realm": "a"}}, {"realm": ["a"], "language": ["de"], "many": ["1", "3"], "note": ["x"]}),
        (UNSENT, {}, {"empty": [""]}),
        (BUTTONS, {}, {"act": ["yes"]}),
        (BUTTONS, {"submit": "[value=no]"}, {"act": ["no"]}),
        ('<input name="username" value="älice &amp; co">', {}, {"username": ["älice & co"]}),
    ],
    ids=["hidden", "ticks", "tick", "choices", "choose", "unsent", "first button", "button", "umlaut"],
)  # fmt: skip
def test_a_form_is_sent_as_a_browser_would(form: str, step: dict[str, Any], sent: dict[str, list[str]]) -> None:
    pages: Pages = {
        "/authorize": page(f'<form method="post" action="/login">{form}</form>'),
        "/login": done,
    }
    with serve(pages) as site:
        journey = walk(site, step)
    assert site.sent("/login").form == sent
    assert site.sent("/login").method == "POST"
    assert journey.redirect is not None
    assert journey.redirect.url == DONE
    assert journey.page is None


GO = '<input type="submit">'


@pytest.mark.parametrize(
    ("form", "arrives"),
    [
        ('<form method="post"><input name="a" value="1"></form>', "POST /authorize"),
        ('<form action="next?old=1"><input name="a" value="1"></form>', "GET /next"),
        ('<form method="post" action="/no"><button formaction="/next"></button></form>', "POST /next"),
        ('<form method="post" action="/next" id="f"></form><button form="f"></button>', "POST /next"),
        (f'<form action="/no"></form><form method="post" action="/next" class="it">{GO}</form>', "POST /next"),
    ],
    ids=["same", "get", "formaction", "outside", "second"],
)  # fmt: skip
def test_a_form_goes_where_it_says(form: str, arrives: str) -> None:
    chosen = {"submit": ".it input"} if 'class="it"' in form else {"submit": "button"} if "<button" in form else {}
    pages: Pages = {
        "/authorize": lambda heard: redirect(DONE) if heard.method == "POST" else Reply(form),
        "/next": done,
    }
    with serve(pages) as site:
        walk(site, {"when": "form", **chosen})
    assert site.paths[-1] == arrives
    if arrives == "GET /next":
        assert site.heard[-1].query == {"a": ["1"]}


def test_a_link_may_be_the_button() -> None:
    pages: Pages = {
        "/authorize": page('<a href="/help">help</a><a class="go" href="/continue?a=1">go on</a>'),
        "/continue": done,
    }
    with serve(pages) as site:
        journey = walk(site, {"when": "a.go", "submit": "a.go"})
    assert site.paths == ["GET /authorize", "GET /continue"]
    assert journey.acted == ["a.go"]


def test_a_login_in_two_pages_at_one_address() -> None:
    def form(stage: int, field: str) -> str:
        return f'<form method="post" action="/login"><input name="stage" value="{stage}"><input name="{field}"></form>'

    def login(heard: Heard) -> Reply:
        stage = int(heard.form["stage"][0])
        return redirect(DONE) if stage == 3 else Reply(form(stage + 1, ["password", "scope"][stage - 1]))

    with serve({"/authorize": page(form(1, "username")), "/login": login}) as site:
        journey = walk(site, SIGN_IN)
    assert site.paths == ["GET /authorize", "POST /login", "POST /login", "POST /login"]
    assert site.heard[2].form["password"] == ["pa55word"]
    assert journey.redirect is not None


def test_steps_are_told_apart_by_page_and_url() -> None:
    pages: Pages = {
        "/authorize": lambda _: redirect("/who?step=1"),
        "/who": page('<form method="post" action="/secret"><input name="username"></form>'),
        "/secret": page('<form id="second" method="post" action="/login"><input name="password"></form>'),
        "/login": done,
    }
    steps = (
        {"when": "url~/who\\?step=1$", "fill": {"username": "alice"}},
        {"when": "form#second", "fill": {"password": "pa55word"}},
    )
    with serve(pages) as site:
        journey = walk(site, *steps)
    assert site.sent("/secret").form == {"username": ["alice"]}
    assert site.sent("/login").form == {"password": ["pa55word"]}
    assert journey.acted == ["url~/who\\?step=1$", "form#second"]


def test_the_first_step_that_matches_acts() -> None:
    pages: Pages = {"/authorize": page(f"{LOGIN}</form>"), "/login": done}
    with serve(pages) as site:
        walk(
            site,
            {"when": "form#other", "fill": {"username": "x"}},
            {"when": "form#login", "fill": {"username": "first"}},
            {"fill": {"username": "second"}},
        )
    assert site.sent("/login").form["username"] == ["first"]


@pytest.mark.parametrize("choice", ["allow", "deny"])
def test_consent_is_given_or_refused(choice: str) -> None:
    buttons = "".join(f'<button name="decision" value="{word}"></button>' for word in ("allow", "deny"))
    pages: Pages = {
        "/authorize": page(f'<form class="consent" method="post" action="/consent">{buttons}</form>'),
        "/consent": lambda heard: redirect(f"{CALLBACK}#{heard.form['decision'][0]}"),
    }
    steps = [{"when": ".consent", "choice": word, "submit": f"button[value={word}]"} for word in ("allow", "deny")]
    with serve(pages) as site:
        journey = walk(site, *steps, choice=choice)
    assert journey.redirect is not None
    assert journey.redirect.url == f"{CALLBACK}#{choice}"


def test_a_page_without_a_step_ends_the_journey() -> None:
    with serve({"/authorize": page(f"{LOGIN}</form>")}) as site:
        journey = walk(site, {"when": "form#other"})
    assert (journey.redirect, journey.acted, len(journey.steps)) == (None, [], 1)
    assert journey.page is journey.steps[-1]


def test_the_first_page_can_be_the_end() -> None:
    with serve({"/authorize": lambda _: redirect("/login"), "/login": page(f"{LOGIN}</form>")}) as site:
        journey = walk(site, SIGN_IN, stop_at_pages=True)
    assert site.paths == ["GET /authorize", "GET /login"]
    assert journey.page is not None


@pytest.mark.parametrize("status", [200, 401])
def test_a_wrong_password_is_given_up_with_a_diagnosis(status: int) -> None:
    again = Reply(f"<title>Sign in again</title>{LOGIN}</form>", status)
    pages: Pages = {"/authorize": page(f"{LOGIN}</form>"), "/login": lambda _: again}
    with serve(pages) as site, pytest.raises(Inconclusive) as ending:
        walk(site, {"when": "form#login", **SIGN_IN})
    said = str(ending.value)
    assert "the login step 'form#login' comes again and again" in said
    assert "are the user's name and password right?" in said
    assert f"status {status}, title 'Sign in again', form#login with username (text), password (password)" in said
    assert "pa55word" not in said
    assert site.paths.count("POST /login") <= 3


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"when": "title", "submit": "button.go"}, "finds no 'button.go' on its page"),
        ({"when": "title"}, "finds no form on its page"),
    ],
)
def test_a_step_that_cannot_act_says_what_the_page_is(step: dict[str, Any], words: str) -> None:
    with serve({"/authorize": page("<p>hello")}) as site, pytest.raises(Inconclusive) as ending:
        walk(site, step)
    assert f"{words} (status 200, title 'Sign in', no form)" in str(ending.value)


@pytest.mark.parametrize(
    ("form", "arrives"),
    [
        ('<base href="/deep/"><form method="post" action="next"><button></button></form>', "POST /deep/next"),
        ('<base href="/deep/"><form method="post" action=""><button></button></form>', "POST /authorize"),
        ('<base href="/deep/"><a class="go" href="next">go</a>', "GET /deep/next"),
        ('<form action="/no"><button formmethod="post" formaction="/next"></button></form>', "POST /next"),
        ('<form method="post" action="/next"><button disabled name="a"></button><button></button></form>',
         "POST /next"),
        ('<form id="a" action="/no"><button form="b"></button></form><form id="b" method="post" action="/next"></form>',
         "POST /next"),
    ],
    ids=["base", "base, empty", "base, link", "formmethod", "disabled button", "form by id"],
)  # fmt: skip
def test_what_decides_where_a_form_goes(form: str, arrives: str) -> None:
    pages: Pages = {
        "/authorize": lambda heard: redirect(DONE) if heard.method == "POST" else Reply(form),
        "/next": done,
        "/deep/next": done,
    }
    step = {"when": "a.go", "submit": "a.go"} if 'class="go"' in form else {"when": "form"}
    with serve(pages) as site:
        walk(site, step)
    assert site.paths[-1] == arrives
    assert "a" not in site.heard[-1].form


def test_fields_of_a_disabled_group_are_not_sent() -> None:
    form = '<form method="post" action="/next"><fieldset disabled><input name="a"></fieldset><input name="b"></form>'
    with serve({"/authorize": page(form), "/next": done}) as site:
        walk(site, {"when": "form"})
    assert site.heard[-1].form == {"b": [""]}


def test_a_posted_form_says_where_it_comes_from() -> None:
    pages: Pages = {"/authorize": page(f"{LOGIN}</form>"), "/login": done}
    with serve(pages) as site:
        walk(site, SIGN_IN)
    assert site.heard[0].headers.get("origin") is None
    assert site.heard[1].headers["origin"] == site.origin
    assert site.heard[1].headers["referer"] == f"{site.origin}/authorize?x=1"


def test_a_posted_form_tells_another_origin_no_address() -> None:
    pages: Pages = {"/login": done}
    with serve(pages) as other:
        form = LOGIN.replace("/login", f"{other.origin}/login")
        with serve({"/authorize": page(f"{form}</form>")}) as site:
            walk(site, SIGN_IN, origins=(other.origin,))
    assert other.heard[0].headers["referer"] == f"{site.origin}/"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f'<a class="no" href="{DONE}">Cancel</a>', "link"),
        (f'<form method="post" action="{CALLBACK}"><input name="error" value="x"><button class="no"></button></form>',
         "form_post"),
    ],
)  # fmt: skip
def test_what_a_step_activates_may_lead_to_the_client(body: str, kind: str) -> None:
    with serve({"/authorize": page(body)}) as site:
        journey = walk(site, {"when": ".no", "submit": ".no"}, leave_at=[CALLBACK])
    assert site.paths == ["GET /authorize"]
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url.partition("#")[0]) == (kind, CALLBACK)
    if kind == "form_post":
        assert journey.redirect.form is not None
        assert journey.redirect.form.get("error") == "x"
    else:
        assert journey.redirect.url == DONE


# What is said when no step is for a page.


def test_the_diagnosis_names_the_page_and_why_no_step_is_for_it() -> None:
    body = f'{LOGIN}<input type="hidden" name="csrf" value="s3cret"><select name="realm"></select></form>'
    steps = (
        {"when": "form#other"},
        {"when": "url~/sign-in$"},
        {"when": "form#login", "choice": "deny"},
    )
    with serve({"/authorize": page(body)}) as site:
        journey = walk(site, *steps)
        bare = walk(site)
    assert journey.diagnosis == (
        "no login step is for the page with status 200, title 'Sign in', form#login with username (text), "
        "password (password), csrf (hidden), realm (select): 'form#other' matches nothing on it; "
        f"'url~/sign-in$' does not match the address '{site.origin}/authorize'; "
        "'form#login' is for deny, and the user is to allow"
    )
    assert bare.diagnosis.startswith("the profile has no [[login.steps]] for the page with status 200")


def test_fields_outside_of_a_form_are_named_too() -> None:
    with serve({"/authorize": page('<input name="user"><button id="go">go</button>')}) as site:
        journey = walk(site, {})
    assert (
        "no form, but the fields user (text), #go (submit): 'step 1' is for any page with a form" in journey.diagnosis
    )


# Single-page logins.


def test_calls_are_made_and_their_answers_used() -> None:
    pages: Pages = {
        "/authorize": lambda _: redirect("/spa/login.html?callback_url=%2Fresume%3Fid%3D7"),
        "/spa/login.html": page('<div id="app"></div>'),
        "/spa/session": lambda _: Reply('{"ticket": "t 1", "n": 5}', 200, (("Content-Type", "application/json"),)),
        "/spa/auth": lambda _: Reply('{"next": "/resume"}', 200, (("Set-Cookie", "sid=s3ssion; Path=/"),)),
        "/resume": done,
    }
    step = {
        "when": "url~/login.html",
        "calls": [
            {"method": "GET", "url": "session"},
            {"url": "/spa/auth?t={json.ticket}", "json": {"u": {"name": "alice"}, "p": "pa55word"}},
        ],
        "goto": "{query.callback_url}&next={json.next}&none={json.n}{query.absent}",
    }
    with serve(pages) as site:
        journey = walk(site, step)
    assert site.paths == ["GET /authorize", "GET /spa/login.html", "GET /spa/session", "POST /spa/auth", "GET /resume"]
    assert site.sent("/spa/auth").query == {"t": ["t 1"]}
    assert site.sent("/spa/auth").body == '{"u": {"name": "alice"}, "p": "pa55word"}'
    assert site.sent("/resume").query == {"id": ["7"], "next": ["/resume"], "none": [""]}
    assert site.sent("/resume").cookie == "sid=s3ssion"
    assert journey.redirect is not None


def test_a_call_that_is_refused_is_inconclusive() -> None:
    pages: Pages = {"/authorize": page("<p>"), "/api": lambda _: Reply("{}", 401)}
    step = {"when": "p", "calls": [{"url": "/api", "json": {"p": "pa55word"}}]}
    with serve(pages) as site, pytest.raises(Inconclusive, match="got status 401 from POST /api"):
        walk(site, step)


# Hops.


@pytest.mark.parametrize(
    "hop",
    [
        Reply('<meta http-equiv="refresh" content="0; url=/next?a=1">'),
        Reply("", 200, (("Refresh", "0;url=/next?a=1"),)),
        Reply("<script>window.location.replace('/next?a=1')</script>"),
        Reply('<body onload="document.forms[0].submit()"><form action="/next"><input name="a" value="1"></form>'),
        redirect("/next?a=1", 303),
        redirect("next?a=1#fragment", 302),
    ],
    ids=["meta", "header", "script", "form", "303", "relative"],
)
def test_hops_inside_the_server_are_followed(hop: Reply) -> None:
    with serve({"/authorize": lambda _: hop, "/next": done}) as site:
        journey = walk(site)
    assert site.paths == ["GET /authorize", "GET /next"]
    assert site.heard[-1].query == {"a": ["1"]}
    assert journey.redirect is not None


def test_an_auto_submitted_form_inside_the_server_is_posted() -> None:
    form = '<form method="post" action="/next"><input name="SAMLResponse" value="a+b=="></form>'
    hop = Reply(f"{form}<script>document.forms[0].submit()</script>")
    with serve({"/authorize": lambda _: hop, "/next": done}) as site:
        walk(site)
    assert site.paths == ["GET /authorize", "POST /next"]
    assert site.heard[-1].form == {"SAMLResponse": ["a+b=="]}


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_only_307_and_308_repeat_a_post(status: int, method: str) -> None:
    pages: Pages = {
        "/authorize": page(f"{LOGIN}</form>"),
        "/login": lambda _: redirect("/next", status),
        "/next": done,
    }
    with serve(pages) as site:
        walk(site, SIGN_IN)
    assert site.heard[-1].method == method
    assert bool(site.heard[-1].form) is (method == "POST")


def test_a_redirection_uri_on_the_servers_own_origin_is_not_followed() -> None:
    pages: Pages = {"/authorize": lambda _: redirect("/app/cb?x=1#access_token=t")}
    with serve(pages) as site:
        journey = walk(site, leave_at=[f"{site.origin}/app/cb"])
    assert site.paths == ["GET /authorize"]
    assert journey.redirect is not None
    assert journey.redirect.url == f"{site.origin}/app/cb?x=1#access_token=t"


def test_a_redirect_loop_ends() -> None:
    with serve({"/authorize": lambda _: redirect("/authorize?again=1")}) as site, pytest.raises(Inconclusive) as ending:
        walk(site)
    assert f"redirects without end ({MAX_HOPS} hops)" in str(ending.value)
    assert len(site.heard) == MAX_HOPS


def test_pages_that_never_end_are_given_up() -> None:
    def next_page(heard: Heard) -> Reply:
        number = int(heard.query.get("n", ["0"])[0]) + 1
        return Reply(f'<form action="/authorize"><input name="n" value="{number}"><input name="f{number}"></form>')

    with serve({"/authorize": next_page}) as site, pytest.raises(Inconclusive):
        walk(site, {"when": "form"})
    assert len(site.heard) == MAX_PAGES + 1


@pytest.mark.parametrize("href", ["https://client.example/cb?x=1#access_token=t", "/app/cb#access_token=t"])
def test_a_pressed_link_to_a_redirection_uri_is_read_and_not_followed(href: str) -> None:
    pages: Pages = {"/authorize": page(f'<a class="help" href="/help">?</a><a id="go" href="{href}">Back</a>')}
    with serve(pages) as site:
        leave_at = ["https://client.example/cb?x=1", f"{site.origin}/app/cb"]
        journey = walk(site, {"when": "a#go", "submit": "a#go"}, leave_at=leave_at)
    assert site.paths == ["GET /authorize"]
    assert journey.page is None
    assert journey.acted == ["a#go"]
    assert journey.redirect is not None
    assert (journey.redirect.kind, journey.redirect.url.endswith(href)) == ("link", True)


def test_a_link_that_no_step_presses_leads_nowhere() -> None:
    uri = "https://client.example/cb"
    with serve({"/authorize": page(f'<a id="go" href="{uri}#access_token=t">Back</a>')}) as site:
        journey = walk(site, leave_at=[uri])
    assert (journey.redirect, journey.page is None) == (None, False)


# Another server.


def leading_away(how: str, elsewhere: str) -> Pages:
    """A server with a session that sends the browser away after the login, in one of many ways."""
    cookie = ("Set-Cookie", "sid=s3ssion; Path=/")
    auto = f'<form method="{{}}" action="{elsewhere}/steal"><input name="a" value="1"></form>'
    replies = {
        "302": redirect(f"{elsewhere}/steal"),
        "307": redirect(f"{elsewhere}/steal", 307),
        "relative": redirect(f"//{elsewhere.partition('//')[2]}/steal"),
        "meta": Reply(f'<meta http-equiv="refresh" content="0;url={elsewhere}/steal">'),
        "refresh": Reply("", 200, (("Refresh", f"0;url={elsewhere}/steal"),)),
        "script": Reply(f"<script>location = '{elsewhere}/steal'</script>"),
        "posted": Reply(auto.format("post") + "<script>document.forms[0].submit()</script>"),
        "got": Reply(auto.format("get") + "<script>document.forms[0].submit()</script>"),
        "userinfo": redirect(f"{elsewhere.replace('//', '//127.0.0.1@')}/steal"),
    }
    reply = replies[how]
    return {
        "/authorize": lambda _: Reply(f"{LOGIN}</form>", 200, (cookie,)),
        "/login": lambda _: Reply(reply.body, reply.status, (*reply.headers, cookie)),
    }


HOPS = ["302", "307", "relative", "meta", "refresh", "script", "posted", "got", "userinfo"]


@pytest.mark.parametrize("how", HOPS)
def test_a_hop_to_another_server_is_read_and_never_followed(how: str) -> None:
    with serve({}) as foreign, serve(leading_away(how, foreign.origin)) as site:
        journey = walk(site, SIGN_IN)
    assert foreign.heard == []
    assert site.paths == ["GET /authorize", "POST /login"]
    assert journey.redirect is not None
    assert journey.redirect.url.endswith("/steal")


@pytest.mark.parametrize(
    ("body", "step"),
    [
        ('<form method="post" action="{}/steal"><input name="username"><input name="password"></form>', SIGN_IN),
        ('<form action="{}/steal"><input name="username"><input name="password"></form>', SIGN_IN),
        ('<form method="post" action="/login"><button formaction="{}/steal"></button></form>', SIGN_IN),
        ('<a href="{}/steal">go</a>', {"when": "a", "submit": "a"}),
        ("<p>", {"when": "p", "calls": [{"url": "{}/steal", "json": {"p": "pa55word"}}]}),
        ("<p>", {"when": "p", "calls": [{"url": "{{query.x}}", "json": {"p": "pa55word"}}]}),
        ("<p>", {"when": "p", "calls": [{"url": "/api"}], "goto": "{}/steal"}),
    ],
    ids=["post", "get", "formaction", "link", "call", "call from the URL", "goto"],
)
def test_no_credential_is_sent_to_another_server(body: str, step: dict[str, Any]) -> None:
    def filled(value: Any, origin: str) -> Any:
        if isinstance(value, dict):
            return {key: filled(item, origin) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType] - a test's own literals
        if isinstance(value, list):
            return [filled(item, origin) for item in value]  # pyright: ignore[reportUnknownVariableType] - same
        return value.replace("{}", origin).replace("{{query.x}}", "{query.x}") if isinstance(value, str) else value

    with serve({}) as foreign:
        pages: Pages = {
            "/authorize": lambda _: redirect(f"/page?x={foreign.origin}/steal"),
            "/page": page(body.replace("{}", foreign.origin)),
            "/api": lambda _: Reply("{}"),
        }
        with serve(pages) as site, pytest.raises(Inconclusive) as ending:
            walk(site, filled(step, foreign.origin))
    assert str(ending.value) == f"a login step would leave the server for {foreign.origin}: name it in login.origins"
    assert foreign.heard == []


def test_login_origins_are_followed() -> None:
    pages: Pages = {"/sign-in": page(f"{LOGIN}</form>"), "/login": done}
    with serve(pages) as login, serve({"/authorize": lambda _: redirect(f"{login.origin}/sign-in")}) as site:
        journey = walk(site, SIGN_IN, origins=(login.origin,))
    assert login.paths == ["GET /sign-in", "POST /login"]
    assert journey.redirect is not None


def test_cookies_are_kept_between_walks_and_not_shared_between_users() -> None:
    def authorize(heard: Heard) -> Reply:
        return redirect(DONE) if "sid=s3ssion" in heard.cookie else Reply(f"{LOGIN}</form>")

    pages: Pages = {
        "/authorize": authorize,
        "/login": lambda _: redirect("/authorize", 302, ("Set-Cookie", "sid=s3ssion; Path=/; HttpOnly")),
    }
    alice, bob = UserAgent(), UserAgent("user2")
    with serve(pages) as site:
        walk(site, SIGN_IN, agent=alice)
        assert site.paths == ["GET /authorize", "POST /login", "GET /authorize"]
        site.heard.clear()
        assert walk(site, SIGN_IN, agent=alice).acted == []
        assert site.paths == ["GET /authorize"]
        assert walk(site, agent=bob).page is not None
    assert "s3ssion" not in repr(alice)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://As.Example:443/x?y", "https://as.example"),
        ("http://as.example:80", "http://as.example"),
        ("http://as.example:443/", "http://as.example:443"),
        ("https://me:pw@as.example/", "https://as.example"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("https://as.example:99999/", ""),
        ("https://[", ""),
        ("com.example.app:/cb", ""),
        ("", ""),
    ],
)
def test_origins_are_compared_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin
