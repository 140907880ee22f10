"""RFC 7662 sections 2 and 4: the transport of the introspection endpoint."""

from urllib.parse import urlsplit

from grantproof.checks import Caller, Form, FormRequest, Idp, clause


@clause("rfc7662:2/transport-security")
def test_endpoint_is_https(idp: Idp) -> None:
    stated = idp.stated_addresses("introspection")
    assert {urlsplit(each).scheme for each in stated} == {"https"}


@clause("rfc7662:4/tls-1-2")
def test_endpoint_speaks_tls_1_2_or_newer(idp: Idp) -> None:
    # The transport's context offers 1.2 and newer only, so that any answer shows it.
    assert urlsplit(idp.endpoint("introspection")).scheme == "https"
    assert idp.introspect("no-such-token").status


@clause("rfc7662:4/get-refused")
def test_get_is_refused(idp: Idp, one_method_service: Caller) -> None:
    token = idp.issue_watched(one_method_service)
    request = FormRequest(idp.endpoint("introspection"), Form((("token", token),)), method="GET")
    answer = idp.exchange(idp.authenticate(request, idp.watcher(one_method_service)).to_request())
    assert answer.get("active") is not True
