"""Fills in fields and activates buttons in a real page, as a user does; runs on the browser's thread.

What is asked of a page in its own world is one call, and fails where the page has broken its own language; then it is
asked in many, of what Playwright runs apart from the page's scripts.
"""

import json
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error
from playwright.async_api import TimeoutError as Late

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import ElementHandle, Locator, Page

_PATIENCE_MS = 3_000
_OFF = frozenset({"", "0", "false", "no", "off"})
_MOST = 50
_LOOK = """elements => elements.slice(0, 50).map(element => ({
    kind: (element.type || element.tagName || '').toLowerCase(),
    value: element.value === undefined ? '' : String(element.value),
    shown: element.getClientRects().length > 0,
}))"""
_PUT = """(element, value) => {
    element.value = value;
    for (const name of ['input', 'change']) element.dispatchEvent(new Event(name, {bubbles: true}));
}"""
_BUTTONS = (
    "button:not([type=button]):not([type=reset]):not([disabled]),"
    "input[type=submit]:not([disabled]),input[type=image]:not([disabled])"
)
_BUTTON = """([field, buttons]) => {
    const form = field ? field.form || field.closest('form') : document.querySelector('form');
    if (!form) return field ? 'enter' : 'none';
    const button = form.querySelector(buttons) || [...form.elements].find(each => each.matches(buttons));
    if (!button) form.requestSubmit();
    return button || 'sent';
}"""


async def fill(page: "Page", values: "Mapping[str, str]") -> "tuple[list[str], Locator | None]":
    """Fills in the fields of these names, or ids where no field has the name.

    Returns:
        The names that the page does not have, and the last field that was filled in.
    """
    missing: list[str] = []
    last: Locator | None = None
    for name, value in values.items():
        field = await _enter(page, name, value)
        if field is None:
            missing.append(name)
        last = field or last
    return missing, last


async def activate(page: "Page", selector: str | None, field: "Locator | None") -> str:
    """Activates the button or link of a selector, or the first button of the form that a field is in.

    Returns:
        Empty, or why it cannot be done.
    """
    if selector is not None:
        found = page.locator(selector)
        seen = await _look(found)
        if not seen:
            return f"finds no {selector!r} on its page"
        await _press(found.nth(_first_shown(seen)))
        return ""
    inner = await field.element_handle(timeout=_PATIENCE_MS) if field is not None else None
    try:
        handle = await page.evaluate_handle(_BUTTON, [inner, _BUTTONS])
    except Error:
        return await _activate_apart(page, field)
    button = handle.as_element()
    if button is not None:
        await _press(button)
        return ""
    told = await handle.json_value()
    if told == "enter" and field is not None:
        await field.press("Enter", timeout=_PATIENCE_MS, no_wait_after=True)
    return "finds no form on its page" if told == "none" else ""


async def _activate_apart(page: "Page", field: "Locator | None") -> str:
    """As `activate` without a selector, for a page that has broken its own language."""
    forms = page.locator("form") if field is None else page.locator("form").filter(has=field)
    buttons = forms.first.locator(_BUTTONS)
    if await buttons.count():
        await _press(buttons.first)
        return ""
    if field is None:
        return "finds no button on its page"
    await field.press("Enter", timeout=_PATIENCE_MS, no_wait_after=True)
    return ""


async def _look(found: "Locator") -> list[dict[str, Any]]:
    """Kind, value and visibility of the first elements found."""
    try:
        seen: list[dict[str, Any]] = await found.evaluate_all(_LOOK)
    except Error:
        return [await _look_apart(found.nth(place)) for place in range(min(await found.count(), _MOST))]
    return seen


async def _look_apart(element: "Locator") -> dict[str, Any]:
    kind = await element.get_attribute("type", timeout=_PATIENCE_MS)
    if await element.and_(element.page.locator("select")).count():
        kind = "select"
    value = await element.get_attribute("value", timeout=_PATIENCE_MS)
    return {"kind": (kind or "").lower(), "value": value or "", "shown": await element.is_visible()}


async def _press(button: "Locator | ElementHandle") -> None:
    """A real click; where something lies over the button, what a script would do."""
    try:
        await button.click(timeout=_PATIENCE_MS, no_wait_after=True)
    except Late:
        await button.evaluate("element => element.click()")


def _first_shown(seen: list[dict[str, Any]]) -> int:
    """The place of the first visible element of those found, else of the first."""
    return next((place for place, each in enumerate(seen) if each["shown"]), 0)


async def _enter(page: "Page", name: str, value: str) -> "Locator | None":
    """Fills in one field; None where the page has none of this name or id."""
    quoted = json.dumps(name, ensure_ascii=False)
    for selector in (f"[name={quoted}]", f"[id={quoted}]"):
        found = page.locator(selector)
        seen = await _look(found)
        if seen:
            return await _put(found, seen, value)
    return None


async def _put(found: "Locator", seen: list[dict[str, Any]], value: str) -> "Locator":
    place = _first_shown(seen)
    field, kind = found.nth(place), str(seen[place]["kind"])
    if kind in {"checkbox", "radio"}:
        same = next((number for number, each in enumerate(seen) if each["value"] == value), None)
        field = found.nth(same or 0)
        ticked = same is not None or value.lower() not in _OFF
        await field.set_checked(ticked, force=True, timeout=_PATIENCE_MS)
    elif kind.startswith("select"):
        await field.select_option(value, timeout=_PATIENCE_MS)
    else:
        try:
            if seen[place]["shown"]:
                await field.fill(value, timeout=_PATIENCE_MS)
                return field
        except Error:
            pass
        await field.evaluate(_PUT, value)
    return field
