"""Lawful but unusual metadata (RFC 8414)."""

from __future__ import annotations

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when


@oddity("metadata_only_by_openid", "There is no document of RFC 8414, only the one of OpenID Connect.", 61)
def metadata_only_by_openid(rules: Rules) -> Rules:
    """Each specification has its own place."""
    return rules | Rules(metadata_status=lambda call: 200 if call.endpoint == "openid_metadata" else 404)


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
