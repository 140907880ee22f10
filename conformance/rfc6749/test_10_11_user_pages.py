"""RFC 6749 section 10.11: login and consent stay on https."""

from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from grantproof.checks import Answer, Flow, Idp, Inconclusive, NotOffered, clause, control


class _Forms(HTMLParser):
    """Where the forms of a page go."""

    def __init__(self, page: Answer) -> None:
        super().__init__(convert_charrefs=True)
        self._url = page.url
        self.targets: list[str] = []
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes where a form, or a button of one, posts to."""
        name = {"form": "action", "button": "formaction", "input": "formaction"}.get(tag)
        target = dict(attrs).get(name or "")
        if target:
            self.targets.append(urljoin(self._url, target))


def _insecure(url: str) -> bool:
    return url.startswith("http:")


@clause("rfc6749:10.11/tls-on-user-pages")
@control
@pytest.mark.parametrize("page", ["login", "consent"])
def test_page_posts_to_https_only(idp: Idp, some_flow: Flow, page: str) -> None:
    agent = idp.fresh_agent()
    if page == "consent":
        with suppress(Inconclusive):
            idp.authorize(some_flow, agent=agent)
    answer = idp.follow(idp.authorization_request(some_flow), agent=agent, stop_at_pages=True)
    if answer.page is None:
        raise NotOffered(f"the server shows no {page} page: {answer.describe()}")
    assert not any(_insecure(step.url) for step in answer.steps), "a page on the way is plain http"
    assert not any(map(_insecure, _Forms(answer.page).targets)), f"the {page} form posts to plain http"
