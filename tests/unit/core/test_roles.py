"""Who holds which role, on the embedded server's profile."""

from pathlib import Path

import pytest

from grantproof.profile.loading import load, read
from grantproof.roles import ROLES, Caller, Flow

HOLDERS = {
    "basic_service": "service service_reserved service_other short_lived",
    "post_service": "service service_reserved service_other short_lived",
    "assertion_service": "service_jwt service_hmac",
    "reserved_service": "service_reserved",
    "reserved_basic_service": "service_reserved",
    "one_method_service": "service service_reserved service_jwt service_hmac service_other short_lived",
    "method_service": "service service_jwt service_hmac",
    "unentitled_service": "resource_server restricted confidential_app",
    "public_client": "spa spa_single oidc_app native_app",
    "flow": "spa spa_single oidc_app native_app confidential_app",
    "token_flow": "spa spa_single oidc_app native_app confidential_app",
    "id_token_flow": "oidc_app",
    "composite_flow": "oidc_app",
    "some_flow": "spa",
    "public_flow": "spa spa_single oidc_app native_app",
    "one_uri_flow": "spa_single oidc_app native_app confidential_app",
    "two_uri_flow": "spa",
    "query_uri_flow": "spa",
    "confidential_flow": "confidential_app",
    "unentitled_flow": "restricted",
}


@pytest.mark.parametrize("role", HOLDERS)
def test_holders(lawful_profile: Path, role: str) -> None:
    found = [holder.client.name for holder in ROLES[role].find(load(str(lawful_profile)))]
    assert list(dict.fromkeys(found)) == HOLDERS[role].split()


@pytest.mark.parametrize("role", ROLES)
def test_ids_of_holders_are_told_apart_and_no_role_lends_a_disposable_client(lawful_profile: Path, role: str) -> None:
    holders = ROLES[role].find(load(str(lawful_profile)))
    assert len({str(holder) for holder in holders}) == len(holders)
    assert not any(holder.client.disposable for holder in holders)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_holds_a_role_of_an_empty_profile(role: str) -> None:
    profile = read('[target]\nissuer = "http://127.0.0.1:9"\n', Path("empty.toml"))
    assert ROLES[role].find(profile) == []
    assert ROLES[role].absent.startswith("the profile has no client for it: ")


def test_a_role_says_for_which_grant_it_is(lawful_profile: Path) -> None:
    profile = load(str(lawful_profile))
    for name, role in ROLES.items():
        kind = Caller if name.endswith(("service", "client")) else Flow
        assert all(isinstance(holder, kind) for holder in role.find(profile)), name


def test_what_a_holder_asks_for(lawful_profile: Path) -> None:
    profile = load(str(lawful_profile))
    flows = {str(flow): flow for flow in ROLES["flow"].find(profile) if isinstance(flow, Flow)}
    composite = flows["oidc_app-id_token+token"]
    assert (composite.has_token, composite.has_id_token, composite.entitled) == (True, True, True)
    assert (flows["spa-token"].has_token, flows["spa-token"].has_id_token) == (True, False)
    (query,) = ROLES["query_uri_flow"].find(profile)
    assert isinstance(query, Flow)
    assert "?" in query.redirect_uri
    assert not any(caller.entitled for caller in ROLES["unentitled_service"].find(profile))
