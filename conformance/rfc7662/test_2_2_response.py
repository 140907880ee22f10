"""RFC 7662 section 2.2: the answer about a token, live or not."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from grantproof.checks import Answer, Caller, Flow, Idp, NotOffered, clause, needs
from grantproof.matrix.tokens import is_list_of_text


@clause("rfc7662:2.2/active-boolean")
def test_live_token_is_active_as_a_boolean(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.introspect(idp.issue(one_method_service), idp.watcher(one_method_service))
    assert isinstance(answer.members.get("active"), bool)


@clause("rfc7662:2.2/active-boolean")
def test_live_token_of_the_implicit_grant_is_active_as_a_boolean(idp: Idp, token_flow: Flow) -> None:
    assert isinstance(idp.introspect(idp.issue(token_flow), idp.watcher(token_flow)).members.get("active"), bool)


@clause("rfc7662:2.2/active-boolean")
def test_unknown_token_is_inactive_as_a_boolean(idp: Idp, method_service: Caller) -> None:
    assert isinstance(idp.introspect(secrets.token_urlsafe(32), method_service).members.get("active"), bool)


@clause("rfc7662:2.2/active-boolean")
def test_answer_is_called_json(idp: Idp, one_method_service: Caller) -> None:
    answer = idp.introspect(idp.issue(one_method_service), idp.watcher(one_method_service))
    assert answer.headers.media_type == "application/json"


@clause("rfc7662:2.2/inactive-answer")
@pytest.mark.parametrize("token", ["short", "no token: <&>%'", "eyJhbGciOiJub25lIn0.e30.", "x" * 2000])
def test_text_that_is_no_token_is_inactive(idp: Idp, one_method_service: Caller, token: str) -> None:
    _judge_inactive(idp.introspect(token, idp.watcher(one_method_service)))


@clause("rfc7662:2.2/inactive-answer")
def test_unknown_token_is_inactive(idp: Idp, method_service: Caller) -> None:
    _judge_inactive(idp.introspect(secrets.token_urlsafe(32), method_service))


@clause("rfc7662:2.2/inactive-answer")
@needs("revocation")
def test_revoked_token_is_answered_as_inactive(idp: Idp, one_method_service: Caller) -> None:
    token, answer = _dead(idp, one_method_service)
    if answer.get("active") is True:
        raise NotOffered("revocation has no effect, which another check judges")
    _judge_inactive(idp.introspect(token, idp.watcher(one_method_service)))


@clause("rfc7662:2.2/inactive-answer")
@needs("second_client")
def test_foreign_token_is_no_error(idp: Idp, one_method_service: Caller) -> None:
    own = idp.introspect(idp.issue(one_method_service), one_method_service)
    if own.get("active") is not True:
        raise NotOffered("this client may not introspect its own tokens")
    stranger = idp.other_client(one_method_service.client, grant="client_credentials")
    token = idp.issue(Caller(stranger, stranger.auth_methods[0]))
    answer = idp.introspect(token, one_method_service)
    assert answer.status == 200
    assert isinstance(answer.members.get("active"), bool)


@clause("rfc7662:2.2/inactive-answer-bare")
def test_nothing_is_told_about_an_unknown_token(idp: Idp, method_service: Caller) -> None:
    _judge_bare(idp.introspect(secrets.token_urlsafe(32), method_service))


@clause("rfc7662:2.2/inactive-answer-bare")
@needs("revocation")
def test_nothing_is_told_about_a_revoked_token(idp: Idp, one_method_service: Caller) -> None:
    _, answer = _dead(idp, one_method_service)
    _judge_bare(answer)


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_audience(value: Any) -> bool:
    return isinstance(value, str) or is_list_of_text(value)


TYPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("scope", "client_id", "username", "token_type", "sub", "iss", "jti"), _is_text),
    **dict.fromkeys(("exp", "iat", "nbf"), _is_time),
    "aud": _is_audience,
}


@clause("rfc7662:2.2/optional-members-typed")
@pytest.mark.parametrize("name", TYPES)
def test_member_has_its_type(idp: Idp, one_method_service: Caller, name: str) -> None:
    _judge_type(_alive(idp, one_method_service), name)


@clause("rfc7662:2.2/optional-members-typed")
@pytest.mark.parametrize("name", TYPES)
def test_member_about_a_token_of_the_implicit_grant_has_its_type(idp: Idp, token_flow: Flow, name: str) -> None:
    _judge_type(_alive(idp, token_flow), name)


@clause("rfc7662:2.2/optional-members-typed")
def test_client_id_is_that_of_the_token(idp: Idp, one_method_service: Caller) -> None:
    _judge_client(_alive(idp, one_method_service), one_method_service)


@clause("rfc7662:2.2/optional-members-typed")
def test_client_id_is_that_of_the_token_of_the_implicit_grant(idp: Idp, token_flow: Flow) -> None:
    _judge_client(_alive(idp, token_flow), token_flow)


def _alive(idp: Idp, owner: Caller | Flow) -> Answer:
    answer = idp.introspect(idp.issue(owner), idp.watcher(owner))
    if answer.get("active") is not True:
        raise NotOffered("introspection does not call a fresh token active")
    return answer


def _dead(idp: Idp, caller: Caller) -> tuple[str, Answer]:
    token = idp.issue_watched(caller)
    idp.end_token(token, caller)
    idp.eventually(lambda: not idp.is_active(token, caller))
    return token, idp.introspect(token, idp.watcher(caller))


def _judge_inactive(answer: Answer) -> None:
    assert answer.status == 200
    assert answer.members.get("active") is False


def _judge_bare(answer: Answer) -> None:
    if answer.get("active") is not False:
        raise NotOffered("the token is not reported as inactive, which another check judges")
    told = set(answer.members) - {"active"}
    assert not told, f"beside active: {', '.join(sorted(told))}"


def _judge_type(answer: Answer, name: str) -> None:
    if name not in answer.members:
        raise NotOffered(f"the answer has no {name}")
    value = answer.members[name]
    assert TYPES[name](value), f"{name} is {type(value).__name__}"


def _judge_client(answer: Answer, owner: Caller | Flow) -> None:
    if "client_id" not in answer.members:
        raise NotOffered("the answer has no client_id")
    assert answer.members["client_id"] == owner.client.id
