"""RFC 7662 section 2.3: error answers of the introspection endpoint."""

from grantproof.checks import Caller, Form, FormRequest, Idp, clause


@clause("rfc7662:2.3/bad-credentials-401")
def test_wrong_secret_has_status_401(idp: Idp, password_service: Caller) -> None:
    request = FormRequest(idp.endpoint("introspection"), Form((("token", "no-such-token"),)))
    secret = f"{password_service.client.secret}x"
    answer = idp.exchange(idp.authenticate(request, password_service, secret=secret).to_request())
    assert answer.status == 401


@clause("rfc7662:2.3/bad-credentials-401")
def test_assertion_for_another_audience_has_status_401(idp: Idp, assertion_service: Caller) -> None:
    request = FormRequest(idp.endpoint("introspection"), Form((("token", "no-such-token"),)))
    request = idp.authenticate(request, assertion_service, audience="https://elsewhere.example/token")
    assert idp.exchange(request.to_request()).status == 401
