"""Lawful but unusual HTTP around the answers: how they are cut, packed, delayed, decorated."""

from __future__ import annotations

import gzip
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
    if "gzip" not in call.headers.get("accept-encoding", "") or not answer.body or call.method == "HEAD":
        return answer
    answer.body = gzip.compress(answer.body, mtime=0)
    answer.headers += [("content-encoding", "gzip"), ("vary", "Accept-Encoding")]
    return answer


def _busy(_call: Call, _answer: Answer) -> Answer:
    return Answer(503, [("content-type", "text/html"), ("retry-after", "0")], b"<h1>Please come back</h1>")


def _limiting(_call: Call, _answer: Answer) -> Answer:
    headers = [("content-type", "application/json"), ("retry-after", "0")]
    return Answer(429, headers, b'{"error":"slow_down"}')


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
oddity("bodies_come_compressed", "Bodies are compressed for those who accept it.", 19)(_finish(_packed))
oddity(
    "busy_now_and_then", "Every two-hundredth request to the token endpoint is put off with status 503.", 15, 48, 72
)(_finish(_busy, lambda call: call.endpoint == "token" and call.earlier % 200 == 150))
oddity("limits_now_and_then", "Every two-hundredth request to the token endpoint is put off with status 429.", 15, 72)(
    _finish(_limiting, lambda call: call.endpoint == "token" and call.earlier % 200 == 50)
)
oddity("cookies_for_everything", "Pages set cookies with commas, quotes and no value beside that of the session.", 54)(
    _finish(_baking, PAGES)
)
oddity("own_addresses_are_relative", "The server names its own pages by relative references.", 34)(
    _finish(_with_relative_addresses, PAGES)
)
