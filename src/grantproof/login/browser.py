"""The `browser` driver: the steps of the profile in the system's Chromium, for logins that need script.

Rules of this file:
- The browser never speaks to the network: what it asks for is sent by the transport, with the user agent's own cookies,
  to the server's own origins only; so everything is bounded, recorded and redacted like any other exchange.
- A navigation of a page is caught before it happens and goes on as a request of the journey, as in the forms driver. So
  the hop that leaves the server is read, fragment and all, and the client's redirection URI is never loaded.
- Whatever a page does, the journey ends: each wait has an end, pop-ups and dialogs are closed, downloads refused.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from grantproof.errors import Inconclusive
from grantproof.login.forms import FormsDriver, Journey, UserAgent, leaves
from grantproof.wire.answer import Redirect
from grantproof.wire.form import Form, MalformedFormError
from grantproof.wire.request import FORM_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from playwright.sync_api import BrowserContext, Route
    from playwright.sync_api import Page as Tab

    from grantproof.login.chromium import Chromium
    from grantproof.login.page import Page
    from grantproof.profile.signing_in import LoginStep
    from grantproof.transport import Transport
    from grantproof.wire.answer import Answer

SETTLE_S = 0.4
"""How long a page may be quiet before it is taken to wait for its user."""
_POLL_MS = 25
_LOOK_MS, _LAST_LOOK_MS = 100, 500
_MAX_REQUESTS = 300
_KEPT_HEADERS = frozenset(
    {"accept", "content-type", "x-csrf-token", "x-requested-with", "x-xsrf-token", "authorization"}
)
_DROPPED_HEADERS = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})
_SUBMIT = "button[type=submit], input[type=submit], button:not([type])"


@dataclass
class _Caught:
    """What a page asked for that would take it elsewhere."""

    request: Request
    fragment: str = ""


@dataclass
class _Sheet:
    """One page of the server in the browser, and what it has done so far."""

    tab: "Tab"
    answer: "Answer"
    caught: list[_Caught] = field(default_factory=list[_Caught])
    fragments: dict[str, str] = field(default_factory=dict[str, str])
    requests: int = 0
    busy_at: float = 0.0


class BrowserDriver(FormsDriver):
    """Walks a user agent through pages that need script.

    Args:
        transport: sends the requests.
        steps: the profile's `[[login.steps]]`; selectors may be any that Playwright knows.
        origins: where the authorization server and its login pages live.
        chromium: the browser of the run.
    """

    def __init__(
        self,
        transport: "Transport",
        steps: "Sequence[LoginStep]",
        origins: "Collection[str]",
        chromium: "Chromium",
    ) -> None:
        super().__init__(transport, steps, origins)
        self._chromium = chromium

    def find_redirect(self, answer: "Answer", page: "Page | None") -> Redirect | None:
        """What the head of an answer, or a page without script, says; of a page with script the browser tells."""
        return super().find_redirect(answer, None if page is not None and _has_script(page) else page)

    def rest(self, page: "Page | None", agent: UserAgent, journey: Journey, leave_at: "Collection[str]") -> None:
        """Looks whether a page that nobody acts on goes elsewhere by itself."""
        if page is None or not _has_script(page):
            return
        with _Stage(self, page, agent) as stage:
            stage.settle()
            self._take(stage, journey, leave_at)

    def act(
        self,
        page: "Page | None",
        agent: UserAgent,
        choice: str,
        journey: Journey,
        pages: dict[str, int],
        leave_at: "Collection[str]" = (),
    ) -> Request | None:
        """The request that the steps make of a page, or that the page makes by itself; None where it ends there."""
        if page is None or not (_has_script(page) or self._knows_more_than_css):
            return super().act(page, agent, choice, journey, pages, leave_at)
        with _Stage(self, page, agent) as stage:
            done: list[str] = []
            while True:
                step = stage.wait_for([each for each in self.steps if each.choice in {None, choice}], done)
                if step is None:
                    return self._take(stage, journey, leave_at)
                label = step.when or f"step {self.steps.index(step) + 1}"
                if label in done:
                    raise Inconclusive(
                        f"the login step {label!r} comes again on its page: are the user's name and password right? "
                        f"({page.describe()})"
                    )
                done.append(label)
                self.note(step, page, journey, pages)
                if step.calls:
                    return self.call(step, page, agent, journey)
                stage.perform(step)

    @property
    def _knows_more_than_css(self) -> bool:
        """Whether a selector of the steps can only be read by the browser."""
        from cssselect import SelectorError, parse  # noqa: PLC0415 - only logins need it

        selectors = [each for step in self.steps for each in (step.when, step.submit) if each]
        try:
            for selector in selectors:
                if not selector.startswith("url~"):
                    parse(selector)
        except SelectorError:
            return True
        return False

    def _take(self, stage: "_Stage", journey: Journey, leave_at: "Collection[str]") -> Request | None:
        """The request of a caught navigation; one that leaves the server ends the journey."""
        caught = stage.caught
        if caught is None:
            return None
        url = caught.request.url + (f"#{caught.fragment}" if caught.fragment else "")
        if not leaves(url, self.origins, leave_at):
            return caught.request
        form: Form | None = None
        if caught.request.method == "POST":
            with suppress(MalformedFormError):
                form = Form.parse(caught.request.body.decode("latin-1"))
        kind = "script" if form is None else "form_post"
        journey.redirect = Redirect(kind, url, stage.status, form, caught.request.method)
        return None

    def context(self, agent: UserAgent) -> "BrowserContext":
        """A browser context with what the user agent keeps beside its cookies."""
        return self._chromium.context(agent.storage)

    def fetch(self, request: Request, agent: UserAgent) -> "Answer | None":
        """What a page asked for, from the server's own origins; None for all else."""
        if leaves(request.url, self.origins, ()):
            return None
        try:
            answer = self.transport.send(request, agent.jar, accept_gateway=True)
        except Inconclusive:
            return None
        return None if answer.truncated else answer


class _Stage:
    """A page in a context of its own, with the user agent's cookies and storage."""

    def __init__(self, driver: BrowserDriver, page: "Page", agent: UserAgent) -> None:
        self._driver, self._page, self._agent = driver, page, agent
        self._timeout_s = driver.transport.timeout_s
        self._context = driver.context(agent)
        self._sheet = _Sheet(self._context.new_page(), page.answer)
        self._sheet.busy_at = time.monotonic()
        self._loaded = False

    def __enter__(self) -> Self:
        tab = self._sheet.tab
        tab.set_default_timeout(self._timeout_s * 1000)
        tab.on("dialog", _dismiss)
        self._context.on("page", _close_other(tab))
        devtools: Any = self._context.new_cdp_session(tab)
        devtools.on("Network.requestWillBeSent", self._note_fragment)
        devtools.send("Network.enable")
        self._context.route("**/*", self._route)
        cookies: Any = self._agent.jar.for_browser(self._page.answer.url)
        if cookies:
            self._context.add_cookies(cookies)
        tab.on("load", self._note_loaded)
        self._calmly(lambda: tab.goto(self._page.answer.url, wait_until="commit"))
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_responsive():
            with suppress(Exception):
                kept: Any = self._context.storage_state()
                self._agent.storage = {"cookies": [], "origins": kept["origins"]}
                for cookie in self._context.cookies():
                    self._agent.jar.put(self._page.answer.url, str(cookie.get("name")), str(cookie.get("value")))
        with suppress(Exception):
            self._context.close()

    @property
    def status(self) -> int:
        """The status of the page."""
        return self._page.answer.status

    @property
    def caught(self) -> _Caught | None:
        """The first navigation that the page asked for."""
        return self._sheet.caught[0] if self._sheet.caught else None

    def _calmly(self, action: Any) -> None:
        """Does something that a page may keep from ending."""
        from playwright.sync_api import Error  # noqa: PLC0415 - loaded by now

        with suppress(Error):
            action()

    def settle(self) -> None:
        """Waits until the page goes elsewhere, or is quiet."""
        until = time.monotonic() + self._timeout_s
        while self.caught is None and time.monotonic() < until and not self._is_quiet():
            self._pause()

    def wait_for(self, steps: "Sequence[LoginStep]", done: "Sequence[str]") -> "LoginStep | None":
        """The first step whose condition the page meets; None when it goes elsewhere, or is quiet without one.

        A step that was done already counts only once the page is quiet: until then it may be about to change.
        """
        until = time.monotonic() + self._timeout_s
        while self.caught is None and time.monotonic() < until:
            quiet = self._is_quiet()
            for number, step in enumerate(steps):
                known = (step.when or f"step {number + 1}") in done
                if (quiet or not known) and self._meets(step, _LAST_LOOK_MS if quiet else _LOOK_MS):
                    return step
            if quiet:
                return None
            self._pause()
        return None

    def _pause(self) -> None:
        self._calmly(lambda: self._sheet.tab.wait_for_timeout(_POLL_MS))

    def _note_loaded(self, _: object) -> None:
        self._loaded, self._sheet.busy_at = True, time.monotonic()

    def _is_quiet(self) -> bool:
        return self._loaded and time.monotonic() - self._sheet.busy_at > SETTLE_S

    def _is_responsive(self) -> bool:
        """Whether the page still answers: one that does not stop running would be waited for without end."""
        from playwright.sync_api import Error  # noqa: PLC0415 - loaded by now

        try:
            self._sheet.tab.wait_for_function("true", timeout=_LAST_LOOK_MS)
        except Error:
            return False
        return True

    def _meets(self, step: "LoginStep", patience_ms: float) -> bool:
        from playwright.sync_api import Error  # noqa: PLC0415 - loaded by now

        if step.when is not None and step.when.startswith("url~"):
            import re  # noqa: PLC0415 - only such steps need it

            return re.search(step.when[4:], self._sheet.tab.url) is not None
        try:
            self._sheet.tab.wait_for_selector(step.when or "form", state="visible", timeout=patience_ms)
        except Error:
            return False
        return True

    def perform(self, step: "LoginStep") -> None:
        """Fills the fields of a step and activates its button.

        Raises:
            Inconclusive: the page has no such field or button.
        """
        from playwright.sync_api import Error  # noqa: PLC0415 - loaded by now

        tab, label = self._sheet.tab, step.when
        self._sheet.busy_at = time.monotonic()
        scope = tab.locator("form").first if step.when is None else tab.locator(_scope(step.when)).first
        what = ""
        try:
            for name, value in step.fill.items():
                what = f"field {name!r}"
                _fill(tab.locator(f'[name="{name}"], [id="{name}"]').first, value)
            what = f"button {step.submit!r}" if step.submit else "submit button"
            inside = scope.locator(_SUBMIT)
            button = tab.locator(step.submit) if step.submit else inside if inside.count() else tab.locator(_SUBMIT)
            button.first.click(no_wait_after=True)
        except Error:
            if self.caught is None:
                raise Inconclusive(
                    f"the login step {label!r} finds no {what} to use on its page ({self._page.describe()})"
                ) from None
        self._sheet.busy_at = time.monotonic()

    # What the browser asks for.

    def _note_fragment(self, event: dict[str, Any]) -> None:
        sent: dict[str, Any] = event.get("request") or {}
        if sent.get("urlFragment"):
            self._sheet.fragments[str(sent.get("url"))] = str(sent["urlFragment"]).removeprefix("#")

    def _route(self, route: "Route") -> None:
        sheet, asked = self._sheet, route.request
        sheet.busy_at = time.monotonic()
        sheet.requests += 1
        main = asked.is_navigation_request() and asked.frame == sheet.tab.main_frame
        url = asked.url.partition("#")[0]
        if main and sheet.requests == 1:
            _fulfill(route, sheet.answer)
            return
        headers = tuple((name, value) for name, value in asked.headers.items() if name in _KEPT_HEADERS)
        request = Request(asked.method, url, headers, asked.post_data_buffer or b"")
        if main:
            if request.method == "POST" and "content-type" not in asked.headers:
                request = Request("POST", url, (*headers, ("Content-Type", FORM_TYPE)), request.body)
            sheet.caught.append(_Caught(_as_navigation(request), sheet.fragments.get(url, "")))
            route.abort("aborted")
            return
        answer = self._driver.fetch(request, self._agent) if sheet.requests <= _MAX_REQUESTS else None
        sheet.busy_at = time.monotonic()
        if answer is None:
            route.abort("blockedbyclient")
        else:
            _fulfill(route, answer)


def _as_navigation(request: Request) -> Request:
    """The request with the headers of a journey: what kind of body it has, and nothing of the browser's own."""
    kept = tuple((name, value) for name, value in request.headers if name.lower() == "content-type")
    return Request(request.method, request.url, kept if request.body else (), request.body)


def _fulfill(route: "Route", answer: "Answer") -> None:
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        if name.lower() not in _DROPPED_HEADERS:
            key = name.lower()
            headers[key] = f"{headers[key]}\n{value}" if key in headers else value
    route.fulfill(status=answer.status, headers=headers, body=answer.body)


def _fill(target: Any, value: str) -> None:
    """Puts a value into a field of any kind, as a user would; hidden ones as a script would."""
    kind = str(target.evaluate("element => element.tagName + ' ' + (element.type || '')")).lower()
    if kind.startswith("select"):
        target.select_option(value)
    elif kind in {"input checkbox", "input radio"}:
        target.set_checked(value not in {"", "off", "false", "0"})
    elif kind == "input hidden":
        target.evaluate("(element, value) => { element.value = value; }", value)
    else:
        target.fill(value)


def _scope(when: str) -> str:
    return "body" if when.startswith("url~") else when


def _has_script(page: "Page") -> bool:
    """Whether a page does anything that only a browser sees."""
    for element in page.root.iter():
        if element.tag == "script" or any(str(name).lower().startswith("on") for name in element.attrib):
            return True
        if str(element.get("href") or element.get("action") or "").strip().lower().startswith("javascript:"):
            return True
    return False


def _dismiss(dialog: Any) -> None:
    with suppress(Exception):
        dialog.dismiss()


def _close_other(tab: "Tab") -> Any:
    def close(other: "Tab") -> None:
        if other != tab:
            with suppress(Exception):
                other.close()

    return close
