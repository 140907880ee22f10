"""What is the server's fault, what is nobody's, and what is not offered."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp import Idp
from grantproof.profile.loading import read
from grantproof.roles import ROLES, Caller, Flow
from grantproof.transport import ResetError
from grantproof.wire.request import Request
from tests.faults.harness import SERVERS, raw_server
from tests.unit.idp.conftest import ALICE, PROFILE, TOKEN, Connect, as_json, issue, refuse
from tests.unit.login.server import Pages, Reply, redirect

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
ISSUER = "http://127.0.0.1:9"


def service(idp: Idp) -> Caller:
    return Caller(idp.profile.clients["service"], "client_secret_basic")


def spa(idp: Idp) -> Flow:
    (found,) = ROLES["flow"].find(idp.profile)
    assert isinstance(found, Flow)
    return found


def resets(answered: Callable[[bytes], bool]) -> Callable[[socket.socket], None]:
    """A server that answers some requests and breaks off the connections of the others."""

    def behave(connection: socket.socket) -> None:
        if answered(connection.recv(65_536)):
            connection.sendall(OK)

    return behave


def open_at(origin: str, folder: Path, endpoints: str = "") -> Idp:
    return Idp.open(
        read(PROFILE.format(origin=origin, endpoints=endpoints, user=ALICE, more=""), folder / "target.toml")
    )


def test_a_reset_between_answered_controls_is_the_servers_fault(tmp_path: Path) -> None:
    with raw_server(resets(lambda head: head.startswith(b"GET"))) as origin, open_at(origin, tmp_path) as idp:
        with pytest.raises(AssertionError, match="three times on a POST, while a control was answered"):
            idp.token(service(idp))
        statuses = [each["response"]["status"] for each in idp.transport.recorder.take()]
    assert statuses == [0, 0, 0, 200]


def test_a_reset_of_everything_is_nobodys_fault(tmp_path: Path) -> None:
    with raw_server(SERVERS["drops_connections"]) as origin, open_at(origin, tmp_path) as idp:
        with pytest.raises(ResetError):
            idp.token(service(idp))
        with pytest.raises(Inconclusive):
            idp.authorize(spa(idp))


def test_a_reset_of_the_journey_is_judged_too(tmp_path: Path) -> None:
    answered = resets(lambda head: head.startswith(b"GET /token"))
    with (
        raw_server(answered) as origin,
        open_at(origin, tmp_path) as idp,
        pytest.raises(AssertionError, match="on a GET"),
    ):
        idp.authorize(spa(idp))


def test_the_control_of_a_server_without_a_token_endpoint(tmp_path: Path) -> None:
    text = PROFILE.replace('token = "{origin}/token"\n', "")
    with raw_server(resets(lambda head: head.startswith(b"GET /authorize"))) as origin:
        profile = read(text.format(origin=origin, endpoints="", user=ALICE, more=""), tmp_path / "target.toml")
        with Idp.open(profile) as idp, pytest.raises(AssertionError, match="while a control was answered"):
            idp.exchange(Request("POST", f"{origin}/authorize"))


def test_without_a_control_a_reset_decides_nothing(tmp_path: Path) -> None:
    with raw_server(SERVERS["drops_after_request"]) as origin:
        text = f'[endpoints]\nresource = "{origin}/resource"\n'
        with Idp.open(read(text, tmp_path / "target.toml")) as idp, pytest.raises(ResetError):
            idp.resource(None)


# Metadata.


def test_endpoints_that_the_profile_leaves_open_come_from_the_metadata(connect: Connect) -> None:
    document = {"issuer": ISSUER, "introspection_endpoint": f"{ISSUER}/introspect", "token_endpoint": f"{ISSUER}/token"}
    idp, site = connect({"/meta": lambda _: as_json(document)}, endpoints='metadata = "{origin}/meta"')
    assert site.paths == ["GET /meta"]
    assert idp.endpoint("introspection") == f"{ISSUER}/introspect"
    assert idp.endpoint("token") == f"{site.origin}/token"
    assert idp.issuer == ISSUER
    assert idp.metadata.problems == ()
    with pytest.raises(NotOffered, match="neither the profile nor the metadata names the revocation endpoint"):
        idp.endpoint("revocation")


def test_metadata_of_another_issuer_is_told(tmp_path: Path) -> None:
    with raw_server(lambda connection: connection.sendall(_issuer(connection))) as origin:
        idp = Idp.open(read(f'[target]\nissuer = "{origin}"\n', tmp_path / "target.toml"))
        idp.close()
    (problem,) = idp.metadata.problems
    assert problem.startswith('issuer is "https://other.example", but the profile')


def _issuer(connection: socket.socket) -> bytes:
    connection.recv(65_536)
    return OK.replace(b"Length: 2", b"Length: 34").replace(b"{}", b'{"issuer":"https://other.example"}')


@pytest.mark.parametrize(
    ("reply", "read_as_metadata"),
    [
        (Reply("<!doctype html><title>Shop</title>"), False),
        (Reply(""), False),
        (Reply('{"issuer": '), True),
        (Reply(" {}", headers=(("Content-Type", "text/html"),)), True),
        (Reply("<h1>not here</h1>", headers=(("Content-Type", "application/json"),)), True),
        (Reply("<h1>not here</h1>", 404), True),
    ],
)
def test_a_page_of_a_site_that_answers_every_path_is_no_metadata(
    connect: Connect, reply: Reply, *, read_as_metadata: bool
) -> None:
    idp, _ = connect({"/meta": lambda _: reply}, endpoints='metadata = "{origin}/meta"')
    assert bool(idp.documents) is read_as_metadata
    with pytest.raises(NotOffered):
        idp.endpoint("jwks")


def test_a_page_without_end_decides_nothing(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grantproof.transport.client.MAX_BODY", 1_000)
    idp, _ = connect({"/authorize": lambda _: Reply("<p>" + "x" * 100_000)})
    with pytest.raises(Inconclusive, match="a page does not end"):
        idp.authorize(spa(idp))


def test_without_an_issuer_nothing_is_asked(connect: Connect) -> None:
    idp, site = connect({})
    assert (site.heard, idp.documents, idp.unread) == ([], (), "")
    assert idp.transport.recorder.count == 0


def test_metadata_that_is_not_answered_makes_its_endpoints_doubtful(connect: Connect) -> None:
    idp, _ = connect({}, more=f'[target]\nissuer = "{ISSUER}"\n')
    assert idp.endpoint("token").endswith("/token")
    with pytest.raises(Inconclusive, match="the metadata cannot be read: no connection to"):
        idp.endpoint("jwks")


def test_a_feature_that_is_not_there(connect: Connect) -> None:
    idp, _ = connect({})
    with pytest.raises(NotOffered):
        idp.require("implicit", "revocation")
    idp.require("implicit", "client_credentials")


# Answers that decide what is offered.


def test_a_wrong_request_that_is_served_is_no_refusal(connect: Connect) -> None:
    idp, _ = connect({"/token": issue})
    with pytest.raises(NotOffered, match="no refusal to judge"):
        idp.refusal(idp.token_request(service(idp), grant_type="nonsense"))


def test_a_refusal_is_given_back(connect: Connect) -> None:
    idp, site = connect({"/token": refuse("unsupported_grant_type")})
    answer = idp.refusal(idp.token_request(service(idp), grant_type="nonsense", scope=None, extra="1"))
    assert answer.error == "unsupported_grant_type"
    assert site.heard[0].form == {"grant_type": ["nonsense"], "extra": ["1"]}


def test_a_token_beside_an_error_is_a_refusal_to_judge(connect: Connect) -> None:
    idp, _ = connect({"/token": lambda _: as_json({"error": "invalid_scope", "access_token": TOKEN}, 400)})
    answer = idp.refusal(idp.token_request(service(idp)))
    assert (answer.error, answer.issued) == ("invalid_scope", True)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"access_token": TOKEN}, "nobody says how long the tokens of service live"),
        ({"access_token": TOKEN, "expires_in": True}, "nobody says how long"),
        ({"access_token": TOKEN, "expires_in": "1"}, "nobody says how long"),
        ({"access_token": TOKEN, "expires_in": 86_400}, "live for 86400 s, too long to be waited for"),
    ],
)
def test_tokens_that_cannot_be_waited_for(connect: Connect, members: dict[str, object], reason: str) -> None:
    idp, site = connect({"/token": lambda _: as_json(members)})
    for _ in range(2):
        with pytest.raises(NotOffered, match=reason):
            idp.expired_token(service(idp))
    assert len(site.heard) == 1


@pytest.mark.parametrize(("asked_for", "asked"), [("true", 1), ("false", 0)])
def test_tokens_whose_end_is_waited_for_are_issued_ahead(connect: Connect, asked_for: str, asked: int) -> None:
    idp, site = connect({"/token": issue}, more=f"[politeness]\nintrusive = {asked_for}")
    idp.begin_waiting()
    assert len(site.heard) == asked
    idp.first_answer(service(idp))
    assert len(site.heard) == 1


def test_a_target_that_is_not_there_is_not_accused_ahead(tmp_path: Path) -> None:
    more = "[politeness]\nintrusive = true"
    with raw_server(SERVERS["drops_connections"]) as origin:
        text = PROFILE.format(origin=origin, endpoints="", user=ALICE, more=more)
        with Idp.open(read(text, tmp_path / "target.toml")) as idp:
            idp.begin_waiting()
            assert {each["response"]["status"] for each in idp.transport.recorder.take()} == {0}


@pytest.mark.parametrize(
    ("error", "client", "reason"),
    [
        ("unsupported_token_type", "service", "does not revoke such access tokens"),
        ("invalid_client", "spa", "lets no public client revoke: invalid_client"),
    ],
)
def test_revocation_that_is_not_offered(connect: Connect, error: str, client: str, reason: str) -> None:
    idp, _ = connect({"/revoke": refuse(error)}, endpoints='revocation = "{origin}/revoke"')
    method = "none" if client == "spa" else "client_secret_basic"
    with pytest.raises(NotOffered, match=reason):
        idp.end_token(TOKEN, Caller(idp.profile.clients[client], method))


def test_a_refused_revocation_of_a_confidential_client_is_judged(connect: Connect) -> None:
    idp, _ = connect({"/revoke": refuse("invalid_client", 401)}, endpoints='revocation = "{origin}/revoke"')
    assert idp.end_token(TOKEN, service(idp)).status == 401


@pytest.mark.parametrize(("served", "sent"), [(True, 1), (False, 1)])
def test_requests_by_post_are_tried_once(connect: Connect, sent: int, *, served: bool) -> None:
    done = redirect(f"https://app.example/cb#access_token={TOKEN}")
    idp, site = connect({"/authorize": lambda _: done if served else Reply("", 405)})
    for _ in range(2):
        if served:
            idp.require_post(spa(idp))
        else:
            with pytest.raises(NotOffered, match="by POST are not served"):
                idp.require_post(spa(idp))
    assert site.paths == ["POST /authorize"] * sent
    assert site.heard[0].form["client_id"] == ["spa"]


STEPS = """
[[login.steps]]
when = "form#login"
fill = { login = "${user.username}", pass = "${user.password}" }
[[login.steps]]
when = "form#consent"
choice = "allow"
"""


CALL = """
[[login.steps]]
when = "p"
calls = [{ url = "/api", json = { n = "${user.username}", passwd = "${user.password}" } }]
"""


def signing_in(name: str) -> str:
    return f'<form id="{name}" method="post" action="/{name}"><input name="login"><input name="pass"></form>'


def test_consent_is_told_from_login(connect: Connect) -> None:
    pages: Pages = {
        "/authorize": lambda _: Reply(signing_in("login")),
        "/login": lambda heard: Reply(signing_in("consent") if heard.form["login"] == ["alice"] else ""),
        "/consent": lambda _: redirect(f"https://app.example/cb#access_token={TOKEN}"),
    }
    idp, _ = connect(pages, more=STEPS)
    answer = idp.authorize(spa(idp))
    assert idp.asks_consent(answer)
    assert idp.agent().signed_in
    unsent = idp.consent_request(answer.steps[1])
    assert (unsent.method, unsent.url.rpartition("/")[2]) == ("POST", "consent")
    with pytest.raises(NotOffered, match="does not stop at a page on which consent is given"):
        idp.consent_request(answer.steps[0])


def test_without_a_choice_consent_cannot_be_told(connect: Connect) -> None:
    idp, _ = connect({"/authorize": lambda _: redirect("https://app.example/cb")})
    with pytest.raises(NotOffered, match="consent cannot be told from login"):
        idp.asks_consent(idp.authorize(spa(idp)))


@pytest.mark.parametrize(
    ("first", "second", "password", "sent"),
    [
        (("alice", "alices-password"), ("bob", "bobs-password"), None, ("bob", "bobs-password")),
        (("admin", "admin"), ("bob", "bobs-password"), None, ("bob", "bobs-password")),
        (("admin", "admin"), ("admin", "admin"), "wrong-password", ("admin", "wrong-password")),
        (("alice", "alices-password"), None, "wrong-password", ("alice", "wrong-password")),
    ],
    ids=["second", "same words", "same words, wrong", "wrong"],
)
def test_another_user_or_password_signs_in(
    connect: Connect,
    first: tuple[str, str],
    second: tuple[str, str] | None,
    password: str | None,
    sent: tuple[str, str],
) -> None:
    users = '[user2]\nusername = "{}"\npassword = "{}"\n'.format(*second) if second else ""
    pages: Pages = {
        "/authorize": lambda _: Reply(signing_in("login")),
        "/login": lambda _: Reply("<p>"),
        "/api": lambda _: as_json({}, 403),
    }
    idp, site = connect(pages, more=f"{users}{STEPS}{CALL}", user=first)
    request = idp.authorization_request(spa(idp))
    with pytest.raises(Inconclusive, match="status 403"):
        idp.follow(request, agent=idp.fresh_agent("user2" if password is None else "user"), password=password)
    assert (site.sent("/login").form["login"], site.sent("/login").form["pass"]) == ([sent[0]], [sent[1]])
    assert site.sent("/api").body == f'{{"n": "{sent[0]}", "passwd": "{sent[1]}"}}'


def test_without_a_second_user_there_is_none(connect: Connect) -> None:
    idp, _ = connect({"/authorize": lambda _: Reply(signing_in("login"))}, more=STEPS)
    with pytest.raises(NotOffered, match=r"the profile has no \[user2\]"):
        idp.authorize(spa(idp), agent=idp.fresh_agent("user2"))


# Bounds and secrets.


def test_no_more_is_sent_than_the_profile_allows(connect: Connect) -> None:
    idp, site = connect({"/token": issue}, more="[politeness]\nmax_requests = 2\n")
    for _ in range(2):
        idp.token(service(idp))
    for _ in range(2):
        with pytest.raises(Inconclusive, match=r"politeness.max_requests \(2\) is reached"):
            idp.token(service(idp))
    assert len(site.heard) == 2


def test_the_bound_is_shared_between_workers(connect: Connect, tmp_path: Path) -> None:
    bound, counter = "[politeness]\nmax_requests = 3\n", tmp_path / "requests"
    first, _ = connect({"/token": issue}, more=bound, counter=counter)
    second, _ = connect({"/token": issue}, more=bound, counter=counter)
    first.token(service(first))
    second.token(service(second))
    second.token(service(second))
    for idp in (first, second):
        with pytest.raises(Inconclusive, match="is reached"):
            idp.token(service(idp))


def test_tokens_are_redacted_wherever_they_come_back(connect: Connect) -> None:
    fragment = "fragment-t0ken-of-the-target"
    pages: Pages = {
        "/token": issue,
        "/authorize": lambda _: redirect(f"https://app.example/cb#access_token={fragment}&x=1"),
        "/introspect": lambda heard: as_json({"active": True, "echo": heard.form["token"][0]}),
        "/resource": lambda _: Reply(f"<p>you sent {TOKEN} and {fragment}"),
    }
    endpoints = 'introspection = "{origin}/introspect"\nresource = "{origin}/resource"'
    idp, _ = connect(pages, endpoints=endpoints)
    answer = idp.token(service(idp))
    assert answer.access_token == TOKEN
    assert idp.authorize(spa(idp)).access_token == fragment
    idp.introspect(TOKEN)
    idp.resource(TOKEN)
    kept = str(idp.transport.recorder.take())
    for secret in (TOKEN, fragment, "service-secret-0", "alices-password"):
        assert secret not in kept
    assert "you sent <redacted token> and <redacted token>" in kept
    assert TOKEN not in repr(answer)
    assert "secret" not in repr(idp)


@pytest.mark.parametrize("value", [None, 7, ["x"], {"a": 1}, "", True])
def test_tokens_of_odd_types_do_no_harm(connect: Connect, value: object) -> None:
    idp, _ = connect({"/token": lambda _: as_json({"access_token": value, "id_token": value})})
    with pytest.raises(AssertionError):
        _ = idp.token(service(idp)).access_token
