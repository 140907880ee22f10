"""RFC 6749 sections 3.1, 3.2 and 10.8: what the server does with requests that come in the clear."""

import pytest

from grantproof.checks import Answer, Flow, Form, FormRequest, Idp, Inconclusive, Request, clause

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


def _made_up(idp: Idp, name: str) -> Request:
    """A request with credentials that nobody has: the real ones are not for the clear."""
    made_up = "made-up-for-this-check"
    form = Form((("client_id", made_up), ("client_secret", made_up)))
    own = ("grant_type", "client_credentials") if name == "token" else ("token", made_up)
    return FormRequest(idp.endpoint(name), form.add(*own)).to_request()


@clause("rfc6749:3.2/tls", "rfc6749:10.8/no-cleartext", "rfc6819:5.1.1/tls")
def test_token_request_in_the_clear_is_not_processed(idp: Idp) -> None:
    for answer in _in_the_clear(idp, _made_up(idp, "token")):
        assert b'"access_token"' not in answer.body, "a token was issued in the clear"
        assert b'"error"' not in answer.body, f"the request was processed in the clear: status {answer.status}"


@clause("rfc6749:10.8/no-cleartext", "rfc6819:5.1.1/tls")
def test_no_password_is_asked_for_in_the_clear(idp: Idp, some_flow: Flow) -> None:
    answers = _in_the_clear(idp, idp.authorization_request(some_flow).to_request())
    assert not any(map(_asks_for_password, answers))


@clause("rfc6749:10.8/no-cleartext", "rfc6819:5.1.1/tls")
@pytest.mark.parametrize("name", ["introspection", "revocation"])
def test_no_token_is_taken_in_the_clear(idp: Idp, name: str) -> None:
    for answer in _in_the_clear(idp, _made_up(idp, name)):
        assert b'"error"' not in answer.body, f"the {name} endpoint processed a request in the clear"
        assert answer.status >= 300, f"the {name} endpoint answered {answer.status} in the clear"
