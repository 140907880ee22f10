"""Clients that are not there: where one gets the same answer as a client, the answer says nothing of either."""

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grantproof.wire.answer import Answer


def stranger() -> tuple[str, str]:
    """Identifier and secret of a client that is not there."""
    return f"nobody-{secrets.token_hex(8)}", secrets.token_urlsafe(24)


def alike(one: "Answer", other: "Answer") -> bool:
    """Whether two answers tell a client the same, whatever their words."""
    return _told(one) == _told(other)


def _told(answer: "Answer") -> tuple[object, ...]:
    try:
        members = answer.members
    except AssertionError:
        members = {}
    kind = (answer.headers.get("content-type") or "").partition(";")[0].strip().lower()
    return answer.status, kind, str(members.get("error")), tuple(sorted(members))
