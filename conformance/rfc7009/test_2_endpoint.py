"""RFC 7009 section 2: the revocation endpoint, and what it takes."""

from urllib.parse import urlsplit

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.matrix.tokens import is_jws


@clause("rfc7009:2/access-tokens-revocable")
def test_access_token_can_be_revoked(idp: Idp, method_service: Caller) -> None:
    _judge_revocable(idp, idp.issue(method_service), method_service)


@clause("rfc7009:2/access-tokens-revocable")
def test_access_token_of_the_implicit_grant_can_be_revoked(idp: Idp, token_flow: Flow) -> None:
    caller = Caller(token_flow.client, token_flow.client.auth_methods[0])
    _judge_revocable(idp, idp.issue(token_flow), caller)


def _judge_revocable(idp: Idp, token: str, caller: Caller) -> None:
    answer = idp.revoke(token, caller)
    error = answer.get("error")
    if error == "unsupported_token_type" and is_jws(token):
        raise NotOffered("tokens that carry their content are not revoked here: unsupported_token_type")
    if caller.client.public and error in {"invalid_client", "unauthorized_client"}:
        raise NotOffered(f"this target lets no public client revoke: {error}")
    assert answer.status == 200, f"error {error!r}"


@clause("rfc7009:2/endpoint-url")
def test_published_address_has_no_fragment(idp: Idp) -> None:
    published = [answer.get("revocation_endpoint") for answer in idp.documents if answer.status == 200]
    addresses = [each for each in published if each is not None]
    if not addresses:
        raise NotOffered("no metadata document names a revocation_endpoint")
    for address in addresses:
        assert isinstance(address, str)
        assert "#" not in address
        assert urlsplit(address).hostname, "the address is no absolute URL"


@clause("rfc7009:2/tls")
def test_endpoint_is_published_as_https_and_speaks_tls(idp: Idp, one_method_service: Caller) -> None:
    assert {urlsplit(each).scheme for each in idp.stated_addresses("revocation")} == {"https"}
    assert idp.revoke("no-such-token", one_method_service).status
