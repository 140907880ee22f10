"""The `browser` driver: shows the server's pages in Chromium, for logins that need script.

Rules of this file:
- The browser has no network. Answers come by the transport, as for every driver, so that all of them are recorded,
  redacted, bounded and counted, and are judged as they went over the wire.
- What a page wants to go to is read with its fragment; it is gone to by the transport, if it is the server's own.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from grantproof.errors import Inconclusive
from grantproof.login.chromium import BrowserSilentError, BrowserStuckError
from grantproof.login.forms import FormsDriver
from grantproof.login.journey import Going, Journey, LoginStuckError, Territory, UserAgent
from grantproof.login.page import Page, find_redirect, read_page, resolve
from grantproof.login.tab import Wish
from grantproof.login.walking import PageDriver, Visit, pattern_mismatch
from grantproof.login.windows import Window, Windows
from grantproof.profile.signing_in import URL_PATTERN
from grantproof.wire.answer import Answer, Redirect
from grantproof.wire.form import Form
from grantproof.wire.headers import Headers
from grantproof.wire.request import FORM_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from grantproof.profile.signing_in import LoginStep
    from grantproof.transport import Transport

_INNER_HOPS = 5
_MAX_KEPT = 100
_KINDS = {
    "formSubmissionGet": "form_post",
    "formSubmissionPost": "form_post",
    "httpHeaderRefresh": "meta",
    "metaTagRefresh": "meta",
}
_ACTIVATED = frozenset({"anchorClick", "formSubmissionGet", "formSubmissionPost"})
_SENT = frozenset({"content-type", "origin", "referer"})


class BrowserDriver(PageDriver[Window]):
    """Renders pages, runs their scripts, and acts on them as a user does.

    Args:
        transport: sends every request.
        steps: the profile's `[[login.steps]]`.
        origins: where the authorization server and its login pages live.
        windows: the browser, shared by the drivers of a run.
    """

    def __init__(
        self, transport: "Transport", steps: "Sequence[LoginStep]", origins: "Collection[str]", windows: Windows
    ) -> None:
        super().__init__(transport, steps, origins)
        self._windows = windows
        self._patience_s = 2 * transport.timeout_s
        self._taken = 0

    def walk(
        self,
        request: Request,
        agent: UserAgent,
        *,
        choice: str = "allow",
        leave_at: "Collection[str]" = (),
        stop_at_pages: bool = False,
    ) -> Journey:
        """As `Driver` says; a page that keeps the browser busy for ever is inconclusive.

        A browser that is lost on the way is started anew, once, unless a step was taken already: that may have counted.
        """
        taken = self._taken
        again = True
        while True:
            try:
                journey = super().walk(request, agent, choice=choice, leave_at=leave_at, stop_at_pages=stop_at_pages)
            except BrowserStuckError as problem:
                self._windows.close()
                if isinstance(problem, BrowserSilentError) or self._taken != taken or not again:
                    raise Inconclusive(f"a page of the server cannot be shown: {problem}") from None
                again = False
            else:
                self._calm(agent)
                return journey

    def _calm(self, agent: UserAgent) -> None:
        """Stops what still runs in the window; the journey is over, so nothing is lost with a browser that fails."""
        window: Window | None = agent.window
        try:
            if window is not None and window.tab.alive:
                window.tab.pause()
        except BrowserStuckError:
            self._windows.close()

    def submission(self, answer: Answer, choice: str) -> Request | None:
        """What the step with this choice makes of a page, unsent; None when there is no such step for it."""
        static = FormsDriver(self._transport, self._plain_steps(), self._origins).submission(answer, choice)
        page = read_page(answer)
        if static is not None or page is None:
            return static
        visit = Visit(UserAgent(), choice, Territory(self._origins))
        window, _ = self._open(page, Request("GET", answer.url), answer.url, visit)
        step = next((each for each in self._steps if each.choice == choice and not self._mismatch(each, window)), None)
        if step is None or step.calls:
            return None
        window.tab.withhold = True
        try:
            going = self._submit(step, window, visit)
        finally:
            window.tab.withhold = False
        if going is None:
            return None
        headers = tuple(line for line in going.request.headers if line[0].lower() not in {"origin", "referer"})
        return replace(going.request, headers=headers)

    def _plain_steps(self) -> "list[LoginStep]":
        """The steps whose selectors a plain CSS reader understands."""
        from cssselect import HTMLTranslator, SelectorError  # noqa: PLC0415 - only the consent page is read so

        plain: list[LoginStep] = []
        for step in self._steps:
            with suppress(SelectorError, RecursionError):
                for selector in (step.when, step.submit):
                    if selector is not None and not selector.startswith(URL_PATTERN):
                        HTMLTranslator().css_to_xpath(selector)
                plain.append(step)
        return plain

    def _open(self, page: Page, sent: Request, url: str, visit: Visit) -> tuple[Window, Going | None]:
        del sent
        window = self._windows.of(visit.agent, self._patience_s)
        window.answer = page.answer
        window.tab.load = partial(self._load, window, visit)
        window.cookies.push(visit.agent.jar)
        wish = window.tab.show(page.answer, url)
        return window, self._going(wish, window, visit, activated=False)

    def _late(self, view: Window, visit: Visit) -> Going | None:
        return self._going(view.tab.wait_on(), view, visit, activated=False)

    def _snapshot(self, view: Window) -> Page:
        shown = view.answer
        assert shown is not None  # noqa: S101 - a window is opened with an answer
        text = view.tab.call(view.tab.page.content()).encode("utf-8", "replace")
        as_html = Headers((("Content-Type", "text/html; charset=utf-8"),))
        now = read_page(Answer(shown.status, as_html, text, view.tab.page.url, shown.n)) or read_page(shown)
        assert now is not None  # noqa: S101 - only pages are opened
        return now

    def _mismatch(self, step: "LoginStep", view: Window) -> str:
        if step.when is not None and step.when.startswith(URL_PATTERN):
            return pattern_mismatch(step.when.removeprefix(URL_PATTERN), view.tab.page.url)
        try:
            found = view.tab.call(view.tab.page.locator(step.when or "form").count(), self._patience_s)
        except BrowserSilentError:
            raise
        except BrowserStuckError as problem:
            return f"cannot be looked for: {problem}"
        if found:
            return ""
        return "is for any page with a form" if step.when is None else "matches nothing on it"

    def _submit(self, step: "LoginStep", view: Window, visit: Visit) -> Going | None:
        from grantproof.login.acting import activate, fill  # noqa: PLC0415 - it imports Playwright

        self._taken += 1
        tab, key = view.tab, "fill"
        try:
            tab.run()
            missing, last = tab.call(fill(tab.page, step.fill), 2 * self._patience_s)
            problem = f"finds none of the fields {', '.join(missing)} on its page" if missing and last is None else ""
            if not problem:
                key = "submit"
                problem = tab.call(activate(tab.page, step.submit, last), self._patience_s)
        except BrowserSilentError:
            raise
        except BrowserStuckError as failure:
            problem = f"cannot be done: {failure}"
        if problem and tab.wish is None:
            page = self._snapshot(view)
            raise LoginStuckError(f"the login step {step.when!r} {problem} ({page.describe()})", page.answer, key)
        return self._going(tab.rest(), view, visit, activated=True)

    def _going(self, wish: Wish | None, window: Window, visit: Visit, *, activated: bool) -> Going | None:
        """Where a navigation of the page leads. What the user activated is no redirection."""
        window.cookies.pull(visit.agent.jar)
        if wish is None:
            return None
        headers = tuple(line for line in wish.request.headers if line[0].lower() in _SENT)
        request = replace(wish.request, headers=headers)
        if activated and wish.reason in _ACTIVATED:
            return Going(wish.url, request)
        return Going(wish.url, request, _redirect_of(wish, window))

    def _load(self, window: Window, visit: Visit, request: Request) -> Answer | None:
        """What a page loads from the server; None for what is not its own, or does not come."""
        kept = self._windows.kept
        if request.method == "GET" and request.url in kept:
            return kept[request.url]
        window.cookies.pull(visit.agent.jar)
        for _ in range(_INNER_HOPS):
            if not visit.territory.holds(request.url):
                return None
            try:
                answer = self._transport.load(request, visit.agent.jar)
            except Inconclusive:
                return None
            redirect = find_redirect(answer) if "location" in answer.headers else None
            if redirect is None:
                if _may_be_kept(request, answer) and len(kept) < _MAX_KEPT:
                    kept[request.url] = answer
                return answer
            request = Request("GET", resolve(request.url, redirect.url).partition("#")[0])
        return None


def _redirect_of(wish: Wish, window: Window) -> Redirect:
    """What the page did by itself, in the words of the other drivers."""
    kind, status = _KINDS.get(wish.reason, "script"), window.answer.status if window.answer else 0
    if kind != "form_post":
        return Redirect(kind, wish.url, status)
    if wish.request.method == "POST":
        types = [value for name, value in wish.request.headers if name.lower() == "content-type"]
        body = wish.request.body.decode("latin-1") if types and types[0].startswith(FORM_TYPE) else ""
        return Redirect(kind, wish.url, status, Form.parse(body), "POST")
    head, _, fragment = wish.url.partition("#")
    base, _, query = head.partition("?")
    return Redirect(kind, f"{base}#{fragment}" if fragment else base, status, Form.parse(query), "GET")


def _may_be_kept(request: Request, answer: Answer) -> bool:
    """Whether a script is the same for everybody and for the length of a run."""
    directives = answer.headers.directives("cache-control")
    return (
        request.method == "GET"
        and answer.status == 200
        and "javascript" in answer.headers.media_type
        and "max-age" in directives
        and not {"no-cache", "no-store", "private"} & directives
        and "set-cookie" not in answer.headers
    )
