"""RFC 7009 section 2.2: the answer to a revocation."""

import secrets

from grantproof.checks import Caller, Flow, Idp, clause, needs

# Nobody has registered it, and nobody could guess it.
UNKNOWN_HINT = f"hint-{secrets.token_hex(4)}"


@clause("rfc7009:2.2/unknown-token-200")
def test_valid_token_is_answered_with_200(idp: Idp, method_service: Caller) -> None:
    assert idp.end_token(idp.issue(method_service), method_service).status == 200


@clause("rfc7009:2.2/unknown-token-200")
def test_valid_token_of_the_implicit_grant_is_answered_with_200(idp: Idp, token_flow: Flow) -> None:
    caller = Caller(token_flow.client, token_flow.client.auth_methods[0])
    assert idp.end_token(idp.issue(token_flow), caller).status == 200


@clause("rfc7009:2.2/unknown-token-200")
def test_unknown_token_is_answered_with_200(idp: Idp, method_service: Caller) -> None:
    assert idp.revoke(secrets.token_urlsafe(32), method_service).status == 200


@clause("rfc7009:2.2/unknown-token-200")
def test_text_in_no_token_format_is_answered_with_200(idp: Idp, one_method_service: Caller) -> None:
    assert idp.revoke("no token: <&>%'", one_method_service).status == 200


@clause("rfc7009:2.2/unknown-token-200")
def test_revoked_token_is_answered_with_200_once_more(idp: Idp, method_service: Caller) -> None:
    token = idp.issue(method_service)
    idp.end_token(token, method_service)
    assert idp.revoke(token, method_service).status == 200


@clause("rfc7009:2.2/unknown-hint-ignored")
def test_unknown_hint_is_answered_with_200(idp: Idp, method_service: Caller) -> None:
    idp.end_token(idp.issue(method_service), method_service)
    answer = idp.revoke(idp.issue(method_service), method_service, token_type_hint=UNKNOWN_HINT)
    assert answer.status == 200, f"error {answer.get('error')!r}"


@clause("rfc7009:2.2/unknown-hint-ignored")
@needs("introspection")
def test_token_is_revoked_despite_an_unknown_hint(idp: Idp, method_service: Caller) -> None:
    idp.end_token(idp.issue(method_service), method_service)
    token = idp.issue_watched(method_service)
    idp.revoke(token, method_service, token_type_hint=UNKNOWN_HINT)
    assert idp.eventually(lambda: not idp.is_active(token, method_service)), "still active"
