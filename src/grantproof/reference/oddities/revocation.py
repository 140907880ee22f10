"""Lawful but unusual revocation (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.call import Refusal
from grantproof.reference.rules import Rules
from grantproof.reference.state import token_key
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import TokenRecord

HERE = by_endpoint("revocation")


@oddity("foreign_revocation_is_200", "Another client's token is answered with 200 and stays alive.", 65)
def foreign_revocation_is_200(rules: Rules) -> Rules:
    """The effect decides, not the status."""

    def find(call: Call, token: str) -> TokenRecord | None:
        record = rules.find_revocable(call, token)
        return record if record and call.client and record.client_id == call.client.id else None

    return rules | Rules(find_revocable=find)


@oddity("jwt_is_not_revoked", "Tokens that carry their content are of an unsupported type.", 65)
def jwt_is_not_revoked(rules: Rules) -> Rules:
    """Nobody asks about them anyway."""

    def check(call: Call) -> Refusal | None:
        token = call.parameters.get("token") or ""
        known = token_key(token) in call.store.tokens
        unsupported = Refusal("unsupported_token_type", "unsupported") if known and token.count(".") == 2 else None
        return rules.check_token_parameter(call) or unsupported

    return rules | Rules(check_token_parameter=when(HERE, check, rules.check_token_parameter))


@oddity("revocation_takes_a_moment", "A revoked token counts for a fifth of a second more.", 65)
def revocation_takes_a_moment(rules: Rules) -> Rules:
    """The news has to travel."""
    ends: dict[str, float] = {}

    def revoke(call: Call, record: TokenRecord) -> None:
        ends.setdefault(record.jti, call.now + 0.2)

    def live(call: Call, record: TokenRecord) -> bool:
        return rules.token_is_live(call, record) and call.now < ends.get(record.jti, call.now + 1)

    return rules | Rules(revoke=revoke, token_is_live=live)


@oddity("public_clients_do_not_revoke", "A public client is refused at the revocation endpoint.", 65)
def public_clients_do_not_revoke(rules: Rules) -> Rules:
    """It has no credentials to show."""

    def proves(call: Call, client: Client | None, attempt: object) -> bool:
        public = client is not None and client.public
        return not public and rules.proves_client(call, client, attempt)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - an attempt, passed on

    return rules | Rules(proves_client=when(HERE, proves, rules.proves_client))
