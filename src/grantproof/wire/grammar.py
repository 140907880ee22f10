"""The grammar of RFC 6749 Appendix A and its neighbours as predicates on decoded strings."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

# Source: RFC 6749 Appendix A; VSCHAR is %x20-7E, NQCHAR and NQSCHAR leave out the quote and the backslash.
_VSCHARS = re.compile(r"[\x20-\x7e]+")
_NQSCHARS = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")
_NAME = re.compile(r"[-._A-Za-z0-9]+")
_RESPONSE_TYPE = re.compile(r"[_A-Za-z0-9]+( [_A-Za-z0-9]+)*")
# Source: RFC 6750 section 2.1.
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# Source: RFC 3986 section 2: the characters that may stand in a URI, percent signs well-formed.
_URI_CHARS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")

Rule = Callable[[str], bool]
"""A predicate on a decoded string."""

VSCHARS = "".join(map(chr, range(0x20, 0x7F)))
RESERVED = '%+:&=/~" ?#<>'


def is_vschars(text: str) -> bool:
    """Printable ASCII, not empty: state, access_token, client_id."""
    return _VSCHARS.fullmatch(text) is not None


def is_nqschars(text: str) -> bool:
    """Printable ASCII without quote and backslash, not empty: error, error_description."""
    return _NQSCHARS.fullmatch(text) is not None


def is_scope(text: str) -> bool:
    """Scope tokens separated by single spaces, not empty (A.4)."""
    return _SCOPE.fullmatch(text) is not None


def is_parameter_name(text: str) -> bool:
    """A parameter name (A.18 and section 8.2)."""
    return _NAME.fullmatch(text) is not None


def is_response_type(text: str) -> bool:
    """Response names separated by single spaces (A.3)."""
    return _RESPONSE_TYPE.fullmatch(text) is not None


def is_b64token(text: str) -> bool:
    """What may follow `Bearer ` in an Authorization header."""
    return _B64TOKEN.fullmatch(text) is not None


def is_uri_reference(text: str) -> bool:
    """A URI or a relative reference by its characters and by what urllib can split."""
    if _URI_CHARS.fullmatch(text) is None:
        return False
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def is_absolute_uri(text: str) -> bool:
    """A URI with a scheme."""
    return is_uri_reference(text) and bool(urlsplit(text).scheme)


def is_token_type(text: str) -> bool:
    """A type name or an absolute URI (A.13, section 8.1)."""
    return is_parameter_name(text) or is_absolute_uri(text)


def scope_set(text: str | None) -> frozenset[str]:
    """The scope tokens of a scope value; order has no meaning (section 3.3)."""
    return frozenset((text or "").split())
