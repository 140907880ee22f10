"""Lawful but unusual access tokens in JWT form (RFC 9068)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import TokenRecord


@oddity("jwt_type_in_capitals", "The type is written at+JWT.", 31)
def jwt_type_in_capitals(rules: Rules) -> Rules:
    """Media types have no letter case."""
    return rules | Rules(token_header=lambda call, client: rules.token_header(call, client) | {"typ": "at+JWT"})


@oddity("jwt_audience_is_a_list", "The audience is a list of two.", 31)
def jwt_audience_is_a_list(rules: Rules) -> Rules:
    """One text and a list of texts are alike."""

    def claims(call: Call, client: Client, record: TokenRecord) -> dict[str, Any]:
        found = rules.token_claims(call, client, record)
        return found | {"aud": [found["aud"], "urn:example:api"]}

    return rules | Rules(token_claims=claims)


@oddity("all_tokens_are_opaque", "No access token is a JWT.", 28, 31)
def all_tokens_are_opaque(rules: Rules) -> Rules:
    """The profile of RFC 9068 need not be followed."""
    return rules | Rules(token_format=lambda _call, _client: "opaque")


@oddity("jwt_issued_a_moment_ago", "Tokens are dated back, and expires_in is rounded down.", 32)
def jwt_issued_a_moment_ago(rules: Rules) -> Rules:
    """Clocks differ, and an answer takes its time."""

    def claims(call: Call, client: Client, record: TokenRecord) -> dict[str, Any]:
        found = rules.token_claims(call, client, record)
        return found | {"iat": found["iat"] - 20, "nbf": found["iat"] - 20}

    def lifetime(call: Call) -> int | None:
        lawful = rules.reported_lifetime(call)
        return None if lawful is None else max(1, lawful - 1)

    return rules | Rules(token_claims=claims, reported_lifetime=lifetime)


@oddity("opaque_tokens_with_padding", "Opaque tokens have every character that a bearer token may have.", 28)
def opaque_tokens_with_padding(rules: Rules) -> Rules:
    """A slash, a plus sign, a tilde and equals signs at the end are fine."""
    return rules | Rules(opaque_token=lambda call: f"a/b+c~d.{rules.opaque_token(call)}==")


@oddity(
    "jwt_subject_is_a_pseudonym", "The subject of a client's own token is not its identifier, but always the same.", 31
)
def jwt_subject_is_a_pseudonym(rules: Rules) -> Rules:
    """That both are alike is a recommendation about how the server calls its clients."""

    def subject(call: Call, client: Client) -> str:
        lawful = rules.token_subject(call, client)
        return f"service-account-{lawful}" if call.grant == "client_credentials" else lawful

    return rules | Rules(token_subject=subject)
