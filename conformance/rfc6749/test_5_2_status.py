"""RFC 6749 section 5.2: the status and the challenge of error answers of the token endpoint."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, TokenAnswer, clause
from grantproof.matrix.token_errors import BROKEN_HEADERS, CLIENT_PATHS, REQUEST_PATHS, ErrorPath

every_request_path = pytest.mark.parametrize("path", REQUEST_PATHS, ids=str)
every_client_path = pytest.mark.parametrize("path", CLIENT_PATHS[:2], ids=str)


def _judged_as_400(answer: TokenAnswer) -> TokenAnswer:
    if answer.error == "invalid_client":
        raise NotOffered("the refusal is invalid_client, whose status is another clause's")
    return answer


@clause("rfc6749:5.2/status-400")
@every_request_path
def test_wrong_request_is_refused_with_400(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = _judged_as_400(idp.refusal(path.spoil(idp.token_request(method_service))))
    assert answer.status == 400


@clause("rfc6749:5.2/status-400")
def test_client_without_the_grant_is_refused_with_400(idp: Idp, unentitled_service: Caller) -> None:
    assert _judged_as_400(idp.refusal(idp.token_request(unentitled_service))).status == 400


@clause("rfc6749:5.2/status-400")
def test_two_authentication_methods_are_refused_with_400(idp: Idp, basic_service: Caller) -> None:
    request = idp.token_request(basic_service).set("client_id", basic_service.client.id)
    answer = idp.refusal(request.set("client_secret", basic_service.client.secret or ""))
    assert _judged_as_400(answer).status == 400


@clause("rfc6749:5.2/authorization-header-401")
@every_client_path
def test_failed_basic_authentication_is_refused_with_401(idp: Idp, basic_service: Caller, path: ErrorPath) -> None:
    assert idp.refusal(path.spoil(idp.token_request(basic_service))).status == 401


@clause("rfc6749:5.2/authorization-header-401")
def test_empty_secret_by_basic_is_refused_with_401(idp: Idp, basic_service: Caller) -> None:
    answer = idp.refusal(idp.authenticate(idp.token_request(basic_service), basic_service, secret=""))
    if answer.error == "invalid_request":
        raise NotOffered("an empty secret counts as a missing parameter, so no authentication failed")
    assert answer.status == 401


@clause("rfc6749:5.2/authorization-header-401")
@pytest.mark.parametrize("header", BROKEN_HEADERS.values(), ids=BROKEN_HEADERS)
def test_invalid_client_by_a_broken_header_is_refused_with_401(idp: Idp, basic_service: Caller, header: str) -> None:
    answer = idp.refusal(idp.token_request(basic_service).header("Authorization", header))
    if answer.error != "invalid_client":
        raise NotOffered(f"the broken header is answered with {answer.error}, not invalid_client")
    assert answer.status == 401


@clause("rfc6749:5.2/www-authenticate")
@every_client_path
def test_the_401_challenges_for_basic(idp: Idp, basic_service: Caller, path: ErrorPath) -> None:
    answer = idp.refusal(path.spoil(idp.token_request(basic_service)))
    if answer.status != 401:
        raise NotOffered(f"the refusal has status {answer.status}, which is another clause's matter")
    schemes = [challenge.scheme for challenge in answer.headers.challenges]
    assert "basic" in schemes


@clause("rfc6749:5.2/invalid-client-401")
@every_client_path
def test_wrong_credentials_in_the_body_may_be_refused_with_401(idp: Idp, post_service: Caller, path: ErrorPath) -> None:
    assert idp.refusal(path.spoil(idp.token_request(post_service))).status == 401
