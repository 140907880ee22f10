"""Lawful but unusual metadata (RFC 8414)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call


@oddity("metadata_only_by_openid", "There is no document of RFC 8414, only the one of OpenID Connect.", 61)
def metadata_only_by_openid(rules: Rules) -> Rules:
    """Each specification has its own place."""
    return rules | Rules(metadata_status=lambda call: 200 if call.endpoint == "openid_metadata" else 404)


@oddity("metadata_by_openid_without_algorithms", "The only document is that of OpenID Connect, without algorithms.", 61)
def metadata_by_openid_without_algorithms(rules: Rules) -> Rules:
    """OpenID Connect Discovery makes the list of algorithms for client authentication optional."""

    def members(call: Call) -> dict[str, object]:
        found = rules.common_metadata(call).items()
        return {name: value for name, value in found if not name.endswith("auth_signing_alg_values_supported")}

    return metadata_only_by_openid(rules | Rules(common_metadata=members))


@oddity("metadata_relies_on_defaults", "Lists that have a default are left out.", 62)
def metadata_relies_on_defaults(rules: Rules) -> Rules:
    """Silence proves nothing."""
    left_out = {
        "grant_types_supported",
        "response_modes_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    }
    return rules | Rules(
        common_metadata=lambda call: {
            name: value for name, value in rules.common_metadata(call).items() if name not in left_out
        }
    )


@oddity("metadata_lists_few_scopes", "Not every scope is listed.", 62)
def metadata_lists_few_scopes(rules: Rules) -> Rules:
    """The list may be incomplete."""
    return rules | Rules(common_metadata=lambda call: rules.common_metadata(call) | {"scopes_supported": ["openid"]})


@oddity("metadata_with_charset", "The type of the documents names a charset.", 19)
def metadata_with_charset(rules: Rules) -> Rules:
    """Parameters of a media type do not matter."""
    here = by_endpoint("metadata", "openid_metadata", "jwks")
    return rules | Rules(
        json_content_type=when(here, lambda _call: "Application/JSON; charset=utf-8", rules.json_content_type)
    )


@oddity("metadata_only_by_oauth", "There is no document of OpenID Connect, only the one of RFC 8414.", 61)
def metadata_only_by_oauth(rules: Rules) -> Rules:
    """A server without discovery of OpenID Connect."""
    return rules | Rules(metadata_status=lambda call: 200 if call.endpoint == "metadata" else 404)


@oddity("metadata_appended_too", "The document of RFC 8414 stands also where it is appended to the issuer.", 61)
def metadata_appended_too(rules: Rules) -> Rules:
    """The right place has it as well."""
    return rules | Rules(metadata_status=lambda _call: 200)


@oddity("metadata_with_more_members", "The documents have members of other specifications and of nobody.", 29, 62)
def metadata_with_more_members(rules: Rules) -> Rules:
    """Whoever reads them ignores what is not known."""
    more: dict[str, Any] = {
        "service_documentation": "https://docs.example/oauth?topic=a b".replace(" ", "%20"),
        "ui_locales_supported": ["en", "fr-CA"],
        "require_pushed_authorization_requests": False,
        "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.example/token"},
        "check_session_iframe": "https://login.example/session",
        "x_regions": [{"name": "S\u00fcd", "weight": 0.5, "primary": None}],
    }
    return rules | Rules(common_metadata=lambda call: rules.common_metadata(call) | more)


@oddity("keys_nobody_knows", "The key set has keys of unknown types, for other uses and with a certificate.", 31)
def keys_nobody_knows(rules: Rules) -> Rules:
    """Whoever reads the set passes over what is not understood."""
    others: list[dict[str, Any]] = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "use": "sig", "kid": "lattice"},
        {"kty": "OKP", "crv": "Ed448", "x": "AA", "use": "sig", "kid": "curve"},
        {"kty": "future", "use": "sig", "x5c": ["AA=="], "note": {"a": 1}},
    ]
    return rules | Rules(jwks_document=lambda call: {"keys": [*others, *rules.jwks_document(call)["keys"]], "at": 1})


@oddity("keys_without_names", "Neither the keys nor the tokens name a key, nor do the keys name an algorithm.", 31)
def keys_without_names(rules: Rules) -> Rules:
    """Both members are optional."""

    def keys(call: Call) -> dict[str, Any]:
        found: list[dict[str, Any]] = rules.jwks_document(call)["keys"]
        return {"keys": [{name: key[name] for name in key if name not in {"kid", "alg"}} for key in found]}

    def sign(call: Call, claims: dict[str, Any], header: dict[str, Any], alg: str) -> str:
        return rules.sign(call, claims, {name: header[name] for name in header if name != "kid"}, alg)

    return rules | Rules(jwks_document=keys, sign=sign)
