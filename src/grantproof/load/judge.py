"""What an answer to a token request is worth: valid, protective, or an error of some kind.

Every answer is decoded. Kinds are few whatever the server sends, so that a hostile one cannot grow the tables.
Source: RFC 6749 sections 5.1 and 5.2.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

VALID: Final = ""
MALFORMED: Final = "malformed"
OTHER_SCOPE: Final = "other_scope"
PROTECTIVE: Final = ("429", "503")
COMPARED: Final = "compared"
DUPLICATE: Final = "duplicate"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - the name of a count
_MOST_HASHES: Final = 1_000_000
_MOST_CODES: Final = 16
_CODE = re.compile(r"[a-z][a-z0-9_]{2,47}")
_KNOWN_CODES: Final = frozenset(
    (
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
    )
)


class _Issued(msgspec.Struct, gc=False):
    """A successful token answer, as far as load looks at it."""

    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    token_type: Annotated[str, msgspec.Meta(min_length=1)]
    scope: str | None = None
    refresh_token: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Refused(msgspec.Struct, gc=False):
    """An error answer."""

    error: str


class TokenJudge:
    """Judges the answers to one kind of token request.

    Args:
        scopes: the scopes that were asked for; none is the server's default.
        reuses_tokens: the server may give the same token again, so duplicates are not looked for.
        most_hashes: from how many tokens on new ones are no longer compared.
    """

    def __init__(
        self, scopes: Iterable[str] = (), *, reuses_tokens: bool = False, most_hashes: int = _MOST_HASHES
    ) -> None:
        self._decode = msgspec.json.Decoder(_Issued).decode
        self._decode_error = msgspec.json.Decoder(_Refused).decode
        self._asked = frozenset(scopes)
        self._lawful: set[str] = set()
        self._seen: set[int] | None = None if reuses_tokens else set()
        self._most_hashes = most_hashes
        self._codes: set[str] = set(_KNOWN_CODES)
        self._checked = 0
        self._notes: Counter[str] = Counter()

    def __call__(self, status: int, body: bytes) -> str:
        """The kind of an answer: `VALID`, one of `PROTECTIVE`, or an error's name."""
        if status != 200:
            return self._judge_refusal(status, body)
        try:
            answer = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return MALFORMED
        if answer.refresh_token is not msgspec.UNSET:
            self._notes[REFRESH_TOKEN] += 1
        if answer.scope is not None and answer.scope not in self._lawful and not self._allow_scope(answer.scope):
            return OTHER_SCOPE
        seen = self._seen
        if seen is not None and len(seen) < self._most_hashes:
            size = len(seen)
            seen.add(hash(answer.access_token))
            self._checked += 1
            if len(seen) == size:
                self._notes[DUPLICATE] += 1
        return VALID

    def take_notes(self) -> Counter[str]:
        """How many valid answers were compared, were duplicates or held refresh tokens since the last call."""
        notes, self._notes = self._notes, Counter()
        notes[COMPARED], self._checked = self._checked, 0
        return +notes

    def _allow_scope(self, scope: str) -> bool:
        """A server may grant less or other than it was asked for, but then always the same: the first answer sets it.

        Source: RFC 6749 section 3.3.
        """
        if frozenset(scope.split(" ")) == self._asked:
            if len(self._lawful) < _MOST_CODES:
                self._lawful.add(scope)
            return True
        if not self._lawful:
            self._lawful.add(scope)
            return True
        return False

    def _judge_refusal(self, status: int, body: bytes) -> str:
        if status in {429, 503}:
            return str(status)
        if 400 <= status < 500:
            try:
                code = self._decode_error(body).error
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return f"status_{status}"
            if code in self._codes:
                return code
            if len(self._codes) < _MOST_CODES + len(_KNOWN_CODES) and _CODE.fullmatch(code):
                self._codes.add(code)
                return code
        return f"status_{status}"
