"""Good requests beside hostile ones: does the good traffic suffer? Each is measured apart.

Hostile are unknown clients, malformed requests and, where the profile has a client that may be locked out
(`disposable`), wrong secrets. A lawful refusal is what they are meant to get; a token for one of them is an error.
Source: RFC 6749 sections 2.3.1, 5.2 and 10.10.
"""

import secrets
from itertools import cycle
from typing import TYPE_CHECKING, Final

from grantproof.load.credentials import form_headers, password_credentials, token_pairs
from grantproof.load.exchange import Ask, EachOwnJudge, Exchange, token_exchange
from grantproof.load.findings import SHAPED
from grantproof.load.judge import PROTECTIVE, VALID, Refusals
from grantproof.load.scenarios.needs import profile_of
from grantproof.load.work import Part
from grantproof.wire.authentication import PASSWORD_METHODS
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from grantproof.load.credentials import Pairs
    from grantproof.load.findings import Findings
    from grantproof.load.target import Target
    from grantproof.load.work import Work

SHARE: Final = 0.2
ACCEPTED: Final = "accepted"
_KINDS: Final = 64


def hostile_parts(target: "Target") -> tuple[Part, ...]:
    """Four good requests for each hostile one."""
    del target
    return (
        Part("hostile_mix/good", lambda work: token_exchange(work.target, work.findings), 1 - SHARE),
        Part("hostile_mix/hostile", _make, SHARE),
    )


class RefusalJudge:
    """Judges answers to requests that must be refused: a 400 or 401 of OAuth's shape is valid, a success an error."""

    def __init__(self, findings: "Findings") -> None:
        self._findings = findings
        self._refusal = Refusals(findings)

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer."""
        del request, location
        if 200 <= status < 300:
            return ACCEPTED
        shaped = self._findings.notes[SHAPED]
        kind = self._refusal(status, body)
        lawful = status in {400, 401} and self._findings.notes[SHAPED] > shaped
        return VALID if lawful and kind not in PROTECTIVE else kind


def _make(work: "Work") -> Exchange:
    judge = RefusalJudge(work.findings)
    requests = [*_unknown_clients(work.target), *_malformed(work.target), *_wrong_secrets(work.target)]
    turns = cycle([Ask.of(request, judge) for request in requests])
    return Exchange("POST", "hostile token", turns.__next__, EachOwnJudge(work.findings))


def _unknown_clients(target: "Target") -> list[bytes]:
    return [
        _by_password(target, f"unknown-{secrets.token_hex(8)}", secrets.token_urlsafe(24), PASSWORD_METHODS[0])
        for _ in range(_KINDS)
    ]


def _wrong_secrets(target: "Target") -> list[bytes]:
    found = [
        (client.id, method)
        for client in profile_of(target).clients.values()
        for method in client.auth_methods
        if client.disposable and method in PASSWORD_METHODS
    ]
    return [
        _by_password(target, client_id, secrets.token_urlsafe(24), method)
        for client_id, method in found[:1]
        for _ in range(_KINDS)
    ]


def _by_password(target: "Target", client_id: str, secret: str, method: str) -> bytes:
    pairs, proof = password_credentials(client_id, secret, method)
    return _post(target, Form((("grant_type", "client_credentials"), *pairs)).encode().encode("ascii"), proof)


def _malformed(target: "Target") -> list[bytes]:
    """Requests without what they need, or with it twice, and none with a known client's credentials."""
    profile = profile_of(target)
    pairs = token_pairs(next(iter(profile.clients_for("client_credentials"))))
    bodies = (
        b"",
        b"scope=read",
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=%FF%00&client_id=%zz",
        b'{"grant_type": "client_credentials"}',
        Form((("grant_type", "urn:example:unknown"), *pairs[1:])).encode().encode("ascii"),
    )
    each = _KINDS // len(bodies)
    return [_post(target, body, ()) for body in bodies for _ in range(each)]


def _post(target: "Target", body: bytes, proof: "Pairs") -> bytes:
    fields = (*form_headers(), *proof, *profile_of(target).target.headers.items())
    return target.request("POST", target.token_url, fields, body)
