"""Exchanges as a reader sees them: request, answer and a command that repeats them, cut to what a page can hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from grantproof.report.record import CheckResult, ExchangeRecord, Run
from grantproof.report.visible import one_line

BODY_LIMIT = 4_096
_BODY_LIMITS = (BODY_LIMIT, 1_024, 256)
_HEADER_LIMIT = 1_024
_HEADERS_SHOWN = 48
_MARKUP = 900


@dataclass(frozen=True)
class Message:
    """One side of an exchange. `note` says what the page leaves out of the body, or how the body is written."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str
    note: str


@dataclass(frozen=True)
class Evidence:
    """One exchange for the page; `status` is 0 when no answer came, and `failure` then says why."""

    n: int
    title: str
    status: int
    failure: str
    milliseconds: float
    request: Message
    response: Message
    curl: str


def show(exchange: ExchangeRecord, body_limit: int = BODY_LIMIT) -> Evidence:
    """An exchange with every part cut to its limit; nothing in it is escaped yet."""
    request, response = exchange["request"], exchange["response"]
    status = _whole_number(response.get("status"))
    method, url = _text(request, "method"), _text(request, "url")
    protocol = _text(response, "httpVersion") or "HTTP"
    curl = str(exchange["curl"])
    return Evidence(
        n=exchange["n"],
        title=one_line(f"{method} {_path(url)}", 160),
        status=status,
        failure="" if status else _text(response, "_error")[:_HEADER_LIMIT] or "no answer",
        milliseconds=exchange["seconds"] * 1000,
        request=Message(
            f"{method} {url[:BODY_LIMIT]}", *_headers(request), *_body(_part(request, "postData"), body_limit)
        ),
        response=Message(
            one_line(f"{protocol} {status} {_text(response, 'statusText')}", 200),
            *_headers(response),
            *_body(_part(response, "content"), body_limit),
        ),
        curl=curl if len(curl) <= BODY_LIMIT else "",
    )


def weigh(exchange: ExchangeRecord, body_limit: int = BODY_LIMIT) -> int:
    """About how many characters the exchange takes in a page."""
    sides = (exchange["request"], exchange["response"])
    bodies = sum(min(len(_text(_part(side, key), "text")), body_limit) for side in sides for key in _BODY_KEYS)
    headers = sum(len(str(row)) for side in sides for row in side.get("headers", ())[:_HEADERS_SHOWN])
    return _MARKUP + bodies + headers + min(len(str(exchange["curl"])), BODY_LIMIT)


@dataclass(frozen=True)
class Selection:
    """Which exchanges a page holds, by number, and how much of a body it shows."""

    shown: Mapping[int, Evidence]
    body_limit: int
    left_out: int


def select(run: Run, groups: Sequence[Sequence[CheckResult]], extra: Iterable[CheckResult], room: int) -> Selection:
    """The exchanges that fit into the room.

    Args:
        run: the record that holds the exchanges.
        groups: the checks of each finding, the most important group first. Every group's first check comes before
            any group's second, so that one noisy clause cannot push the evidence of another out.
        extra: checks whose newest exchange is shown if there is room after that.
        room: characters of the page.
    """
    known = {exchange["n"]: exchange for exchange in run.exchanges}
    wanted = list(dict.fromkeys(n for check in _by_turns(groups) for n in check.exchanges[::-1] if n in known))
    body_limit = _fitting_limit([known[n] for n in wanted], room)
    shown: dict[int, Evidence] = {}
    for n in wanted:
        room -= weigh(known[n], body_limit)
        if room < 0:
            break
        shown[n] = show(known[n], body_limit)
    left_out = len(wanted) - len(shown)
    for n in (check.exchanges[-1] for check in extra if check.exchanges):
        if n not in known or n in shown:
            continue
        room -= weigh(known[n], body_limit)
        if room < 0:
            break
        shown[n] = show(known[n], body_limit)
    return Selection(shown, body_limit, left_out)


_BODY_KEYS = ("postData", "content")


def _fitting_limit(exchanges: Sequence[ExchangeRecord], room: int) -> int:
    for limit in _BODY_LIMITS:
        if sum(weigh(exchange, limit) for exchange in exchanges) <= room:
            return limit
    return _BODY_LIMITS[-1]


def _by_turns(groups: Sequence[Sequence[CheckResult]]) -> Iterator[CheckResult]:
    for turn in range(max(map(len, groups), default=0)):
        yield from (group[turn] for group in groups if turn < len(group))


def _path(url: str) -> str:
    _, scheme, rest = url.partition("://")
    return "/" + rest.partition("/")[2].partition("?")[0] if scheme else url


def _part(side: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = side.get(key)
    return cast("Mapping[str, Any]", part) if isinstance(part, dict) else {}


def _text(side: Mapping[str, Any], key: str) -> str:
    value = side.get(key)
    return "" if value is None else str(value)


def _whole_number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _headers(side: Mapping[str, Any]) -> tuple[tuple[tuple[str, str], ...]]:
    rows: list[Mapping[str, Any]] = side.get("headers") or []
    shown = [(_text(row, "name")[:200], _cut(_text(row, "value"), _HEADER_LIMIT)) for row in rows[:_HEADERS_SHOWN]]
    if len(rows) > _HEADERS_SHOWN:
        shown.append(("…", f"{len(rows) - _HEADERS_SHOWN} more header fields"))
    return (tuple(shown),)


def _body(part: Mapping[str, Any], limit: int) -> tuple[str, str]:
    text = _text(part, "text")
    notes = ["not text, in base64"] if text and part.get("encoding") == "base64" else []
    if len(text) > limit:
        notes.append(f"the first {limit:,} of {len(text):,} characters")
    if part.get("comment"):
        notes.append(_text(part, "comment")[:200])
    return text[:limit], "; ".join(notes)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
