"""RFC 6749 sections 10.13 and 10.14: pages that no foreign site can frame, and that show nothing raw."""

import re

import pytest

from grantproof.checks import Answer, AuthorizationAnswer, Flow, Idp, clause

TAG = "x7q9mark"
PROBES = {
    "element": f"<{TAG}>",
    "quote": f'"><{TAG} a="',
    "single-quote": f"'><{TAG} a='",
    "script-end": f"</script><{TAG}>",
    "attribute": f'" {TAG}="1',
    "single-attribute": f"' {TAG}='1",
    "encoded": f"&lt;&#60;<{TAG}>",
    "utf-7": f"+ADw-<{TAG}>",
}
RAW = re.compile(rf"""<{TAG}|["'] {TAG}=["']""")
HEADER = "X-Grant-Split"
_FRAME_ANCESTORS = re.compile(r"(?:^|;)\s*frame-ancestors([^;]*)", re.IGNORECASE)
_OPEN_SOURCES = {"*", "http:", "https:", "http://*", "https://*"}


def _forbids_framing(page: Answer) -> bool:
    """Whether browsers keep a page out of foreign frames; a policy with frame-ancestors outdoes X-Frame-Options."""
    policies = [policy for line in page.headers.all("content-security-policy") for policy in line.split(",")]
    sources = [found[1].lower().split() for policy in policies if (found := _FRAME_ANCESTORS.search(policy))]
    if sources:
        return any(not _OPEN_SOURCES & set(each) for each in sources)
    values = {value.strip().lower() for line in page.headers.all("x-frame-options") for value in line.split(",")}
    return bool(values) and values <= {"deny", "sameorigin"}


@clause("rfc6749:10.13/framing", "rfc6819:4.4.1.9/framing-prevented", "rfc9700:4.16/clickjacking-prevented")
@pytest.mark.parametrize("which", ["login", "consent"])
def test_page_forbids_foreign_frames(idp: Idp, flow: Flow, which: str) -> None:
    page = idp.page(flow, which)
    assert _forbids_framing(page), f"the {which} page may be framed"


def _shown(answer: AuthorizationAnswer) -> list[str]:
    html = {"text/html", "application/xhtml+xml", ""}
    return [step.text for step in answer.steps if step.headers.media_type in html]


@clause("rfc6749:10.14/sanitized-values")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("name", ["state", "redirect_uri", "client_id", "scope", "response_type", "nonce"])
def test_value_is_not_shown_raw(idp: Idp, some_flow: Flow, name: str, probe: str, session: str) -> None:
    value = f"{some_flow.redirect_uri}{PROBES[probe]}" if name == "redirect_uri" else PROBES[probe]
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.follow(
        idp.authorization_request(some_flow, **{name: value}), agent=agent, stop_at_pages=session == "fresh"
    )
    assert not any(RAW.search(text) for text in _shown(answer)), f"{name} comes back as markup"


@clause("rfc6749:10.14/sanitized-values")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("name", ["unlisted", "<x7q9mark>"])
def test_unknown_parameter_is_not_shown_raw(idp: Idp, some_flow: Flow, name: str, session: str) -> None:
    request = idp.authorization_request(some_flow).set(name, PROBES["quote"])
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    assert not any(RAW.search(text) for text in _shown(idp.follow(request, agent=agent, stop_at_pages=True)))


@clause("rfc6749:10.14/sanitized-values")
@pytest.mark.parametrize("mode", ["form_post", "fragment"])
def test_state_is_not_raw_in_the_page_that_posts_it(idp: Idp, some_flow: Flow, mode: str) -> None:
    answer = idp.authorize(some_flow, state=PROBES["quote"], response_mode=mode)
    assert not any(RAW.search(text) for text in _shown(answer)), "state comes back as markup"


@clause("rfc6749:10.14/sanitized-values")
@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_page_has_no_link_that_runs_script(idp: Idp, some_flow: Flow, scheme: str) -> None:
    answer = idp.follow(idp.authorization_request(some_flow, redirect_uri=scheme), stop_at_pages=True)
    link = re.compile(rf"""(?:href|action|src)\s*=\s*["']?\s*{re.escape(scheme)}""", re.IGNORECASE)
    assert not any(link.search(text) for text in _shown(answer))


@clause("rfc6749:10.14/sanitized-values")
@pytest.mark.parametrize(
    "ending", ["\r\n", "\n", "\r", "%0d%0a", "\u560d\u560a"], ids=["crlf", "lf", "cr", "encoded", "wide"]
)
@pytest.mark.parametrize("name", ["state", "redirect_uri", "client_id", "scope"])
def test_value_adds_no_header(idp: Idp, some_flow: Flow, name: str, ending: str) -> None:
    own = some_flow.redirect_uri if name == "redirect_uri" else "a"
    value = f"{own}{ending}{HEADER}: 1{ending}Set-Cookie: x7q9mark=1{ending}{ending}b"
    answer = idp.follow(idp.authorization_request(some_flow, **{name: value}), agent=idp.agent())
    for step in answer.steps:
        assert HEADER not in step.headers, f"{name} split the header"
        assert not any(line.startswith("x7q9mark") for line in step.headers.all("set-cookie"))
