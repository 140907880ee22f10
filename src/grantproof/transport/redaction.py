"""Takes secrets out of everything that is kept or shown: by structure first, by known value as a second net.

Rules of this file:
- What stands under a secret's name (a parameter, a member, a header) is replaced whatever its value is.
- What is known to be a secret (from the profile, or issued in this run) is replaced wherever it stands, in any usual
  encoding.
"""

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_NAMES = frozenset(
    {
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "id_token",
        "id_token_hint",
        "password",
        "refresh_token",
        "registration_access_token",
        "subject_token",
        "token",
    }
)
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
_NAMES = "|".join(sorted(SECRET_NAMES))
_PAIR = re.compile(rf"(?<![\w.-])({_NAMES})=([^&#\s\"'<>]+)")
_MEMBER = re.compile(rf'("(?:{_NAMES})"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}}\]]+)')
_FIELD = re.compile(
    rf"(<input\b[^>]*?\bname=[\"']?(?:{_NAMES})\b[^>]*?\bvalue=)(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE
)
_FIELD_VALUE_FIRST = re.compile(
    rf"(<input\b[^>]*?\bvalue=)(\"[^\"]*\"|'[^']*'|[^\s>]+)([^>]*?\bname=[\"']?(?:{_NAMES})\b)", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z0-9._~+/=%-]{12,}")
_CUT = re.compile(r"([^\s'\"<>]*)\.\.\.([^\s'\"<>]*)")
_WINDOW = 6
_MIN_LENGTH = 4


def mark(name: str) -> str:
    """What stands in a secret's place."""
    return f"<redacted {name}>"


class Redactor:
    """Knows the secrets of one run."""

    def __init__(self, secrets: "Iterable[str]" = ()) -> None:
        self._words: set[str] = set()
        self._secrets: set[str] = set()
        self._longest_first: list[str] = []
        self.add(secrets)

    def __repr__(self) -> str:
        return "Redactor()"

    def add(self, secrets: "Iterable[str]") -> None:
        """Adds the profile's own secrets: client secrets, passwords, header values."""
        for secret in secrets:
            if len(secret) >= _MIN_LENGTH:
                self._secrets.update(_spellings(secret))
        self._longest_first = sorted(self._secrets, key=len, reverse=True)

    def learn(self, value: object) -> None:
        """Adds a token or a cookie's value that the server issued."""
        if isinstance(value, str) and _WORD.fullmatch(value):
            self._words.add(value)
        elif isinstance(value, str) and len(value) >= 2 * _MIN_LENGTH:
            self.add([value])

    def text(self, text: str) -> str:
        """Free text without any known secret and without what stands under a secret's name."""
        text = _PAIR.sub(lambda found: f"{found[1]}={mark(found[1])}", text)
        text = _MEMBER.sub(lambda found: f"{found[1]}{json.dumps(mark(found[1].split(chr(34))[1]))}", text)
        if "<input" in text or "<INPUT" in text:
            text = _FIELD.sub(lambda found: f'{found[1]}"{mark("value")}"', text)
            text = _FIELD_VALUE_FIRST.sub(lambda found: f'{found[1]}"{mark("value")}"{found[3]}', text)
        return self.known(text)

    def known(self, text: str) -> str:
        """The text without the secrets whose value is known."""
        # A pattern of all secrets would take seconds to compile each time that a long one is learnt.
        if found := [secret for secret in self._longest_first if secret in text]:
            text = re.sub("|".join(map(re.escape, found)), mark("secret"), text)
        if self._words:
            text = _WORD.sub(self._word, text)
        if "..." in text:
            text = _CUT.sub(self._cut, text)
        return text

    def _cut(self, found: "re.Match[str]") -> str:
        """A repr that was shortened in the middle, without the ends of a secret that it still shows."""
        before, after = found[1], found[2]
        if self._holds(before[-_WINDOW:]) or self._holds(after[:_WINDOW]):
            return mark("secret, shortened")
        return found[0]

    def _holds(self, piece: str) -> bool:
        if len(piece) < _WINDOW:
            return False
        return any(piece in known for known in self._secrets) or any(piece in known for known in self._words)

    def _word(self, found: "re.Match[str]") -> str:
        word = found[0]
        if word in self._words or unquote(word) in self._words or word.strip("=") in self._words:
            return mark("token")
        for part in re.split(r"[=/]", word):
            if part in self._words:
                return word.replace(part, mark("token"))
        return word

    def header(self, name: str, value: str) -> str:
        """A header field's value as it may be kept."""
        lower = name.lower()
        if lower == "set-cookie":
            cookie, _, attributes = value.partition(";")
            label = cookie.partition("=")[0]
            return f"{self.known(label)}={mark('cookie')}" + (f";{self.known(attributes)}" if attributes else "")
        if lower in _SECRET_HEADERS:
            scheme, _, rest = value.partition(" ")
            return f"{scheme} {mark('credentials')}" if rest and lower != "cookie" else mark(lower)
        return self.text(value)

    def value(self, value: Any) -> Any:
        """A JSON-like value without secrets, whatever its depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType] - JSON at the edge
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - JSON at the edge
        return value


def _spellings(secret: str) -> set[str]:
    """A secret as it may appear: raw, form-encoded, percent-encoded, escaped for JSON and HTML, in base64."""
    encoded = {secret, quote_plus(secret, safe=""), quote(secret, safe=""), quote(secret), quote_plus(secret)}
    encoded |= {json.dumps(secret)[1:-1], html.escape(secret), html.escape(secret, quote=False), repr(secret)[1:-1]}
    encoded.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    return {spelling for spelling in encoded if len(spelling) >= _MIN_LENGTH}
