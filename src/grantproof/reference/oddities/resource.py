"""Lawful but unusual protected resources (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.call import Answer
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Call

HERE = by_endpoint("resource")


@oddity("resource_challenges_twice", "Two challenges stand in one header, Bearer is the second.", 3, 63)
def resource_challenges_twice(rules: Rules) -> Rules:
    """The order of challenges is free."""
    return rules | Rules(
        resource_challenge=lambda call, refusal: f'DPoP algs="ES256 RS256", {rules.resource_challenge(call, refusal)}'
    )


@oddity("resource_challenges_in_lower_case", "The scheme of the challenge is in lower case, without a realm.", 63)
def resource_challenges_in_lower_case(rules: Rules) -> Rules:
    """Schemes have no letter case, and the realm is optional."""

    def finish(call: Call, answer: Answer) -> Answer:
        challenge = answer.header("www-authenticate")
        if challenge is not None:
            changed = challenge.replace("Bearer ", "bearer ").replace('realm="grantproof"', 'scope="read"')
            answer.set_header("www-authenticate", changed.replace(', scope="read"', ""))
        return rules.finish(call, answer)

    return rules | Rules(finish=when(HERE, finish, rules.finish))


@oddity("resource_takes_the_header_only", "A token in the body or in the query is not seen.", 64)
def resource_takes_the_header_only(rules: Rules) -> Rules:
    """Both other places are optional."""

    def presented(call: Call) -> tuple[tuple[str, str], ...]:
        return tuple(each for each in rules.presented_tokens(call) if each[0] == "header")

    return rules | Rules(presented_tokens=presented)


@oddity("resource_forbids_post", "A POST to the resource gets 403 whatever comes with it.", 64)
def resource_forbids_post(rules: Rules) -> Rules:
    """A protection against forged requests stands before the one by tokens; the resource is for reading."""

    def finish(call: Call, answer: Answer) -> Answer:
        if call.method == "POST":
            return Answer(403, [("content-type", "text/html")], b"<h1>403 Forbidden</h1>")
        return rules.finish(call, answer)

    return rules | Rules(finish=when(HERE, finish, rules.finish))
