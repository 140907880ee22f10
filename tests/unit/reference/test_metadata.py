"""The published documents of the embedded server (RFC 8414, OpenID Connect Discovery)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from grantproof.reference.app import AuthorizationServer

if TYPE_CHECKING:
    from tests.unit.reference.conftest import Target

PLACES = [
    ("", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"),
    ("/a/b", "/.well-known/oauth-authorization-server/a/b", "/a/b/.well-known/openid-configuration"),
]


@pytest.mark.parametrize(("path", "oauth", "openid"), PLACES)
def test_both_documents_agree(target: Target, path: str, oauth: str, openid: str) -> None:
    target.issuer += path
    target.server = AuthorizationServer(target.issuer, target.credentials)
    http = target.browser()
    http.base_url = target.issuer.removesuffix(path)
    first, second = http.get(oauth), http.get(openid)
    assert first.headers["content-type"] == second.headers["content-type"] == "application/json"
    assert first.json()["issuer"] == target.issuer
    assert first.json().items() <= second.json().items()
    assert [] not in second.json().values()


def test_every_advertised_endpoint_answers(target: Target) -> None:
    document = target.http.get("/.well-known/oauth-authorization-server").json()
    urls = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(urls) == 6
    assert 404 not in [target.http.get(url).status_code for url in urls]


def test_keys_are_public_and_named(target: Target) -> None:
    keys = target.http.get("/jwks").json()["keys"]
    assert {key["alg"] for key in keys} == {"RS256", "ES256"}
    assert all(key["use"] == "sig" and key["kid"] and "d" not in key for key in keys)


def test_documents_are_read_only(target: Target) -> None:
    assert target.http.post("/jwks").headers["allow"] == "GET, HEAD"
