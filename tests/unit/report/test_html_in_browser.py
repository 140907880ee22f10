"""The page in a real Chromium: it is silent, loads nothing, filters, and runs nothing that a target sent."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from grantproof.report.html import render_html
from grantproof.report.record import Run

from .runs import HOSTILE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("GRANTPROOF_REQUIRE_CHROMIUM") != "1",
    reason="no Chromium is installed (GRANTPROOF_REQUIRE_CHROMIUM=1 makes this a failure)",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module."""
    assert CHROMIUM, "GRANTPROOF_REQUIRE_CHROMIUM is set, and no Chromium is installed"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Visit:
    """A page opened from a disk, and what it asked for and complained of."""

    def __init__(self, page: Page, text: str, folder: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        file = folder / "report.html"
        file.write_text(text, "utf-8")
        self.url = file.as_uri()
        page.goto(self.url)

    def shown(self) -> int:
        """How many clauses are visible."""
        return self.page.locator(".clause:visible").count()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page, 400 pixels wide."""
    context = browser.new_context(viewport={"width": 400, "height": 800})
    yield context.new_page()
    context.close()


def test_the_page_is_silent_loads_nothing_and_fits_a_phone(
    page: Page, small_run: Run, load: dict[str, Any], capacity: dict[str, Any], tmp_path: Path
) -> None:
    visit = Visit(page, render_html(small_run, load=load, capacity=capacity), tmp_path)
    assert visit.complaints == []
    assert visit.requests == [visit.url]
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert page.evaluate("getComputedStyle(document.querySelector('.counts')).display") == "grid"


def test_the_filter_narrows_and_widens(page: Page, small_run: Run, tmp_path: Path) -> None:
    visit = Visit(page, render_html(small_run), tmp_path)
    groups_open = page.locator(".spec[open]").count()
    everything = page.locator(".clause").count()
    assert (everything, groups_open) == (7, 1)
    page.get_by_label("pass", exact=True).check()
    assert visit.shown() == 2
    assert page.locator("#matches").inner_text() == "2 of 7 clauses"
    page.get_by_label("Specification").select_option("rfc7662")
    assert visit.shown() == 1
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("document.getElementById('matches').value === ''")
    assert page.locator(".spec[open]").count() == groups_open
    page.get_by_label("Level").select_option("SHOULD")
    assert visit.shown() == 1
    page.get_by_label("Level").select_option("")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type("PRAGMA no-cache")
    assert visit.shown() == 1
    page.keyboard.type(" nowhere")
    assert visit.shown() == 0
    assert visit.complaints == []


def test_a_link_to_a_clause_opens_what_hides_it(page: Page, small_run: Run, tmp_path: Path) -> None:
    visit = Visit(page, render_html(small_run), tmp_path)
    assert not page.locator("#c-rfc7662-2-2-active .in").is_visible()
    page.goto(f"{visit.url}#c-rfc7662-2-2-active")
    page.locator("#c-rfc7662-2-2-active .in").wait_for(state="visible")


def test_a_command_is_copied(browser: Browser, small_run: Run, tmp_path: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    visit = Visit(context.new_page(), render_html(small_run), tmp_path)
    visit.page.locator("button.copy:visible").first.click()
    visit.page.get_by_text("Copied").wait_for()
    assert visit.page.evaluate("navigator.clipboard.readText()").startswith(
        "curl -i -X POST -H 'Authorization: Basic [red"
    )
    context.close()


def test_the_page_reads_without_a_script(browser: Browser, small_run: Run, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    visit = Visit(context.new_page(), render_html(small_run), tmp_path)
    assert not visit.page.locator("#filter").is_visible()
    assert not visit.page.locator("button.copy").first.is_visible()
    assert visit.shown() == 6
    visit.page.locator(".spec summary h3").nth(1).click()
    assert visit.shown() == 7
    context.close()


def test_nothing_that_a_target_sent_runs(page: Page, hostile_run: Run, load: dict[str, Any], tmp_path: Path) -> None:
    text = render_html(hostile_run, load=load | {"scenario": HOSTILE, "errors": {HOSTILE: 4}})
    visit = Visit(page, text, tmp_path)
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert page.evaluate("document.querySelectorAll('img, [onload], [onerror]').length") == 0
    assert visit.complaints == []
    assert visit.requests == [visit.url]
    assert "onerror=window.pwned=1" in page.locator("article pre").nth(1).inner_text()


def test_the_policy_would_stop_what_escaping_missed(page: Page, small_run: Run, tmp_path: Path) -> None:
    spoiled = (
        "<img src='https://tracker.example.test/x' onerror='window.pwned=1'><script>window.pwned=1</script></main>"
    )
    visit = Visit(page, render_html(small_run).replace("</main>", spoiled), tmp_path)
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)
    assert not [
        url for url in visit.requests if url != visit.url and not url.startswith("https://tracker.example.test/")
    ]
