"""The way through pages that the `forms` and the `browser` driver share: hops, steps, and when to give up."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from grantproof.errors import Inconclusive
from grantproof.login.calls import make_calls
from grantproof.login.journey import (
    MAX_HOPS,
    MAX_PAGES,
    Going,
    Journey,
    LoginRepeatsError,
    LoginStuckError,
    Territory,
    UserAgent,
    hop,
)
from grantproof.login.page import Page, find_redirect, read_page
from grantproof.wire.answer import Redirect
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from grantproof.profile.signing_in import LoginStep
    from grantproof.transport import Transport
    from grantproof.wire.answer import Answer
    from grantproof.wire.request import Request

_SAME_FORM = 3
_PAGELESS = frozenset({204, 304})
View = TypeVar("View")


@dataclass
class Visit:
    """One walk in progress: whose it is, what is wanted, and how often each step came."""

    agent: UserAgent
    choice: str
    territory: Territory
    journey: Journey = field(default_factory=Journey)
    times: dict[str, int] = field(default_factory=dict[str, int])


class PageDriver(ABC, Generic[View]):
    """Walks a user agent through the server's pages.

    Args:
        transport: sends the requests.
        steps: the profile's `[[login.steps]]`, in order; the first that matches a page acts.
        origins: where the authorization server and its login pages live.
    """

    def __init__(self, transport: "Transport", steps: "Sequence[LoginStep]", origins: "Collection[str]") -> None:
        self._transport = transport
        self._steps = steps
        self._origins = frozenset(origins)

    def walk(
        self,
        request: "Request",
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
            Inconclusive: the pages never end, or a step cannot be done.
        """
        visit = Visit(agent, choice, Territory(self._origins, frozenset(leave_at)))
        journey = visit.journey
        repeated: list[str] = []

        def again(repeat: "Request") -> "Request":
            repeated.append(repeat.method)
            return repeat

        following: Request | None = request
        url = request.url
        while following is not None:
            if len(journey.steps) >= MAX_HOPS:
                raise Inconclusive(f"the authorization endpoint redirects without end ({MAX_HOPS} hops)")
            answer = self._transport.send(following, agent.jar, again=again)
            journey.steps.append(answer)
            going = self._onward(answer, following, url, visit, stop_at_pages=stop_at_pages)
            following = None
            if going is None and "POST" in repeated:
                raise Inconclusive("a form was sent twice, and the first time may have counted although no answer came")
            if going is None:
                journey.page = answer
            elif visit.territory.holds(going.url):
                following, url = going.request, going.url
            elif going.redirect is not None:
                journey.redirect = going.redirect
            elif visit.territory.reaches_client(going.url):
                journey.redirect = activated(going, answer)
            else:
                visit.territory.keep(going.request)
                following, url = going.request, going.url
        return journey

    @abstractmethod
    def submission(self, answer: "Answer", choice: str) -> "Request | None":
        """What the step with this choice makes of a page, unsent; None when there is no such step for it."""

    def _onward(
        self, answer: "Answer", sent: "Request", url: str, visit: Visit, *, stop_at_pages: bool
    ) -> Going | None:
        """Where an answer leads by itself or by a login step; None where the journey ends."""
        redirect = find_redirect(answer)
        if redirect is not None:
            return hop(redirect, sent)
        page = read_page(answer) if answer.status not in _PAGELESS else None
        if page is None:
            visit.journey.diagnosis = f"the answer is no page: status {answer.status}, {answer.headers.media_type!r}"
            return None
        view, going = self._open(page, sent, url, visit)
        if going is None and stop_at_pages:
            return self._late(view, visit)
        return going or self._act(view, visit)

    @abstractmethod
    def _open(self, page: Page, sent: "Request", url: str, visit: Visit) -> tuple[View, Going | None]:
        """The page as the driver sees it, and where it leads by itself."""

    @abstractmethod
    def _late(self, view: View, visit: Visit) -> Going | None:
        """Where a page on which nobody acts leads by itself after some time."""

    @abstractmethod
    def _snapshot(self, view: View) -> Page:
        """The page as it stands now."""

    @abstractmethod
    def _mismatch(self, step: "LoginStep", view: View) -> str:
        """Why a step is not for the page; empty where it is."""

    @abstractmethod
    def _submit(self, step: "LoginStep", view: View, visit: Visit) -> Going | None:
        """What filling in and activating does; None where the page stays, changed or not."""

    def _act(self, view: View, visit: Visit) -> Going | None:
        """Where a login step leads; None when no step is for the page, with the reasons in the journey."""
        waited = False
        while True:
            found = self._first(view, visit)
            if found is None and not waited:
                waited = True
                going = self._late(view, visit)
                if going is not None:
                    return going
                found = self._first(view, visit)
            if found is None:
                visit.journey.diagnosis = self._explain(view, visit)
                return None
            number, step = found
            self._count(number, step, view, visit)
            try:
                going = self._call(step, view, visit) if step.calls else self._submit(step, view, visit)
            except LoginStuckError as problem:
                problem.key = problem.key and f"login.steps[{number}].{problem.key}"
                raise
            if going is not None:
                return going

    def _first(self, view: View, visit: Visit) -> "tuple[int, LoginStep] | None":
        for number, step in enumerate(self._steps):
            if step.choice in {None, visit.choice} and not self._mismatch(step, view):
                return number, step
        return None

    def _count(self, number: int, step: "LoginStep", view: View, visit: Visit) -> None:
        page = self._snapshot(view)
        key = f"{number} {page.answer.url.partition('?')[0]} {page.shape}"
        visit.times[key] = visit.times.get(key, 0) + 1
        if visit.times[key] >= _SAME_FORM or len(visit.journey.acted) >= MAX_PAGES:
            doubt = f"are the user's name and password right? ({page.describe()})"
            raise LoginRepeatsError(
                f"the login step {name_of(number, step)!r} comes again and again: {doubt}",
                page.answer,
                visit.agent.user,
            )
        visit.journey.acted.append(name_of(number, step))

    def _call(self, step: "LoginStep", view: View, visit: Visit) -> Going:
        page = self._snapshot(view)
        request = make_calls(step, page.answer, visit.journey, visit.agent, visit.territory, self._transport)
        return Going(request.url, request)

    def _explain(self, view: View, visit: Visit) -> str:
        page = self._snapshot(view)
        if not self._steps:
            return f"the profile has no [[login.steps]] for the page with {page.describe()}"
        reasons: list[str] = []
        for number, step in enumerate(self._steps):
            if step.choice not in {None, visit.choice}:
                reason = f"is for {step.choice}, and the user is to {visit.choice}"
            else:
                reason = self._mismatch(step, view)
            reasons.append(f"{name_of(number, step)!r} {reason}")
        return f"no login step is for the page with {page.describe()}: {'; '.join(reasons)}"


def name_of(number: int, step: "LoginStep") -> str:
    """What messages call a step: its condition, or its number from 1."""
    return step.when or f"step {number + 1}"


def activated(going: Going, answer: "Answer") -> Redirect:
    """What the user activated on a page and takes the browser to the client: a link, or a form."""
    request = going.request
    if request.method == "POST":
        return Redirect("form_post", going.url, answer.status, Form.parse(request.body.decode("latin-1")), "POST")
    return Redirect("link", going.url, answer.status)


def pattern_mismatch(pattern: str, url: str) -> str:
    """Why a condition on the URL (without its `url~`) does not hold; empty where it does. Shows no query."""
    if re.search(pattern, url):
        return ""
    return f"does not match the address {url.partition('?')[0].partition('#')[0]!r}"
