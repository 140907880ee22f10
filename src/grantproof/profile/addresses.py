"""What a profile may name as an address, and what kind of address it is."""

import re
from urllib.parse import SplitResult, urlsplit

VALUE = "<value>"
"""Stands in a message for the address, which whoever reports it fills in."""

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}\ud800-\udfff]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def url_problem(value: str) -> str:
    """Why a text is no http(s) URL that requests can go to; empty if it is one."""
    if character := _FORBIDDEN.search(value):
        return f"{VALUE} is no URL: it contains {character.group()!r}"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return f"{VALUE} is no URL: its host or port cannot be read"
    reasons = (
        (parts.scheme not in {"http", "https"}, "it must begin with https:// or http://"),
        (not parts.hostname, "it names no host"),
        (parts.username is not None, "no user and no password may stand in it"),
        ("#" in value, "no fragment may stand in it"),
    )
    return next((f"{VALUE} is no URL to use here: {reason}" for wrong, reason in reasons if wrong), "")


def issuer_problem(value: str) -> str:
    """Why a text is no issuer identifier; empty if it is one. Source: RFC 8414 section 2."""
    return url_problem(value) or (f"{VALUE} is no issuer: it has a query" if "?" in value else "")


def origin_problem(value: str) -> str:
    """Why a text is no origin (scheme, host, port, nothing else); empty if it is one."""
    if problem := url_problem(value):
        return problem
    parts = urlsplit(value)
    return (
        f"{VALUE} is no origin: an origin ends after host and port"
        if parts.path not in {"", "/"} or "?" in value
        else ""
    )


def redirect_uri_problem(value: str) -> str:
    """Why a text is no redirect URI; empty if it is one. Source: RFC 6749 section 3.1.2."""
    if character := _FORBIDDEN.search(value):
        return f"{VALUE} is no URI: it contains {character.group()!r}"
    if not _SCHEME.match(value):
        return f"{VALUE} is no redirect URI: it begins with no scheme"
    if "#" in value:
        return f"{VALUE} is no redirect URI: it has a fragment"
    try:
        _ = urlsplit(value).port
    except ValueError:
        return f"{VALUE} is no URI: its host or port cannot be read"
    return ""


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in lower case, the port left out where it is the scheme's own."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in {None, default} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def without_query(url: str) -> str:
    """A URL that can be shown: no user, no query, no fragment."""
    try:
        parts: SplitResult = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "?"
