"""RFC 9110 section 15.5: what comes along with 401 and 405."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, Request, clause
from grantproof.matrix.token_errors import BROKEN_HEADERS, ERROR_PATHS, ErrorPath

USED = {"token": "POST", "introspection": "POST", "revocation": "POST", "authorization": "GET", "jwks": "GET"}
WRONG = ("GET", "POST", "PUT", "PATCH", "DELETE")


@clause("rfc9110:15.5.2/challenge")
@pytest.mark.parametrize("path", ERROR_PATHS, ids=str)
def test_401_has_a_challenge(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(method_service)))
    if answer.status != 401:
        raise NotOffered(f"the refusal has status {answer.status}")
    assert answer.headers.challenges


@clause("rfc9110:15.5.2/challenge")
@pytest.mark.parametrize("header", BROKEN_HEADERS.values(), ids=BROKEN_HEADERS)
def test_401_for_a_broken_header_has_a_challenge(idp: Idp, basic_service: Caller, header: str) -> None:
    answer = idp.refusal(idp.token_request(basic_service).header("Authorization", header))
    if answer.status != 401:
        raise NotOffered(f"the refusal has status {answer.status}")
    assert answer.headers.challenges


@clause("rfc9110:15.5.6/allow")
@pytest.mark.parametrize("endpoint", USED)
@pytest.mark.parametrize("method", WRONG)
def test_405_lists_the_methods_that_work(idp: Idp, method: str, endpoint: str) -> None:
    if method == USED[endpoint]:
        raise NotOffered(f"{method} is the method that works here")
    answer = idp.exchange(Request(method, idp.endpoint(endpoint)))
    if answer.status != 405:
        raise NotOffered(f"{method} is answered with status {answer.status}")
    if endpoint == "token":
        idp.caller("service", 0)  # the control: it is the token endpoint
    allowed = {name.strip().upper() for line in answer.headers.all("allow") for name in line.split(",")}
    assert USED[endpoint] in allowed, f"Allow names {', '.join(sorted(allowed)) or 'nothing'}"
