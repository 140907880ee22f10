"""RFC 9110 section 11.1: authentication schemes are named without regard to letter case."""

import pytest

from grantproof.checks import Caller, Idp, clause


@clause("rfc9110:11.1/scheme-case")
@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_basic_in_another_letter_case_is_accepted(idp: Idp, basic_service: Caller, scheme: str) -> None:
    request = idp.token_request(basic_service)
    credentials = dict(request.headers)["Authorization"].partition(" ")[2]
    answer = idp.send(request.header("Authorization", f"{scheme} {credentials}"))
    assert answer.issued, f"status {answer.status}, error {answer.error}"
    idp.expect_secret_matters(basic_service)
