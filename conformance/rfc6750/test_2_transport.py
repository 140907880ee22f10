"""RFC 6750 section 2: how a token reaches the resource."""

import pytest

from grantproof.checks import Caller, Flow, Form, FormRequest, Idp, NotOffered, clause
from grantproof.wire.grammar import is_b64token

SCHEMES = ("Bearer", "bearer", "BEARER")


@clause("rfc6750:2.1/authorization-header", "rfc6819:5.4.1/authorization-header")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_token_in_the_header_opens_the_resource(idp: Idp, one_method_service: Caller, scheme: str) -> None:
    _judge_open(idp, idp.issue(one_method_service), scheme)


@clause("rfc6750:2.1/authorization-header")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_token_of_the_implicit_grant_in_the_header_opens_the_resource(idp: Idp, token_flow: Flow, scheme: str) -> None:
    _judge_open(idp, idp.issue(token_flow), scheme)


@clause("rfc6750:2.1/b64token")
def test_token_fits_in_the_header(idp: Idp, one_method_service: Caller) -> None:
    answer, _ = idp.first_answer(one_method_service)
    if str(answer.get("token_type")).lower() != "bearer":
        raise NotOffered("the token is no bearer token")
    assert is_b64token(answer.access_token)


@clause("rfc6750:2.1/b64token")
def test_token_of_the_implicit_grant_fits_in_the_header(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    if (answer.parameters.get("token_type") or "").lower() != "bearer":
        raise NotOffered("the token is no bearer token")
    assert is_b64token(answer.access_token)


@clause("rfc6750:2.2/form-body")
def test_token_in_a_form_opens_the_resource(idp: Idp, one_method_service: Caller) -> None:
    idp.expect_resource_closed()
    request = FormRequest(idp.endpoint("resource"), Form((("access_token", idp.issue(one_method_service)),)))
    assert idp.exchange(request.to_request()).status == 200


@clause("rfc6750:2.3/query-parameter")
def test_token_in_the_query_opens_the_resource(idp: Idp, one_method_service: Caller) -> None:
    assert idp.exchange(_in_query(idp, one_method_service).to_request()).status == 200


@clause("rfc6750:2.3/query-parameter-ignored")
def test_token_in_the_query_leaves_the_resource_closed(idp: Idp, one_method_service: Caller) -> None:
    assert not 200 <= idp.exchange(_in_query(idp, one_method_service).to_request()).status < 300


@clause("rfc6750:2.3/cache-control-private")
def test_what_the_query_opened_is_not_shared(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.exchange(_in_query(idp, one_method_service).to_request())
    if not 200 <= answer.status < 300:
        raise NotOffered("the resource takes no token in the query")
    assert answer.headers.directives("cache-control") & {"private", "no-store"}


def _in_query(idp: Idp, caller: Caller) -> FormRequest:
    idp.expect_resource_closed()
    token = idp.issue(caller)
    return FormRequest(idp.endpoint("resource"), Form((("access_token", token),)), method="GET")


def _judge_open(idp: Idp, token: str, scheme: str) -> None:
    answer = idp.resource(token, scheme=scheme)
    if answer.status == 403:
        raise NotOffered("the scope of this client's tokens does not suffice")
    assert answer.status == 200
    idp.expect_resource_closed()
