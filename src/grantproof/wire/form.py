"""Ordered, repeatable name-value pairs: a form body, a query or a fragment.

Encoding and decoding follow RFC 6749 Appendix B: UTF-8, then application/x-www-form-urlencoded, where a space is `+`.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MALFORMED_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_OUTSIDE_URLENCODED = re.compile(r"[^A-Za-z0-9*\-._+%~!'()$,;:@/?=]")


class MalformedFormError(ValueError):
    """The text is not form-urlencoded UTF-8."""


@dataclass(frozen=True)
class Form:
    """Pairs in order, repeats and blanks kept. Its repr shows names only, since values may be secrets."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> "Form":
        """Decodes form-urlencoded text once.

        Args:
            text: a body, a query without `?` or a fragment without `#`.
            strict: refuse what is not well-formed instead of reading it as browsers do.

        Raises:
            MalformedFormError: strict, and a percent sign, an octet or a pair is malformed.
        """
        if text == "":
            return cls()
        pairs: list[tuple[str, str]] = []
        for part in text.split("&"):
            if strict and ("=" not in part or part.startswith("=")):
                raise MalformedFormError("a pair has no name or no '='")
            if part == "":
                continue
            name, _, value = part.partition("=")
            pairs.append((_decode(name, strict=strict), _decode(value, strict=strict)))
        return cls(tuple(pairs))

    def __contains__(self, name: object) -> bool:
        return any(name == own for own, _ in self.pairs)

    def __iter__(self) -> "Iterator[tuple[str, str]]":
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"Form({', '.join(self.names)})"

    def get(self, name: str) -> str | None:
        """The first value of a name; None when it is absent."""
        return next((value for own, value in self.pairs if own == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a name, in order."""
        return tuple(value for own, value in self.pairs if own == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in order, repeats kept."""
        return tuple(name for name, _ in self.pairs)

    @property
    def repeated(self) -> frozenset[str]:
        """The names that stand more than once."""
        return frozenset(name for name in self.names if self.names.count(name) > 1)

    def set(self, name: str, value: str) -> "Form":
        """The same form in which this name stands once, with this value, where it first stood or at the end."""
        if name not in self:
            return Form((*self.pairs, (name, value)))
        pairs: list[tuple[str, str]] = []
        for own, old in self.pairs:
            if own != name:
                pairs.append((own, old))
            elif all(kept != name for kept, _ in pairs):
                pairs.append((name, value))
        return Form(tuple(pairs))

    def add(self, name: str, value: str) -> "Form":
        """The same form with one more pair at the end."""
        return Form((*self.pairs, (name, value)))

    def drop(self, *names: str) -> "Form":
        """The same form without these names."""
        return Form(tuple(pair for pair in self.pairs if pair[0] not in names))

    def update(self, changes: "Mapping[str, str | None]") -> "Form":
        """The same form with each name set, or dropped where the value is None."""
        form = self
        for name, value in changes.items():
            form = form.drop(name) if value is None else form.set(name, value)
        return form

    def encode(self) -> str:
        """Form-urlencoded text in ASCII. Lone surrogates stand for raw octets that are not UTF-8."""
        return "&".join(f"{encode_component(name)}={encode_component(value)}" for name, value in self.pairs)


def encode_component(text: str) -> str:
    """One form-urlencoded name or value.

    Source: RFC 6749 Appendix B.
    """
    return quote_plus(text, safe="", encoding="utf-8", errors="surrogateescape")


def _decode(text: str, *, strict: bool) -> str:
    if strict and (_MALFORMED_PERCENT.search(text) or _OUTSIDE_URLENCODED.search(text)):
        raise MalformedFormError("a character or percent sign is not encoded")
    octets = unquote_to_bytes(text.replace("+", " ").encode("utf-8", "surrogateescape"))
    try:
        return octets.decode("utf-8", "strict" if strict else "replace")
    except UnicodeDecodeError:
        raise MalformedFormError("the octets are not UTF-8") from None
