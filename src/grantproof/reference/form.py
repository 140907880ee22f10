"""Reading and writing application/x-www-form-urlencoded (RFC 6749 appendix B), with nothing lost on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlencode

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Form:
    """The pairs of a query or body, in order, repeats and blanks kept.

    Bytes that are not UTF-8 appear as lone surrogates; `malformed` has the names whose name or value was not decodable.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    malformed: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """The first value of a parameter, or None when it is absent."""
        for key, value in self.pairs:
            if key == name:
                return value
        return None

    def last(self, name: str) -> str | None:
        """The last value of a parameter, or None when it is absent."""
        return next((value for key, value in reversed(self.pairs) if key == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter, in order."""
        return tuple(value for key, value in self.pairs if key == name)

    def without(self, *names: str) -> Form:
        """The same form without these parameters."""
        return Form(tuple(pair for pair in self.pairs if pair[0] not in names), self.malformed - set(names))

    def without_empty(self) -> Form:
        """The same form without the parameters that have no value."""
        if all(value for _, value in self.pairs):
            return self
        return Form(tuple(pair for pair in self.pairs if pair[1]), self.malformed)

    def joined(self, other: Form) -> Form:
        """This form followed by another one."""
        return Form(self.pairs + other.pairs, self.malformed | other.malformed)


def decode_component(raw: bytes) -> tuple[str, bool]:
    """One decoded name or value, and whether it was well formed (whole escapes, strict UTF-8)."""
    if b"%" not in raw:
        decoded = raw.replace(b"+", b" ")
        whole = True
    else:
        decoded = unquote_to_bytes(raw.replace(b"+", b" "))
        whole = _BROKEN_ESCAPE.search(raw) is None
    try:
        return decoded.decode("utf-8"), whole
    except UnicodeDecodeError:
        return decoded.decode("utf-8", "surrogateescape"), False


def parse_form(raw: bytes) -> Form:
    """The pairs in a query string or body; never raises."""
    pairs: list[tuple[str, str]] = []
    malformed: set[str] = set()
    for part in raw.split(b"&"):
        if not part:
            continue
        name, _, value = part.partition(b"=")
        key, key_whole = decode_component(name)
        text, text_whole = decode_component(value)
        pairs.append((key, text))
        if not (key_whole and text_whole):
            malformed.add(key)
    return Form(tuple(pairs), frozenset(malformed))


def encode_form(pairs: tuple[tuple[str, str], ...]) -> str:
    """The pairs as application/x-www-form-urlencoded text, a space as `+`."""
    return urlencode(pairs)
