"""RFC 9068 section 4: what a resource server finds to validate a token with."""

from typing import Any

import pytest

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause, needs
from grantproof.matrix.tokens import is_jws

OAUTH, OPENID = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"


@clause("rfc9068:4/keys-and-issuer-published")
def test_token_verifies_with_a_published_key(idp: Idp, one_method_service: Caller) -> None:
    _judge_key(idp, idp.first_answer(one_method_service)[0].access_token)


@clause("rfc9068:4/keys-and-issuer-published")
def test_token_of_the_implicit_grant_verifies_with_a_published_key(idp: Idp, token_flow: Flow) -> None:
    _judge_key(idp, idp.issue(token_flow))


@clause("rfc9068:4/metadata-documents-agree")
@needs("metadata")
@pytest.mark.parametrize("member", ["issuer", "jwks_uri", "token_endpoint", "authorization_endpoint"])
def test_both_documents_say_the_same(idp: Idp, member: str) -> None:
    oauth, openid = _document(idp, OAUTH), _document(idp, OPENID)
    if oauth is None or openid is None:
        raise NotOffered("there are not both documents")
    assert oauth.get(member) == openid.get(member), f"{member} differs between the documents"


def _document(idp: Idp, where: str) -> dict[str, Any] | None:
    return next((each.members for each in idp.documents if each.status == 200 and where in each.url), None)


def _judge_key(idp: Idp, token: str) -> None:
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    assert idp.metadata.jwks_uri, "no jwks_uri is published"
    _, claims = idp.verify_jwt(token)
    assert claims.get("iss") == idp.metadata.issuer, "iss is not the published issuer"
