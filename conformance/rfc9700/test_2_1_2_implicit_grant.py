"""RFC 9700 section 2.1.2: the implicit grant is out of use."""

from grantproof.checks import Flow, Idp, clause


@clause("rfc9700:2.1.2/implicit-avoided")
def test_implicit_is_out_of_use(idp: Idp, some_flow: Flow) -> None:
    answer = idp.authorize(some_flow)
    assert not answer.issued, "the authorization endpoint hands out access tokens"
