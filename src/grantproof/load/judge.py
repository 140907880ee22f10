"""What an answer to a token request is worth: valid, protective, or an error of some kind.

Every answer is decoded. Kinds are few whatever the server sends, so that a hostile one cannot grow the tables.
Source: RFC 6749 sections 5.1 and 5.2; RFC 9068 section 2.2 for tokens that are JWTs.
"""

import binascii
import re
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec

from grantproof.load.findings import REFRESH_TOKEN, SHAPED, UNSHAPED, Findings

VALID: Final = ""
MALFORMED: Final = "malformed"
OTHER_SCOPE: Final = "other_scope"
OTHER_CLIENT: Final = "other_client"
EXPIRED: Final = "expired"
PROTECTIVE: Final = ("429", "503")
_MOST_CODES: Final = 16
_CODE = re.compile(r"[a-z][a-z0-9_]{2,47}")
_LONGEST_PAYLOAD: Final = 16_384
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
_UNSET: Final = msgspec.UNSET
DECODING_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Usual(msgspec.Struct, gc=False):
    """A successful token answer about which there is nothing to say, which the decoder alone can tell."""

    access_token: _Text
    token_type: _Text
    expires_in: Annotated[int, msgspec.Meta(gt=0)] | None = None
    scope: str | None = None
    refresh_token: msgspec.UnsetType = msgspec.UNSET


class _Issued(msgspec.Struct, gc=False):
    """A successful token answer, as far as load looks at it."""

    access_token: _Text
    token_type: _Text
    expires_in: int | float | str | None = None
    scope: str | None = None
    refresh_token: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Claims(msgspec.Struct, gc=False):
    """The claims of a token that is a JWT, as far as load looks at them; any of them may be anything."""

    client_id: Any = None
    scope: Any = None
    exp: Any = None
    iat: Any = None


class _Refused(msgspec.Struct, gc=False):
    """An error answer."""

    error: str


_decode_usual = msgspec.json.Decoder(_Usual).decode
_decode = msgspec.json.Decoder(_Issued).decode
_decode_claims = msgspec.json.Decoder(_Claims).decode
_decode_error = msgspec.json.Decoder(_Refused).decode


class Refusals:
    """Names the kinds of answers that are no success. `findings` counts whether errors were of OAuth's shape."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def __call__(self, status: int, body: bytes) -> str:
        """The kind: a protective status, an OAuth error code or `status_NNN`."""
        code = self._code_of(body) if status >= 400 else None
        self._findings.notes[UNSHAPED if code is None else SHAPED] += 1
        if status in {429, 503}:
            return str(status)
        if code is None or status >= 500:
            return f"status_{status}"
        return self.named(code) or f"status_{status}"

    def named(self, code: str) -> str:
        """The kind of an error code, empty where it is none or too many unusual ones have come."""
        codes = self._findings.codes
        if code in _KNOWN_CODES or code in codes:
            return code
        if len(codes) < _MOST_CODES and _CODE.fullmatch(code):
            codes.add(code)
            return code
        return ""

    @staticmethod
    def _code_of(body: bytes) -> str | None:
        try:
            return _decode_error(body).error
        except DECODING_ERRORS:
            return None


class TokenJudge:
    """Judges the answers to the token requests of one client.

    Args:
        scopes: the scopes that were asked for; none is the server's default.
        client_id: whose tokens they are; empty does not look.
        findings: where what was noticed goes; judges of one scenario share it.
        reuses_tokens: where no findings are given: duplicates are not looked for.
        looks_inside: tokens that are JWTs are looked into.
    """

    def __init__(
        self,
        scopes: Iterable[str] = (),
        *,
        client_id: str = "",
        findings: Findings | None = None,
        reuses_tokens: bool = False,
        looks_inside: bool = True,
    ) -> None:
        self._findings = findings or Findings(reuses_tokens=reuses_tokens)
        self._keep = self._findings.keep
        self._refusal = Refusals(self._findings)
        self._asked = frozenset(scopes)
        self._lawful: set[str] = set()
        self._claimed: set[str] = set()
        self._client_id = client_id
        self._claimed_client: str | None = None
        if client_id:
            self._findings.owners[client_id] = client_id
        self._looks_inside = looks_inside

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer: `VALID`, one of `PROTECTIVE`, or an error's name."""
        del request, location
        if status != 200:
            return self._refusal(status, body)
        try:
            usual = _decode_usual(body)
        except DECODING_ERRORS:
            return self._judge_unusual(body)
        return self.judge_token(usual.access_token, usual.scope)

    def _judge_unusual(self, body: bytes) -> str:
        try:
            answer = _decode(body)
        except DECODING_ERRORS:
            return MALFORMED
        if answer.refresh_token is not _UNSET:
            self._findings.notes[REFRESH_TOKEN] += 1
        kind = VALID if answer.expires_in is None else _judge_lifetime(answer.expires_in)
        return kind or self.judge_token(answer.access_token, answer.scope)

    def judge_token(self, token: str, scope: str | None) -> str:
        """The kind of an access token that came with this scope, or with none named."""
        if scope is not None and scope not in self._lawful and not self._allow_scope(scope, self._lawful):
            return OTHER_SCOPE
        keep = self._keep  # calling an attribute that is no method takes longer
        keep(token)
        if self._looks_inside and token.startswith("eyJ") and token.count(".") == 2:
            return self._judge_claims(token)
        return VALID

    def settle(self) -> None:
        """Deals with the tokens that were noted."""
        self._findings.settle()

    def take_notes(self) -> Counter[str]:
        """How often each thing was noticed since the last call."""
        return self._findings.take_notes()

    def take_hashes(self) -> bytes:
        """The hashes of the tokens since the last call."""
        return self._findings.take_hashes()

    def _allow_scope(self, scope: str, lawful: set[str]) -> bool:
        """A server may grant less or other than it was asked for, but then always the same: the first answer sets it.

        The order of the values means nothing.
        Source: RFC 6749 section 3.3.
        """
        granted = frozenset(scope.split(" "))
        same = granted == self._asked or any(granted == frozenset(known.split(" ")) for known in lawful)
        if not same and lawful:
            return False
        if len(lawful) < _MOST_CODES:
            lawful.add(scope)
        return True

    def _judge_claims(self, token: str) -> str:
        """A token that looks like a JWT: whose it says to be, for what, and whether it was expired from the start.

        A token is opaque to clients, so what cannot be read, or has other names for things, is not judged.
        """
        payload = token.split(".", 2)[1]
        if len(payload) > _LONGEST_PAYLOAD:
            return VALID
        try:
            claims = _decode_claims(urlsafe_b64decode(payload + "=="))
        except (*DECODING_ERRORS, ValueError, binascii.Error):
            return VALID
        client_id, scope = claims.client_id, claims.scope
        if client_id != self._claimed_client and not self._allow_client(client_id):
            return OTHER_CLIENT
        if isinstance(scope, str) and scope not in self._claimed and not self._allow_scope(scope, self._claimed):
            return OTHER_SCOPE
        if isinstance(claims.exp, int | float) and isinstance(claims.iat, int | float) and claims.exp <= claims.iat:
            return EXPIRED
        return VALID

    def _allow_client(self, claimed: object) -> bool:
        """A server may have another name for a client, but then always the same, and for no other client."""
        if not self._client_id or not isinstance(claimed, str):
            return True
        if self._claimed_client is None:
            if self._findings.owners.setdefault(claimed, self._client_id) != self._client_id:
                return False
            self._claimed_client = claimed
            return True
        if claimed == self._client_id:
            self._claimed_client = claimed  # so the other name that came before was another client's
        return False


def _judge_lifetime(lifetime: float | str) -> str:
    """Some servers send the digits as a string; a lifetime that is over, or none at all, is an error.

    Source: RFC 6749 sections 5.1 and A.14.
    """
    if isinstance(lifetime, str) and not (lifetime.isascii() and lifetime.isdigit()):
        return MALFORMED
    return VALID if (lifetime.strip("0") if isinstance(lifetime, str) else lifetime > 0) else EXPIRED
