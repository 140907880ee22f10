"""Where each key of a TOML document stands.

The standard library's parser says what a document holds, never where. This scanner reads a document which that
parser has already accepted, so it need not judge it: it follows keys, tables, arrays and strings and notes lines.
"""

import re
import tomllib
from collections.abc import Mapping

from grantproof.profile.values import Location

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_VOID = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]+")
_STRINGS = (
    re.compile(r'"""(?:\\.|(?!""").)*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:(?!''').)*'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)


def key_lines(text: str) -> dict[Location, int]:
    """The line (from 1) of every table, key and array element, by its path in the parsed document."""
    return _Scanner(text).scan()


def line_of(lines: Mapping[Location, int], location: Location) -> int:
    """The line of a key; of what is not there, the line of the nearest table around it."""
    for end in range(len(location), 0, -1):
        if location[:end] in lines:
            return lines[location[:end]]
    return 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.lines: dict[Location, int] = {}
        self.counts: dict[Location, int] = {}
        self.counted_to = 0
        self.counted = 1

    def scan(self) -> dict[Location, int]:
        table: Location = ()
        while True:
            self.skip(_VOID)
            if self.at >= len(self.text):
                return self.lines
            table = self.header() if self.text[self.at] == "[" else self.pair(table)

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"unexpected text at line {self.line()}")
        self.at = found.end()
        return found.group()

    def line(self) -> int:
        self.counted += self.text.count("\n", self.counted_to, self.at)
        self.counted_to = self.at
        return self.counted

    def header(self) -> Location:
        """A table's or an array element's header; gives the path that its keys belong to."""
        line = self.line()
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        names = self.key()
        self.at += brackets
        path: Location = ()
        for place, name in enumerate(names):
            path = (*path, name)
            last = place == len(names) - 1
            self.lines.setdefault(path, line)
            if last and brackets == 2:
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.counts:
                path = (*path, self.counts[path])
        self.lines[path] = line
        return path

    def pair(self, table: Location) -> Location:
        """A key and its value; gives the table back."""
        line = self.line()
        path = table
        for name in self.key():
            path = (*path, name)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self.skip(_BLANK)
        self.value(path)
        return table

    def key(self) -> list[str]:
        """A dotted key, up to the sign behind it."""
        names: list[str] = []
        while True:
            self.skip(_BLANK)
            if self.text[self.at] in "\"'":
                raw = self.skip(_STRINGS[2] if self.text[self.at] == '"' else _STRINGS[3])
                names += tomllib.loads(f"{raw} = 0")
            else:
                names.append(self.skip(_BARE_KEY))
            self.skip(_BLANK)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def value(self, path: Location) -> None:
        """Any value; what is inside is noted below `path`."""
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        elif opening in "\"'":
            self.skip(next(each for each in _STRINGS if each.match(self.text, self.at)))
        else:
            self.skip(_SCALAR)

    def array(self, path: Location) -> None:
        self.at += 1
        place = 0
        self.skip(_VOID)
        while self.text[self.at] != "]":
            self.lines[(*path, place)] = self.line()
            self.value((*path, place))
            place += 1
            self.skip(_VOID)
            if self.text[self.at] == ",":
                self.at += 1
                self.skip(_VOID)
        self.at += 1

    def inline_table(self, path: Location) -> None:
        self.at += 1
        self.skip(_VOID)
        while self.text[self.at] != "}":
            self.pair(path)
            self.skip(_VOID)
            if self.text[self.at] == ",":
                self.at += 1
                self.skip(_VOID)
        self.at += 1
