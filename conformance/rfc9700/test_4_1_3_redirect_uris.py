"""RFC 9700 sections 4.1.3 and 4.11.2: fragments, and a login before any redirection."""

import re
from urllib.parse import urlsplit

import pytest

from grantproof.checks import Flow, Idp, Inconclusive, NotOffered, clause

FAULTY: dict[str, dict[str, str | None]] = {
    "unknown-scope": {"scope": "no-such-scope"},
    "unknown-response-type": {"response_type": "no_such_type"},
    "missing-response-type": {"response_type": None},
}


@clause("rfc9700:4.1.3/fragment-attached")
def test_redirect_in_the_query_ends_in_a_fragment(idp: Idp, some_flow: Flow) -> None:
    answer = idp.authorize(some_flow, response_type="code")
    if answer.location is None or not answer.own_query:
        raise NotOffered("no response came in the query")
    assert "#" in answer.location


@clause("rfc9700:4.11.2/login-before-redirect")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", FAULTY)
def test_faulty_request_leads_to_the_login_first(idp: Idp, some_flow: Flow, fault: str, method: str) -> None:
    if method == "POST":
        idp.require_post(some_flow)
    request = idp.authorization_request(some_flow, **FAULTY[fault]).by(method)
    answer = idp.follow(request, agent=idp.fresh_agent(), stop_at_pages=True)
    assert not answer.went_to(some_flow.redirect_uri), "a browser without a session was sent to the client"


@clause("rfc9700:4.1.3/loopback-port-free")
@pytest.mark.parametrize("port", [1024, 49_321, 65_535])
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_native_client_takes_any_port(idp: Idp, loopback_flow: Flow, session: str, port: int) -> None:
    registered = urlsplit(loopback_flow.redirect_uri)
    host = f"[{registered.hostname}]" if ":" in (registered.hostname or "") else registered.hostname
    uri = registered._replace(netloc=f"{host}:{port}").geturl()
    agent = idp.fresh_agent() if session == "fresh" else None
    answer = idp.follow(idp.authorization_request(loopback_flow, redirect_uri=uri), agent=agent)
    assert answer.went_to(uri), f"{uri} ended at {answer.describe()}"
    assert answer.issued


_MESSAGE = re.compile(r"postMessage\s*\(")
_TARGET = re.compile(r"""["']([^"']*)["']\s*(?:,\s*\[[^\]]*\]\s*)?\)""")


@clause("rfc9700:4.17.2/post-message-exact-origin")
@pytest.mark.parametrize("outcome", ["token", "error"])
def test_message_is_addressed_to_the_clients_origin(idp: Idp, token_flow: Flow, outcome: str) -> None:
    listed = idp.metadata.members.get("response_modes_supported")
    if not isinstance(listed, list) or "web_message" not in listed:
        raise NotOffered("the metadata lists no response mode web_message")
    request = idp.authorization_request(token_flow, response_mode="web_message")
    answer = idp.follow(request.set("scope", "no-such-scope") if outcome == "error" else request)
    page = answer.page.text if answer.page is not None else ""
    calls = [page[found.end() :] for found in _MESSAGE.finditer(page)]
    if not calls:
        raise NotOffered(f"no page calls postMessage by itself: {answer.describe()}")
    parts = urlsplit(token_flow.redirect_uri)
    for call in calls:
        target = _TARGET.search(call)
        if target is None:
            raise Inconclusive("whom the message is addressed to is computed by a script")
        assert target[1].rstrip("/") == f"{parts.scheme}://{parts.netloc}", f"the message goes to {target[1]}"
