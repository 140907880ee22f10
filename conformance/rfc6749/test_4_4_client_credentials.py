"""RFC 6749 section 4.4: the client credentials grant."""

import pytest

from grantproof.checks import Caller, Idp, NotOffered, clause
from grantproof.matrix.token_errors import GRANT_PATHS, ErrorPath
from grantproof.wire.authentication import basic_credentials

CLAIMS_TO_BE = {
    "client_id": {},
    "empty_secret": {"client_secret": ""},
    "made_up_secret": {"client_secret": "made-up"},
    "its_own_name": {"client_secret": "{id}"},
}


@clause("rfc6749:4.4/confidential-only")
@pytest.mark.parametrize("fields", CLAIMS_TO_BE.values(), ids=CLAIMS_TO_BE)
def test_public_client_gets_no_token_by_body(idp: Idp, public_client: Caller, fields: dict[str, str]) -> None:
    request = idp.token_request(public_client, scope=None)
    for name, value in fields.items():
        request = request.set(name, value.format(id=public_client.client.id))
    assert not idp.send(request).issued


@clause("rfc6749:4.4/confidential-only")
@pytest.mark.parametrize("secret", ["", "made-up"], ids=["empty_secret", "made_up_secret"])
def test_public_client_gets_no_token_by_basic(idp: Idp, public_client: Caller, secret: str) -> None:
    request = idp.token_request(public_client, scope=None).drop("client_id")
    answer = idp.send(request.header("Authorization", basic_credentials(public_client.client.id, secret)))
    assert not answer.issued


@clause("rfc6749:4.4.2/missing-grant-type", "rfc6749:5.2/invalid-request")
@pytest.mark.parametrize("path", GRANT_PATHS[:2], ids=str)
def test_missing_grant_type_is_an_invalid_request(idp: Idp, method_service: Caller, path: ErrorPath) -> None:
    answer = idp.send(path.spoil(idp.token_request(method_service)))
    assert not answer.issued
    assert answer.error == "invalid_request"


@clause("rfc6749:4.4.2/form-encoded-body")
@pytest.mark.parametrize(
    "media_type",
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        'application/x-www-form-urlencoded; charset="utf-8"',
        "Application/X-WWW-Form-Urlencoded",
    ],
    ids=["plain", "charset", "charset_lower", "charset_quoted", "other_case"],
)
def test_form_body_is_understood(idp: Idp, method_service: Caller, media_type: str) -> None:
    request = idp.token_request(method_service)
    answer = idp.send(request.sent(request.form.encode().encode(), media_type))
    assert answer.issued, f"status {answer.status}, error {answer.error}"


@clause("rfc6749:4.4.2/client-authenticated")
@pytest.mark.parametrize("wrong", ["other", "empty", "shortened", "lengthened", "first_half", "other_case", "spaced"])
def test_wrong_secret_gets_no_token(idp: Idp, password_service: Caller, wrong: str) -> None:
    right = password_service.client.secret or ""
    secret = {
        "other": "made-up-7f3a",
        "empty": "",
        "shortened": right[:-1],
        "lengthened": right + "x",
        "first_half": right[: len(right) // 2],
        "other_case": right.swapcase(),
        "spaced": f" {right} ",
    }[wrong]
    assert not _issued_for(idp, password_service, secret)


@clause("rfc6749:4.4.2/client-authenticated")
def test_secret_of_another_client_gets_no_token(idp: Idp, password_service: Caller) -> None:
    other = idp.other_client(password_service.client, grant="client_credentials")
    assert not _issued_for(idp, password_service, other.secret or "made-up")


def _issued_for(idp: Idp, caller: Caller, secret: str) -> bool:
    """Whether a client gets a token with this secret."""
    if secret == caller.client.secret:
        raise NotOffered("the wrong secret would be the right one")
    return idp.send(idp.authenticate(idp.token_request(caller), caller, secret=secret)).issued


@clause("rfc6749:4.4.3/no-refresh-token")
def test_no_refresh_token_comes_along(idp: Idp, service: Caller) -> None:
    assert not idp.token(service).members.get("refresh_token")


@clause("rfc6749:4.4.3/no-refresh-token")
def test_no_refresh_token_comes_with_offline_access(idp: Idp, service: Caller) -> None:
    answer = idp.token(service, scope=" ".join((*service.client.scopes, "offline_access")))
    assert not answer.get("refresh_token")


@clause("rfc6749:4.5/unknown-extension-grant")
@pytest.mark.parametrize(
    "grant_type",
    ["urn:example:grant-type:unheard-of", "urn:ietf:params:oauth:grant-type:unheard-of", "https://example.com/grant"],
    ids=["urn", "registered_namespace", "https"],
)
def test_unknown_extension_grant_is_unsupported(idp: Idp, method_service: Caller, grant_type: str) -> None:
    answer = idp.token(method_service, grant_type=grant_type)
    assert not answer.issued
    assert answer.error == "unsupported_grant_type"
