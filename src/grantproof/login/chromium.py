"""Finds and starts the system's Chromium for logins that need a browser. Playwright is an extra and imported here only.

Rules of this file:
- One process for a run, contexts for everything else; it is ended with the target.
- The flags keep it from talking to anybody but the pages that are opened, and let it run as root and in CI.
"""

import os
import shutil
from typing import TYPE_CHECKING, Any

from grantproof.errors import GrantproofError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def find_chromium() -> str:
    """The path of the browser: what GRANTPROOF_CHROMIUM says, else the first of the usual names on the PATH.

    Raises:
        GrantproofError: there is none.
    """
    named = os.environ.get("GRANTPROOF_CHROMIUM", "")
    found = named or next((path for path in map(shutil.which, NAMES) if path), None)
    if not found or (named and not os.access(named, os.X_OK)):
        raise GrantproofError(
            f"{named} is no program" if named else "no Chromium is on the PATH",
            where="login.driver",
            hint="install it (Debian: chromium), or set GRANTPROOF_CHROMIUM to its path",
        )
    return found


class Chromium:
    """The browser process of a run, started when the first page is opened."""

    def __init__(self) -> None:
        self._playwright: Any = None
        self._browser: Browser | None = None

    def context(self, storage: Any = None) -> "BrowserContext":
        """A browser context with nothing in it but this storage; no service workers, no downloads.

        Raises:
            GrantproofError: Playwright or Chromium is not installed, or does not start.
        """
        return self._start().new_context(
            storage_state=storage, service_workers="block", accept_downloads=False, ignore_https_errors=True
        )

    def _start(self) -> "Browser":
        if self._browser is not None and self._browser.is_connected():
            return self._browser
        try:
            from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - an extra, and slow to load
        except ImportError:
            raise GrantproofError(
                "the browser driver needs Playwright",
                where="login.driver",
                hint="pip install 'grantproof[browser]'",
            ) from None
        path = find_chromium()
        try:
            if self._playwright is None:
                self._playwright = sync_playwright().start()
            started: Browser = self._playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        except Error as problem:
            reason = str(problem).splitlines()[0]
            raise GrantproofError(f"Chromium does not start: {reason}", where="login.driver", hint=path) from None
        self._browser = started
        return started

    def close(self) -> None:
        """Ends the process, if it was started."""
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._browser = self._playwright = None
