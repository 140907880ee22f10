"""RFC 6749 section 4.2.1: what an implicit request must and may have."""

import pytest

from grantproof.checks import Flow, Idp, clause
from grantproof.matrix.redirect_uris import sent_to


@clause("rfc6749:4.2.1/redirect-uri-optional")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_only_registered_uri_need_not_be_named(idp: Idp, one_uri_flow: Flow, value: str | None, session: str) -> None:
    scopes = [scope for scope in one_uri_flow.client.scopes if scope != "openid"]
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(one_uri_flow, agent=agent, redirect_uri=value, scope=" ".join(scopes) or None)
    assert answer.issued or "id_token" in one_uri_flow.response_type, answer.describe()
    assert not answer.issued or answer.went_to(one_uri_flow.redirect_uri)


@clause("rfc6749:4.2.1/missing-client-id")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("value", [None, ""], ids=["missing", "empty"])
def test_missing_client_ends_on_a_page(idp: Idp, flow: Flow, value: str | None, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    answer = idp.authorize(flow, agent=agent, client_id=value)
    assert not answer.issued
    assert sent_to(answer, [flow.redirect_uri]) is None, answer.describe()


@clause("rfc6749:4.2.1/required-parameters")
@pytest.mark.parametrize("session", ["kept", "fresh"])
@pytest.mark.parametrize("name", ["response_type", "client_id"])
def test_nothing_is_granted_without_an_obligatory_parameter(idp: Idp, flow: Flow, name: str, session: str) -> None:
    agent = idp.fresh_agent() if session == "fresh" else idp.agent()
    assert not idp.follow(idp.authorization_request(flow).drop(name), agent=agent).issued
