"""Requests that are good for one attempt, where the first attempt gets no answer that counts."""

import base64
import json
from typing import Any

import pytest

from grantproof.errors import Inconclusive
from grantproof.idp import Idp
from grantproof.roles import ROLES, Caller, Flow
from tests.unit.idp.conftest import Connect, issue, refuse
from tests.unit.login.server import Heard, Reply, redirect

SIGNER = """
[clients.signer]
id = "signer"
secret = "a-secret-that-is-long-enough-to-sign-with"
auth_methods = ["client_secret_jwt"]
grants = ["client_credentials"]
"""
LOGIN = """
[[login.steps]]
when = "form"
fill = { username = "${user.username}", password = "${user.password}" }
"""
FORM = '<form method="post" action="/login"><input name="username"><input name="password"></form>'


def claims(heard: Heard) -> dict[str, Any]:
    payload = heard.form["client_assertion"][0].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return found


class Busy:
    """A server that remembers what it was sent, breaks down on one attempt, and takes nothing twice."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.seen: list[str] = []
        self.tries = 0

    def __call__(self, heard: Heard) -> Reply:
        """The answer to a token request."""
        self.tries += 1
        spent = heard.form["client_assertion"][0] in self.seen
        self.seen.append(heard.form["client_assertion"][0])
        if self.tries == 2:
            return Reply("<h1>later</h1>", self.status)
        return refuse("invalid_client", 401)(heard) if spent else issue(heard)


def signer(idp: Idp) -> Caller:
    return Caller(idp.profile.clients["signer"], "client_secret_jwt")


@pytest.mark.parametrize("status", [429, 503])
def test_the_next_attempt_has_another_assertion(connect: Connect, status: int) -> None:
    busy = Busy(status)
    idp, site = connect({"/token": busy}, more=SIGNER)
    assert idp.token(signer(idp)).issued, "the audience was found, then the plain request was answered"
    sent = [claims(heard) for heard in site.heard]
    assert len({each["jti"] for each in sent}) == len(sent) == 3
    assert len({each["aud"] for each in sent}) == 1
    assert all(heard.form["client_id"] == ["signer"] for heard in site.heard)


def test_an_assertion_that_cannot_be_renewed_proves_nothing(connect: Connect) -> None:
    busy = Busy(503)
    busy.tries = 1
    idp, site = connect({"/token": busy}, more=SIGNER)
    request = idp.unauthenticated_request(signer(idp)).set("client_assertion", "made.by.hand")
    with pytest.raises(Inconclusive, match="good for one attempt"):
        idp.send(request)
    assert len(site.heard) == 2


def test_other_requests_are_sent_again_as_they_are(connect: Connect) -> None:
    replies = iter([Reply("later", 503), issue(None)])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - it looks at nothing
    idp, site = connect({"/token": lambda _: next(replies)})
    assert idp.token(Caller(idp.profile.clients["service"], "client_secret_post")).issued
    assert site.heard[0].form == site.heard[1].form


@pytest.mark.parametrize("ending", ["page", "redirect"])
def test_a_form_that_was_sent_twice_accuses_nobody(connect: Connect, ending: str) -> None:
    location = "https://app.example/cb#access_token=t&token_type=bearer"
    replies = iter(
        [Reply("later", 503), redirect(location) if ending == "redirect" else Reply("<h1>Too old</h1>", 400)]
    )
    idp, _ = connect({"/authorize": lambda _: Reply(FORM), "/login": lambda _: next(replies)}, more=LOGIN)
    (flow,) = ROLES["flow"].find(idp.profile)
    assert isinstance(flow, Flow)
    if ending == "redirect":
        assert idp.authorize(flow).redirect is not None
    else:
        with pytest.raises(Inconclusive, match="sent twice"):
            idp.authorize(flow)
