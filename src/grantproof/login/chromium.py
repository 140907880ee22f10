"""One Chromium a process, without any network of its own: what its pages show is handed to them.

Rules of this file:
- It runs on a thread with an event loop of its own, so that no other loop of the process is met.
- Every call is bounded in time, for a page's script may never end. Who does not answer is ended, and started anew.
"""

import asyncio
import os
import shutil
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from grantproof.errors import Inconclusive

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
VARIABLE = "GRANTPROOF_CHROMIUM"
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-site-isolation-trials",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=socks5://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
)
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
_START_S = 60.0
_CALL_S = 30.0
_CLOSE_S = 10.0
Result = TypeVar("Result")


class BrowserStuckError(Inconclusive):
    """The browser, or a page in it, does not answer."""


def find_chromium() -> str | None:
    """The program that the variable GRANTPROOF_CHROMIUM names, else the first Chromium on the path."""
    named = os.environ.get(VARIABLE)
    if named:
        return shutil.which(named)
    return next((found for each in PROGRAMS if (found := shutil.which(each))), None)


def absence() -> tuple[str, str]:
    """What the browser driver lacks on this machine, and what to do about it; empty where it lacks nothing."""
    if find_spec("playwright") is None:
        return "the browser driver needs Playwright, which is not installed", "pip install grantproof[browser]"
    if find_chromium() is None:
        named = os.environ.get(VARIABLE)
        missing = f"{VARIABLE} names no program" if named else f"no Chromium is on the path ({', '.join(PROGRAMS)})"
        return (
            f"the browser driver needs Chromium, and {missing}",
            f"pip install grantproof[browser], install Chromium, or name it in {VARIABLE}",
        )
    return "", ""


class BrowserSilentError(BrowserStuckError):
    """No answer came in time: a script that never ends, most likely."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"the browser does not answer within {limit_s:g} s")


class Chromium:
    """The browser of a run in this process; started when it is first needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self.generation = 0
        """Grows with every start, so that who holds a page of an earlier one knows."""

    def start(self) -> None:
        """Starts the browser unless it runs.

        Raises:
            Inconclusive: it cannot be started.
        """
        if self._browser is not None and self._browser.is_connected():
            return
        self.close()
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=_turn, args=(loop,), name="grantproof-browser", daemon=True)
        self._thread.start()
        self.generation += 1
        try:
            self.call(self._launch(), _START_S)
        except Inconclusive as problem:
            self.close()
            raise Inconclusive(f"Chromium does not start: {problem}") from None

    def submit(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Begins some work on the browser's thread."""
        if self._loop is None:
            work.close()
            raise BrowserStuckError("the browser has ended")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, Result], limit_s: float = _CALL_S) -> Result:
        """What some work on the browser's thread gives.

        Raises:
            BrowserStuckError: it is not done in time, or the browser refuses it.
        """
        return self.result(self.submit(work), limit_s)

    def result(self, future: "Future[Result]", limit_s: float = _CALL_S) -> Result:
        """What begun work gives.

        Raises:
            BrowserStuckError: it is not done in time, or the browser refuses it.
        """
        from playwright.async_api import Error  # noqa: PLC0415 - only this driver needs it

        try:
            return future.result(limit_s)
        except FutureTimeoutError:
            future.cancel()
            raise BrowserSilentError(limit_s) from None
        except Error as problem:
            raise BrowserStuckError(first_line(problem)) from None

    @property
    def browser(self) -> "Browser":
        """The started browser."""
        assert self._browser is not None  # noqa: S101 - start() came first
        return self._browser

    def close(self) -> None:
        """Ends the browser and its thread; harmless if there is none."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with suppress(Inconclusive):
            self.call(self._end(), _CLOSE_S)
        self._loop = self._thread = self._playwright = self._browser = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_CLOSE_S)

    async def _launch(self) -> None:
        from playwright.async_api import async_playwright  # noqa: PLC0415 - only this driver needs it

        program = find_chromium()
        if program is None:
            raise BrowserStuckError(absence()[0])
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(
            executable_path=program,
            args=list(_FLAGS),
            ignore_default_args=["--disable-popup-blocking"],
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        )

    async def _end(self) -> None:
        if self._browser is not None:
            await self._browser.close()
        if self._playwright is not None:
            await self._playwright.stop()


def first_line(problem: BaseException) -> str:
    """The first line of what Playwright says; the rest is its log."""
    return str(problem).strip().partition("\n")[0][:300]


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    """Runs the loop until it is stopped, then ends what is left on it."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=1))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
