"""Lawful but unusual answers: one of each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from grantproof.reference.call import Answer, Call


@oddity("lower_case_token_type", "token_type is written bearer.", 26)
def lower_case_token_type(rules: Rules) -> Rules:
    """The token type compares without letter case."""
    return rules | Rules(token_type=lambda _call: "bearer")


@oddity("invalid_client_by_body_is_400", "Wrong credentials outside the Authorization header are answered with 400.", 1)
def invalid_client_by_body_is_400(rules: Rules) -> Rules:
    """401 is owed only to those who used the header."""
    return rules | Rules(
        error_status=when(
            lambda call: call.error_path not in {"method", "too_many_failures"} and not call.through_header,
            lambda call, refusal: 400 if refusal.error == "invalid_client" else rules.error_status(call, refusal),
            rules.error_status,
        ),
    )


@oddity("error_page_with_200", "The page for an unregistered redirect URI has status 200.", 33)
def error_page_with_200(rules: Rules) -> Rules:
    """No status is prescribed for the page."""
    return rules | Rules(error_page_status=lambda _call, refusal: 405 if refusal.path == "method" else 200)


@oddity("slow_token_answers", "The token endpoint takes a fifth of a second.")
def slow_token_answers(rules: Rules) -> Rules:
    """Every token answer waits."""

    def wait(call: Call, answer: Answer) -> Answer:
        answer.delay_s = 0.2
        return rules.finish(call, answer)

    return rules | Rules(finish=when(by_endpoint("token"), wait, rules.finish))
