"""Lawful rules of the published documents: metadata and keys (RFC 8414, OpenID Connect Discovery, RFC 7517)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.lawful.authorization import PROMPTS

if TYPE_CHECKING:
    from grantproof.reference.call import Call

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt")
ASSERTION_ALGS = ("RS256", "HS256")


def common_metadata(call: Call) -> dict[str, Any]:
    """The members that both metadata documents have.

    Source: RFC 8414 section 2; RFC 9207 section 3.
    """
    rules, server = call.rules, call.server
    return {
        "issuer": server.issuer,
        "authorization_endpoint": server.url("authorization"),
        "token_endpoint": server.url("token"),
        "jwks_uri": server.url("jwks"),
        "scopes_supported": list(rules.supported_scopes(call)),
        "response_types_supported": ["token", "id_token", "id_token token"],
        "response_modes_supported": list(rules.response_modes(call)),
        "grant_types_supported": [*sorted(rules.known_grants(call)), "implicit"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "introspection_endpoint": server.url("introspection"),
        "introspection_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "registration_endpoint": server.url("registration"),
        "revocation_endpoint": server.url("revocation"),
        "revocation_endpoint_auth_methods_supported": [*AUTH_METHODS, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGS),
        "authorization_response_iss_parameter_supported": True,
    }


def openid_metadata(call: Call) -> dict[str, Any]:
    """The members that OpenID Connect adds.

    Source: OpenID Connect Discovery section 3.
    """
    del call
    return {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": sorted(PROMPTS),
    }


def metadata_status(call: Call) -> int:
    """Whether a document is there: at the two well-known places, not where the OAuth one is appended to the issuer.

    Source: RFC 8414 section 3.
    """
    return 404 if call.endpoint == "appended_metadata" else 200


def metadata_document(call: Call) -> dict[str, Any]:
    """The metadata at one of the two well-known places.

    Source: RFC 8414 section 3.2; OpenID Connect Discovery section 4.2.
    """
    common = call.rules.common_metadata(call)
    return common if call.endpoint != "openid_metadata" else {**common, **call.rules.openid_metadata(call)}


def jwks_document(call: Call) -> dict[str, Any]:
    """The public keys of the server.

    Source: RFC 7517 section 5; RFC 8414 section 2.
    """
    return {"keys": list(call.server.keys.public.values())}


def document_headers(call: Call) -> list[tuple[str, str]]:
    """The headers of a published document.

    Source: RFC 8414 section 3.2.
    """
    return [("content-type", call.rules.json_content_type(call)), ("cache-control", "no-cache")]
