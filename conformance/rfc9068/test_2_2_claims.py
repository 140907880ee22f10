"""RFC 9068 section 2.2: the claims of an access token in JWT form."""

import time
from typing import Any

import pytest

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.matrix.tokens import is_jws, one_or_more, read_part
from grantproof.wire.grammar import scope_set

SKEW_S = 120


@clause("rfc9068:2.2/iss-claim")
def test_iss_is_the_issuer(idp: Idp, one_method_service: Caller) -> None:
    _judge_issuer(idp, _claims(idp, one_method_service))


@clause("rfc9068:2.2/iss-claim")
def test_iss_is_the_issuer_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    _judge_issuer(idp, _claims(idp, token_flow))


@clause("rfc9068:2.2/exp-claim")
def test_exp_agrees_with_expires_in(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.token(one_method_service)
    _judge_end(_read(answer.access_token), answer.get("expires_in"))


@clause("rfc9068:2.2/exp-claim")
def test_exp_agrees_with_expires_in_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    answer = idp.authorize(token_flow)
    lifetime = answer.parameters.get("expires_in") or ""
    _judge_end(_read(answer.access_token), int(lifetime) if lifetime.isdecimal() else None)


@clause("rfc9068:2.2/aud-claim", "rfc6819:5.1.5.5/audience-named", "rfc9700:2.3/audience-restricted")
def test_aud_is_not_empty(idp: Idp, one_method_service: Caller) -> None:
    _judge_audience(_claims(idp, one_method_service))


@clause("rfc9068:2.2/aud-claim", "rfc6819:5.1.5.5/audience-named", "rfc9700:2.3/audience-restricted")
def test_aud_is_not_empty_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    _judge_audience(_claims(idp, token_flow))


@clause("rfc9068:2.2/sub-claim")
def test_sub_is_text(idp: Idp, one_method_service: Caller) -> None:
    _judge_text(_claims(idp, one_method_service), "sub")


@clause("rfc9068:2.2/sub-claim")
def test_sub_is_text_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    _judge_text(_claims(idp, token_flow), "sub")


@clause("rfc9068:2.2/client-id-claim")
def test_client_id_is_the_clients(idp: Idp, one_method_service: Caller) -> None:
    assert _claims(idp, one_method_service).get("client_id") == one_method_service.client.id


@clause("rfc9068:2.2/client-id-claim")
def test_client_id_is_the_clients_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    assert _claims(idp, token_flow).get("client_id") == token_flow.client.id


@clause("rfc9068:2.2/iat-claim")
def test_iat_is_a_time_that_has_come(idp: Idp, one_method_service: Caller) -> None:
    _judge_issue(_claims(idp, one_method_service))


@clause("rfc9068:2.2/iat-claim")
def test_iat_is_a_time_that_has_come_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    _judge_issue(_claims(idp, token_flow))


@clause("rfc9068:2.2/jti-claim")
def test_jti_is_text(idp: Idp, one_method_service: Caller) -> None:
    _judge_text(_claims(idp, one_method_service), "jti")


@clause("rfc9068:2.2/jti-claim")
def test_jti_is_text_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    _judge_text(_claims(idp, token_flow), "jti")


@clause("rfc9068:2.2/jti-claim")
def test_different_tokens_have_different_jti(idp: Idp, one_method_service: Caller) -> None:
    tokens = {idp.issue(one_method_service) for _ in range(4)}
    _judge_identifiers(tokens)


@clause("rfc9068:2.2/jti-claim")
def test_different_tokens_of_the_implicit_grant_have_different_jti(idp: Idp, token_flow: Flow) -> None:
    _judge_identifiers({idp.issue(token_flow) for _ in range(3)})


@clause("rfc9068:2.2/sub-names-client")
def test_sub_is_the_same_in_all_tokens_of_a_client(idp: Idp, one_method_service: Caller) -> None:
    first, second = _claims(idp, one_method_service), _read(idp.issue(one_method_service))
    assert first.get("sub") == second.get("sub")


@clause("rfc9068:2.2/sub-names-client")
def test_sub_is_not_that_of_another_client(idp: Idp, one_method_service: Caller) -> None:
    own = _claims(idp, one_method_service)
    others = [each for each in idp.profile.clients_for("client_credentials") if each.id != one_method_service.client.id]
    subjects: set[object] = set()
    for other in others:
        if not other.disposable and is_jws(token := idp.issue(Caller(other, other.auth_methods[0]))):
            subjects.add(_read(token).get("sub"))
    if not subjects:
        raise NotOffered("no other client of the profile gets JWTs")
    assert own.get("sub") not in subjects


@clause("rfc9068:2.2/sub-names-user")
def test_sub_is_that_of_the_id_token(idp: Idp, composite_flow: Flow) -> None:
    answer = idp.authorize(composite_flow)
    claims = _read(answer.access_token)
    assert claims.get("sub") == _read(answer.parameters.get("id_token") or "").get("sub")


@clause("rfc9068:2.2.3/scope-claim")
def test_scope_is_what_was_granted(idp: Idp, one_method_service: Caller) -> None:
    if not one_method_service.client.scopes:
        raise NotOffered("the profile names no scope of this client")
    answer = idp.token(one_method_service)
    _judge_scope(_read(answer.access_token), answer.get("scope"), one_method_service)


@clause("rfc9068:2.2.3/scope-claim")
def test_scope_is_what_was_granted_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    if not token_flow.client.scopes:
        raise NotOffered("the profile names no scope of this client")
    answer = idp.authorize(token_flow)
    _judge_scope(_read(answer.access_token), answer.parameters.get("scope"), token_flow)


@clause("rfc9068:2.2.3/scope-claim")
@pytest.mark.parametrize("count", [1, 2])
def test_scope_follows_the_request(idp: Idp, one_method_service: Caller, count: int) -> None:
    scopes = one_method_service.client.scopes[:count]
    if len(scopes) < count:
        raise NotOffered(f"the profile names no {count} scopes of this client")
    answer = idp.token(one_method_service, scope=" ".join(scopes))
    granted = str(answer.get("scope") or " ".join(scopes))
    claim = _read(answer.access_token).get("scope")
    assert isinstance(claim, str), f"scope is {type(claim).__name__}"
    assert scope_set(claim) == scope_set(granted)


def _read(token: str) -> dict[str, Any]:
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    return read_part(token.split(".")[1]) or {}


def _claims(idp: Idp, holder: Caller | Flow) -> dict[str, Any]:
    """The claims of the caller's first token, whose expiry does not matter here, or of a new one of the flow."""
    return _read(idp.first_answer(holder)[0].access_token if isinstance(holder, Caller) else idp.issue(holder))


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _judge_text(claims: dict[str, Any], name: str) -> None:
    assert name in claims, f"the token has no {name}"
    assert isinstance(claims[name], str), f"{name} is {type(claims[name]).__name__}"
    assert claims[name], f"{name} is empty"


def _judge_issuer(idp: Idp, claims: dict[str, Any]) -> None:
    assert "iss" in claims, "the token has no iss"
    if idp.issuer:
        assert claims["iss"] == idp.issuer, "iss is not the issuer"


def _judge_end(claims: dict[str, Any], expires_in: object) -> None:
    assert _is_time(claims.get("exp")), f"exp is {type(claims.get('exp')).__name__}"
    if not isinstance(expires_in, int | float):
        return
    # The two clocks may differ, and a token that is given out again is older than its answer: one of both must agree.
    starts = [time.time(), *([claims["iat"]] if _is_time(claims.get("iat")) else [])]
    off = min(abs(claims["exp"] - start - expires_in) for start in starts)
    assert off <= SKEW_S, f"exp and expires_in differ by {off:.0f} s"


def _judge_audience(claims: dict[str, Any]) -> None:
    assert "aud" in claims, "the token has no aud"
    found = one_or_more(claims["aud"])
    assert found, "aud is empty"
    assert all(isinstance(each, str) and each for each in found), "aud is no text"


def _judge_issue(claims: dict[str, Any]) -> None:
    assert _is_time(claims.get("iat")), f"iat is {type(claims.get('iat')).__name__}"
    ahead = claims["iat"] - time.time()
    assert ahead <= SKEW_S, f"iat is {ahead:.0f} s in the future"
    assert claims["iat"] > 1_000_000_000, "iat is no number of seconds since 1970"


def _judge_identifiers(tokens: set[str]) -> None:
    if len(tokens) < 2:
        raise NotOffered("the same token comes back for repeated requests")
    found = [_read(token).get("jti") for token in tokens]
    assert len(set(map(str, found))) == len(tokens), "two tokens share a jti"


def _judge_scope(claims: dict[str, Any], granted: object, holder: Caller | Flow) -> None:
    assert isinstance(claims.get("scope"), str), f"scope is {type(claims.get('scope')).__name__}"
    asked = set(holder.client.scopes)
    if isinstance(holder, Flow) and holder.has_id_token:
        asked.add("openid")
    wanted = scope_set(granted) if isinstance(granted, str) else frozenset(asked)
    assert scope_set(claims["scope"]) == wanted
