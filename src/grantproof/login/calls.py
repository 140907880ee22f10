"""Single-page logins: calls to the page's API, with parts of the page's URL and of the last answer put in."""

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from grantproof.login.journey import Journey, LoginStuckError, Territory, UserAgent
from grantproof.login.page import resolve
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grantproof.profile.signing_in import LoginStep
    from grantproof.transport import Transport
    from grantproof.wire.answer import Answer

_PLACEHOLDER = re.compile(r"\{(query|json)\.([^{}]+)\}")


def make_calls(
    step: "LoginStep",
    page: "Answer",
    journey: Journey,
    agent: UserAgent,
    territory: Territory,
    transport: "Transport",
) -> Request:
    """Makes the calls of a step in their order; the request for where it goes on, unsent.

    Args:
        step: with `calls`, and `goto` or none: then the page is asked for again.
        page: where the calls are made from; its URL is the base of relative ones.
        journey: gets the answers, and keeps the last one's JSON for the placeholders.
        agent: whose cookies are used and kept.
        territory: what the calls must not leave.
        transport: sends them.

    Raises:
        Inconclusive: a call is refused, or it would leave the server.
    """
    for number, call in enumerate(step.calls):
        url = resolve(page.url, expand(call.url, page.url, journey.json))
        body = b"" if call.body is None else json.dumps(call.body).encode()
        headers = (*call.headers.items(), *((("Content-Type", "application/json"),) if body else ()))
        answer = transport.send(territory.keep(Request(call.method, url, headers, body)), agent.jar)
        journey.steps.append(answer)
        if answer.status >= 400:
            raise LoginStuckError(
                f"the login step {step.when!r} got status {answer.status} from {call.method} {call.url}",
                page,
                f"calls[{number}]",
            )
        try:
            journey.json = json.loads(answer.body)
        except (ValueError, RecursionError):
            journey.json = None
    target = page.url if step.goto is None else resolve(page.url, expand(step.goto, page.url, journey.json))
    return territory.keep(Request("GET", target.partition("#")[0]))


def expand(text: str, url: str, document: Any) -> str:
    """Text with `{query.NAME}` of a URL and `{json.NAME}` of a document put in; empty where there is none."""
    query: Mapping[str, list[str]] = parse_qs(urlsplit(url).query, keep_blank_values=True)

    def value(found: "re.Match[str]") -> str:
        if found[1] == "query":
            return query.get(found[2], [""])[0]
        member = document.get(found[2]) if isinstance(document, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - JSON at the edge
        return member if isinstance(member, str) else ""

    return _PLACEHOLDER.sub(value, text)
