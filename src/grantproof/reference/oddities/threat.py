"""Lawful but unusual defences against the threats of RFC 6819."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from grantproof.reference.rules import Rules
from grantproof.reference.variants import oddity

if TYPE_CHECKING:
    from grantproof.reference.call import Call


@oddity(
    "consent_established_otherwise",
    "The user agreed when the account was opened: no page asks again.",
    53,
    disregards=(
        "rfc6749:10.2/informed-consent",
        "rfc6749:10.2/no-silent-repeat",
        "rfc6819:4.2.3/repeat-authorization-validated",
        "rfc6819:4.4.1.4/consent-asked",
        "rfc6819:5.2.3.2/public-client-needs-approval",
    ),
)
def consent_established_otherwise(rules: Rules) -> Rules:
    """Authorization may come by other means than a page."""
    return rules | Rules(consent_required=lambda _call, pending: "consent" in pending.prompt)


@oddity("redirects_kept_by_browsers_only", "The response with the token is private instead of not stored.", 56)
def redirects_kept_by_browsers_only(rules: Rules) -> Rules:
    """What no shared cache keeps, and no browser without asking, is not out of reach, but not lost either."""

    def headers(_call: Call, location: str) -> list[tuple[str, str]]:
        return [("location", location), ("cache-control", "private, no-cache")]

    return rules | Rules(redirect_headers=headers)


@oddity("handles_with_constant_parts", "Handles begin and end alike; in between they are random.", 68)
def handles_with_constant_parts(rules: Rules) -> Rules:
    """A prefix tells scanners of source code what they have found."""
    return rules | Rules(opaque_token=lambda _call: f"gpat_v1_{secrets.token_urlsafe(30)}_00")


@oddity("lock_out_after_five", "Five wrong secrets lock the client that may be locked out.", 69)
def lock_out_after_five(rules: Rules) -> Rules:
    """No number of tries is prescribed."""
    return rules | Rules(
        failure_limits=lambda call, client: (5, 60.0) if client.disposable else rules.failure_limits(call, client)
    )
