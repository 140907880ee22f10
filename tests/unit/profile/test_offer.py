"""What is offered: claims over clients' grants over literal metadata; what nobody can prove is not."""

from typing import Any

import pytest

from grantproof.errors import GrantproofError
from grantproof.profile import Offer, Profile
from grantproof.profile.discovery import fill_endpoints, read_metadata
from grantproof.profile.offer import FEATURES

SERVICE = {"id": "s", "secret": "x", "grants": ["client_credentials"]}
BARE = {"id": "b", "secret": "x"}
SPA = {"id": "p", "public": True, "grants": ["implicit"], "redirect_uris": ["https://a/cb"]}
ENDPOINTS = {"token": "https://as/t", "authorization": "https://as/a"}
METADATA = {"issuer": "https://as", "token_endpoint": "https://as/t", "authorization_endpoint": "https://as/a"}


def offer(profile: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None) -> Offer:
    stated = read_metadata({"https://as/m": {**METADATA, **metadata}} if metadata is not None else {})
    return Offer(Profile.model_validate({"target": {"issuer": "https://as"}, **(profile or {})}), stated)


GRANTS_BOTH = {"grant_types_supported": ["client_credentials", "implicit"]}
GRANTS_NONE: dict[str, Any] = {"grant_types_supported": ["authorization_code"]}
TRUTH: list[tuple[str, Any, Any, bool | None, str]] = [
    # feature, profile, metadata, offered, reason
    ("client_credentials", {}, None, None, "unknown: neither"),
    ("client_credentials", {}, {}, None, "unknown: neither"),  # RFC 8414's default does not count
    ("client_credentials", {}, GRANTS_NONE, False, "grant_types_supported does not have it"),
    (
        "client_credentials",
        {},
        GRANTS_BOTH,
        None,
        "unprovable: the metadata's grant_types_supported says so, but no client",
    ),
    ("client_credentials", {"clients": {"b": BARE}}, GRANTS_BOTH, None, "no client in the profile has the client_cred"),
    ("client_credentials", {"clients": {"s": SERVICE}}, {}, True, "the client s is registered for it"),
    ("client_credentials", {"clients": {"s": SERVICE}}, GRANTS_NONE, True, "the client s is registered for it"),
    (
        "client_credentials",
        {"clients": {"s": SERVICE}},
        None,
        None,
        "unprovable: the client s is registered for it, but no",
    ),
    ("client_credentials", {"clients": {"s": SERVICE}, "endpoints": ENDPOINTS}, None, True, "registered"),
    (
        "client_credentials",
        {"clients": {"s": SERVICE}, "claims": {"client_credentials": False}},
        GRANTS_BOTH,
        False,
        "[claims] says client_credentials = false",
    ),
    ("client_credentials", {"claims": {"client_credentials": True}}, {}, None, "unprovable: the profile's [claims]"),
    ("implicit", {}, {}, None, "unknown: neither"),
    ("implicit", {}, {"response_types_supported": ["code"]}, False, "response_types_supported does not have it"),
    ("implicit", {}, {"response_types_supported": ["code token"]}, False, "does not have it"),  # that is hybrid
    ("implicit", {}, {"response_types_supported": ["token"]}, None, "unprovable"),
    ("implicit", {}, {"response_types_supported": ["id_token token"]}, None, "unprovable"),
    ("implicit", {}, {"response_types_supported": ["token"], **GRANTS_NONE}, False, "grant_types_supported does not"),
    ("implicit", {"clients": {"p": SPA}}, GRANTS_NONE, True, "the client p is registered for it"),
    ("implicit", {"clients": {"p": SPA}}, None, None, "no authorization endpoint is known"),
    ("implicit", {"clients": {"p": SPA}, "claims": {"implicit": True}}, {}, True, "[claims] says implicit = true"),
    ("implicit", {"clients": {"p": SPA}, "claims": {"implicit": False}}, {}, False, "[claims] says implicit = false"),
    ("introspection", {"clients": {"s": SERVICE}}, {}, None, "unknown: neither"),
    ("introspection", {"clients": {"s": SERVICE}}, {"introspection_endpoint": "https://as/i"}, True, "the metadata's"),
    (
        "introspection",
        {"clients": {"p": SPA}},
        {"introspection_endpoint": "https://as/i"},
        None,
        "no confidential client",
    ),
    (
        "introspection",
        {"clients": {"s": SERVICE}, "endpoints": {"introspection": "https://as/i"}},
        None,
        True,
        "[endpoints]",
    ),
    (
        "introspection",
        {"clients": {"s": SERVICE}, "claims": {"introspection": True}},
        {},
        None,
        "no introspection endpoint",
    ),
    (
        "introspection",
        {"clients": {"s": SERVICE}, "claims": {"introspection": False}},
        {"introspection_endpoint": "https://as/i"},
        False,
        "[claims] says introspection = false",
    ),
    ("introspection", {"clients": {"s": SERVICE}}, {"introspection_endpoint": "javascript:x"}, None, "unknown"),
    ("revocation", {"clients": {"p": SPA}}, {"revocation_endpoint": "https://as/r"}, True, "the metadata's"),
    ("revocation", {}, {"revocation_endpoint": "https://as/r"}, None, "unprovable"),
    ("resource", {}, {}, None, "unknown"),
    ("resource", {"endpoints": {"resource": "https://api/"}}, None, True, "[endpoints] has resource"),
    ("jwks", {}, {"jwks_uri": "https://as/j"}, True, "the metadata's"),
    ("metadata", {}, None, None, "unknown: no metadata document was found"),
    ("metadata", {}, {}, True, "has published"),
    ("metadata", {"endpoints": {"metadata": "https://as/m"}}, None, True, "[endpoints] has metadata"),
    ("metadata", {"claims": {"metadata": True}}, None, True, "[claims] says metadata = true"),
    ("metadata", {"claims": {"metadata": False}}, {}, False, "[claims] says metadata = false"),
    ("jwt_access_tokens", {}, {}, None, "unknown: only the profile's [claims]"),
    ("jwt_access_tokens", {"claims": {"jwt_access_tokens": True}}, {}, True, "[claims]"),
    ("jwt_access_tokens", {"claims": {"jwt_access_tokens": False}}, {}, False, "[claims]"),
    ("id_token", {"clients": {"p": {**SPA, "response_types": ["id_token token"]}}}, {}, True, "the client p"),
    ("id_token", {"clients": {"p": SPA}}, {"response_types_supported": ["id_token"]}, None, "unprovable"),
    ("id_token", {"clients": {"p": SPA}}, {"response_types_supported": ["token"]}, False, "does not have it"),
    ("id_token", {"clients": {"p": SPA}}, {}, None, "unknown"),
    ("form_post", {"clients": {"p": SPA}}, {"response_modes_supported": ["form_post"]}, True, "says so"),
    ("form_post", {"clients": {"p": SPA}}, {"response_modes_supported": ["query"]}, False, "does not have it"),
    ("form_post", {"clients": {"p": SPA}}, {}, None, "unknown"),
    ("form_post", {}, {"response_modes_supported": ["form_post"]}, None, "unprovable"),
    (
        "iss_parameter",
        {"clients": {"p": SPA}},
        {"authorization_response_iss_parameter_supported": True},
        True,
        "says so",
    ),
    ("iss_parameter", {"clients": {"p": SPA}}, {"authorization_response_iss_parameter_supported": False}, False, "not"),
    (
        "iss_parameter",
        {"clients": {"p": SPA}},
        {"authorization_response_iss_parameter_supported": "yes"},
        None,
        "unknown",
    ),
    ("iss_parameter", {"clients": {"p": SPA}}, {}, None, "unknown"),
    ("client_assertion", {"clients": {"s": {**BARE, "auth_methods": ["client_secret_jwt"]}}}, {}, True, "the client s"),
    ("client_assertion", {}, {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, None, "unprovable"),
    ("client_assertion", {}, {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, False, "does not"),
    ("client_assertion", {}, {}, None, "unknown"),
    ("registration", {}, {"registration_endpoint": "https://as/reg"}, True, "says so"),
    ("registration", {"claims": {"registration": True}}, {}, None, "unprovable"),
    ("registration", {}, {}, None, "unknown"),
    ("tls", {}, None, True, "https"),
    ("tls", {"target": {"issuer": "http://as"}}, None, True, "where TLS is due"),
    ("tls", {"target": {"issuer": "http://127.0.0.1:8080"}}, None, False, "on this machine only"),
    ("tls", {"target": {"issuer": "http://localhost"}, "endpoints": {"token": "http://as/t"}}, None, True, "is due"),
    ("tls", {"target": {"issuer": "https://localhost:8443"}}, None, True, "https"),
    ("tls", {"target": {"issuer": "http://as"}, "endpoints": ENDPOINTS}, None, True, "https"),
    ("tls", {"target": {}, "endpoints": {"resource": "https://api/"}}, None, None, "unknown"),
    ("plain_http", {}, None, True, "https"),
    ("plain_http", {"target": {"issuer": "http://[::1]:8080"}}, None, False, "on this machine only"),
    ("plain_http", {"target": {"issuer": "http://as"}}, None, True, "where TLS is due"),
    ("intrusive", {}, None, False, "run only if"),
    ("intrusive", {"politeness": {"intrusive": True}}, None, True, "[politeness]"),
    ("slow", {}, None, False, "run only if"),
    ("slow", {"politeness": {"intrusive": True}}, None, True, "[politeness]"),
    ("user", {}, None, False, "no [user]"),
    ("user", {"user": {"username": "a", "password": "b"}}, None, True, "has a [user]"),
    ("two_users", {"user": {"username": "a", "password": "b"}}, None, False, "not both"),
    ("two_users", {each: {"username": each, "password": "b"} for each in ("user", "user2")}, None, True, "[user2]"),
    ("two_scopes", {"clients": {"s": {**SERVICE, "scopes": ["a", "a"]}}}, None, False, "no client"),
    ("two_scopes", {"clients": {"s": {**SERVICE, "scopes": ["a", "b"]}}}, None, True, "two scopes"),
    ("second_client", {"clients": {"s": SERVICE, "same": SERVICE}}, None, False, "no second client"),
    ("second_client", {"clients": {"s": SERVICE, "p": SPA}}, None, True, "two clients"),
    ("public_client", {"clients": {"s": SERVICE}}, None, False, "no public client"),
    ("public_client", {"clients": {"p": SPA}}, None, True, "a public client"),
    ("disposable_client", {"clients": {"s": SERVICE}}, None, False, "disposable = true"),
    ("disposable_client", {"clients": {"s": {**SERVICE, "disposable": True}}}, None, True, "locked out"),
    ("short_lived_token", {}, None, None, "unknown"),
    ("short_lived_token", {"claims": {"max_token_lifetime_s": 60}}, None, True, "up to 60 s"),
    ("short_lived_token", {"claims": {"max_token_lifetime_s": 3600}}, None, False, "up to 3600 s"),
]


@pytest.mark.parametrize(("feature", "profile", "metadata", "offered", "reason"), TRUTH)
def test_offers(feature: str, profile: Any, metadata: Any, *, offered: bool | None, reason: str) -> None:
    found = offer(profile, metadata).offers(feature)
    assert found.offered is offered
    assert reason in found.reason


def test_every_feature_is_in_the_table() -> None:
    assert {row[0] for row in TRUTH} == set(FEATURES)


def test_filled_endpoints_change_no_answer() -> None:
    profile = Profile.model_validate({"target": {"issuer": "https://as"}, "clients": {"s": SERVICE, "p": SPA}})
    stated = read_metadata({"https://as/m": {**METADATA, "introspection_endpoint": "https://as/i", **GRANTS_BOTH}})
    before, after = Offer(profile, stated), Offer(fill_endpoints(profile, stated), stated)
    assert {each: before.offers(each) for each in FEATURES} == {each: after.offers(each) for each in FEATURES}


def test_unknown_features_are_errors_with_a_near_miss() -> None:
    with pytest.raises(GrantproofError) as caught:
        offer().offers("introspektion")
    assert caught.value.hint == "did you mean introspection?"
