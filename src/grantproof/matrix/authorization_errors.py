"""Ways in which an authorization request with a good client and redirect URI fails, so that the client is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grantproof.wire.grammar import RESERVED
from grantproof.wire.request import FormRequest

UNKNOWN_VALUE = "unlisted"
DEMANDING_STATE = f"{RESERVED}%41%2B"
"""A state that every loss, and every decoding too many or too few, changes."""

# Source: RFC 6749 section 5.2 and RFC 6750 section 3.1: these say nothing at the authorization endpoint.
OTHER_ENDPOINTS_ERRORS = frozenset(
    {"invalid_client", "invalid_grant", "unsupported_grant_type", "invalid_token", "insufficient_scope"}
)


@dataclass(frozen=True)
class ErrorPath:
    """One thing wrong with a request, and what may come of it.

    `placement` is `either` where the text leaves open whether the error stands in the query or in the fragment;
    `fresh` asks for a browser without a session; `lenient` says that a server may also grant.
    """

    id: str
    changes: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    added: tuple[tuple[str, str], ...] = ()
    repeated: str = ""
    choice: Literal["allow", "deny"] = "allow"
    fresh: bool = False
    placement: Literal["fragment", "either"] = "fragment"
    lenient: bool = False

    def __str__(self) -> str:
        return self.id

    def apply(self, request: FormRequest) -> FormRequest:
        """The request with this thing wrong; a scope stands beside openid where an ID token needs that one."""
        request = request.update(self.changes)
        scope = self.changes.get("scope")
        if scope and "id_token" in (request.form.get("response_type") or "").split():
            request = request.set("scope", f"openid {scope}")
        for name, value in self.added:
            request = request.add(name, value)
        own = request.form.get(self.repeated)
        return request if own is None else request.add(self.repeated, own)


RESPONSE_TYPE_PATHS = (
    ErrorPath("missing-response-type", {"response_type": None}, placement="either"),
    ErrorPath("unknown-response-type", {"response_type": UNKNOWN_VALUE}, placement="either"),
    ErrorPath("unknown-combination", {"response_type": f"token {UNKNOWN_VALUE}"}, placement="either"),
    ErrorPath("response-type-case", {"response_type": "TOKEN"}, placement="either"),
    ErrorPath("response-type-comma", {"response_type": "token,id_token"}, placement="either"),
)
SCOPE_PATHS = (
    ErrorPath("unknown-scope", {"scope": UNKNOWN_VALUE}, lenient=True),
    ErrorPath("malformed-scope", {"scope": 'un"listed'}, lenient=True),
)
DENIED = ErrorPath("denied", choice="deny", lenient=True)
REPEATED = (
    ErrorPath("repeated-scope", repeated="scope"),
    ErrorPath("repeated-response-type", repeated="response_type", placement="either"),
)
OTHER_PATHS = (
    ErrorPath("silent-login", {"prompt": "none"}, fresh=True, lenient=True),
    ErrorPath("unknown-response-mode", {"response_mode": UNKNOWN_VALUE}, placement="either", lenient=True),
)
ERROR_PATHS = (*RESPONSE_TYPE_PATHS[:2], *SCOPE_PATHS, DENIED, *REPEATED, *OTHER_PATHS)
FRAGMENT_PATHS = tuple(path for path in ERROR_PATHS if path.placement == "fragment")
