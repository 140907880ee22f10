"""The counter-controls: what everybody gets shows nothing about who got it."""

from collections.abc import Callable

import pytest

from grantproof.errors import NotOffered
from grantproof.idp import Idp
from grantproof.roles import ROLES, Caller
from tests.unit.idp.conftest import TOKEN, Connect, as_json, issue, refuse
from tests.unit.login.server import Heard, Pages, Reply

ENDPOINTS = """
introspection = "{origin}/introspect"
revocation = "{origin}/revoke"
resource = "{origin}/resource"
"""


def by_post(idp: Idp) -> Caller:
    found = ROLES["post_service"].find(idp.profile)[0]
    assert isinstance(found, Caller)
    return found


def only_with_the_secret(heard: Heard) -> Reply:
    return issue(heard) if heard.form["client_secret"] == ["service-secret-0"] else refuse("invalid_client")(heard)


def as_if_done(_heard: Heard) -> Reply:
    return Reply()


def active_if(*tokens: str) -> Pages:
    return {"/introspect": lambda heard: as_json({"active": not tokens or heard.form["token"][0] in tokens})}


def test_a_secret_matters_where_a_wrong_one_is_refused(connect: Connect) -> None:
    idp, site = connect({"/token": only_with_the_secret})
    for _ in range(3):
        idp.expect_secret_matters(by_post(idp))
    assert site.paths == ["POST /token"]


def test_a_secret_proves_nothing_where_any_will_do(connect: Connect) -> None:
    idp, _ = connect({"/token": issue})
    with pytest.raises(NotOffered, match="a wrong secret gets a token as well"):
        idp.expect_secret_matters(by_post(idp))


@pytest.mark.parametrize("status", [401, 403, 302])
def test_a_resource_is_closed_by_any_refusal(connect: Connect, status: int) -> None:
    idp, site = connect({"/resource": lambda _: Reply("", status)}, endpoints=ENDPOINTS)
    for _ in range(2):
        idp.expect_resource_closed()
    assert site.paths == ["GET /resource"]


def test_a_resource_that_is_open_to_all_proves_no_token(connect: Connect) -> None:
    idp, _ = connect({"/resource": lambda _: Reply("welcome")}, endpoints=ENDPOINTS)
    with pytest.raises(NotOffered, match="open without a token too"):
        idp.expect_resource_closed()


def test_introspection_counts_where_it_tells_tokens_apart(connect: Connect) -> None:
    idp, _ = connect({"/token": issue, **active_if(TOKEN)}, endpoints=ENDPOINTS)
    idp.expect_made_up_inactive(by_post(idp))


def test_introspection_that_calls_everything_active_says_nothing(connect: Connect) -> None:
    idp, _ = connect({"/token": issue, **active_if()}, endpoints=ENDPOINTS)
    with pytest.raises(NotOffered, match="a made-up token active"):
        idp.expect_made_up_inactive(by_post(idp))


def test_revocation_works_where_somebody_ends_a_token(connect: Connect) -> None:
    ended: list[str] = []

    def revoke(heard: Heard) -> Reply:
        ended.extend(heard.form["token"])
        return Reply()

    pages: Pages = {
        "/token": issue,
        "/revoke": revoke,
        "/introspect": lambda heard: as_json({"active": heard.form["token"][0] not in ended}),
    }
    idp, _ = connect(pages, endpoints=ENDPOINTS)
    idp.expect_revocation_works()
    idp.expect_revocation_works()
    assert ended == [TOKEN]


@pytest.mark.parametrize("revoke", [as_if_done, refuse("unsupported_token_type")])
def test_a_revocation_without_effect_shows_nothing(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, revoke: Callable[[Heard], Reply]
) -> None:
    pages: Pages = {"/token": issue, "/revoke": revoke, **active_if(TOKEN)}
    idp, _ = connect(pages, endpoints=ENDPOINTS)
    monkeypatch.setattr(idp, "_grace_s", 0.0)
    with pytest.raises(NotOffered, match="nothing shows who may revoke"):
        idp.expect_revocation_works()
