"""Faults of token revocation (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.call import Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.state import token_key
from grantproof.reference.variants import by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.state import TokenRecord

KNOWN_HINTS = frozenset((None, "access_token", "refresh_token"))
HERE = by_endpoint("revocation")


def _hint(call: Call) -> str | None:
    return call.parameters.get("token_type_hint")


def _keep(_call: Call, _record: TokenRecord) -> None:
    """Nothing is revoked."""


def _lose(_call: Call, _token: str) -> TokenRecord | None:
    return None


def _refuse_at_revocation(rules: Rules, refuse: Callable[[Call], Refusal | None]) -> Rules:
    """The rules with one more reason to refuse a request to the revocation endpoint."""

    def check(call: Call) -> Refusal | None:
        return rules.check_token_parameter(call) or refuse(call)

    return rules | Rules(check_token_parameter=when(HERE, check, rules.check_token_parameter))


@fault("revocation_unsupported", "rfc7009:2/access-tokens-revocable", "plain", "No access token can be revoked.")
def revocation_unsupported(rules: Rules) -> Rules:
    """Only refresh tokens would be, and there are none."""
    return _refuse_at_revocation(rules, lambda _call: Refusal("unsupported_token_type", "unsupported"))


@fault("revocation_unsupported_for_implicit", "rfc7009:2/access-tokens-revocable", "partial", "Tokens of users stay.")
def revocation_unsupported_for_implicit(rules: Rules) -> Rules:
    """Opaque tokens of the implicit grant are of an unsupported type."""

    def refuse(call: Call) -> Refusal | None:
        record = call.store.tokens.get(token_key(call.parameters.get("token") or ""))
        user = record is not None and record.grant == "implicit"
        return Refusal("unsupported_token_type", "unsupported") if user else None

    return _refuse_at_revocation(rules, refuse)


def _with_fragment(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"revocation_endpoint": f"{document['revocation_endpoint']}#revoke"}


@fault("revocation_address_with_fragment", "rfc7009:2/endpoint-url", "plain", "The address has a fragment.")
def revocation_address_with_fragment(rules: Rules) -> Rules:
    """Both documents name it so."""
    return rules | Rules(common_metadata=lambda call: _with_fragment(rules.common_metadata(call)))


@fault("revocation_address_with_fragment_in_openid", "rfc7009:2/endpoint-url", "partial", "One document is wrong.")
def revocation_address_with_fragment_in_openid(rules: Rules) -> Rules:
    """The OpenID document has the fragment, the OAuth document has not."""
    changed = when(
        by_endpoint("openid_metadata"),
        lambda call: _with_fragment(rules.metadata_document(call)),
        rules.metadata_document,
    )
    return rules | Rules(metadata_document=changed)


@fault("revocation_without_effect", "rfc7009:2.1/revoked-at-once", "plain", "Revoked tokens live on.")
def revocation_without_effect(rules: Rules) -> Rules:
    """The answer is 200, and that is all."""
    return rules | Rules(revoke=_keep)


@fault("revocation_keeps_user_tokens", "rfc7009:2.1/revoked-at-once", "partial", "Tokens of users live on.")
def revocation_keeps_user_tokens(rules: Rules) -> Rules:
    """Only tokens without a user are revoked."""
    return rules | Rules(revoke=lambda call, record: None if record.username else rules.revoke(call, record))


@fault("revocation_unknown_at_resource", "rfc7009:2.1/revoked-at-once", "partial", "The resource takes revoked tokens.")
def revocation_unknown_at_resource(rules: Rules) -> Rules:
    """The resource looks at the lifetime only."""
    return rules | Rules(
        token_is_live=when(by_endpoint("resource"), lambda call, rec: call.now < rec.expires_at, rules.token_is_live)
    )


@fault("revocation_unknown_to_introspection", "rfc7662:4/revocation-checked", "plain", "Revoked tokens stay active.")
def revocation_unknown_to_introspection(rules: Rules) -> Rules:
    """Introspection looks at the lifetime only."""
    here = by_endpoint("introspection")
    return rules | Rules(
        token_is_live=when(here, lambda call, record: call.now < record.expires_at, rules.token_is_live)
    )


@fault(
    "revocation_by_assertion_without_effect", "rfc7662:4/revocation-checked", "partial", "Some revocations are lost."
)
def revocation_by_assertion_without_effect(rules: Rules) -> Rules:
    """Clients with an assertion revoke nothing."""
    return rules | Rules(revoke=when(by_method("private_key_jwt"), _keep, rules.revoke))


@fault("revocation_trusts_hint", "rfc7009:2.1/wrong-hint-still-revoked", "plain", "A wrong hint finds nothing.")
def revocation_trusts_hint(rules: Rules) -> Rules:
    """Under refresh_token only refresh tokens are looked for."""
    return rules | Rules(find_revocable=when(lambda call: _hint(call) == "refresh_token", _lose, rules.find_revocable))


@fault("revocation_trusts_hint_of_public", "rfc7009:2.1/wrong-hint-still-revoked", "partial", "A hint can mislead.")
def revocation_trusts_hint_of_public(rules: Rules) -> Rules:
    """Public clients are taken at their word."""
    misled = when(lambda call: _hint(call) == "refresh_token", _lose, rules.find_revocable)
    return rules | Rules(find_revocable=when(by_method("none"), misled, rules.find_revocable))


@fault("revocation_by_anyone", "rfc7009:2.1/only-own-tokens", "plain", "Any client revokes any token.")
def revocation_by_anyone(rules: Rules) -> Rules:
    """Ownership is not looked at."""
    return rules | Rules(client_may_revoke=lambda _call, _client, _record: True)


@fault(
    "revocation_of_user_tokens_by_anyone", "rfc7009:2.1/only-own-tokens", "partial", "Tokens of users are fair game."
)
def revocation_of_user_tokens_by_anyone(rules: Rules) -> Rules:
    """Ownership counts for tokens without a user only."""
    return rules | Rules(
        client_may_revoke=lambda call, client, record: (
            bool(record.username) or rules.client_may_revoke(call, client, record)
        )
    )


@fault("revocation_by_public_clients", "rfc7009:2.1/only-own-tokens", "partial", "Public clients revoke any token.")
def revocation_by_public_clients(rules: Rules) -> Rules:
    """Ownership is looked at for confidential clients only."""
    return rules | Rules(
        client_may_revoke=lambda call, client, record: client.public or rules.client_may_revoke(call, client, record)
    )


@fault("revocation_refused_too_late", "rfc7009:2.1/only-own-tokens", "partial", "The refusal comes after the deed.")
def revocation_refused_too_late(rules: Rules) -> Rules:
    """A foreign token is revoked before its owner is compared."""

    def compare(call: Call, client: Any, record: TokenRecord) -> bool:
        rules.revoke(call, record)
        return rules.client_may_revoke(call, client, record)

    return rules | Rules(client_may_revoke=compare)


def _skip_secret(_call: Call, client: Any, _secret: str) -> bool:
    return client is not None


@fault("revocation_with_any_secret", "rfc7009:2.1/only-own-tokens", "partial", "Secrets in the body are not compared.")
def revocation_with_any_secret(rules: Rules) -> Rules:
    """The revocation endpoint believes any secret in the body."""
    here = when(by_method("client_secret_post"), _skip_secret, rules.secret_matches)
    return rules | Rules(secret_matches=when(HERE, here, rules.secret_matches))


@fault("revocation_with_client_id_only", "rfc7009:2.1/only-own-tokens", "partial", "A client identifier is enough.")
def revocation_with_client_id_only(rules: Rules) -> Rules:
    """Here the name of a confidential client proves it."""

    def prove(call: Call, client: Any, attempt: Any) -> bool:
        return attempt.method == "none" or rules.proves_client(call, client, attempt)

    def methods(call: Call, client: Any) -> tuple[str, ...]:
        return (*rules.allowed_auth_methods(call, client), "none")

    return rules | Rules(
        proves_client=when(HERE, prove, rules.proves_client),
        allowed_auth_methods=when(HERE, methods, rules.allowed_auth_methods),
    )


@fault("revocation_without_credentials", "rfc7009:2.1/only-own-tokens", "partial", "Who holds a token may revoke it.")
def revocation_without_credentials(rules: Rules) -> Rules:
    """Without any credentials the owner of the token is taken as the caller."""

    def authenticate(call: Call) -> Refusal | None:
        record = rules.find_revocable(call, call.parameters.get("token") or "")
        if rules.find_attempts(call) or record is None:
            return rules.authenticate_client(call)
        call.client = rules.find_client(call, record.client_id)
        return None

    return rules | Rules(authenticate_client=when(HERE, authenticate, rules.authenticate_client))


@fault(
    "revocation_of_unknown_is_error", "rfc7009:2.2/unknown-token-200", "plain", "Unknown tokens are answered with 400."
)
def revocation_of_unknown_is_error(rules: Rules) -> Rules:
    """The token is looked up before the answer."""

    def refuse(call: Call) -> Refusal | None:
        known = rules.find_revocable(call, call.parameters.get("token") or "")
        return None if known else Refusal("invalid_request", "unknown_token", "token")

    return _refuse_at_revocation(rules, refuse)


@fault(
    "revocation_twice_is_error", "rfc7009:2.2/unknown-token-200", "partial", "A second revocation is answered with 400."
)
def revocation_twice_is_error(rules: Rules) -> Rules:
    """Dead tokens are an error, unknown ones are not."""

    def refuse(call: Call) -> Refusal | None:
        record = rules.find_revocable(call, call.parameters.get("token") or "")
        return Refusal("invalid_token", "revoked", "token") if record is not None and record.revoked else None

    return _refuse_at_revocation(rules, refuse)


@fault("revocation_without_content_status", "rfc7009:2.2/unknown-token-200", "partial", "Success is 204.")
def revocation_without_content_status(rules: Rules) -> Rules:
    """An empty answer has the status of empty answers."""
    return rules | Rules(revocation_status=lambda call: 204 if call.record else 200)


@fault("revocation_refuses_unknown_hint", "rfc7009:2.2/unknown-hint-ignored", "plain", "Unknown hints are refused.")
def revocation_refuses_unknown_hint(rules: Rules) -> Rules:
    """A hint outside of the list is an unsupported token type."""
    return _refuse_at_revocation(
        rules,
        lambda call: None if _hint(call) in KNOWN_HINTS else Refusal("unsupported_token_type", "unknown_hint"),
    )


@fault("revocation_loses_token_by_unknown_hint", "rfc7009:2.2/unknown-hint-ignored", "partial", "Nothing is revoked.")
def revocation_loses_token_by_unknown_hint(rules: Rules) -> Rules:
    """The status is right, the effect is missing."""
    return rules | Rules(find_revocable=when(lambda call: _hint(call) not in KNOWN_HINTS, _lose, rules.find_revocable))


@fault("revocation_without_token_is_fine", "rfc7009:2.2.1/errors-as-at-token-endpoint", "plain", "No token, no error.")
def revocation_without_token_is_fine(rules: Rules) -> Rules:
    """A request without the parameter token is a success."""
    return rules | Rules(check_token_parameter=when(HERE, lambda _call: None, rules.check_token_parameter))


@fault(
    "revocation_wrong_secret_is_invalid_grant", "rfc7009:2.2.1/errors-as-at-token-endpoint", "partial", "Wrong code."
)
def revocation_wrong_secret_is_invalid_grant(rules: Rules) -> Rules:
    """A wrong secret leads to another error code."""

    def body(call: Call, refusal: Refusal) -> dict[str, Any]:
        return rules.error_body(call, refusal) | {"error": "invalid_grant"}

    return rules | Rules(
        error_body=when(lambda call: HERE(call) and call.error_path == "wrong_secret", body, rules.error_body)
    )


@fault("revocation_missing_token_is_422", "rfc7009:2.2.1/errors-as-at-token-endpoint", "partial", "Status 422.")
def revocation_missing_token_is_422(rules: Rules) -> Rules:
    """One error path has the wrong status."""
    here = when(by_error_path("missing_parameter"), lambda _call, _refusal: 422, rules.error_status)
    return rules | Rules(error_status=when(HERE, here, rules.error_status))


@fault("revocation_wrong_secret_is_403", "rfc7009:2.2.1/errors-as-at-token-endpoint", "partial", "Status 403.")
def revocation_wrong_secret_is_403(rules: Rules) -> Rules:
    """Wrong secrets are forbidden instead of unauthorized."""
    here = when(by_error_path("wrong_secret"), lambda _call, _refusal: 403, rules.error_status)
    return rules | Rules(error_status=when(HERE, here, rules.error_status))


@fault("revocation_errors_in_html", "rfc7009:2.2.1/errors-as-at-token-endpoint", "partial", "Errors are called HTML.")
def revocation_errors_in_html(rules: Rules) -> Rules:
    """The content is JSON, its type says otherwise."""
    return rules | Rules(json_content_type=when(HERE, lambda _call: "text/html", rules.json_content_type))
