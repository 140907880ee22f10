"""Text of others as it may stand in a profile: escaped, bounded, on one line."""

from collections.abc import Iterable

MAX_SHOWN = 200
MAX_LISTED = 20


def quoted(text: str, limit: int = MAX_SHOWN) -> str:
    """A TOML string in printable ASCII on one line; what is longer than the limit is cut."""
    if len(text) > limit:
        text = text[: limit - 3] + "..."
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    number = ord(character)
    if 0xD800 <= number <= 0xDFFF:  # half a pair, which TOML cannot say
        return "\\uFFFD"
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"


def array(words: Iterable[str]) -> str:
    """An array of strings, cut where it is long."""
    listed = list(words)
    return "[" + ", ".join(quoted(each) for each in listed[:MAX_LISTED]) + "]"


def literal(text: str, limit: int = MAX_SHOWN) -> str:
    """A string for a value, where a $ of the target's must not become a variable."""
    return quoted(text.replace("$", "$$"), limit)
