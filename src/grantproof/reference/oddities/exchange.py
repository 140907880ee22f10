"""Lawful but unusual HTTP around the answers: how they are cut, packed, delayed, decorated."""

from __future__ import annotations

import gzip
from itertools import count
from typing import TYPE_CHECKING

from grantproof.reference.call import Answer
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, oddity, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Call
    from grantproof.reference.variants import Apply, Condition


def _finish(change: Callable[[Call, Answer], Answer], condition: Condition = lambda _call: True) -> Apply:
    """Every answer to the calls that meet a condition is changed before it is sent."""

    def apply(rules: Rules) -> Rules:
        def finish(call: Call, answer: Answer) -> Answer:
            return change(call, rules.finish(call, answer))

        return rules | Rules(finish=when(condition, finish, rules.finish))

    return apply


def _chunked(_call: Call, answer: Answer) -> Answer:
    return answer.set_header("transfer-encoding", "chunked") if answer.body else answer


def _closing(_call: Call, answer: Answer) -> Answer:
    return answer.set_header("connection", "close")


def _packed(call: Call, answer: Answer) -> Answer:
    """Who says nothing about codings accepts any (RFC 9110 section 12.5.3)."""
    if "gzip" not in call.headers.get("accept-encoding", "gzip") or not answer.body or call.method == "HEAD":
        return answer
    answer.body = gzip.compress(answer.body, mtime=0)
    answer.headers += [("content-encoding", "gzip"), ("vary", "Accept-Encoding")]
    return answer


def _put_off(status: int, media_type: str, body: bytes) -> Apply:
    """Every hundredth token that is ready stays behind: the request was understood, but this is the answer to it."""
    answers = count(1)

    def change(_call: Call, answer: Answer) -> Answer:
        if answer.status != 200 or next(answers) % 100:
            return answer
        return Answer(status, [("content-type", media_type), ("retry-after", "0")], body)

    return _finish(change, by_endpoint("token"))


def _baking(_call: Call, answer: Answer) -> Answer:
    answer.headers += [
        ("set-cookie", "balance=a; Expires=Wed, 09 Jun 2100 10:18:14 GMT; Path=/; HttpOnly; SameSite=Lax"),
        ("set-cookie", "old=; Max-Age=0; Path=/"),
        ("set-cookie", 'quoted="b=c,d"; HttpOnly; SameSite=Strict'),
    ]
    return answer


def _with_relative_addresses(call: Call, answer: Answer) -> Answer:
    """Addresses of the server itself lose scheme and host, in Location and in the pages."""
    issuer = call.server.issuer
    location = answer.header("location") or ""
    if location.startswith(issuer):
        answer.set_header("location", f"{call.server.path}{location.removeprefix(issuer)}")
    answer.body = answer.body.replace(f'action="{issuer}/'.encode(), b'action="')
    return answer


PAGES = by_endpoint("authorization", "login", "consent")
oddity("bodies_come_in_chunks", "Answers have no length: their bodies come in chunks.", 73)(_finish(_chunked))
oddity("connections_are_closed", "The connection is closed after every answer of the token endpoint.", 73)(
    _finish(_closing, by_endpoint("token"))
)
oddity("bodies_come_compressed", "Bodies are compressed for those who do not say that they want them plain.", 19)(
    _finish(_packed)
)
oddity("busy_now_and_then", "Every hundredth request for a token is put off with status 503.", 15, 48, 72)(
    _put_off(503, "text/html", b"<h1>Please come back</h1>")
)
oddity("limits_now_and_then", "Every hundredth request for a token is put off with status 429.", 15, 72)(
    _put_off(429, "application/json", b'{"error":"slow_down"}')
)
oddity("cookies_for_everything", "Pages set cookies with commas, quotes and no value beside that of the session.", 54)(
    _finish(_baking, PAGES)
)
oddity("own_addresses_are_relative", "The server names its own pages by relative references.", 34)(
    _finish(_with_relative_addresses, PAGES)
)
