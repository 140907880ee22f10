"""RFC 6749 appendix B: how the token endpoint decodes forms."""

import pytest

from grantproof.checks import Caller, Form, FormRequest, Idp, NotOffered, TokenAnswer, clause, control
from grantproof.wire.form import encode_component
from grantproof.wire.grammar import scope_set

SPACES = {"plus": "+", "percent": "%20"}


def _granted(idp: Idp, answer: TokenAnswer, requested: str) -> frozenset[str]:
    actual = idp.scope_of(answer.access_token)
    named = answer.members.get("scope")
    return actual if actual is not None else scope_set(named if isinstance(named, str) else requested)


def _raw(request: FormRequest, name: str, encoded: str) -> FormRequest:
    """The request with this parameter encoded just so."""
    rest = Form(tuple(pair for pair in request.form if pair[0] != name)).encode()
    return request.sent(f"{rest}&{name}={encoded}".encode(), request.content_type)


@clause("rfc6749:B/form-decoded")
@pytest.mark.parametrize("space", SPACES)
@control
def test_plus_and_percent_20_are_spaces(idp: Idp, method_service: Caller, space: str) -> None:
    scopes = method_service.client.scopes
    if len(scopes) < 2:
        raise NotOffered(f"the client {method_service.client.name} has no two scopes")
    answers = {
        name: idp.send(_raw(idp.token_request(method_service), "scope", sign.join(map(encode_component, scopes))))
        for name, sign in SPACES.items()
    }
    if not any(answer.issued for answer in answers.values()):
        idp.prove(method_service)
    answer = answers[space]
    assert answer.issued, f"status {answer.status}, error {answer.error}"
    granted = {_granted(idp, each, " ".join(scopes)) for each in answers.values() if each.issued}
    assert len(granted) == 1, "plus and %20 bring different scopes"


@clause("rfc6749:B/form-decoded")
def test_percent_2b_is_a_plus(idp: Idp, method_service: Caller) -> None:
    scopes = method_service.client.scopes
    if len(scopes) < 2:
        raise NotOffered(f"the client {method_service.client.name} has no two scopes")
    answer = idp.send(_raw(idp.token_request(method_service), "scope", "%2B".join(map(encode_component, scopes))))
    if answer.issued:
        granted = _granted(idp, answer, "+".join(scopes))
        assert not set(scopes) <= granted, "an encoded plus was taken for a space"


@clause("rfc6749:B/form-decoded")
@pytest.mark.parametrize("name", ["grant_type", "scope", "client_id", "client_secret"])
def test_needlessly_encoded_parameters_are_decoded(idp: Idp, method_service: Caller, name: str) -> None:
    request = idp.token_request(method_service)
    value = request.form.get(name)
    if value is None:
        raise NotOffered(f"the plain request has no {name}")
    encoded = "".join(f"%{octet:02x}" for octet in value.encode())
    body = f"{request.drop(name).form.encode()}&%{ord(name[0]):02x}{name[1:]}={encoded}"
    answer = idp.send(request.sent(body.encode(), request.content_type))
    assert answer.issued, f"status {answer.status}, error {answer.error}"


@clause("rfc6749:B/form-decoded")
@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_spaces_in_credentials_are_decoded(idp: Idp, post_service: Caller, space: str) -> None:
    client = post_service.client
    if " " not in client.id + (client.secret or ""):
        raise NotOffered(f"the credentials of the client {client.name} have no space in them")
    request = idp.token_request(post_service)
    body = request.form.encode().replace("+", space)
    answer = idp.send(request.sent(body.encode(), request.content_type))
    assert answer.issued, f"status {answer.status}, error {answer.error}"


@clause("rfc6749:B/utf-8-encoded")
@pytest.mark.parametrize("place", ["name", "value"])
def test_utf8_in_a_form_is_read(idp: Idp, method_service: Caller, place: str) -> None:
    sample = " %&+£€"
    pair = (sample, "1") if place == "name" else ("unheard_of", sample)
    answer = idp.send(idp.token_request(method_service).add(*pair))
    assert answer.issued, f"status {answer.status}, error {answer.error}"
