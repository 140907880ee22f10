"""RFC 7009 section 2.3: scripts from other origins."""

from grantproof.checks import Caller, Form, FormRequest, Idp, clause

ORIGIN = "https://app.example"


@clause("rfc7009:2.3/cors")
def test_scripts_of_other_origins_are_admitted(idp: Idp, one_method_service: Caller) -> None:
    request = FormRequest(idp.endpoint("revocation"), Form((("token", "no-such-token"),))).header("Origin", ORIGIN)
    answer = idp.exchange(idp.authenticate(request, one_method_service).to_request())
    assert answer.headers.get("access-control-allow-origin") in {"*", ORIGIN}
