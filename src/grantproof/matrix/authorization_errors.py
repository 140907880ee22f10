"""Ways in which an authorization request with a good client and redirect URI fails, so that the client is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grantproof.wire.request import FormRequest

UNKNOWN_VALUE = "unlisted"

# Source: RFC 6749 section 4.2.2.1, OpenID Connect Core section 3.1.2.6 and the registry of extension errors.
DEFINED_ERRORS = frozenset(
    {
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
    }
)
OTHER_ENDPOINTS_ERRORS = frozenset(
    {"invalid_client", "invalid_grant", "unsupported_grant_type", "invalid_token", "insufficient_scope"}
)


@dataclass(frozen=True)
class ErrorPath:
    """One thing wrong with a request, and what may come of it.

    `placement` is `either` where the text leaves open whether the error stands in the query or in the fragment;
    `codes` are the lawful error codes, none where the code is not judged; `lenient` says that a server may also grant.
    """

    id: str
    changes: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    added: tuple[tuple[str, str], ...] = ()
    repeated: str = ""
    choice: Literal["allow", "deny"] = "allow"
    fresh: bool = False
    placement: Literal["fragment", "either"] = "fragment"
    codes: frozenset[str] = frozenset()
    lenient: bool = False

    def __str__(self) -> str:
        return self.id

    def apply(self, request: FormRequest) -> FormRequest:
        """The request with this thing wrong."""
        request = request.update(self.changes)
        for name, value in self.added:
            request = request.add(name, value)
        own = request.form.get(self.repeated)
        return request if own is None else request.add(self.repeated, own)


def _codes(*names: str) -> frozenset[str]:
    return frozenset(names)


_INVALID = _codes("invalid_request")
_TYPE = _codes("invalid_request", "unsupported_response_type", "unauthorized_client")

RESPONSE_TYPE_PATHS = (
    ErrorPath("missing-response-type", {"response_type": None}, placement="either", codes=_TYPE),
    ErrorPath("unknown-response-type", {"response_type": UNKNOWN_VALUE}, placement="either", codes=_TYPE),
    ErrorPath("unknown-combination", {"response_type": f"token {UNKNOWN_VALUE}"}, placement="either", codes=_TYPE),
    ErrorPath("response-type-case", {"response_type": "TOKEN"}, placement="either", codes=_TYPE),
    ErrorPath("response-type-comma", {"response_type": "token,id_token"}, placement="either", codes=_TYPE),
)
SCOPE_PATHS = (
    ErrorPath("unknown-scope", {"scope": UNKNOWN_VALUE}, codes=_codes("invalid_scope"), lenient=True),
    ErrorPath("malformed-scope", {"scope": 'un"listed'}, codes=_codes("invalid_scope"), lenient=True),
)
DENIED = ErrorPath("denied", choice="deny", codes=_codes("access_denied"), lenient=True)
REPEATED = (
    ErrorPath("repeated-scope", repeated="scope", codes=_INVALID),
    ErrorPath("repeated-response-type", repeated="response_type", placement="either", codes=_INVALID),
)
OTHER_PATHS = (
    ErrorPath("silent-login", {"prompt": "none"}, fresh=True, lenient=True),
    ErrorPath("unknown-response-mode", {"response_mode": UNKNOWN_VALUE}, placement="either", lenient=True),
)
ERROR_PATHS = (*RESPONSE_TYPE_PATHS[:2], *SCOPE_PATHS, DENIED, *REPEATED, *OTHER_PATHS)
FRAGMENT_PATHS = tuple(path for path in ERROR_PATHS if path.placement == "fragment")
