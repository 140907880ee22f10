"""What scenarios send, and how they judge answers, without a server."""

import json
import re
from collections import Counter
from pathlib import Path
from time import monotonic

import pytest

from grantproof.errors import GrantproofError
from grantproof.load.exchange import Ask, EachOwnJudge
from grantproof.load.findings import Findings
from grantproof.load.judge import VALID, Refusals, TokenJudge
from grantproof.load.plan import known_scenarios, load_tests
from grantproof.load.scenarios import SCENARIOS, mixed_parts, parts_of
from grantproof.load.scenarios.crowd import read_clients, zipf
from grantproof.load.scenarios.hostile import ACCEPTED, RefusalJudge
from grantproof.load.scenarios.implicit import FragmentJudge
from grantproof.load.scenarios.introspection import INACTIVE, IntrospectionJudge, PoolJudge, TokenPool, UseJudge
from grantproof.load.target import Target, load_target
from grantproof.load.work import Work, share_users

_PROFILE = """
[endpoints]
token = "http://127.0.0.1:9/token"
introspection = "http://127.0.0.1:9/introspect"
[target]
headers = { X-Key = "k" }
[clients.service]
id = "service"
secret = "s3cret"
auth_methods = ["client_secret_basic", "client_secret_post"]
grants = ["client_credentials"]
scopes = ["read"]
[clients.lockable]
id = "lockable"
secret = "l0ck"
grants = ["client_credentials"]
disposable = true
[load]
allowed = true
MORE
"""


def _target(folder: Path, more: str = "") -> Target:
    path = folder / "p.toml"
    path.write_text(_PROFILE.replace("MORE", more))
    return load_target(str(path))


def _requests(target: Target, name: str, number: int) -> list[bytes]:
    work = Work(target)
    exchanges = [part.make(work) for part in parts_of(name, target)]
    return [exchanges[-1].next_request() for _ in range(number)]


def test_every_scenario_is_a_short_locust_file() -> None:
    assert set(known_scenarios()) == {*SCENARIOS, "mixed"}
    for name in known_scenarios():
        text = (load_tests() / f"{name}.py").read_text()
        assert len(text.splitlines()) <= 80
        assert f'scenario = "{name}"' in text
        assert f"locust -f loadtests/{name}.py" in text


def test_the_secret_goes_in_the_body(tmp_path: Path) -> None:
    (request,) = _requests(_target(tmp_path), "token_endpoint_post", 1)
    assert b"Authorization" not in request
    assert request.endswith(b"grant_type=client_credentials&scope=read&client_id=service&client_secret=s3cret")
    assert b"\r\nX-Key: k\r\n" in request


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("private_key_jwt", "private_key_jwt"),
        ("many_clients", "names no clients"),
        ("introspect_and_use", "may introspect"),
        ("implicit", "implicit grant"),
        ("no_such", "no scenario"),
    ],
)
def test_what_a_profile_lacks_is_said_before_anything_is_sent(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(GrantproofError, match=what) as caught:
        parts_of(name, _target(tmp_path))
    assert "s3cret" not in str(caught.value)


def test_hostile_requests_are_of_three_kinds_and_never_harm_a_client_that_is_needed(tmp_path: Path) -> None:
    requests = _requests(_target(tmp_path), "hostile_mix", 200)
    assert not any(b"s3cret" in request or b"c2VydmljZTp" in request for request in requests)
    basic = [request for request in requests if b"Authorization: Basic " in request]
    locked = [request for request in basic if b"Authorization: Basic bG9ja2FibGU6" in request]
    assert 30 <= len(locked) < len(basic) < len(requests)
    assert all(b"\r\nX-Key: k\r\n" in request for request in requests)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"error":"invalid_client"}', VALID),
        (400, b'{"error":"invalid_request"}', VALID),
        (400, b"<html>", "status_400"),
        (403, b'{"error":"access_denied"}', "access_denied"),
        (429, b'{"error":"slow_down"}', "429"),
        (503, b"", "503"),
        (500, b'{"error":"x"}', "status_500"),
        (200, b'{"access_token":"a","token_type":"b"}', ACCEPTED),
        (204, b"", ACCEPTED),
        (302, b"", "status_302"),
    ],
)
def test_a_hostile_request_has_to_be_refused_lawfully(status: int, body: bytes, kind: str) -> None:
    assert RefusalJudge(Findings())(status, body) == kind


def test_each_request_brings_its_judge() -> None:
    findings = Findings()
    judge = EachOwnJudge(findings)
    mine = Ask.of(b"GET", RefusalJudge(findings))
    yours = Ask.of(b"GET", TokenJudge(findings=findings))
    body = b'{"access_token":"a","token_type":"Bearer"}'
    assert [judge(200, body, each, b"") for each in (mine, yours)] == [ACCEPTED, VALID]
    assert mine == b"GET"
    with pytest.raises(TypeError):
        judge(200, body, b"GET")


def test_few_clients_ask_often_and_most_seldom() -> None:
    asks = [Ask.of(str(number).encode(), RefusalJudge(Findings())) for number in range(1000)]
    draw = zipf(asks)
    drawn = Counter(bytes(draw()) for _ in range(50_000))
    assert drawn[b"0"] / drawn[b"9"] == pytest.approx(10, rel=0.4)
    assert drawn[b"0"] == pytest.approx(50_000 / 7.485, rel=0.1)
    assert len(drawn) > 900


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'id,secret\none,s1\n"t,wo","s""2"\n\n'),
        ("a.csv", 'one,s1\n"t,wo","s""2"\n'),
        ("a.json", '[{"id":"one","secret":"s1","more":1},{"id":"t,wo","secret":"s\\"2"}]'),
    ],
)
def test_clients_are_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_clients(tmp_path / name) == [("one", "s1"), ("t,wo", 's"2')]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.csv", "", "a.csv"),
        ("a.csv", "id,secret\n", "a.csv"),
        ("a.csv", "one,hidden\ntwo\n", "a.csv:2"),
        ("a.csv", "one,\n", "a.csv:1"),
        ("a.csv", "one,hidden,3\n", "a.csv:1"),
        ("a.csv", f"one,hidden\ntwo,{'x' * 140_000}\n", "a.csv:2"),
        ("a.json", "{", "a.json"),
        ("a.json", '[{"id":"one"}]', "a.json: [0]"),
        ("a.json", '{"id":1,"secret":"hidden"}', "a.json: [0]"),
        ("a.json", "[]", "a.json"),
    ],
)
def test_what_is_wrong_with_clients_is_said_without_a_secret(tmp_path: Path, name: str, text: str, where: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(GrantproofError) as caught:
        read_clients(tmp_path / name)
    assert where in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_file_of_clients_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(GrantproofError, match="cannot be read"):
        read_clients(tmp_path / "none.csv")


def test_many_clients_ask_with_their_own_secrets(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("".join(f"c{number},x{number}\n" for number in range(50)))
    target = _target(tmp_path, 'clients = "c.csv"')
    requests = _requests(target, "many_clients", 500)
    names = {found[1] for request in requests if (found := re.search(rb"Authorization: Basic (\S+)", request))}
    assert 30 < len(names) <= 50
    assert all(request.endswith(b"grant_type=client_credentials&scope=read") for request in requests)


def test_a_mix_has_the_parts_of_its_scenarios_by_weight(tmp_path: Path) -> None:
    target = _target(tmp_path, "mix = { token_endpoint = 3, hostile_mix = 1, implicit = 0 }")
    parts = mixed_parts(target)
    assert {part.name: part.weight for part in parts} == pytest.approx(
        {"token_endpoint": 3.0, "hostile_mix/good": 0.8, "hostile_mix/hostile": 0.2}
    )


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("", "mixes no scenarios"),
        ("mix = { token_endpoin = 1 }", "did you mean token_endpoint"),
        ("mix = {}", "mixes no"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(tmp_path: Path, more: str, what: str) -> None:
    with pytest.raises(GrantproofError, match=what):
        mixed_parts(_target(tmp_path, more))


@pytest.mark.parametrize(
    ("users", "weights", "shares"),
    [(10, [1.0], [10]), (10, [0.8, 0.2], [8, 2]), (3, [1.0, 1.0, 1.0], [1, 1, 1]), (0, [1.0, 2.0], [0, 0])],
)
def test_users_are_shared_by_weight(users: int, weights: list[float], shares: list[int]) -> None:
    assert share_users(users, weights) == shares


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"active": True}, VALID),
        (200, {"active": True, "client_id": "me"}, VALID),
        (200, {"active": True, "client_id": "you"}, "other_client"),
        (200, {"active": True, "client_id": ["me"]}, "other_client"),
        (200, {"active": False}, INACTIVE),
        (200, {"active": "true"}, "malformed"),
        (200, {}, "malformed"),
        (401, {"error": "invalid_client"}, "invalid_client"),
        (503, {}, "503"),
    ],
)
def test_introspection_has_to_say_that_a_new_token_is_active(status: int, body: dict[str, object], kind: str) -> None:
    assert IntrospectionJudge("me", Findings())(status, json.dumps(body).encode()) == kind


@pytest.mark.parametrize(("status", "kind"), [(200, VALID), (204, VALID), (401, "status_401"), (500, "status_500")])
def test_a_resource_has_to_take_a_new_token(status: int, kind: str) -> None:
    assert UseJudge(Findings())(status, b"") == kind


def test_a_pool_gives_tokens_in_turn_and_says_when_they_may_have_expired() -> None:
    pool = TokenPool()
    assert pool.take() == ("", False)
    pool.put("a", 1000.0)
    pool.put("b", 1000.0)
    assert [pool.take() for _ in range(3)] == [("a", True), ("b", True), ("a", True)]
    old = TokenPool()
    old.put("x", -1.0)
    old.put("y", -1.0)
    assert [old.take() for _ in range(3)] == [("y", False)] * 3  # the newest is kept: a request needs some token


@pytest.mark.parametrize(
    ("lifetime", "lives_s"),
    [
        ("2", 1.0),
        ('"2"', 1.0),
        ('"0000000000002"', 1.0),
        ("3600", 20.0),
        ('"3600"', 20.0),
        ("1.5", 0.75),
        ("9" * 400, 20.0),
        (f'"{"9" * 6000}"', 20.0),
        ("null", 20.0),
    ],
)
def test_a_token_is_sure_to_live_for_half_of_its_lifetime(tmp_path: Path, lifetime: str, lives_s: float) -> None:
    pool = TokenPool()
    judge = PoolJudge(_target(tmp_path), Findings(), pool)
    began = monotonic()
    assert judge(200, f'{{"access_token":"t","token_type":"Bearer","expires_in":{lifetime}}}'.encode()) == VALID
    [(token, until)] = pool.tokens
    assert token == "t"
    assert until - began == pytest.approx(lives_s, abs=0.2)


def test_a_token_that_may_have_expired_is_not_judged(tmp_path: Path) -> None:
    more = '[claims]\nintrospection_client = "service"\nintrospection = true'
    target = _target(tmp_path, more)
    exchange = parts_of("introspect_and_use", target)[1].make(Work(target))
    request = exchange.next_request()
    assert b"&token_type_hint=access_token" in request
    assert exchange.judge(200, b'{"active":false}', request) == VALID
    assert exchange.judge(200, b'{"active":false}', bytes(request)) == INACTIVE


_URI = "https://app.example/cb?x=1"
_GOOD = "access_token=a&token_type=Bearer&state=s1&expires_in=60&scope=read"


@pytest.mark.parametrize(
    ("status", "location", "kind"),
    [
        (302, f"{_URI}#{_GOOD}", VALID),
        (303, f"{_URI}#{_GOOD}", VALID),
        (200, "", "page"),
        (302, f"https://evil.example/cb#{_GOOD}", "other_redirect_uri"),
        (302, "/login", "other_redirect_uri"),
        (302, f"{_URI}#{_GOOD.replace('s1', 's2')}", "other_state"),
        (302, f"{_URI}#{_GOOD.replace('access_token', 'code')}", "malformed"),
        (302, f"{_URI}#{_GOOD.replace('token_type=Bearer&', '')}", "malformed"),
        (302, f"{_URI}#{_GOOD.replace('=60', '=soon')}", "malformed"),
        (302, f"{_URI}#{_GOOD.replace('=60', '=0')}", "expired"),
        (302, f"{_URI}#{_GOOD.replace('read', 'x')}", "other_scope"),
        (302, f"{_URI}#error=login_required&state=s1", "login_required"),
        (302, f"{_URI}#error=%00&state=s1", "malformed"),
        (302, f"{_URI}#{_GOOD}{'&x=1' * 100}", "malformed"),
        (302, "", "other_redirect_uri"),
        (400, "", "status_400"),
        (503, "", "503"),
    ],
)
def test_an_authorization_answer_is_judged_by_its_fragment(status: int, location: str, kind: str) -> None:
    findings = Findings()
    tokens = TokenJudge(["read"], findings=findings)
    tokens(200, b'{"access_token":"x","token_type":"y","scope":"read"}')
    judge = FragmentJudge(_URI, "s1", tokens, Refusals(findings))
    assert judge(status, b"", b"", location.encode()) == kind
