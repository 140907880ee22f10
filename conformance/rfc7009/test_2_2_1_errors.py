"""RFC 7009 section 2.2.1: error answers of the revocation endpoint."""

from grantproof.checks import Answer, Caller, Form, FormRequest, Idp, clause


@clause("rfc7009:2.2.1/errors-as-at-token-endpoint")
def test_missing_token_is_invalid_request(idp: Idp, method_service: Caller) -> None:
    assert _without_token(idp, method_service).get("error") == "invalid_request"


@clause("rfc7009:2.2.1/errors-as-at-token-endpoint")
def test_missing_token_has_status_400(idp: Idp, method_service: Caller) -> None:
    assert _without_token(idp, method_service).status == 400


@clause("rfc7009:2.2.1/errors-as-at-token-endpoint")
def test_wrong_secret_is_invalid_client(idp: Idp, password_service: Caller) -> None:
    assert _with_wrong_secret(idp, password_service).get("error") == "invalid_client"


@clause("rfc7009:2.2.1/errors-as-at-token-endpoint")
def test_wrong_secret_by_basic_has_status_401(idp: Idp, basic_service: Caller) -> None:
    assert _with_wrong_secret(idp, basic_service).status == 401


@clause("rfc7009:2.2.1/errors-as-at-token-endpoint")
def test_wrong_secret_in_the_body_has_status_400_or_401(idp: Idp, post_service: Caller) -> None:
    assert _with_wrong_secret(idp, post_service).status in {400, 401}


@clause("rfc7009:2.2.1/errors-as-at-token-endpoint")
def test_error_is_json(idp: Idp, method_service: Caller) -> None:
    assert _without_token(idp, method_service).headers.media_type == "application/json"


def _without_token(idp: Idp, caller: Caller) -> Answer:
    return idp.exchange(idp.authenticate(FormRequest(idp.endpoint("revocation")), caller).to_request())


def _with_wrong_secret(idp: Idp, caller: Caller) -> Answer:
    request = FormRequest(idp.endpoint("revocation"), Form((("token", "no-such-token"),)))
    return idp.exchange(idp.authenticate(request, caller, secret=f"{caller.client.secret}x").to_request())
