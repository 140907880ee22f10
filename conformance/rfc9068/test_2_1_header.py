"""RFC 9068 section 2.1: the header of an access token in JWT form."""

from typing import Any

from grantproof.checks import Caller, Flow, Idp, NotOffered, clause
from grantproof.matrix.tokens import ASYMMETRIC, is_jws, read_part


@clause("rfc9068:2.1/signed", "rfc6819:5.1.5.9/self-contained-tokens-signed")
def test_token_is_signed(idp: Idp, one_method_service: Caller) -> None:
    _judge_signature(idp, one_method_service)


@clause("rfc9068:2.1/signed", "rfc6819:5.1.5.9/self-contained-tokens-signed")
def test_token_of_the_implicit_grant_is_signed(idp: Idp, token_flow: Flow) -> None:
    _judge_signature(idp, token_flow)


@clause("rfc9068:2.1/asymmetric-signature")
def test_algorithm_is_asymmetric(idp: Idp, one_method_service: Caller) -> None:
    assert _header(idp, one_method_service).get("alg") in ASYMMETRIC


@clause("rfc9068:2.1/asymmetric-signature")
def test_algorithm_is_asymmetric_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    assert _header(idp, token_flow).get("alg") in ASYMMETRIC


@clause("rfc9068:2.1/alg-not-none")
def test_algorithm_is_not_none(idp: Idp, one_method_service: Caller) -> None:
    assert str(_header(idp, one_method_service).get("alg")).lower() != "none"


@clause("rfc9068:2.1/alg-not-none")
def test_algorithm_is_not_none_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    assert str(_header(idp, token_flow).get("alg")).lower() != "none"


@clause("rfc9068:2.1/typ-at-jwt")
def test_type_is_that_of_access_tokens(idp: Idp, one_method_service: Caller) -> None:
    assert _short_type(_header(idp, one_method_service)) == "at+jwt"


@clause("rfc9068:2.1/typ-at-jwt")
def test_type_is_that_of_access_tokens_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    assert _short_type(_header(idp, token_flow)) == "at+jwt"


@clause("rfc9068:2.1/typ-without-prefix")
def test_type_has_no_prefix(idp: Idp, one_method_service: Caller) -> None:
    assert not str(_header(idp, one_method_service).get("typ")).lower().startswith("application/")


@clause("rfc9068:2.1/typ-without-prefix")
def test_type_has_no_prefix_in_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    assert not str(_header(idp, token_flow).get("typ")).lower().startswith("application/")


def _token(idp: Idp, holder: Caller | Flow) -> str:
    token = idp.first_answer(holder)[0].access_token if isinstance(holder, Caller) else idp.issue(holder)
    if not is_jws(token):
        raise NotOffered("this client's tokens are no JWTs")
    return token


def _header(idp: Idp, holder: Caller | Flow) -> dict[str, Any]:
    return read_part(_token(idp, holder).partition(".")[0]) or {}


def _short_type(header: dict[str, Any]) -> str:
    return str(header.get("typ")).lower().removeprefix("application/")


def _judge_signature(idp: Idp, holder: Caller | Flow) -> None:
    token = _token(idp, holder)
    assert token.rpartition(".")[2], "the token has no signature"
