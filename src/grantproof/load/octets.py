"""Requests as they go over the wire."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from grantproof.errors import GrantproofError


def encode_request(method: str, url: str, fields: Iterable[tuple[str, str]], body: bytes | None = None) -> bytes:
    """An HTTP/1.1 request to a URL with these header fields beside Host and Content-Length.

    Raises:
        GrantproofError: a header or the URL would break out of its line.
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    length = () if body is None else (("Content-Length", str(len(body))),)
    all_fields = (("Host", parts.netloc.rpartition("@")[2]), *fields, *length)
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in all_fields)]
    if any("\r" in line or "\n" in line or "\x00" in line for line in lines):
        raise GrantproofError("a header or the endpoint's URL has a line break in it", url.partition("?")[0])
    try:
        return "\r\n".join((*lines, "", "")).encode("latin-1") + (body or b"")
    except UnicodeEncodeError:
        where = url.partition("?")[0]
        raise GrantproofError("a header or the endpoint's URL has characters beyond Latin-1", where) from None
