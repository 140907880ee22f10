"""The `forms` driver: goes through login and consent pages as plain HTML forms, following the profile's steps."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grantproof.login.journey import Going, LoginStuckError, hop, origin_of, post
from grantproof.login.page import Page, fields_of, find_redirect, read_page, resolve
from grantproof.login.walking import PageDriver, Visit, pattern_mismatch
from grantproof.profile.signing_in import URL_PATTERN
from grantproof.wire.form import Form
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from grantproof.profile.signing_in import LoginStep
    from grantproof.wire.answer import Answer


class FormsDriver(PageDriver[Page]):
    """Reads pages as they were sent, and runs nothing: what a script would do is guessed from its text."""

    def submission(self, answer: "Answer", choice: str) -> Request | None:
        """What the step with this choice makes of a page, unsent; None when there is no such step for it."""
        page = read_page(answer)
        for step in self._steps:
            if page is not None and step.choice == choice and not step.calls and not self._mismatch(step, page):
                return submit(step, page)
        return None

    def _open(self, page: Page, sent: Request, url: str, visit: Visit) -> tuple[Page, Going | None]:
        del url, visit
        redirect = find_redirect(page.answer, page)
        return page, hop(redirect, sent) if redirect is not None else None

    def _late(self, view: Page, visit: Visit) -> Going | None:
        del view, visit
        return None

    def _snapshot(self, view: Page) -> Page:
        return view

    def _mismatch(self, step: "LoginStep", view: Page) -> str:
        return mismatch(step, view)

    def _submit(self, step: "LoginStep", view: Page, visit: Visit) -> Going | None:
        del visit
        request = submit(step, view)
        return Going(request.url, named_origin(request, view.answer.url))


def named_origin(request: Request, page: str) -> Request:
    """A form sent by POST with where it comes from, as browsers say it and servers use to check.

    Source: RFC 9110 section 10.1.3, RFC 6454 section 7.
    """
    if request.method != "POST":
        return request
    origin = origin_of(page)
    referer = page.partition("#")[0] if origin_of(request.url) == origin else f"{origin}/"
    return replace(request, headers=(*request.headers, ("Origin", origin), ("Referer", referer)))


def mismatch(step: "LoginStep", page: Page) -> str:
    """Why a step is not for a page; empty where it is."""
    if step.when is None:
        return "" if page.forms else "is for any page with a form"
    if step.when.startswith(URL_PATTERN):
        return pattern_mismatch(step.when.removeprefix(URL_PATTERN), page.answer.url)
    return "" if page.root.cssselect(step.when) else "matches nothing on it"


def submit(step: "LoginStep", page: Page) -> Request:
    """What a browser sends once a step's fields are filled in and its button is activated.

    Raises:
        LoginStuckError: the page has no such button, or no form.
    """
    button = _button(step, page)
    if button is not None and button.tag == "a":
        return Request("GET", resolve(page.base, button.get("href") or ""))
    form = _form(step, page, button)
    values = dict[str, list[str]]()
    for name, value in fields_of(form):
        values.setdefault(name, []).append(value)
    for name, value in step.fill.items():
        values[name] = [value]
    if button is not None and button.get("name"):
        values[button.get("name")] = [button.get("value") or ""]
    fields = Form(tuple((name, value) for name, all_values in values.items() for value in all_values))
    action = (button.get("formaction") if button is not None else None) or form.get("action")
    method = (button.get("formmethod") if button is not None else None) or form.method or "GET"
    target = (resolve(page.base, action) if action else page.answer.url).partition("#")[0]
    if method.upper() == "POST":
        return post(target, fields)
    return Request("GET", f"{target.partition('?')[0]}?{fields.encode()}")


def _button(step: "LoginStep", page: Page) -> Any:
    if step.submit is not None:
        found = page.root.cssselect(step.submit)
        if not found:
            raise LoginStuckError(
                f"the login step {step.when!r} finds no {step.submit!r} on its page ({page.describe()})",
                page.answer,
                "submit",
            )
        return found[0]
    for form in page.forms:
        for button in form.iter("button", "input"):
            kind = (button.get("type") or ("submit" if button.tag == "button" else "text")).lower()
            if kind in {"submit", "image"} and button.get("disabled") is None:
                return button
    return None


def _form(step: "LoginStep", page: Page, button: Any) -> Any:
    if button is not None and button.get("form"):
        named = [form for form in page.forms if form.get("id") == button.get("form")]
        if named:
            return named[0]
    owner = button
    while owner is not None and owner.tag != "form":
        owner = owner.getparent()
    if owner is not None:
        return owner
    if not page.forms:
        raise LoginStuckError(
            f"the login step {step.when!r} finds no form on its page ({page.describe()})", page.answer, "when"
        )
    return page.forms[0]
