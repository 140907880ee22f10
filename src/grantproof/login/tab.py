"""One tab that shows answers: what its pages load is asked of the driver, where they want to go is read, never gone.

A page is shown by handing the tab an answer that came already. Each request that the page then makes is stopped by the
DevTools protocol before it reaches any network, with its URL's fragment: the main frame's navigations end as `Wish`,
what belongs to the server is loaded by the driver, everything else fails.
"""

import asyncio
import queue
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from grantproof.login.chromium import BrowserSilentError, BrowserStuckError, Chromium
from grantproof.login.devtools import fulfilment, stopped_request
from grantproof.login.page import is_inert
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

    from grantproof.wire.answer import Answer

_EVENTS = (
    "Fetch.requestPaused",
    "Page.frameNavigated",
    "Page.frameRequestedNavigation",
    "Page.frameScheduledNavigation",
    "Page.loadEventFired",
    "Emulation.virtualTimeBudgetExpired",
)
_LOADED = frozenset({"Document", "Fetch", "Preflight", "Script", "XHR"})
_QUIET_S = 0.1
_LOAD_S = 2.0
_PAUSE_S = 5.0
_VIRTUAL_MS = 10_000
_STARVATION = 10_000
_MAX_LOADS = 300
_BLANK = "about:blank"
_INERT = ("about:", "blob:", "data:", "javascript:")
_TURN = "() => new Promise(done => setTimeout(() => setTimeout(done, 0), 0))"
Result = TypeVar("Result")
Load = Callable[[Request], "Answer | None"]


@dataclass(frozen=True)
class Wish:
    """A navigation that the page began: why, as the DevTools protocol calls it, and the request with its fragment."""

    reason: str
    url: str
    request: Request


class Tab:
    """A tab in a context of its own.

    Args:
        chromium: started already.
        load: gives what a page loads from the server, None for what it must not have.
        patience_s: how long a page may take to come to rest.
    """

    def __init__(self, chromium: Chromium, load: Load, patience_s: float) -> None:
        self._chromium = chromium
        self._generation = chromium.generation
        self.load = load
        self._patience_s = patience_s
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._shown: Answer | None = None
        self._inert = False
        self._loaded = False
        self._at = _BLANK
        self._leaving = False
        self._rested = False
        self._loads = 0
        self._asked: tuple[str, str] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.spent = False
        """Its clock has been moved on, so that the next page needs another one."""
        self.wish: Wish | None = None
        self.withhold = False
        """Whether what the page would send by any method but GET is a wish too."""
        self.context: BrowserContext
        self.page: Page
        self._session: Any
        self._frame = ""
        self.call(self._open())

    @property
    def alive(self) -> bool:
        """Whether its browser is still the one that runs."""
        return self._generation == self._chromium.generation

    def close(self) -> None:
        """Closes its context, if its browser still runs."""
        if self.alive:
            self.call(self.context.close())

    def call(self, work: Coroutine[Any, Any, Result], limit_s: float = 30.0) -> Result:
        """What some work gives, while the page's requests are served.

        Raises:
            BrowserStuckError: it is not done in time.
        """
        future = self._chromium.submit(work)
        future.add_done_callback(lambda _: self._events.put(("", {})))
        until = time.monotonic() + limit_s
        while not future.done() and (left_s := until - time.monotonic()) > 0:
            self._serve(left_s)
        if not future.done():
            future.cancel()
            raise BrowserSilentError(limit_s)
        return self._chromium.result(future)

    def show(self, answer: "Answer", url: str) -> Wish | None:
        """Shows an answer as the page of a URL, and waits until it is at rest; where it wants to go by itself."""
        if self.spent:
            self.call(self._renew())
        elif self._at != _BLANK:
            self._leave()
        while not self._events.empty():
            self._events.get_nowait()  # the page that asked is gone
        self.wish, self._asked, self._loaded, self._loads = None, None, False, 0
        self._shown, self._inert = answer, is_inert(answer)
        self.call(self._send("Page.navigate", {"url": url}), self._patience_s)
        if self._inert and self._wait(lambda: self._at != _BLANK and self._loaded, _LOAD_S):
            return self._take()
        return self.rest()

    def _leave(self) -> None:
        """Leaves the page and waits until it is gone: Chromium forgets a navigation that overtakes another."""
        self._leaving = True
        self.call(self._send("Page.navigate", {"url": _BLANK}))
        self._wait(lambda: self._at == _BLANK and self._loaded, _LOAD_S)
        self._leaving = False

    def rest(self) -> Wish | None:
        """Waits until the page does nothing by itself; where it wants to go."""
        began = last = time.monotonic()
        turned = False
        while self.wish is None:
            now = time.monotonic()
            if now - began > self._patience_s:
                break
            if self._serve(0.01):
                last = now
            elif (self._loaded or now - began > _LOAD_S) and not turned:
                turned = True
                self._turn()
            elif self._asked is not None and now - began < _PAUSE_S:
                continue
            elif turned and now - last >= _QUIET_S:
                break
        return self._take()

    def wait_on(self) -> Wish | None:
        """Lets ten seconds of the page's time go by at once; where it wants to go then.

        What waits for an answer from the server stops the page's clock.
        """
        if self._inert:
            return None
        self._rested = False
        policy = {"policy": "pauseIfNetworkFetchesPending", "budget": _VIRTUAL_MS}
        self.spent = True
        self.call(
            self._send("Emulation.setVirtualTimePolicy", {**policy, "maxVirtualTimeTaskStarvationCount": _STARVATION}),
            self._patience_s,
        )
        self._wait(lambda: self.wish is not None or self._rested, self._patience_s)
        if self.wish is None and self._asked is not None:
            self.run()
            self.wish = self.rest()
        self.pause()
        return self._take()

    def _wait(self, holds: Callable[[], bool], limit_s: float) -> bool:
        """Serves the page until something holds; whether it does in time."""
        until = time.monotonic() + limit_s
        while not holds() and time.monotonic() < until:
            self._serve(0.02)
        return holds()

    def run(self) -> None:
        """Lets the page's clock run again after it was moved on; it then never waits, and keeps a processor busy."""
        if self.spent:
            self.call(self._send("Emulation.setVirtualTimePolicy", {"policy": "advance"}))

    def pause(self) -> None:
        """Stops the page's clock if it was moved on."""
        if self.spent:
            self.call(self._send("Emulation.setVirtualTimePolicy", {"policy": "pause"}))

    def _turn(self) -> None:
        """Lets the page's scripts have their turn: where they went by now is known afterwards."""
        try:
            self.call(self.page.evaluate(_TURN), self._patience_s)
        except BrowserSilentError:
            raise
        except BrowserStuckError:
            if not self._chromium.browser.is_connected():
                raise  # else the page has replaced its document

    # On the browser's thread.

    async def _open(self) -> None:
        self.context = await self._chromium.browser.new_context(service_workers="block", accept_downloads=False)
        await self._new_page()
        self.context.on("page", self._shut)

    async def _new_page(self) -> None:
        self.page = await self.context.new_page()
        session: Any = await self.context.new_cdp_session(self.page)  # its stubs leave the shape of messages open
        self._session = session
        for name in _EVENTS:
            session.on(name, partial(self._note, session, name))
        await session.send("Page.enable")
        await session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
        self._frame = str((await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"])

    async def _renew(self) -> None:
        old = self.page
        self.context.remove_listener("page", self._shut)
        await self._new_page()
        self.context.on("page", self._shut)
        self.spent, self._at = False, _BLANK
        await old.close()

    def _note(self, session: object, name: str, event: dict[str, Any]) -> None:
        if session is self._session:
            self._events.put((name, event))

    def _shut(self, page: "Page") -> None:
        """Closes a pop-up."""
        task = asyncio.ensure_future(page.close())
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _send(self, method: str, parameters: dict[str, Any]) -> None:
        await self._session.send(method, parameters)

    # On the caller's thread.

    def _take(self) -> Wish | None:
        wish, self.wish = self.wish, None
        return wish

    def _serve(self, pause_s: float) -> bool:
        """Handles one event of the page, waiting for it at most that long; whether there was one."""
        try:
            name, event = self._events.get(timeout=pause_s)
        except queue.Empty:
            return False
        if not name:
            return False  # some work is done
        if name == "Fetch.requestPaused":
            self._pause(event)
        elif name == "Page.loadEventFired":
            self._loaded = True
        elif name == "Emulation.virtualTimeBudgetExpired":
            self._rested = True
        elif name == "Page.frameNavigated":
            if event["frame"].get("id") == self._frame:
                self._at, self._loaded = str(event["frame"].get("url")), False
        elif event.get("frameId") == self._frame:
            self._asks(name, event)
        return True

    def _asks(self, name: str, event: dict[str, Any]) -> None:
        reason, url = str(event.get("reason")), str(event.get("url"))
        if url.startswith(_INERT) or event.get("disposition", "currentTab") != "currentTab":
            return
        if name == "Page.frameScheduledNavigation":
            delayed = reason == "metaTagRefresh" and url.partition("#")[0] != self.page.url.partition("#")[0]
            if delayed and self.wish is None:
                self.wish = Wish(reason, url, Request("GET", url.partition("#")[0]))
            return
        if url.lower().startswith(("http:", "https:")):
            self._asked = (reason, url)
        elif self.wish is None:
            self.wish = Wish(reason, url, Request("GET", url.partition("#")[0]))

    def _pause(self, event: dict[str, Any]) -> None:
        number, kind = event["requestId"], event.get("resourceType")
        main = kind == "Document" and event.get("frameId") == self._frame
        if self._leaving:
            self._fail(number)
            return
        shown = self._shown
        if main and shown is not None:
            self._shown = None
            self._fulfil(number, shown)
            return
        request = stopped_request(event["request"])
        if main or (self.withhold and request.method != "GET"):
            asked, self._asked = self._asked, None
            if self.wish is None:
                url = request.url + str(event["request"].get("urlFragment") or "")
                self.wish = Wish(asked[0] if asked else "", url, request)
            self._fail(number)
            return
        self._loads += 1
        loaded = self.load(request) if kind in _LOADED and self._loads <= _MAX_LOADS else None
        if loaded is not None:
            self._fulfil(number, loaded)
        elif kind == "Stylesheet":
            self._reply("Fetch.fulfillRequest", {"requestId": number, "responseCode": 200})
        else:
            self._fail(number)

    def _fulfil(self, number: str, answer: "Answer") -> None:
        self._reply("Fetch.fulfillRequest", {"requestId": number, **fulfilment(answer)})

    def _fail(self, number: str) -> None:
        self._reply("Fetch.failRequest", {"requestId": number, "errorReason": "Aborted"})

    def _reply(self, method: str, parameters: dict[str, Any]) -> None:
        try:
            self._chromium.call(self._send(method, parameters))
        except BrowserStuckError:
            if not self._chromium.browser.is_connected():
                raise  # else the page has withdrawn the request
