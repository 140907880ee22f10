"""What answers are worth."""

import base64
import json

import pytest

from grantproof.load.findings import COMPARED, REFRESH_TOKEN, UNCOMPARED, Findings, TokenBook, portable_hash
from grantproof.load.judge import EXPIRED, MALFORMED, OTHER_CLIENT, OTHER_SCOPE, VALID, TokenJudge


def _token(**members: object) -> bytes:
    return json.dumps({"access_token": "abc", "token_type": "Bearer", **members}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, _token(), VALID),
        (200, _token(expires_in=1, extra={"a": [1]}), VALID),
        (200, _token(expires_in=0.5), VALID),
        (200, _token(expires_in="3600"), VALID),
        (200, _token(expires_in="soon"), "malformed"),
        (200, _token(expires_in=True), "malformed"),
        (200, _token(expires_in="nan"), "malformed"),
        (200, _token(expires_in=0), "expired"),
        (200, _token(expires_in=-1), "expired"),
        (200, _token(expires_in="0"), "expired"),
        (200, _token(expires_in="00"), "expired"),
        (200, _token(expires_in=""), "malformed"),
        (200, _token(expires_in=10**400), VALID),
        (200, _token(expires_in=-(10**400)), "expired"),
        (200, _token(expires_in="9" * 5000), VALID),
        (200, _token(token_type="bearer"), VALID),
        (200, _token(access_token=""), "malformed"),
        (200, _token(access_token=7), "malformed"),
        (200, _token(token_type=None), "malformed"),
        (200, _token(scope=["a"]), "malformed"),
        (200, b'{"access_token":"abc"}', "malformed"),
        (200, b'{"token_type":"Bearer"}', "malformed"),
        (200, b'["access_token"]', "malformed"),
        (200, b"<html></html>", "malformed"),
        (200, b"", "malformed"),
        (200, b'{"access_token":"\xff","token_type":"Bearer"}', "malformed"),
        (200, _token() + b"}", "malformed"),
        (200, b"[" * 100_000, "malformed"),
        (201, _token(), "status_201"),
        (302, b"", "status_302"),
        (400, b'{"error":"invalid_scope"}', "invalid_scope"),
        (401, b'{"error":"invalid_client","error_description":"no"}', "invalid_client"),
        (400, b'{"error":"slow_down"}', "slow_down"),
        (400, b'{"error":"No Such Thing\\u0000"}', "status_400"),
        (400, b'{"error":7}', "status_400"),
        (404, b"not found", "status_404"),
        (429, b'{"error":"invalid_client"}', "429"),
        (503, b"", "503"),
        (500, b'{"error":"invalid_client"}', "status_500"),
        (502, b"", "status_502"),
    ],
)
def test_answers_are_told_apart(status: int, body: bytes, kind: str) -> None:
    assert TokenJudge()(status, body) == kind


def test_a_hostile_server_cannot_invent_kinds_without_end() -> None:
    judge = TokenJudge()
    kinds = {judge(400, json.dumps({"error": f"code_{number}"}).encode()) for number in range(1000)}
    assert len(kinds) < 50
    assert "status_400" in kinds


@pytest.mark.parametrize(
    ("asked", "granted", "kinds"),
    [
        ("a b", ["a b", "b a"], [VALID, VALID]),
        ("a b", ["a", "a", "b a"], [VALID, VALID, VALID]),
        ("a b", ["a b", "c"], [VALID, "other_scope"]),
        ("a b", ["a", "c"], [VALID, "other_scope"]),
        ("", ["x", "x", "y"], [VALID, VALID, "other_scope"]),
        ("", ["x y", "y x", "x y z"], [VALID, VALID, "other_scope"]),
        ("a b c", ["b a", "a b", "c b a", "b"], [VALID, VALID, VALID, "other_scope"]),
    ],
)
def test_the_scope_is_the_one_asked_for_or_always_the_same(asked: str, granted: list[str], kinds: list[str]) -> None:
    judge = TokenJudge(asked.split())
    assert [judge(200, _token(scope=scope)) for scope in granted] == kinds


def _found(*findings: Findings) -> tuple[int, int]:
    """How many tokens were compared, and how many had come before, over several workers."""
    book = TokenBook()
    for each in findings:
        book.enter(each.take_hashes())
    return book.checked, TokenBook.duplicates([book])


def test_refresh_tokens_and_compared_tokens_are_noticed() -> None:
    judge = TokenJudge()
    for token in ("a", "b", "a"):
        assert judge(200, _token(access_token=token, refresh_token=None)) == VALID
    assert judge.take_notes() == {COMPARED: 3, REFRESH_TOKEN: 3}
    judge.take_hashes()
    assert not judge.take_notes()


def test_a_token_that_two_workers_got_is_a_duplicate() -> None:
    workers = [Findings(), Findings(), Findings()]
    for findings, tokens in zip(workers, ("abc", "dbe", "fca"), strict=True):
        judge = TokenJudge(findings=findings)
        for token in tokens:
            assert judge(200, _token(access_token=token)) == VALID
    assert _found(*workers) == (9, 3)


def test_duplicates_are_found_between_scenarios_too() -> None:
    books = [TokenBook(), TokenBook()]
    for book, tokens in zip(books, ("ab", "bcc"), strict=True):
        findings = Findings(digest=portable_hash)
        for token in tokens:
            findings.keep(token)
        book.enter(findings.take_hashes())
    assert [TokenBook.duplicates([book]) for book in books] == [0, 1]
    assert TokenBook.duplicates(books) == 2


def test_a_server_that_reuses_tokens_has_no_duplicates() -> None:
    findings = Findings(reuses_tokens=True)
    judge = TokenJudge(findings=findings)
    assert [judge(200, _token()), judge(200, _token())] == [VALID, VALID]
    assert judge.take_notes() == {UNCOMPARED: 2}
    assert _found(findings) == (0, 0)


def test_only_so_many_tokens_are_compared() -> None:
    findings = Findings(most_hashes=10)
    judge = TokenJudge(findings=findings)
    for number in range(100):
        judge(200, _token(access_token=f"t{number % 50}"))
    assert judge.take_notes() == {COMPARED: 10, UNCOMPARED: 90}
    assert _found(findings) == (10, 0)


def test_a_book_takes_no_more_than_it_holds_and_no_broken_page() -> None:
    book = TokenBook(most=3)
    book.enter(bytes(8 * 2))
    book.enter(bytes(8 * 5 + 3))
    assert (book.checked, TokenBook.duplicates([book])) == (3, 2)


def test_hashes_are_the_same_on_every_machine() -> None:
    assert portable_hash("token") == 8402427755655987519
    assert len({portable_hash(f"t{number}") for number in range(10_000)}) == 10_000


def _jwt(**claims: object) -> bytes:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return _token(access_token=f"{part({'alg': 'none'})}.{part(claims)}.c2ln")


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"client_id": "me", "scope": "a b", "iat": 100, "exp": 160}, VALID),
        ({"client_id": "me", "scope": "b a"}, VALID),
        ({"scope": "a b"}, VALID),
        ({"client_id": ["me"], "scope": ["x"], "exp": "soon", "iat": None}, VALID),
        ({"client_id": "me", "iat": 100, "exp": 100}, EXPIRED),
    ],
)
def test_tokens_that_are_jwts_are_looked_into(claims: dict[str, object], kind: str) -> None:
    assert TokenJudge(["a", "b"], client_id="me")(200, _jwt(**claims)) == kind


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (("me", "you", "me"), (VALID, OTHER_CLIENT, VALID)),
        (("you", "me", "you", "him", "me"), (VALID, OTHER_CLIENT, OTHER_CLIENT, OTHER_CLIENT, VALID)),
        (("me", None, "me"), (VALID, VALID, VALID)),
    ],
)
def test_another_clients_token_is_told(names: tuple[str | None, ...], kinds: tuple[str, ...]) -> None:
    judge = TokenJudge(client_id="me")
    assert tuple(judge(200, _jwt(client_id=name)) for name in names) == kinds


def test_invented_names_do_not_fill_the_memory() -> None:
    findings = Findings()
    judge = TokenJudge(client_id="me", findings=findings)
    kinds = [judge(200, _jwt(client_id=name)) for number in range(50) for name in (f"#{number}", "me")]
    assert kinds == [VALID, OTHER_CLIENT, *([OTHER_CLIENT, VALID] * 49)]
    assert len(findings.owners) == 2


def test_a_server_may_have_another_name_for_a_client_but_only_one() -> None:
    judge = TokenJudge(client_id="me")
    assert [judge(200, _jwt(client_id=name)) for name in ("#1", "#1", "#2", "#1")] == [
        VALID,
        VALID,
        OTHER_CLIENT,
        VALID,
    ]


def test_two_clients_never_share_a_name() -> None:
    findings = Findings()
    mine, yours = (TokenJudge(client_id=name, findings=findings) for name in ("me", "you"))
    assert mine(200, _jwt(client_id="#1")) == VALID
    assert yours(200, _jwt(client_id="#1")) == OTHER_CLIENT
    assert yours(200, _jwt(client_id="you")) == VALID
    assert mine(200, _jwt(client_id="you")) == OTHER_CLIENT


def test_the_name_of_one_client_is_no_other_name_of_another() -> None:
    findings = Findings()
    mine, yours = (TokenJudge(client_id=name, findings=findings) for name in ("me", "you"))
    assert mine(200, _jwt(client_id="you")) == OTHER_CLIENT
    assert yours(200, _jwt(client_id="you")) == VALID


def test_a_jwts_scope_is_the_one_asked_for_or_always_the_same() -> None:
    judge = TokenJudge(["a"])
    assert [judge(200, _jwt(scope=scope)) for scope in ("a", "c")] == [VALID, OTHER_SCOPE]


@pytest.mark.parametrize("token", ["eyJ.x.y", "eyJ.e30.", f"eyJ.{'A' * 20_000}.x", "eyJ.\u00e9\u00e9.x", "eyJ.W10.x"])
def test_what_only_looks_like_a_jwt_is_opaque(token: str) -> None:
    assert TokenJudge(client_id="me")(200, _token(access_token=token)) == VALID


def test_nobody_looks_inside_where_the_profile_says_tokens_are_opaque() -> None:
    judge = TokenJudge(client_id="me", looks_inside=False)
    assert judge(200, _jwt(client_id="you", iat=2, exp=1)) == VALID


def test_errors_are_counted_by_whether_they_are_of_oauths_shape() -> None:
    judge = TokenJudge()
    for status, body in ((400, b'{"error":"invalid_scope"}'), (503, b'{"error":"x"}'), (503, b""), (500, b"<html>")):
        judge(status, body)
    assert judge.take_notes() == {"oauth_error": 2, "other_error": 2}
    assert judge(200, b"") == MALFORMED
