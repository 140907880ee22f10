"""RFC 6749 section 5.1: the successful token answer."""

from grantproof.checks import Caller, Idp, clause, control


@clause("rfc6749:5.1/status-200")
@control
def test_success_has_status_200(idp: Idp, service: Caller) -> None:
    assert idp.token(service).status == 200


@clause("rfc6749:5.1/json-object")
@control
def test_body_is_one_json_object(idp: Idp, service: Caller) -> None:
    assert idp.token(service).members
