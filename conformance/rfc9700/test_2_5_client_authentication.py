"""RFC 9700 sections 2.5 and 2.6: strong client authentication, and metadata."""

from grantproof.checks import Idp, clause

ASYMMETRIC = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})


@clause("rfc9700:2.5/asymmetric-client-authentication")
def test_clients_can_authenticate_with_a_key_pair(idp: Idp) -> None:
    methods = idp.metadata.members.get("token_endpoint_auth_methods_supported")
    assert isinstance(methods, list), "the metadata does not list the authentication methods"
    assert any(method in methods for method in ASYMMETRIC), "every method listed shares a secret"


@clause("rfc9700:2.6/metadata-published")
def test_metadata_is_published(idp: Idp) -> None:
    assert any(answer.status == 200 and answer.get("issuer") for answer in idp.documents), "no metadata was found"
