"""What answers are worth."""

import json

import pytest

from grantproof.load.judge import COMPARED, DUPLICATE, REFRESH_TOKEN, VALID, TokenJudge


def _token(**members: object) -> bytes:
    return json.dumps({"access_token": "abc", "token_type": "Bearer", **members}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, _token(), VALID),
        (200, _token(expires_in="soon", extra={"a": [1]}), VALID),
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
    ],
)
def test_the_scope_is_the_one_asked_for_or_always_the_same(asked: str, granted: list[str], kinds: list[str]) -> None:
    judge = TokenJudge(asked.split())
    assert [judge(200, _token(scope=scope)) for scope in granted] == kinds


def test_duplicates_and_refresh_tokens_are_noticed() -> None:
    judge = TokenJudge()
    for token in ("a", "b", "a"):
        assert judge(200, _token(access_token=token, refresh_token=None)) == VALID
    assert judge.take_notes() == {COMPARED: 3, DUPLICATE: 1, REFRESH_TOKEN: 3}
    assert judge(200, _token(access_token="b")) == VALID
    assert judge.take_notes() == {COMPARED: 1, DUPLICATE: 1}


def test_a_server_that_reuses_tokens_has_no_duplicates() -> None:
    judge = TokenJudge(reuses_tokens=True)
    assert [judge(200, _token()), judge(200, _token())] == [VALID, VALID]
    assert not judge.take_notes()


def test_only_so_many_tokens_are_compared() -> None:
    judge = TokenJudge(most_hashes=10)
    for number in range(100):
        judge(200, _token(access_token=f"t{number}"))
    assert judge.take_notes() == {COMPARED: 10}
