"""RFC 6749 sections 3.1, 3.2 and 10.8: what the server does with requests that come in the clear."""

import pytest

from grantproof.checks import Answer, Caller, Flow, FormRequest, Idp, Inconclusive, Request, clause

HTTPS_PORT = ":443"


def _in_the_clear(idp: Idp, request: Request) -> list[Answer]:
    """The answers to a request by plain http: at its own port and, beside the usual https port, at the usual http port.

    A closed port, or one that speaks nothing but TLS, gives no answer.
    """
    url = "http:" + request.url.partition(":")[2]
    host = url.partition("//")[2].partition("/")[0]
    own_port = ":" in host.rpartition("]")[2]
    places = [url] if own_port or request.url.startswith("http:") else [url, url.replace(host, host + HTTPS_PORT, 1)]
    answers: list[Answer] = []
    for place in places:
        target = Request(request.method, place, request.headers, request.body)
        path = "/" + place.partition("//")[2].partition("/")[2]
        lines = [f"{request.method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in request.headers]
        lines += [f"Content-Length: {len(request.body)}"] if request.body else []
        try:
            answers.append(idp.raw(target, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body))
        except Inconclusive:
            continue
    return answers


def _asks_for_password(answer: Answer) -> bool:
    return answer.status < 300 and b'type="password"' in answer.body.replace(b"'", b'"').lower()


@clause("rfc6749:3.1/tls")
def test_authorization_request_in_the_clear_gets_no_login_page_and_no_redirection(idp: Idp, some_flow: Flow) -> None:
    for answer in _in_the_clear(idp, idp.authorization_request(some_flow).to_request()):
        assert not _asks_for_password(answer), "the login page was shown in the clear"
        location = answer.headers.get("location") or ""
        assert not location.startswith(some_flow.redirect_uri), "the client was answered in the clear"


@clause("rfc6749:3.2/tls", "rfc6819:5.1.1/tls")
def test_token_request_in_the_clear_is_not_processed(idp: Idp, method_service: Caller) -> None:
    for answer in _in_the_clear(idp, idp.token_request(method_service).to_request()):
        assert b'"access_token"' not in answer.body, "a token was issued in the clear"
        assert b'"error"' not in answer.body, f"the request was processed in the clear: status {answer.status}"


@clause("rfc6749:10.8/no-cleartext", "rfc6819:5.1.1/tls")
def test_no_token_is_handed_out_in_the_clear(idp: Idp, method_service: Caller) -> None:
    answers = _in_the_clear(idp, idp.token_request(method_service).to_request())
    assert not any(b'"access_token"' in answer.body for answer in answers)


@clause("rfc6749:10.8/no-cleartext", "rfc6819:5.1.1/tls")
def test_no_password_is_asked_for_in_the_clear(idp: Idp, some_flow: Flow) -> None:
    answers = _in_the_clear(idp, idp.authorization_request(some_flow).to_request())
    assert not any(map(_asks_for_password, answers))


@clause("rfc6749:10.8/no-cleartext", "rfc6819:5.1.1/tls")
@pytest.mark.parametrize("name", ["introspection", "revocation"])
def test_no_token_is_taken_in_the_clear(idp: Idp, method_service: Caller, name: str) -> None:
    request = idp.authenticate(FormRequest(idp.endpoint(name)).set("token", "no-such-token"), method_service)
    for answer in _in_the_clear(idp, request.to_request()):
        assert answer.status >= 300, f"the {name} endpoint answered {answer.status} in the clear"
