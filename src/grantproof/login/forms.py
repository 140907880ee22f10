"""The `forms` driver: goes through login and consent pages as plain HTML forms, following the profile's steps.

Rules of this file:
- A credential is only ever sent to the authorization server's own origins and those that the profile names.
- The hop that leaves them, or that reaches one of the client's redirection URIs, is read and never followed, be it the
  server's own or the link that a step presses.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from grantproof.errors import Inconclusive
from grantproof.login.page import Page, fields_of, find_redirect, read_page, resolve
from grantproof.transport import CookieJar, Transport
from grantproof.wire.answer import Answer, Redirect
from grantproof.wire.form import Form
from grantproof.wire.request import FORM_TYPE, Request

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from grantproof.profile.signing_in import LoginStep

MAX_PAGES = 20
MAX_HOPS = 40
_SAME_FORM = 3
_PLACEHOLDER = re.compile(r"\{(query|json)\.([^{}]+)\}")


@dataclass
class UserAgent:
    """A browser's state: its cookies, and whose session they hold."""

    user: str = "user"
    jar: CookieJar = field(default_factory=CookieJar)
    signed_in: bool = False
    storage: Any = field(default=None, repr=False)
    """What a real browser keeps beside cookies, in Playwright's shape."""


@dataclass
class Journey:
    """What happened between the authorization request and its end."""

    steps: list[Answer] = field(default_factory=list[Answer])
    acted: list[str] = field(default_factory=list[str])
    redirect: Redirect | None = None
    page: Answer | None = None
    json: Any = None


class FormsDriver:
    """Walks a user agent through the server's pages.

    Args:
        transport: sends the requests.
        steps: the profile's `[[login.steps]]`, in order; the first that matches a page acts.
        origins: where the authorization server and its login pages live.
    """

    def __init__(self, transport: Transport, steps: "Sequence[LoginStep]", origins: "Collection[str]") -> None:
        self.transport = transport
        self.steps = steps
        self.origins = frozenset(origins)

    def walk(
        self,
        request: Request,
        agent: UserAgent,
        *,
        choice: str = "allow",
        leave_at: "Collection[str]" = (),
        stop_at_pages: bool = False,
    ) -> Journey:
        """Sends the authorization request and goes on until the journey leaves the server or ends at a page.

        Args:
            request: the authorization request.
            agent: whose cookies are used and kept.
            choice: `allow` or `deny`: the consent that the user gives.
            leave_at: redirection URIs, at which the journey ends even on the server's own origin.
            stop_at_pages: end at the first page instead of acting on it.

        Raises:
            Inconclusive: the pages never end, or a step's credentials are refused.
        """
        journey = Journey()
        pages: dict[str, int] = {}
        repeated: list[str] = []

        def again(repeat: Request) -> Request:
            repeated.append(repeat.method)
            return repeat

        following: Request | None = request
        while following is not None:
            if len(journey.steps) >= MAX_HOPS:
                raise Inconclusive(f"the authorization endpoint redirects without end ({MAX_HOPS} hops)")
            answer = self.transport.send(following, agent.jar, again=again)
            journey.steps.append(answer)
            page = read_page(answer) if answer.status not in {204, 304} else None
            redirect = self.find_redirect(answer, page)
            if redirect is not None:
                following = self._follow(redirect, following, leave_at)
                if following is None:
                    journey.redirect = redirect
                continue
            if stop_at_pages:
                self.rest(page, agent, journey, leave_at)
                following = None
            else:
                following = self.act(page, agent, choice, journey, pages, leave_at)
            if following is None and journey.redirect is None and "POST" in repeated:
                raise Inconclusive("a form was sent twice, and the first time may have counted although no answer came")
            if following is None and journey.redirect is None:
                journey.page = answer
        return journey

    def find_redirect(self, answer: Answer, page: Page | None) -> Redirect | None:
        """What in an answer takes the browser elsewhere by itself, as far as can be read without running it."""
        return find_redirect(answer, page)

    def rest(self, page: Page | None, agent: UserAgent, journey: Journey, leave_at: "Collection[str]") -> None:
        """Looks whether a page that nobody acts on goes elsewhere by itself: without a browser, `find_redirect` did."""

    def submission(self, answer: Answer, choice: str) -> Request | None:
        """What the step with this choice makes of a page, unsent; None when there is no such step for it."""
        page = read_page(answer)
        for step in self.steps:
            if page is not None and step.choice == choice and not step.calls and self._matches(step, page):
                return self._submit(step, page)
        return None

    def _follow(self, redirect: Redirect, sent: Request, leave_at: "Collection[str]") -> Request | None:
        """The request of a hop inside the server; None when the hop leaves it."""
        target = redirect.url.partition("#")[0]
        if leaves(target, self.origins, leave_at):
            return None
        if redirect.form is not None and redirect.method.upper() == "POST":
            return _post(target, redirect.form)
        if redirect.form is not None:
            return Request("GET", f"{target.partition('?')[0]}?{redirect.form.encode()}")
        if redirect.method == "" and sent.method == "POST":
            return Request("POST", target, sent.headers, sent.body)
        return Request("GET", target)

    def act(
        self,
        page: Page | None,
        agent: UserAgent,
        choice: str,
        journey: Journey,
        pages: dict[str, int],
        leave_at: "Collection[str]" = (),
    ) -> Request | None:
        """The request that a login step makes of a page; None when no step is for it or it leads to the client."""
        if page is None:
            return None
        for step in self.steps:
            if step.choice in {None, choice} and self._matches(step, page):
                self.note(step, page, journey, pages)
                if step.calls:
                    return self.call(step, page, agent, journey)
                journey.redirect = self._pressed(step, page, leave_at)
                return None if journey.redirect is not None else self._submit(step, page)
        return None

    def note(self, step: "LoginStep", page: Page, journey: Journey, pages: dict[str, int]) -> None:
        """Keeps count of a step that acts.

        Raises:
            Inconclusive: it acted on the same page before, again and again.
        """
        number = self.steps.index(step)
        label = step.when or f"step {number + 1}"
        key = f"{number} {page.answer.url.partition('?')[0]} {page.shape}"
        pages[key] = pages.get(key, 0) + 1
        if pages[key] >= _SAME_FORM or len(journey.acted) >= MAX_PAGES:
            doubt = f"are the user's name and password right? ({page.describe()})"
            raise Inconclusive(f"the login step {label!r} comes again and again: {doubt}")
        journey.acted.append(label)

    def _pressed(self, step: "LoginStep", page: Page, leave_at: "Collection[str]") -> Redirect | None:
        """The link to a redirection URI that a step presses: the user goes back to the client by a click.

        Source: RFC 6749 section 1.7.
        """
        button = self._button(step, page) if step.submit is not None else None
        if button is None or button.tag != "a":
            return None
        target = resolve(page.answer.url, button.get("href") or "")
        if not any(_reaches(target.partition("#")[0], uri) for uri in leave_at):
            return None
        return Redirect("link", target, page.answer.status)

    def _matches(self, step: "LoginStep", page: Page) -> bool:
        if step.when is None:
            return bool(page.forms)
        if step.when.startswith("url~"):
            return re.search(step.when[4:], page.answer.url) is not None
        return bool(page.root.cssselect(step.when))

    def _submit(self, step: "LoginStep", page: Page) -> Request:
        button = self._button(step, page)
        if button is not None and button.tag == "a":
            return self._inside(Request("GET", resolve(page.answer.url, button.get("href") or "")))
        form = self._form(step, page, button)
        values = dict[str, list[str]]()
        for name, value in fields_of(form):
            values.setdefault(name, []).append(value)
        for name, value in step.fill.items():
            values[name] = [value]
        if button is not None and button.get("name"):
            values[button.get("name")] = [button.get("value") or ""]
        fields = Form(tuple((name, value) for name, all_values in values.items() for value in all_values))
        action = (button.get("formaction") if button is not None else None) or form.get("action") or page.answer.url
        target = resolve(page.answer.url, action).partition("#")[0]
        if (form.method or "GET").upper() == "POST":
            return self._inside(_post(target, fields))
        return self._inside(Request("GET", f"{target.partition('?')[0]}?{fields.encode()}"))

    def _button(self, step: "LoginStep", page: Page) -> Any:
        if step.submit is not None:
            found = page.root.cssselect(step.submit)
            if not found:
                raise Inconclusive(
                    f"the login step {step.when!r} finds no {step.submit!r} on its page ({page.describe()})"
                )
            return found[0]
        for form in page.forms:
            for button in form.iter("button", "input"):
                kind = (button.get("type") or ("submit" if button.tag == "button" else "text")).lower()
                if kind in {"submit", "image"}:
                    return button
        return None

    def _form(self, step: "LoginStep", page: Page, button: Any) -> Any:
        owner = button
        while owner is not None and owner.tag != "form":
            owner = owner.getparent()
        if owner is not None:
            return owner
        if button is not None and button.get("form"):
            named = [form for form in page.forms if form.get("id") == button.get("form")]
            if named:
                return named[0]
        if not page.forms:
            raise Inconclusive(f"the login step {step.when!r} finds no form on its page ({page.describe()})")
        return page.forms[0]

    def call(self, step: "LoginStep", page: Page, agent: UserAgent, journey: Journey) -> Request | None:
        """Makes the calls of a single-page login, then gives the request for where it goes on."""
        import json  # noqa: PLC0415 - only single-page logins need it

        for call in step.calls:
            url = _expand(call.url, page, journey.json)
            body = b"" if call.body is None else json.dumps(call.body).encode()
            headers = (*call.headers.items(), *((("Content-Type", "application/json"),) if body else ()))
            answer = self.transport.send(
                self._inside(Request(call.method, resolve(page.answer.url, url), headers, body)), agent.jar
            )
            journey.steps.append(answer)
            if answer.status >= 400:
                raise Inconclusive(
                    f"the login step {step.when!r} got status {answer.status} from {call.method} {call.url}"
                )
            try:
                journey.json = json.loads(answer.body)
            except ValueError:
                journey.json = None
        if step.goto is None:
            return Request("GET", page.answer.url)
        return self._inside(Request("GET", resolve(page.answer.url, _expand(step.goto, page, journey.json))))

    def _inside(self, request: Request) -> Request:
        origin = origin_of(request.url)
        if origin not in self.origins:
            raise Inconclusive(f"a login step would leave the server for {origin}: name it in login.origins")
        return request


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL in lower case; empty where there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"https": 443, "http": 80}.get(parts.scheme.lower())
    return f"{parts.scheme.lower()}://{host}" + ("" if port in {None, default} else f":{port}")


def leaves(url: str, origins: "Collection[str]", leave_at: "Collection[str]") -> bool:
    """Whether a hop leaves the server: for an origin that is not its own, or for one of these redirection URIs."""
    return origin_of(url) not in origins or any(_reaches(url.partition("#")[0], uri) for uri in leave_at)


def _reaches(target: str, uri: str) -> bool:
    return target.partition("?")[0] == uri.partition("#")[0].partition("?")[0]


def _post(url: str, fields: Form) -> Request:
    return Request("POST", url, (("Content-Type", FORM_TYPE),), fields.encode().encode("ascii"))


def _expand(text: str, page: Page, document: Any) -> str:
    query: Mapping[str, list[str]] = parse_qs(urlsplit(page.answer.url).query, keep_blank_values=True)

    def value(found: "re.Match[str]") -> str:
        if found[1] == "query":
            return query.get(found[2], [""])[0]
        member = document.get(found[2]) if isinstance(document, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - JSON at the edge
        return member if isinstance(member, str) else ""

    return _PLACEHOLDER.sub(value, text)
