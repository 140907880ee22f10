"""RFC 6749 section 1.7: the ways in which the browser is sent to the client."""

from grantproof.checks import Flow, Idp, NotOffered, clause


@clause("rfc6749:1.7/redirection-method")
def test_browser_may_be_sent_by_other_means_than_302(idp: Idp, token_flow: Flow) -> None:
    redirect = idp.authorize(token_flow).redirect
    assert redirect is not None
    if redirect.kind == "command":
        raise NotOffered("the login command does not tell how the browser was sent")
    assert (redirect.kind, redirect.status) != ("3xx", 302)
