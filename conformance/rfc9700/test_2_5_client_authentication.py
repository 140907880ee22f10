"""RFC 9700 sections 2.5 and 2.6: strong client authentication, and metadata."""

from grantproof.checks import Idp, Inconclusive, NotOffered, clause
from grantproof.roles import ROLES, Caller

ASYMMETRIC = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})


@clause("rfc9700:2.5/asymmetric-client-authentication")
def test_clients_can_authenticate_with_a_key_pair(idp: Idp) -> None:
    methods = idp.metadata.members.get("token_endpoint_auth_methods_supported")
    if not isinstance(methods, list):
        _require_a_client_with_a_key_pair(idp)
        return
    assert any(method in methods for method in ASYMMETRIC), "every method listed shares a secret"


def _require_a_client_with_a_key_pair(idp: Idp) -> None:
    """Where the metadata is silent only a client that does it shows that it can be done; silence shows nothing."""
    for holder in ROLES["assertion_service"].find(idp.profile):
        if isinstance(holder, Caller) and holder.method in ASYMMETRIC:
            try:
                idp.prove(holder)
            except Inconclusive:
                continue
            return
    raise NotOffered("the metadata lists no authentication methods, and no client of the profile has a key pair")


@clause("rfc9700:2.6/metadata-published")
def test_metadata_is_published(idp: Idp) -> None:
    assert any(answer.status == 200 and answer.get("issuer") for answer in idp.documents), "no metadata was found"
