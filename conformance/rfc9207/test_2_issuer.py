"""RFC 9207 section 2: the iss parameter of authorization responses."""

from urllib.parse import urlsplit

import pytest

from grantproof.checks import AuthorizationAnswer, Flow, Idp, Inconclusive, NotOffered, clause, needs
from grantproof.matrix.authorization_errors import ERROR_PATHS, ErrorPath

each_session = pytest.mark.parametrize("session", ["kept", "fresh"])
each_path = pytest.mark.parametrize("path", ERROR_PATHS, ids=str)


def _granted(idp: Idp, flow: Flow, session: str = "kept") -> AuthorizationAnswer:
    answer = idp.authorize(flow, agent=idp.fresh_agent() if session == "fresh" else idp.agent())
    assert answer.issued, answer.describe()
    return answer


def _refused(idp: Idp, flow: Flow, path: ErrorPath) -> AuthorizationAnswer:
    answer = idp.provoke(flow, path)
    if answer.error is None:
        raise NotOffered(f"no error came back to the client: {answer.describe()}")
    return answer


def _issuer(answer: AuthorizationAnswer) -> str:
    value = answer.parameters.get("iss")
    if value is None:
        raise NotOffered("the response has no iss")
    return value


@clause("rfc9207:2/iss-in-response")
@each_session
def test_success_names_the_issuer(idp: Idp, flow: Flow, session: str) -> None:
    answer = _granted(idp, flow, session)
    named = answer.parameters.all("iss")
    if not named and "id_token" in answer.parameters:
        raise NotOffered("the ID token beside it names the issuer, so iss may be left out (RFC 9207 section 4)")
    assert len(named) == 1


@clause("rfc9207:2/iss-in-response")
@each_path
def test_error_names_the_issuer(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    assert len(_refused(idp, token_flow, path).parameters.all("iss")) == 1


@clause("rfc9207:2/iss-https-url")
def test_issuer_has_neither_query_nor_fragment(idp: Idp, flow: Flow) -> None:
    issuer = _issuer(_granted(idp, flow))
    assert urlsplit(issuer).hostname, f"iss={issuer!r} is no URL"
    assert not set("?#") & set(issuer), f"iss={issuer!r}"


@clause("rfc9207:2/iss-https-url")
@each_path
def test_issuer_of_an_error_has_neither_query_nor_fragment(idp: Idp, some_flow: Flow, path: ErrorPath) -> None:
    issuer = _issuer(_refused(idp, some_flow, path))
    assert urlsplit(issuer).hostname, f"iss={issuer!r} is no URL"
    assert not set("?#") & set(issuer), f"iss={issuer!r}"


@clause("rfc9207:2/iss-https-url")
@needs("tls")
def test_issuer_is_an_https_url(idp: Idp, flow: Flow) -> None:
    assert _issuer(_granted(idp, flow)).startswith("https://")


@clause("rfc9207:2.3/iss-equals-metadata-issuer")
@each_session
def test_issuer_is_that_of_the_metadata(idp: Idp, flow: Flow, session: str) -> None:
    published = [document.get("issuer") for document in idp.documents if document.status == 200]
    assert published, "no metadata names the issuer"
    assert set(published) == {_issuer(_granted(idp, flow, session))}


@clause("rfc9207:2.3/iss-equals-metadata-issuer")
@each_path
def test_issuer_of_an_error_is_that_of_the_metadata(idp: Idp, token_flow: Flow, path: ErrorPath) -> None:
    published = {document.get("issuer") for document in idp.documents if document.status == 200}
    assert published == {_issuer(_refused(idp, token_flow, path))}


@clause("rfc9207:2.3/support-announced")
def test_support_is_announced(idp: Idp) -> None:
    name = "authorization_response_iss_parameter_supported"
    announced = [document.get(name) for document in idp.documents if document.status == 200]
    if not idp.documents:
        raise Inconclusive("the metadata could not be fetched")
    if not announced:
        raise NotOffered("the target publishes no metadata that could announce it")
    assert True in announced, f"{name} is {announced}"
    assert all(value in {None, True} for value in announced), f"{name} is {announced}"


@clause("rfc9207:2.4/iss-equals-id-token-iss")
@each_session
def test_issuer_is_that_of_the_id_token(idp: Idp, id_token_flow: Flow, session: str) -> None:
    answer = _granted(idp, id_token_flow, session)
    _, claims = idp.verify_jwt(answer.parameters.get("id_token") or "")
    assert claims.get("iss") == _issuer(answer)
