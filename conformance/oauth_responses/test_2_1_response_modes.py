"""OAuth 2.0 Multiple Response Types section 2.1: the default response mode of the implicit grant."""

from grantproof.checks import Flow, Idp, clause, control


@clause("oauth-responses:2.1/token-default-fragment")
@control
def test_default_mode_is_fragment(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow, response_mode=None)
    assert "access_token" in answer.fragment, answer.describe()
    assert not {"access_token", "token_type", "state"} & set(answer.own_query.names)


@clause("oauth-responses:2.1/explicit-default-mode")
def test_named_default_mode_changes_nothing(idp: Idp, token_flow: Flow) -> None:
    usual = set(idp.authorize(token_flow).fragment.names)
    answer = idp.authorize(token_flow, response_mode="fragment")
    assert set(answer.fragment.names) == usual, answer.describe()
