"""Lawful but unusual client assertions (RFC 7523)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_error_path, by_method, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call, Refusal


@oddity("assertion_audience_is_token_endpoint", "Only the token endpoint is taken as the audience.", 67)
def assertion_audience_is_token_endpoint(rules: Rules) -> Rules:
    """Which string counts is agreed out of band."""
    return rules | Rules(assertion_audiences=lambda call: (call.server.url("token"),))


@oddity("assertion_audience_is_issuer", "Only the issuer is taken as the audience.", 67)
def assertion_audience_is_issuer(rules: Rules) -> Rules:
    """Newer specifications prefer it."""
    return rules | Rules(assertion_audiences=lambda call: (call.server.issuer,))


@oddity("assertion_replay_goes_unnoticed", "An assertion may be used again until it expires.", 67)
def assertion_replay_goes_unnoticed(rules: Rules) -> Rules:
    """Looking at jti is allowed, not required."""
    return rules | Rules(assertion_is_new=lambda _call, _client, _claims: True)


@oddity("assertion_wrong_is_400", "Wrong assertions are answered with 400 at the token endpoint.", 67, 1)
def assertion_wrong_is_400(rules: Rules) -> Rules:
    """No Authorization header was used."""

    def status(call: Call, refusal: Refusal) -> int:
        lawful = rules.error_status(call, refusal)
        return 400 if lawful == 401 and call.endpoint == "token" else lawful

    wrong = by_error_path("wrong_assertion", "malformed_credentials", "unknown_client")

    def here(call: Call) -> bool:
        return wrong(call) and not call.through_header and by_method("private_key_jwt", "client_secret_jwt")(call)

    return rules | Rules(error_status=when(here, status, rules.error_status))


@oddity("assertion_lives_half_an_hour_longer", "Clocks may differ by half an hour.", 67)
def assertion_lives_half_an_hour_longer(rules: Rules) -> Rules:
    """Some minutes of skew are lawful."""

    def expiry(call: Call, claims: dict[str, Any]) -> bool:
        end: object = claims.get("exp")
        if rules.assertion_expiry_ok(call, claims):
            return True
        return isinstance(end, int) and not isinstance(end, bool) and call.now - 1800 < end < call.now

    return rules | Rules(assertion_expiry_ok=expiry)
