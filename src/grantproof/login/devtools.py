"""Requests and answers in the words of the DevTools protocol."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from grantproof.wire.request import Request

if TYPE_CHECKING:
    from grantproof.wire.answer import Answer

_UNSENT = frozenset({"accept-encoding", "connection", "content-length", "cookie", "host", "user-agent"})
_UNSHOWN = frozenset(
    {
        *("connection", "content-disposition", "content-encoding", "content-length", "keep-alive", "refresh"),
        *("alt-svc", "clear-site-data", "cross-origin-opener-policy", "location", "set-cookie", "transfer-encoding"),
        *("strict-transport-security", "nel", "report-to", "reporting-endpoints", "link", "www-authenticate"),
    }
)


def fulfilment(answer: "Answer") -> dict[str, Any]:
    """What hands an answer to a page, without the headers that would act outside of it."""
    lines = [
        {"name": name, "value": value}
        for name, value in answer.headers
        if name.lower() not in _UNSHOWN and value.isprintable()
    ]
    if "content-type" not in answer.headers:
        lines.append({"name": "Content-Type", "value": "text/html; charset=utf-8"})
    status = answer.status if 200 <= answer.status <= 599 else 200
    return {"responseCode": status, "responseHeaders": lines, "body": base64.b64encode(answer.body).decode("ascii")}


def stopped_request(paused: dict[str, Any]) -> Request:
    """A stopped request as data, with the headers that scripts may set, and what tells its origin."""
    headers = tuple(
        (str(name), str(value))
        for name, value in paused.get("headers", {}).items()
        if name.lower() not in _UNSENT and not name.lower().startswith("sec-") and str(value).isprintable()
    )
    body = b"".join(_octets(entry.get("bytes")) for entry in paused.get("postDataEntries") or ())
    if not body and paused.get("postData"):
        body = str(paused["postData"]).encode("utf-8", "surrogateescape")
    return Request(str(paused["method"]), str(paused["url"]), headers, body)


def _octets(text: object) -> bytes:
    try:
        return base64.b64decode(str(text or ""))
    except (binascii.Error, ValueError):
        return b""
