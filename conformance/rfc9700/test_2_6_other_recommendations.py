"""RFC 9700 section 2.6: responses travel encrypted, and no foreign script reads them."""

from urllib.parse import urlsplit

import pytest

from grantproof.checks import Answer, Caller, Flow, Idp, NotOffered, Request, UserAgent, clause

ORIGIN = "https://elsewhere.invalid"
PREFLIGHT = (("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "authorization"))
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _is_safe(location: str) -> bool:
    parts = urlsplit(location)
    return parts.scheme != "http" or (parts.hostname or "") in LOOPBACK


@clause("rfc9700:2.6/response-encrypted")
@pytest.mark.parametrize("outcome", ["token", "error"])
def test_response_does_not_go_out_over_plain_http(idp: Idp, flow: Flow, outcome: str) -> None:
    request = idp.authorization_request(flow)
    answer = idp.follow(request.set("scope", "no such scope") if outcome == "error" else request)
    if answer.location is None:
        raise NotOffered(f"no response left the server: {answer.describe()}")
    assert _is_safe(answer.location), "the response goes out over plain http"


def _admitted(answer: Answer) -> str:
    return answer.headers.get("access-control-allow-origin") or ""


@clause("rfc9700:2.6/no-cors-at-authorization-endpoint")
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("session", ["kept", "fresh"])
def test_authorization_endpoint_admits_no_foreign_script(idp: Idp, some_flow: Flow, method: str, session: str) -> None:
    agent: UserAgent = idp.fresh_agent() if session == "fresh" else idp.agent()
    sent = idp.authorization_request(some_flow).to_request()
    headers = (*sent.headers, ("Origin", ORIGIN), *(PREFLIGHT if method == "OPTIONS" else ()))
    answer = idp.exchange(Request(method, sent.url, headers), agent)
    assert not _admitted(answer), f"{method} admits {_admitted(answer)}"


def _address(idp: Idp, name: str) -> str:
    found = [each.url for each in idp.documents if each.status == 200]
    if name == "metadata" and not found:
        raise NotOffered("the target publishes no metadata")
    return found[0] if name == "metadata" else idp.endpoint(name)


@clause("rfc9700:2.6/cors-elsewhere")
@pytest.mark.parametrize("name", ["token", "metadata", "jwks"])
def test_other_endpoints_may_admit_foreign_scripts(idp: Idp, one_method_service: Caller, name: str) -> None:
    if name == "token":
        sent = idp.token_request(one_method_service).to_request()
        request = Request(sent.method, sent.url, (*sent.headers, ("Origin", ORIGIN)), sent.body)
    else:
        request = Request("GET", _address(idp, name), (("Origin", ORIGIN),))
    assert _admitted(idp.exchange(request)) in {"*", ORIGIN}
