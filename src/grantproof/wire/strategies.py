"""What fuzzing draws: text of unusual characters, forms in unusual spellings, secrets that are nearly right.

Octets that are not UTF-8 stand in the text as lone surrogates, which `Form.encode` turns back into octets. No value
here is a secret or prints one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import core, given
from hypothesis import strategies as st

from grantproof.errors import Inconclusive, NotOffered
from grantproof.wire.form import encode_component
from grantproof.wire.grammar import VSCHARS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_Check = TypeVar("_Check", bound=Callable[..., Any])

RESERVED = "%+&=:;/?#[]@!$'()*,"
QUOTES = "\"'`\\<>|^{}~"
SPACES = (" ", "  ", "\t", "\n", "\r\n", "\x0b", "\u00a0", "\u2003", "\u3000", "\u200b")
CONTROLS = tuple(map(chr, (0x00, 0x00, 0x00, 0x01, 0x07, 0x08, 0x0D, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F)))
BEYOND_ASCII = ("é", "ß", "İ", "Ω", "\uff21", "e\u0301", "\u202e", "\ufeff", "\ufffd", "\uffff", "😀", "\U0010ffff")
NOT_UTF8 = ("\udc80", "\udcff", "\udcc3", "\udcc0\udcaf", "\udced\udca0\udc80", "\udcf5\udc80\udc80\udc80", "\udcfe")
ESCAPES = ("%00", "%0d%0a", "%zz", "%u0041", "%25", "\\u0000", "&#60;", "&lt;", "${7*7}", "{{7*7}}", "%s%n", "../")
QUERIES = ("' OR '1'='1", "'--", '");', "*)(cn=*", "/*", "|| id", "[]", "[$ne]", "null", "undefined", "-1")
WORDS = ("a", "B", "0", "read", "client_credentials", "token", "error", "x" * 200)

BLANKS = ("\0", " ", "\t", "\r\n", "\u00a0", "\0a")
"""What a careless comparison of secrets takes for nothing."""

PRINTABLE = (tuple(RESERVED), tuple(QUOTES), (" ", "  "), tuple(VSCHARS), ("%41", "%2B", "&amp;", "+", "%"), WORDS)
"""Classes of printable ASCII, the reserved characters first."""

UNUSUAL = (SPACES, CONTROLS, BEYOND_ASCII, NOT_UTF8, ESCAPES, QUERIES, tuple(RESERVED), tuple(QUOTES), WORDS)
"""Classes of everything, each as likely as the others."""


def _pieces(classes: tuple[tuple[str, ...], ...], most: int) -> "SearchStrategy[str]":
    piece = st.sampled_from(classes).flatmap(st.sampled_from)
    return st.lists(piece, min_size=1, max_size=most).map("".join)


def printable_text() -> "SearchStrategy[str]":
    """Printable ASCII that is hard to carry: reserved characters, quotes, spaces, half escapes."""
    return _pieces(PRINTABLE, 12)


def any_text() -> "SearchStrategy[str]":
    """Text with anything in it, octets that are no UTF-8 among it."""
    return _pieces(UNUSUAL, 10)


def response_types() -> "SearchStrategy[str]":
    """Response types with characters that none can have, some of them around one that exists."""
    odd = _pieces((SPACES[2:], CONTROLS, BEYOND_ASCII, NOT_UTF8, tuple(QUOTES)), 4)
    return st.one_of(odd, odd.map(lambda text: f"token{text}"), odd.map(lambda text: f"{text}token"), any_text())


def any_octets() -> "SearchStrategy[bytes]":
    """Octets of any kind, neither escaped nor encoded."""
    return any_text().map(octets_of) | st.binary(min_size=1, max_size=24)


def broken_queries() -> "SearchStrategy[bytes]":
    """Ends of a query: half escapes and odd joints that HTTP lets pass, or octets that it does not."""
    pieces = ("%", "%z", "%0", "%u0041", "%FF", "%C3%28", "%00", "%0d%0a", "&&", "==", ";", "[]", "a", "a=b", "+", "#")
    return st.lists(st.sampled_from(pieces), min_size=1, max_size=8).map("".join).map(octets_of) | any_octets()


def parameter_names(taken: frozenset[str]) -> "SearchStrategy[str]":
    """Well-formed parameter names that nobody knows."""
    names = st.text("abcxyzXYZ019-._", min_size=8, max_size=24)
    return names.filter(lambda name: name not in taken)


def methods() -> "SearchStrategy[str]":
    """HTTP methods other than POST, in and out of use, made of token characters; no HEAD, which has no body."""
    known = st.sampled_from(("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "post", "Post", "POSTS"))
    return known | st.text("ABCXYZabc-_.!*", min_size=1, max_size=12).filter(lambda method: method != "POST")


def octets_of(text: str) -> bytes:
    """The octets that a text stands for."""
    return text.encode("utf-8", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Whether the octets that a text stands for are UTF-8."""
    try:
        octets_of(text).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def shown(text: str) -> str:
    """A text as it goes over the wire: form-urlencoded, so that every octet can be read."""
    return encode_component(text)


@dataclass(frozen=True)
class Change:
    """One way to make a secret a wrong one; it knows how and not which, so it can be printed."""

    words: str
    before: str = ""
    after: str = ""
    keep: str = "all"

    def __repr__(self) -> str:
        return f"<secret {self.words}>"

    def apply(self, secret: str) -> str:
        """The wrong secret that this makes of a right one."""
        kept = {
            "all": secret,
            "none": "",
            "but the last": secret[:-1],
            "but the first": secret[1:],
            "first half": secret[: len(secret) // 2],
            "swapped case": secret.swapcase(),
            "reversed": secret[::-1],
            "encoded twice": encode_component(encode_component(secret)),
        }[self.keep]
        return f"{self.before}{kept}{self.after}"


def changes() -> "SearchStrategy[Change]":
    """Changes of a secret: odd characters around it, parts of it, nothing but odd characters."""
    cut = st.sampled_from(("but the last", "but the first", "first half", "swapped case", "reversed", "encoded twice"))
    around, blank = any_text(), st.sampled_from(BLANKS)
    return st.one_of(
        around.map(lambda text: Change(f"followed by {shown(text)}", after=text)),
        around.map(lambda text: Change(f"after {shown(text)}", before=text)),
        around.map(lambda text: Change(f"replaced by {shown(text)}", before=text, keep="none")),
        blank.map(lambda text: Change(f"followed by {shown(text)}", after=text)),
        blank.map(lambda text: Change(f"followed by {shown(text)}", after=text)),
        blank.map(lambda text: Change(f"replaced by {shown(text)}", before=text, keep="none")),
        cut.map(lambda keep: Change(keep, keep=keep)),
    )


@dataclass(frozen=True)
class Detour:
    """One way to turn a redirect URI into one that leads elsewhere, or nowhere."""

    pattern: str
    text: str = ""

    def apply(self, uri: str) -> str:
        """The stray redirect URI that this makes of a registered one."""
        scheme, _, rest = uri.partition("://")
        authority, slash, path = rest.partition("/")
        return self.pattern.format(
            uri=uri, scheme=scheme, authority=authority, path=f"{slash}{path}", text=self.text, evil="elsewhere.invalid"
        )


def detours() -> "SearchStrategy[Detour]":
    """Redirect URIs with another host, user part or scheme, which no registration of a part of the URI could allow."""
    patterns = (
        "{scheme}://{evil}/{text}{uri}",
        "{scheme}://{evil}{text}@{authority}{path}",
        "{scheme}://{authority}{text}@{evil}{path}",
        "{scheme}://{authority}{text}.{evil}{path}",
        "{scheme}://{evil}{text}{authority}{path}",
        "{scheme}://{evil}\\{text}@{authority}{path}",
        "//{evil}/{text}",
        "/{text}/{evil}",
        "javascript:{text}//{uri}",
        "data:text/html,{text}{uri}",
        "{text}//{evil}{path}",
    )
    return st.builds(Detour, st.sampled_from(patterns), any_text() | st.just(""))


def spellings(text: str) -> "SearchStrategy[str]":
    """Form-urlencoded spellings of one value that all mean the same: escapes where none is needed, in either case."""
    return st.lists(st.sampled_from(("plain", "upper", "lower")), min_size=len(text), max_size=len(text)).map(
        lambda ways: "".join(map(_spelled, text, ways))
    )


def _spelled(character: str, way: str) -> str:
    if way == "plain":
        return encode_component(character)
    escaped = "".join(f"%{octet:02X}" for octet in character.encode())
    return escaped.lower() if way == "lower" else escaped


MARK = "gp0"
"""The element or attribute that a page has only if something sent became markup."""

BREAKOUTS = (
    f"<{MARK}>",
    f'"><{MARK}>',
    f"'><{MARK}>",
    f'" {MARK}=1 x="',
    f"' {MARK}=1 x='",
    f"</title><{MARK}>",
    f"--><{MARK}>",
    f"</textarea></script><{MARK}>",
    f"--></title></textarea></script>'\"><{MARK}>",
    f"--></title></textarea></script>'\"><{MARK}>",
    f"--></title></textarea></script>'\"><{MARK}>",
)
HEADER_BREAKOUTS = (f"\r\n{MARK}: 1", f"\n{MARK}: 1", f"\r{MARK}: 1", f"\u560a{MARK}: 1", f"\r\n\r\n<{MARK}>")


def breakouts() -> "SearchStrategy[str]":
    """Values that would become an element, an attribute or a header if nobody escaped them."""
    core = st.sampled_from(BREAKOUTS) | st.sampled_from(HEADER_BREAKOUTS)
    return st.tuples(st.sampled_from(("", "a", "%", "\u00e9", "\udc80")), core).map("".join)


class _Finder(HTMLParser):
    """Looks for the mark in a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes whether the mark is an element or an attribute."""
        self.found = self.found or tag == MARK or any(name == MARK for name, _ in attrs)


def became_markup(page: str) -> bool:
    """Whether the mark of `breakouts` stands in a page as an element or an attribute."""
    finder = _Finder()
    finder.feed(page)
    return finder.found


class _EndError(BaseException):
    """Carries an ending that is no finding past hypothesis, which would look for a smaller input with the same one."""

    def __init__(self, ending: Exception) -> None:
        super().__init__(str(ending))
        self.ending = ending


def fuzz(**arguments: "SearchStrategy[Any]") -> Callable[[_Check], _Check]:
    """Runs a check for many drawn values, and ends it at the first time that nothing can be judged.

    The smallest counterexample is sent last, so it is the last exchange of the evidence; a note names it and the seed.
    """

    def decorate(check: _Check) -> _Check:
        drawn: dict[str, object] = {}

        @wraps(check)
        def guarded(*args: Any, **kwargs: Any) -> None:
            drawn.update({name: kwargs[name] for name in arguments})
            try:
                check(*args, **kwargs)
            except (Inconclusive, NotOffered) as ending:
                raise _EndError(ending) from None

        repeated = given(**arguments)(guarded)

        @wraps(repeated)
        def run(*args: Any, **kwargs: Any) -> None:
            try:
                repeated(*args, **kwargs)
            except _EndError as problem:
                raise problem.ending from None
            except Exception as problem:
                problem.__notes__ = [_note(drawn)]
                raise

        return run  # type: ignore[return-value] # pyright: ignore[reportReturnType] - the wrapper has the check's own signature

    return decorate


def _note(drawn: dict[str, object]) -> str:
    """The smallest counterexample in words; what was drawn knows how to be printed without a secret."""
    values = ", ".join(f"{name}={value!r}" for name, value in drawn.items() if not isinstance(value, st.DataObject))
    return f"smallest counterexample: {values} (--grantproof-seed {core.global_force_seed})"
