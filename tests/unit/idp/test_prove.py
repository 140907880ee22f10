"""The control of every negative check: what proves a client, what makes it doubtful, and that it is asked once."""

from collections.abc import Callable
from pathlib import Path

import jwt
import pytest

from grantproof.errors import CredentialsRefused, Inconclusive, NotOffered
from grantproof.idp import Idp
from grantproof.roles import ROLES, Caller, Flow, Holder
from tests.unit.idp.conftest import TOKEN, Connect, issue, refuse
from tests.unit.login.server import Heard, Reply, redirect

Answering = Callable[[Heard], Reply]
DONE = f"https://app.example/cb#access_token={TOKEN}&token_type=Bearer"


def holder(idp: Idp, role: str, number: int = 0) -> Holder:
    return ROLES[role].find(idp.profile)[number]


def caller(idp: Idp, number: int = 0) -> Caller:
    found = holder(idp, "service", number)
    assert isinstance(found, Caller)
    return found


def flow(idp: Idp) -> Flow:
    found = holder(idp, "flow")
    assert isinstance(found, Flow)
    return found


def test_a_client_is_proven_once(connect: Connect) -> None:
    idp, site = connect({"/token": issue})
    for _ in range(3):
        idp.prove(caller(idp))
    assert site.paths == ["POST /token"]
    assert site.heard[0].form == {"grant_type": ["client_credentials"], "scope": ["read"]}


def plainly(body: str, status: int) -> Answering:
    return lambda _heard: Reply(body, status)


def elsewhere(location: str) -> Answering:
    return lambda _heard: redirect(location)


def unless_a_stranger_asks(reply: Answering) -> Answering:
    """The reply to clients that the server knows; others are told that they are unknown."""
    return lambda heard: refuse("invalid_client", 401)(heard) if STRANGER in heard.basic else reply(heard)


STRANGER = "nobody-"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refuse("invalid_client", 401), "got invalid_client: is clients.service of the profile right?"),
        (refuse("invalid_client"), "got invalid_client: is clients.service of the profile right?"),
        (unless_a_stranger_asks(refuse("unauthorized_client")), "got no token (status 400, unauthorized_client)"),
        (unless_a_stranger_asks(refuse("server_error", 500)), "got no token (status 500, server_error)"),
        (unless_a_stranger_asks(plainly("<h1>404</h1>", 404)), "got no token (status 404, None)"),
        (plainly("slow down", 429), "status 429 from "),
    ],
)
def test_a_client_that_is_refused_is_doubtful_every_time(connect: Connect, reply: Answering, words: str) -> None:
    idp, site = connect({"/token": reply})
    for _ in range(2):
        with pytest.raises(Inconclusive) as ending:
            idp.prove(caller(idp))
        assert words in str(ending.value)
        assert "service-secret-0" not in str(ending.value)
    assert len(site.heard) == (3 if "429" in words else 1 if "invalid_client" in words else 2)


@pytest.mark.parametrize(
    "reply",
    [
        refuse("server_error", 500),
        refuse("unauthorized_client"),
        plainly("<h1>Welcome to the network</h1>", 200),
        plainly("", 200),
        plainly("", 405),
        elsewhere("https://portal.example/"),
    ],
)
@pytest.mark.parametrize("control", [False, True])
def test_what_a_stranger_gets_too_says_nothing_of_the_server(
    connect: Connect, reply: Answering, *, control: bool
) -> None:
    idp, _ = connect({"/token": reply})
    prove = idp.prove_credentials if control else idp.prove
    with pytest.raises(CredentialsRefused, match="and a client that is not there gets the same answer"):
        prove(caller(idp))


def test_a_plain_request_that_a_stranger_does_not_share_is_left_to_the_control_checks(connect: Connect) -> None:
    idp, _ = connect({"/token": unless_a_stranger_asks(plainly("<h1>500</h1>", 500))})
    idp.prove_credentials(caller(idp))


@pytest.mark.parametrize("issues", [False, True])
def test_a_place_that_refuses_get_is_judged_where_it_takes_post(connect: Connect, *, issues: bool) -> None:
    def answer(heard: Heard) -> Reply:
        return redirect(DONE) if heard.method == "POST" and issues else Reply("", 405)

    idp, _ = connect({"/authorize": answer})
    if issues:
        idp.prove_credentials(flow(idp))
    else:
        with pytest.raises(CredentialsRefused):
            idp.prove_credentials(flow(idp))


def test_each_method_of_a_client_is_proven_by_itself(connect: Connect) -> None:
    def by_basic_only(heard: Heard) -> Reply:
        return refuse("invalid_client", 401)(heard) if "client_secret" in heard.form else issue(heard)

    idp, _ = connect({"/token": by_basic_only})
    idp.prove(caller(idp, 0))
    with pytest.raises(Inconclusive, match="by client_secret_post got invalid_client"):
        idp.prove(caller(idp, 1))


@pytest.mark.parametrize(("error", "proven"), [("unauthorized_client", True), ("invalid_client", False)])
def test_a_client_without_the_grant_is_proven_by_its_credentials(connect: Connect, error: str, *, proven: bool) -> None:
    idp, _ = connect({"/token": refuse(error)})
    unentitled = holder(idp, "unentitled_service")
    if proven:
        idp.prove(unentitled)
    else:
        with pytest.raises(Inconclusive, match=r"clients\.restricted"):
            idp.prove(unentitled)


def test_a_public_client_is_proven_by_another_client_that_gets_a_token(connect: Connect) -> None:
    idp, site = connect({"/token": issue})
    for _ in range(2):
        idp.prove(holder(idp, "public_client"))
    assert site.paths == ["POST /token"]


def test_a_public_client_is_doubtful_where_no_client_gets_a_token(connect: Connect) -> None:
    idp, _ = connect({"/token": refuse("invalid_client")})
    with pytest.raises(Inconclusive, match="no client got a token in this run"):
        idp.prove(holder(idp, "public_client"))


def test_a_public_client_alone_cannot_be_proven(connect: Connect) -> None:
    idp, site = connect({"/token": refuse("invalid_client")})
    spa = holder(idp, "public_client")
    idp.profile = idp.profile.model_copy(update={"clients": {"spa": spa.client}})
    for _ in range(2):
        with pytest.raises(NotOffered, match="nothing can stand beside a refusal"):
            idp.prove(spa)
    assert site.heard == []


def test_a_flow_is_proven_once(connect: Connect) -> None:
    idp, site = connect({"/authorize": lambda _: redirect(DONE)})
    for _ in range(2):
        idp.prove(flow(idp))
    assert site.paths == ["GET /authorize"]
    assert {name: len(values) for name, values in site.heard[0].query.items()} == dict.fromkeys(
        ("response_type", "client_id", "redirect_uri", "state"), 1
    )


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply("<title>No</title>", 400), "ended at a page with status 400 and no redirect"),
        (redirect("https://app.example/cb#error=unsupported_response_type"), "(error='unsupported_response_type')"),
        (redirect("https://app.example/cb?code=abcdefgh"), "ended at a 3xx redirect with code"),
        (redirect("https://app.example/cb#access_token="), "ended at a 3xx redirect with access_token"),
    ],
)
def test_a_flow_that_ends_elsewhere_is_doubtful(connect: Connect, reply: Reply, words: str) -> None:
    idp, _ = connect({"/authorize": lambda _: reply})
    with pytest.raises(Inconclusive) as ending:
        idp.prove(flow(idp))
    assert str(ending.value).startswith("the plain request of spa (token) ended at ")
    assert words in str(ending.value)


@pytest.mark.parametrize(
    "reply",
    [
        plainly("<title>Unknown client</title>", 400),
        elsewhere("https://portal.example/login?from=here"),
    ],
)
def test_a_flow_that_ends_where_a_stranger_ends_is_a_wrong_profile(connect: Connect, reply: Answering) -> None:
    idp, _ = connect({"/authorize": reply})
    with pytest.raises(CredentialsRefused, match="the plain request of spa"):
        idp.prove_credentials(flow(idp))


def test_a_flow_whose_redirect_uri_is_treated_like_a_strange_one_is_a_wrong_profile(connect: Connect) -> None:
    def answer(heard: Heard) -> Reply:
        return Reply("<title>No</title>", 404 if STRANGER in heard.query["client_id"][0] else 400)

    idp, _ = connect({"/authorize": answer})
    with pytest.raises(CredentialsRefused):
        idp.prove_credentials(flow(idp))


def test_a_flow_that_ends_where_no_stranger_ends_is_left_to_the_control_checks(connect: Connect) -> None:
    def answer(heard: Heard) -> Reply:
        strange = STRANGER in heard.query["client_id"][0] + heard.query["redirect_uri"][0]
        return Reply("<title>No</title>", 400 if strange else 500)

    idp, _ = connect({"/authorize": answer})
    idp.prove_credentials(flow(idp))


@pytest.mark.parametrize("role", ["service", "flow"])
def test_drawn_holders_are_proven_and_begin_again_at_the_first(connect: Connect, role: str) -> None:
    idp, site = connect({"/token": issue, "/authorize": lambda _: redirect(DONE)})
    find = idp.caller if role == "service" else idp.flow
    names = [str(find(role, number)) for number in (0, 1, 2)]
    assert names[0] == names[2]
    assert len(site.heard) == len(set(names))


def test_nobody_holds_a_role(connect: Connect) -> None:
    idp, _ = connect({})
    with pytest.raises(NotOffered, match="the profile has no client for it: "):
        idp.caller("assertion_service", 0)
    with pytest.raises(NotOffered, match="the profile has no client for it: "):
        idp.flow("confidential_flow", 0)


def test_another_client_with_the_grant(connect: Connect) -> None:
    other = '[clients.other]\nid = "other"\nsecret = "other-secret"\ngrants = ["client_credentials"]\n'
    idp, _ = connect({}, more=other)
    assert idp.other_client(idp.profile.clients["service"], grant="client_credentials").name == "other"
    with pytest.raises(NotOffered):
        idp.other_client(idp.profile.clients["spa"], grant="implicit")


def test_a_key_that_cannot_sign_is_doubtful(connect: Connect, tmp_path: Path) -> None:
    client = '[clients.signer]\nid = "signer"\nprivate_key = "key.pem"\ngrants = ["client_credentials"]\n'
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "ascii")
    idp, site = connect({"/token": issue}, more=client)
    with pytest.raises(Inconclusive, match=r"the key of clients\.signer of the profile cannot sign"):
        idp.prove(holder(idp, "assertion_service"))
    assert site.heard == []


@pytest.mark.parametrize("accepted", ["", "/token"])
def test_the_audience_that_works_is_found_once(connect: Connect, accepted: str) -> None:
    client = (
        '[clients.signer]\nid = "signer"\nsecret = "a-secret-of-thirty-two-octets-or-more"\n'
        'auth_methods = ["client_secret_jwt"]\ngrants = ["client_credentials"]\n'
    )
    audiences: list[str] = []

    def token(heard: Heard) -> Reply:
        claims = jwt.decode(heard.form["client_assertion"][0], options={"verify_signature": False})
        audiences.append(claims["aud"])
        return issue(heard) if claims["aud"] == wanted else refuse("invalid_client", 401)(heard)

    idp, site = connect({"/token": token}, more=f'{client}[target]\nissuer = "http://127.0.0.1:9"\n')
    wanted = f"{site.origin}/token" if accepted else "http://127.0.0.1:9"
    for _ in range(2):
        assert idp.token(Caller(idp.profile.clients["signer"], "client_secret_jwt")).issued
    assert audiences[-2:] == [wanted, wanted]
    assert len(audiences) == (4 if accepted else 3)
