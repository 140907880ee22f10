"""Keeps every exchange, redacted, in HAR's shape, with a curl command that repeats it once secrets are filled in."""

import base64
import shlex
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from grantproof.wire.answer import Answer
from grantproof.wire.request import Request

if TYPE_CHECKING:
    from grantproof.transport.redaction import Redactor

_KEPT_BODY = 65_536


@dataclass(frozen=True)
class _Exchange:
    n: int
    request: Request
    answer: Answer | None
    failure: str
    started: float
    seconds: float


class Recorder:
    """The exchanges of one process, numbered from 1; rendered only when they are taken out, always redacted."""

    def __init__(self, redactor: "Redactor") -> None:
        self.redactor = redactor
        self.count = 0
        self._kept: list[_Exchange] = []

    def add(self, request: Request, answer: Answer | None, *, failure: str, started: float, seconds: float) -> None:
        """Keeps one exchange. `answer.n` must be the number that `next_number` gave."""
        self._kept.append(_Exchange(self.count, request, answer, failure, started, seconds))

    def next_number(self) -> int:
        """The number of the exchange that is about to be sent."""
        self.count += 1
        return self.count

    def take(self) -> list[dict[str, Any]]:
        """The exchanges since the last call as results.json holds them."""
        kept, self._kept = self._kept, []
        return [self._render(exchange) for exchange in kept]

    def _render(self, exchange: _Exchange) -> dict[str, Any]:
        request, answer, clean = exchange.request, exchange.answer, self.redactor
        url = clean.text(request.url)
        headers = [{"name": name, "value": clean.header(name, value)} for name, value in request.headers]
        sent: dict[str, Any] = {
            "method": request.method,
            "url": url,
            "httpVersion": "HTTP/1.1",
            "headers": headers,
            "queryString": [{"name": n, "value": v} for n, v in parse_qsl(urlsplit(url).query, keep_blank_values=True)],
            "cookies": [],
            "headersSize": -1,
            "bodySize": len(request.body),
        }
        if request.body:
            mime = next((value for name, value in request.headers if name.lower() == "content-type"), "")
            sent["postData"] = {"mimeType": mime, **_body(request.body, clean)}
        return {
            "n": exchange.n,
            "request": sent,
            "response": _response(answer, exchange.failure, clean),
            "seconds": round(exchange.seconds, 6),
            "startedDateTime": exchange.started,
            "curl": _curl(request.method, url, headers, sent.get("postData", {}).get("text", "")),
        }


def _response(answer: Answer | None, failure: str, clean: "Redactor") -> dict[str, Any]:
    if answer is None:
        nothing: dict[str, Any] = {"status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": []}
        nothing |= {"content": {"size": 0, "mimeType": ""}, "redirectURL": "", "headersSize": -1, "bodySize": -1}
        return nothing | {"_error": clean.text(failure)}
    headers = [{"name": name, "value": clean.header(name, value)} for name, value in answer.headers]
    location = answer.headers.get("location") or ""
    return {
        "status": answer.status,
        "statusText": _phrase(answer.status),
        "httpVersion": "HTTP/1.1",
        "headers": headers,
        "cookies": [],
        "content": {
            "size": len(answer.body),
            "mimeType": answer.headers.get("content-type") or "",
            **_body(answer.body, clean),
        },
        "redirectURL": clean.text(location),
        "headersSize": -1,
        "bodySize": len(answer.body),
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _body(body: bytes, clean: "Redactor") -> dict[str, str]:
    kept = body[:_KEPT_BODY]
    try:
        text = kept.decode("utf-8", "strict" if len(kept) == len(body) else "ignore")
    except UnicodeDecodeError:
        readable = clean.text(kept.decode("latin-1"))
        return {"text": base64.b64encode(readable.encode("latin-1", "replace")).decode("ascii"), "encoding": "base64"}
    cleaned = {"text": clean.text(text)}
    if len(kept) < len(body):
        cleaned["comment"] = f"the first {_KEPT_BODY} octets of {len(body)}"
    return cleaned


def _curl(method: str, url: str, headers: list[dict[str, str]], body: str) -> str:
    parts = ["curl", "-i"]
    if method != "GET":
        parts += ["-X", method]
    for line in headers:
        if line["name"].lower() not in {"host", "content-length", "connection", "accept-encoding"}:
            parts += ["-H", f"{line['name']}: {line['value']}"]
    if body:
        parts += ["--data-raw", body]
    return shlex.join([*parts, url])
