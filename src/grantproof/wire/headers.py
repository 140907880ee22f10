"""Header fields of an answer: repeatable, names without case, with readers for the few that OAuth speaks of."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - RFC 9110's grammar of a token, no secret
_PARAMETER = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*')
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_SCHEME = re.compile(rf"\s*({_TOKEN})(?:\s+|(?=\s*(?:,|$)))")


@dataclass(frozen=True)
class Challenge:
    """One challenge of a WWW-Authenticate header: the scheme in lower case, its parameters in order."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()
    token68: str = ""

    def get(self, name: str) -> str | None:
        """The first value of a parameter, its name without case."""
        return next((value for own, value in self.parameters if own == name.lower()), None)


@dataclass(frozen=True)
class Headers:
    """Field lines in order as (name, value)."""

    lines: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> "Iterator[tuple[str, str]]":
        return iter(self.lines)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(own.lower() == name.lower() for own, _ in self.lines)

    def get(self, name: str) -> str | None:
        """The first line of a field; None when it is absent."""
        return next((value for own, value in self.lines if own.lower() == name.lower()), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every line of a field."""
        return tuple(value for own, value in self.lines if own.lower() == name.lower())

    @property
    def media_type(self) -> str:
        """Type and subtype of Content-Type in lower case, without parameters; empty when absent."""
        return (self.get("content-type") or "").partition(";")[0].strip().lower()

    def directives(self, name: str) -> frozenset[str]:
        """The names of the comma-separated directives of a field over all of its lines, in lower case."""
        found: set[str] = set()
        for line in self.all(name):
            found.update(part.partition("=")[0].strip().lower() for part in line.split(","))
        return frozenset(found - {""})

    @property
    def challenges(self) -> tuple[Challenge, ...]:
        """Every challenge of every WWW-Authenticate line that can be read.

        Source: RFC 9110 section 11.6.1.
        """
        found: list[Challenge] = []
        for line in self.all("www-authenticate"):
            found.extend(_read_challenges(line))
        return tuple(found)


def _read_challenges(line: str) -> list[Challenge]:
    found: list[Challenge] = []
    rest = line
    while rest.strip(" \t,"):
        rest = rest.lstrip(" \t,")
        scheme = _SCHEME.match(rest)
        if scheme is None:
            break
        rest = rest[scheme.end() :]
        parameters: list[tuple[str, str]] = []
        token68 = ""
        while rest:
            match = _PARAMETER.match(rest)
            if match is None:
                blob = _TOKEN68.match(rest)
                if (
                    not parameters
                    and blob
                    and rest[blob.end() :].lstrip().startswith((",",)) | (blob.end() == len(rest))
                ):
                    token68, rest = blob.group(), rest[blob.end() :]
                break
            quoted, bare = match.group(2), match.group(3)
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            parameters.append((match.group(1).lower(), value))
            rest = rest[match.end() :]
            if not rest.startswith(","):
                break
            following = rest.lstrip(" \t,")
            if _PARAMETER.match(following) is None:
                break
            rest = following
        found.append(Challenge(scheme.group(1).lower(), tuple(parameters), token68))
        if rest and not rest.lstrip().startswith(","):
            break
    return found
