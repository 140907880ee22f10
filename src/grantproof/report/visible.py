"""Text that a target may have chosen, made harmless to a reader's eye, a terminal, XML and Markdown.

Escaping for HTML is the template engine's business; this comes before it.
"""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ILLEGAL_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = re.compile(r"[\\`*\[\]<>|&@~!$#]|(?<!\w)_|_(?!\w)|^[+-]|^\d+(?=[.)]\s)|:(?=//)|(?<=www)\.", re.IGNORECASE)


def visible(text: str) -> str:
    """The text with control, bidirectional and invisible characters drawn; line feeds and tabs stay."""
    return _UNSEEN.sub(_draw, text)


def one_line(text: str, limit: int = 0) -> str:
    """The text on one line, unseen characters drawn, cut to `limit` characters (0: not cut)."""
    line = visible(" ".join(text.split()))
    return line if not limit or len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"


def xml_legal(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold, not even escaped."""
    return _ILLEGAL_IN_XML.sub("", text)


def markdown(text: str) -> str:
    """The text on one line, so that Markdown renders it as it is: no link, image, mention, tag or table cell in it."""
    return _MARKDOWN.sub(lambda found: "".join(f"&#{ord(mark)};" for mark in found.group()), one_line(text))


def markdown_code(text: str) -> str:
    """The text on one line as code where that is safe, escaped as `markdown` does where it holds a backtick."""
    line = one_line(text)
    return markdown(text) if "`" in line or not line else f"`{line}`"


def _draw(found: re.Match[str]) -> str:
    return f"⟨U+{ord(found.group()):04X}⟩"
