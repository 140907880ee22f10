"""RFC 8414 section 2: what the metadata documents say, taken one by one."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from grantproof.checks import Answer, Flow, Idp, NotOffered, clause
from grantproof.matrix.tokens import entries, is_list_of_text
from grantproof.wire.grammar import is_absolute_uri

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
OPENID_WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = ("token", "introspection", "revocation")


@clause("rfc8414:2/issuer-https-url")
def test_issuer_is_a_url_without_query_and_fragment(idp: Idp) -> None:
    for answer in _documents(idp):
        issuer = answer.members.get("issuer")
        assert isinstance(issuer, str), "the document names no issuer"
        parts = urlsplit(issuer)
        assert parts.hostname, "the issuer is no URL"
        assert parts.scheme == "https" or parts.hostname in LOOPBACK, f"the scheme is {parts.scheme}"
        assert "?" not in issuer, "the issuer has a query"
        assert "#" not in issuer, "the issuer has a fragment"


@clause("rfc8414:2/authorization-endpoint-listed")
def test_authorization_endpoint_is_published(idp: Idp) -> None:
    if not idp.profile.clients_for("implicit"):
        raise NotOffered("no client in the profile has the implicit grant")
    _judge_published(idp, "authorization_endpoint")


@clause("rfc8414:2/token-endpoint-listed")
def test_token_endpoint_is_published(idp: Idp) -> None:
    if not idp.profile.clients_for("client_credentials"):
        raise NotOffered("no client in the profile has the client_credentials grant")
    _judge_published(idp, "token_endpoint")


@clause("rfc8414:2/jwks-uri-https")
def test_jwks_uri_is_https(idp: Idp) -> None:
    found: list[Any] = [answer.members["jwks_uri"] for answer in _documents(idp) if "jwks_uri" in answer.members]
    if not found:
        raise NotOffered("no document names a jwks_uri")
    assert all(str(each).startswith("https://") for each in found)


@clause("rfc8414:2/jwks-use-on-every-key")
def test_keys_of_a_mixed_set_say_their_use(idp: Idp) -> None:
    keys: list[dict[str, Any]] = [key for key in entries(idp.key_set.get("keys")) if isinstance(key, dict)]
    uses = [key.get("use") for key in keys]
    if not uses:
        raise NotOffered("the key set cannot be read, or is empty")
    mixed = "enc" in uses and set(uses) != {"enc"}
    assert not mixed or None not in uses, f"{uses.count(None)} of {len(uses)} keys have no use"


@clause("rfc8414:2/scopes-supported-listed")
def test_scopes_are_listed(idp: Idp) -> None:
    for answer in _documents(idp):
        assert is_list_of_text(answer.members.get("scopes_supported")), "scopes_supported is missing or no list"


@clause("rfc8414:2/scopes-supported-partial")
def test_scope_outside_of_the_list_is_granted(idp: Idp) -> None:
    listed = idp.metadata.scopes_supported
    if listed is None:
        raise NotOffered("the metadata lists no scopes")
    assert any(set(client.scopes) - set(listed) for client in idp.profile.clients.values())


@clause("rfc8414:2/response-types-supported-listed")
def test_response_type_of_the_client_is_listed(idp: Idp, flow: Flow) -> None:
    for answer in _documents(idp):
        listed: Any = answer.members.get("response_types_supported")
        assert is_list_of_text(listed), "response_types_supported is missing or no list of strings"
        kinds = [set(each.split()) for each in listed]
        assert set(flow.response_type.split()) in kinds, f"{flow.response_type} is not listed"


@clause("rfc8414:2/response-modes-default")
def test_response_modes_are_left_out(idp: Idp) -> None:
    assert all("response_modes_supported" not in answer.members for answer in _documents(idp))


@clause("rfc8414:2/grant-types-default")
def test_grant_types_are_left_out(idp: Idp) -> None:
    assert all("grant_types_supported" not in answer.members for answer in _documents(idp))


@clause("rfc8414:2/auth-methods-default")
def test_authentication_methods_are_left_out(idp: Idp) -> None:
    assert all("token_endpoint_auth_methods_supported" not in answer.members for answer in _documents(idp))


@clause("rfc8414:2/auth-signing-algs-listed")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_algorithms_stand_beside_assertion_methods(idp: Idp, endpoint: str) -> None:
    documents = [answer for answer in _documents(idp) if OPENID_WELL_KNOWN not in answer.url]
    if not documents:
        raise NotOffered("the only document is that of OpenID Connect Discovery, where this list is optional")
    for answer in documents:
        if not _assertion_methods(answer, endpoint):
            continue
        algorithms = answer.members.get(f"{endpoint}_endpoint_auth_signing_alg_values_supported")
        assert is_list_of_text(algorithms), "assertions are offered, their algorithms are not listed"
        assert algorithms


@clause("rfc8414:2/auth-signing-algs-rs256")
def test_rs256_is_offered_for_private_key_jwt(idp: Idp) -> None:
    judged = False
    for answer in _documents(idp):
        algorithms: Any = answer.members.get("token_endpoint_auth_signing_alg_values_supported")
        if "private_key_jwt" in _assertion_methods(answer, "token") and is_list_of_text(algorithms):
            judged = True
            assert "RS256" in algorithms
    if not judged:
        raise NotOffered("no document offers private_key_jwt with algorithms")


@clause("rfc8414:2/auth-signing-algs-without-none")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_none_is_no_algorithm_for_authentication(idp: Idp, endpoint: str) -> None:
    for answer in _documents(idp):
        algorithms = entries(answer.members.get(f"{endpoint}_endpoint_auth_signing_alg_values_supported"))
        assert "none" not in [str(each).lower() for each in algorithms]


def _documents(idp: Idp) -> list[Answer]:
    found = [answer for answer in idp.documents if answer.status == 200]
    if not found:
        raise NotOffered("no metadata document was found")
    return found


def _assertion_methods(answer: Answer, endpoint: str) -> set[str]:
    methods = answer.members.get(f"{endpoint}_endpoint_auth_methods_supported")
    return {each for each in entries(methods) if isinstance(each, str) and each.endswith("_jwt")}


def _judge_published(idp: Idp, member: str) -> None:
    for answer in _documents(idp):
        url = answer.members.get(member)
        assert isinstance(url, str), f"the document has no {member}"
        assert is_absolute_uri(url), f"{member} is no URL"
