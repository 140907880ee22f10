"""RFC 7662 section 2.1: who may ask about which token, and how."""

from dataclasses import replace

import pytest

from grantproof.checks import Answer, Caller, Flow, Form, FormRequest, Idp, NotOffered, clause, needs

REFRESH = "refresh_token"


@clause("rfc7662:2.1/wrong-hint-still-found")
def test_token_is_found_despite_a_wrong_hint(idp: Idp, one_method_service: Caller) -> None:
    idp.expect_made_up_inactive(one_method_service)
    token = idp.issue_watched(one_method_service)
    answer = idp.introspect(token, idp.watcher(one_method_service), token_type_hint=REFRESH)
    assert answer.get("active") is True


@clause("rfc7662:2.1/wrong-hint-still-found")
def test_token_of_the_implicit_grant_is_found_despite_a_wrong_hint(idp: Idp, token_flow: Flow) -> None:
    idp.expect_made_up_inactive(token_flow)
    token = idp.issue_watched(token_flow)
    answer = idp.introspect(token, idp.watcher(token_flow), token_type_hint=REFRESH)
    assert answer.get("active") is True


@clause("rfc7662:2.1/caller-authorization")
def test_anonymous_caller_learns_nothing(idp: Idp, one_method_service: Caller) -> None:
    token = idp.issue_watched(one_method_service)
    answer = idp.exchange(_question(idp, token).to_request())
    _judge_refusal(answer)


@clause("rfc7662:2.1/caller-authorization")
def test_client_identifier_alone_is_no_authorization(idp: Idp, one_method_service: Caller) -> None:
    token = idp.issue_watched(one_method_service)
    caller = replace(idp.watcher(one_method_service), method="none")
    _judge_refusal(idp.introspect(token, caller))


@clause("rfc7662:2.1/caller-authorization")
@needs("public_client")
def test_public_client_learns_nothing(idp: Idp, token_flow: Flow) -> None:
    if not token_flow.client.public:
        raise NotOffered("this client has credentials")
    token = idp.issue_watched(token_flow)
    _judge_refusal(idp.introspect(token, Caller(token_flow.client, "none")))


@clause("rfc7662:2.1/caller-authorization")
@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_token_itself_is_no_authorization(idp: Idp, one_method_service: Caller, scheme: str) -> None:
    token = idp.issue_watched(one_method_service)
    answer = idp.exchange(_question(idp, token).header("Authorization", f"{scheme} made-up").to_request())
    assert answer.get("active") is not True


@clause("rfc7662:2.1/caller-authorization")
def test_wrong_secret_learns_nothing(idp: Idp, password_service: Caller) -> None:
    token = idp.issue_watched(password_service)
    secret = f"{password_service.client.secret}x"
    request = idp.authenticate(_question(idp, token), password_service, secret=secret)
    assert idp.exchange(request.to_request()).get("active") is not True


@clause("rfc7662:4/callers-specifically-authorized")
def test_client_learns_nothing_about_the_token_of_another(idp: Idp, one_method_service: Caller) -> None:
    stranger = idp.other_client(one_method_service.client, grant="client_credentials")
    if stranger.name == idp.profile.claims.introspection_client:
        raise NotOffered("the only other client may introspect every token")
    token = idp.issue_watched(one_method_service)
    answer = idp.introspect(token, Caller(stranger, stranger.auth_methods[0]))
    assert answer.get("active") is not True, f"{stranger.name} learns about a token that is not its own"


def _question(idp: Idp, token: str) -> FormRequest:
    return FormRequest(idp.endpoint("introspection"), Form((("token", token),)))


def _judge_refusal(answer: Answer) -> None:
    assert answer.get("active") is not True, "a caller without credentials learns that the token is active"
    assert answer.status in {400, 401, 403}, f"a caller without credentials gets an answer with status {answer.status}"
