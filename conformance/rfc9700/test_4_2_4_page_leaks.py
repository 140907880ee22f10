"""RFC 9700 sections 4.2.4 and 4.16: pages that tell nobody else where they are, and that nobody frames."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from grantproof.checks import Answer, Flow, Idp, clause

each_page = pytest.mark.parametrize("which", ["login", "consent", "error"])
KEEPING = frozenset(
    {
        "no-referrer",
        "origin",
        "same-origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
    }
)


class _Reader(HTMLParser):
    """What a page loads, what it links to, and its own referrer policy."""

    def __init__(self, page: Answer) -> None:
        super().__init__(convert_charrefs=True)
        self._url = page.url
        self.addresses: list[str] = []
        self.policy = ""
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the addresses of an element, and the policy of a meta element."""
        given = {name: value or "" for name, value in attrs}
        if tag == "meta" and given.get("name", "").lower() == "referrer":
            self.policy = given.get("content", "")
        named = [given[name] for name in ("src", "href", "data", "poster") if given.get(name)]
        named += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        self.addresses += [urljoin(self._url, each.strip()) for each in named]


@clause("rfc9700:4.2.4/no-third-party-content")
@each_page
def test_page_has_nothing_of_other_sites(idp: Idp, some_flow: Flow, which: str) -> None:
    own = {urlsplit(origin).hostname for origin in idp.profile.origins}
    own |= {urlsplit(uri).hostname for uri in some_flow.client.redirect_uris}
    parts = [urlsplit(each) for each in _Reader(idp.page(some_flow, which)).addresses]
    foreign = {each.hostname for each in parts if each.scheme in {"http", "https"}} - own
    assert not foreign, f"the {which} page has content or links of {', '.join(sorted(map(str, foreign)))}"


@clause("rfc9700:4.2.4/referrer-policy")
@each_page
def test_page_keeps_its_address_to_itself(idp: Idp, some_flow: Flow, which: str) -> None:
    page = idp.page(some_flow, which)
    stated = (*page.headers.all("referrer-policy"), _Reader(page).policy)
    known = [word.strip().lower() for line in stated for word in line.split(",") if word.strip()]
    assert known, f"the {which} page sets no referrer policy"
    assert known[-1] in KEEPING, f"the {which} page tells its address to others: {known[-1]}"


@clause("rfc9700:4.16/csp-frame-ancestors")
@each_page
def test_policy_names_who_may_frame(idp: Idp, some_flow: Flow, which: str) -> None:
    policies = idp.page(some_flow, which).headers.all("content-security-policy")
    directives = [part.split()[:1] for line in policies for part in line.lower().replace(",", ";").split(";")]
    assert ["frame-ancestors"] in directives, f"the {which} page has no frame-ancestors"


@clause("rfc9700:4.16/clickjacking-prevented", "rfc6819:4.4.1.9/framing-prevented")
def test_error_page_refuses_to_be_framed(idp: Idp, some_flow: Flow) -> None:
    headers = idp.page(some_flow, "error").headers
    policies = " ".join(headers.all("content-security-policy")).lower()
    older = (headers.get("x-frame-options") or "").strip().lower()
    assert "frame-ancestors" in policies or older in {"deny", "sameorigin"}, "the error page may be framed"
