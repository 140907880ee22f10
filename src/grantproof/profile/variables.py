"""Variables in a profile's strings: the environment's and the profile's own values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from grantproof.profile.near import near_miss
from grantproof.profile.part import Objection
from grantproof.profile.values import Location, is_array, is_table

_VARIABLE = re.compile(r"\$\$|\$\{(?P<inside>[^{}]*)\}|\$\{")
_OWN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")
_ENVIRONMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::(?P<operator>[?-])(?P<rest>.*))?", re.DOTALL)
MAX_LENGTH = 65_536


@dataclass
class Expansion:
    """A document with its variables replaced, and where that did not work."""

    document: dict[str, Any]
    objections: list[Objection] = field(default_factory=list[Objection])
    failed: set[Location] = field(default_factory=set[Location])


class _UnusableError(Exception):
    """A variable without a value. Without an objection: it is reported where it comes from."""

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def expand(document: Mapping[str, Any], environ: Mapping[str, str]) -> Expansion:
    """Replaces the variables in every string of a document; a string with an unusable variable stays as it is."""
    values = _Values(document, environ)
    result = Expansion({})

    def walk(value: object, location: Location) -> object:
        if is_table(value):
            return {key: walk(each, (*location, key)) for key, each in value.items()}
        if is_array(value):
            return [walk(each, (*location, place)) for place, each in enumerate(value)]
        if not isinstance(value, str):
            return value
        try:
            return values.text(value)
        except _UnusableError as problem:
            result.failed.add(location)
            if problem.message:
                result.objections.append(Objection(location, problem.message, problem.hint))
            return value

    result.document = {key: walk(value, (key,)) for key, value in document.items()}
    return result


class _Values:
    def __init__(self, document: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self.document = document
        self.environ = environ
        self.known: dict[str, str] = {}
        self.open: list[str] = []

    def text(self, value: str) -> str:
        """The text with all its variables replaced.

        Raises:
            _UnusableError: a variable has no value.
        """
        if "$" not in value:
            return value
        text = "".join(self._pieces(value))
        if len(text) > MAX_LENGTH:
            raise _UnusableError(f"is longer than {MAX_LENGTH} characters once its variables are replaced")
        return text

    def _pieces(self, value: str) -> Iterator[str]:
        done = 0
        for found in _VARIABLE.finditer(value):
            yield value[done : found.start()]
            done = found.end()
            inside = found.group("inside")
            if found.group() == "$$":
                yield "$"
            elif inside is None:
                raise _UnusableError('"${" is never closed', "$$ is a plain $")
            else:
                yield self._own(inside) if _OWN.fullmatch(inside) else self._environment(inside)
        yield value[done:]

    def _environment(self, inside: str) -> str:
        found = _ENVIRONMENT.fullmatch(inside)
        if found is None:
            raise _UnusableError(
                f"${{{inside[:60]}}} is no variable",
                "variables are written ${NAME}, ${NAME:-default}, ${NAME:?message} or ${table.key}; $$ is a plain $",
            )
        name, operator, rest = found.group("name", "operator", "rest")
        value = self.environ.get(name)
        if operator == "-":
            return value or rest
        if operator == "?" and not value:
            raise _UnusableError(f"the variable {name} is not set: {rest.strip() or 'it is needed'}")
        if value is None:
            raise _UnusableError(f"the variable {name} is not set", near_miss(name, self.environ))
        return value

    def _own(self, path: str) -> str:
        if path in self.known:
            return self.known[path]
        if path in self.open:
            raise _UnusableError(f"${{{path}}} refers to itself")
        found: object = self.document
        for key in path.split("."):
            if not is_table(found) or key not in found:
                raise _UnusableError(f"the profile has no {path}", self._own_hint(path, key, found))
            found = found[key]
        if is_table(found) or is_array(found):
            raise _UnusableError(f"{path} is no single value")
        self.open.append(path)
        try:
            self.known[path] = self._single(found, nested=True)
        finally:
            self.open.pop()
        return self.known[path]

    def _single(self, value: object, *, nested: bool) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str):
            return str(value)
        try:
            return self.text(value)
        except _UnusableError as problem:
            if nested and "refers to itself" not in problem.message:
                raise _UnusableError from None
            raise

    @staticmethod
    def _own_hint(path: str, key: str, table: object) -> str:
        if path.partition(".")[0] in {"query", "json"}:
            return f"the login's placeholders are written {{{path}}}, without a $"
        return near_miss(key, table) if is_table(table) else ""
