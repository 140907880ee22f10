"""Metadata: where it is, what it states, and that nothing in it is trusted."""

import json
from typing import Any

import pytest

from grantproof.profile import Profile
from grantproof.profile.discovery import (
    MAX_BYTES,
    MAX_PROBLEMS,
    Metadata,
    fill_endpoints,
    metadata_sources,
    metadata_urls,
    read_metadata,
)

URL = "https://as.example/.well-known/oauth-authorization-server"
GOOD = {
    "issuer": "https://as.example",
    "token_endpoint": "https://as.example/token",
    "authorization_endpoint": "https://as.example/authorize",
    "jwks_uri": "https://as.example/jwks",
    "grant_types_supported": ["client_credentials", "implicit"],
    "authorization_response_iss_parameter_supported": True,
    "unknown": {"kept": 1},
}


def metadata(issuer: str = "", **members: Any) -> Metadata:
    return read_metadata({URL: json.dumps({"issuer": "https://as.example", **members}).encode()}, issuer)


@pytest.mark.parametrize(
    ("issuer", "inserted", "appended"),
    [
        ("https://a.example", "", ""),
        ("https://a.example/", "", ""),
        ("https://a.example:8443/t/1", "/t/1", "/t/1"),
        ("https://a.example/t/", "/t", "/t"),
    ],
)
def test_metadata_is_looked_for_at_both_places(issuer: str, inserted: str, appended: str) -> None:
    host = "https://a.example:8443" if ":8443" in issuer else "https://a.example"
    assert metadata_urls(issuer) == [
        f"{host}/.well-known/oauth-authorization-server{inserted}",
        f"{host}{appended}/.well-known/openid-configuration",
    ]


def test_the_profile_may_say_where_metadata_is() -> None:
    named = Profile.model_validate({"endpoints": {"metadata": "https://a/m"}})
    unnamed = Profile.model_validate({"endpoints": {"token": "https://a/t"}})
    assert metadata_sources(named) == ["https://a/m"]
    assert metadata_sources(unnamed) == []
    assert len(metadata_sources(Profile.model_validate({"target": {"issuer": "https://a"}}))) == 2


def test_what_is_stated_is_read_and_nothing_else() -> None:
    found = read_metadata({URL: json.dumps(GOOD).encode()}, "https://as.example")
    assert found.problems == ()
    assert found.documents == (URL,)
    assert found.endpoint("token") == "https://as.example/token"
    assert found.endpoint("resource") is None
    assert found.grant_types_supported == ("client_credentials", "implicit")
    assert found.authorization_response_iss_parameter_supported is True
    assert found.response_types_supported is None
    assert found.token_endpoint_auth_methods_supported is None  # RFC 8414 has a default; it is not stated
    assert found.members["unknown"] == {"kept": 1}


def test_the_first_document_is_believed_and_the_second_adds() -> None:
    second = {**GOOD, "token_endpoint": "https://as.example/other", "scopes_supported": ["a"]}
    found = read_metadata({URL: json.dumps(GOOD), "https://as.example/2": second})
    assert found.token_endpoint == "https://as.example/token"
    assert found.scopes_supported == ("a",)
    assert found.problems == (f'token_endpoint differs between the documents; "{URL}" is believed',)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"token_endpoint": 5}, "token_endpoint is no URL: a number"),
        ({"token_endpoint": ["x"]}, "token_endpoint is no URL: an array"),
        ({"token_endpoint": ""}, 'token_endpoint is no URL: ""'),
        (
            {"token_endpoint": "/token"},
            'token_endpoint: "/token" is no URL to use here: it must begin with https:// or http://',
        ),
        (
            {"jwks_uri": "file:///etc/passwd"},
            'jwks_uri: "file:///etc/passwd" is no URL to use here: it must begin with https:// or http://',
        ),
        (
            {"jwks_uri": "https://u:p@a/"},
            'jwks_uri: "https://u:p@a/" is no URL to use here: no user and no password may stand in it',
        ),
        ({"jwks_uri": "https://[::1/"}, 'jwks_uri: "https://[::1/" is no URL: its host or port cannot be read'),
        ({"scopes_supported": "a b"}, 'scopes_supported is no array: "a b"'),
        ({"scopes_supported": ["a", 5]}, "scopes_supported has values that are no strings, or too long"),
        ({"scopes_supported": ["a"] * 1_001}, "scopes_supported has more than 1000 values; the rest was not read"),
        (
            {"authorization_response_iss_parameter_supported": "true"},
            'authorization_response_iss_parameter_supported is neither true nor false: "true"',
        ),
        (
            {"token_endpoint": "http://as.example/token"},
            "token_endpoint is plain http although the issuer is https; it is used only if the profile names it",
        ),
    ],
)
def test_what_cannot_be_right_is_a_problem_and_no_exception(members: dict[str, Any], problem: str) -> None:
    found = metadata(**members)
    assert problem in found.problems


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"<html>", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[1]", "is no JSON object"),
        (b'"text"', "is no JSON object"),
        (b"[" * 200_000, "is no JSON"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "is no JSON"),
        (b" " * (MAX_BYTES + 1), "is larger than 1 MiB and was not read"),
        (b'{"issuer": "https://a", "issuer": "https://b"}', 'the member "issuer" stands twice'),
        (b'{"issuer": "https://a", "x": NaN}', "NaN is no JSON value"),
        (b"{}", "issuer is missing"),
    ],
    ids=["html", "utf-16", "array", "text", "deep", "long number", "huge", "twice", "nan", "empty"],
)
def test_documents_that_are_none(document: bytes, problem: str) -> None:
    found = read_metadata({URL: document})
    assert any(each.endswith(problem) for each in found.problems)


def test_the_issuer_must_be_identical() -> None:
    (problem,) = metadata("https://as.example/").problems
    assert problem == (
        'issuer is "https://as.example", but the profile\'s is "https://as.example/"; they must be identical'
    )


def test_halves_of_characters_do_not_get_in() -> None:
    found = read_metadata({URL: b'{"issuer": "https://a", "scopes_supported": ["\\ud800x"], "\\udfff": "\\ud800"}'})
    assert found.scopes_supported == ("?x",)
    json.dumps(dict(found.members), ensure_ascii=False).encode()


def test_problems_are_bounded_and_printable() -> None:
    document = "{" + ",".join(f'"a\\u001b{n}": 1, "a\\u001b{n}": 2' for n in range(500)) + "}"
    found = read_metadata({"https://a/\x1b[31m" + "x" * 500: document})
    assert len(found.problems) == MAX_PROBLEMS
    assert all(each.isprintable() and len(each) < 300 for each in found.problems)


def test_endpoints_are_filled_but_never_overwritten() -> None:
    profile = Profile.model_validate(
        {"target": {"issuer": "https://as.example"}, "endpoints": {"token": "https://mine/t"}}
    )
    filled = fill_endpoints(profile, read_metadata({URL: json.dumps(GOOD)}))
    assert filled.endpoints.token == "https://mine/t"
    assert filled.endpoints.authorization == "https://as.example/authorize"
    assert filled.endpoints.introspection is None
    assert filled.endpoints.metadata == URL
    assert profile.endpoints.authorization is None


def test_no_credential_follows_a_downgrade() -> None:
    profile = Profile.model_validate({"target": {"issuer": "https://as.example"}})
    assert fill_endpoints(profile, metadata(token_endpoint="http://as.example/token")).endpoints.token is None
    plain = read_metadata({URL: {"issuer": "http://as.example", "token_endpoint": "http://as.example/token"}})
    assert fill_endpoints(profile, plain).endpoints.token == "http://as.example/token"
