"""Lawful rules of client authentication (RFC 6749 sections 2.3 and 3.2.1, RFC 7617, RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING

from grantproof.reference.call import Attempt, Refusal
from grantproof.reference.form import decode_component

if TYPE_CHECKING:
    from grantproof.reference.call import Call
    from grantproof.reference.clients import Client

_CREDENTIALS = re.compile(r"\A([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?\Z", re.DOTALL)
_TOKEN68 = re.compile(r"\A[A-Za-z0-9+/]*={0,2}\Z")
_DUMMY_SECRET = "never registered"  # noqa: S105 - compared with when the client is unknown, so that both take as long


def same_scheme(call: Call, sent: str, known: str) -> bool:
    """Whether two authentication schemes are the same: letter case does not matter.

    Source: RFC 9110 section 11.1.
    """
    del call
    return sent.lower() == known.lower()


def decode_basic_part(call: Call, text: bytes) -> str | None:
    """A client identifier or secret out of Basic credentials; None when it is not form-encoded UTF-8.

    Source: RFC 6749 section 2.3.1 and appendix B.
    """
    del call
    decoded, whole = decode_component(text)
    return decoded if whole else None


def parse_basic(call: Call, credentials: str) -> tuple[str, str] | None:
    """The client identifier and secret in Basic credentials, split at the first colon and then decoded.

    Source: RFC 7617 section 2; RFC 6749 section 2.3.1.
    """
    if not _TOKEN68.match(credentials):
        return None
    try:
        raw = base64.b64decode(credentials, validate=True)
    except binascii.Error:
        return None
    name, colon, secret = raw.partition(b":")
    if not colon:
        return None
    decode = call.rules.decode_basic_part
    client_id, decoded = decode(call, name), decode(call, secret)
    return None if client_id is None or decoded is None else (client_id, decoded)


def read_authorization(call: Call, header: str) -> Attempt:
    """The attempt in one Authorization header.

    Source: RFC 9110 section 11.6.2.
    """
    found = _CREDENTIALS.match(header)
    if found is None or not call.rules.same_scheme(call, found[1], "basic"):
        return Attempt("unknown_scheme", through_header=True)
    pair = call.rules.parse_basic(call, (found[2] or "").strip(" "))
    if pair is None:
        return Attempt("client_secret_basic", through_header=True)
    return Attempt("client_secret_basic", pair[0], pair[1], through_header=True)


def find_attempts(call: Call) -> tuple[Attempt, ...]:
    """Every attempt of the client to authenticate in one request; its identifier alone is an attempt without proof.

    Source: RFC 6749 sections 2.3 and 3.2.1; RFC 7521 section 4.2.
    """
    form = call.parameters
    attempts = [call.rules.read_authorization(call, header) for header in call.headers.getlist("authorization")]
    client_id = form.get("client_id")
    secret = form.get("client_secret")
    assertion = form.get("client_assertion")
    if secret is not None:
        attempts.append(Attempt("client_secret_post", client_id, secret))
    if assertion is not None or form.get("client_assertion_type") is not None:
        attempts.append(call.rules.read_assertion(call, assertion or ""))
    if not attempts and client_id is not None:
        attempts.append(Attempt("none", client_id))
    return tuple(attempts)


def attempts_conflict(call: Call, attempts: tuple[Attempt, ...]) -> bool:
    """Whether a request uses two authentication methods at once.

    Source: RFC 6749 sections 2.3 and 5.2.
    """
    del call
    return len(attempts) > 1


def client_id_agrees(call: Call, attempt: Attempt) -> bool:
    """Whether the client_id in the body, if there is one, names the client that authenticates.

    Source: RFC 6749 section 3.2.1; RFC 7521 section 4.2.
    """
    named = call.parameters.get("client_id")
    return named is None or attempt.client_id is None or named == attempt.client_id


def find_client(call: Call, client_id: str) -> Client | None:
    """The client registered under an identifier, letter by letter.

    Source: RFC 6749 section 2.2.
    """
    return call.server.clients.get(client_id)


def allowed_auth_methods(call: Call, client: Client) -> tuple[str, ...]:
    """The authentication methods a client is registered for.

    Source: RFC 6749 section 2.3; RFC 8414 section 2.
    """
    del call
    return client.auth_methods


def secret_matches(call: Call, client: Client | None, secret: str) -> bool:
    """Whether a secret is the client's, in a time that tells nothing.

    Source: RFC 6749 section 2.3.1; RFC 6819 section 4.6.
    """
    del call
    expected = client.secret if client else _DUMMY_SECRET
    same = hmac.compare_digest(expected.encode(), secret.encode("utf-8", "surrogateescape"))
    return same and client is not None and bool(client.secret)


def failure_limits(call: Call, client: Client) -> tuple[int, float]:
    """How many failed attempts a client has, and in how many seconds, before it must wait.

    Source: RFC 6749 sections 2.3.1 and 10.10; RFC 6819 section 5.1.4.2.3.
    """
    del call
    return (10, 60.0) if client.disposable else (1000, 10.0)


def must_wait(call: Call, client: Client) -> bool:
    """Whether a client has failed so often that nothing it sends is looked at for a while.

    Source: RFC 6749 section 2.3.1; RFC 6819 section 5.1.4.2.3.
    """
    count, window_s = call.rules.failure_limits(call, client)
    return call.store.recent_failures(f"client {client.id}", call.now - window_s) >= count


def proves_client(call: Call, client: Client | None, attempt: Attempt) -> bool:
    """Whether an attempt proves that the client is who it says.

    Source: RFC 6749 section 2.3.
    """
    if attempt.method in {"client_secret_basic", "client_secret_post"}:
        return call.rules.secret_matches(call, client, attempt.secret)
    if client is None:
        return False
    if attempt.method in {"client_secret_jwt", "private_key_jwt"}:
        return call.rules.assertion_problem(call, client, attempt.assertion) is None
    return attempt.method == "none" and client.public


def authenticate_client(call: Call) -> Refusal | None:
    """Sets the client of a back-channel request, or says why it is refused.

    Source: RFC 6749 sections 2.3, 3.2.1 and 5.2.
    """
    rules = call.rules
    call.attempts = rules.find_attempts(call)
    if not call.attempts:
        return Refusal("invalid_client", "no_authentication")
    attempt = call.attempts[0]
    call.auth_method = attempt.method
    if rules.attempts_conflict(call, call.attempts):
        return Refusal("invalid_request", "two_authentication_methods")
    if not rules.client_id_agrees(call, attempt):
        return Refusal("invalid_request", "client_id_mismatch", "client_id")
    call.claimed_client = None if attempt.client_id is None else rules.find_client(call, attempt.client_id)
    path, retry_after_s = _try_attempt(call, attempt)
    if path:
        return Refusal("invalid_client", path, retry_after_s=retry_after_s)
    call.client = call.claimed_client
    return None


def _try_attempt(call: Call, attempt: Attempt) -> tuple[str, int]:
    """The error path of an attempt, empty when it succeeds, and the seconds to wait before the next one."""
    rules = call.rules
    client = call.claimed_client
    if client is not None and rules.must_wait(call, client):
        return "too_many_failures", int(rules.failure_limits(call, client)[1])
    proven = rules.proves_client(call, client, attempt)
    if client is None:
        return ("malformed_credentials" if attempt.client_id is None else "unknown_client"), 0
    if attempt.method not in rules.allowed_auth_methods(call, client):
        return "auth_method_not_registered", 0
    if not proven:
        call.store.count_failure(f"client {client.id}", call.now)
        return ("wrong_assertion" if attempt.method.endswith("_jwt") else "wrong_secret"), 0
    return "", 0
