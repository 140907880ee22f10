"""What can be wrong with a token request: each way as a change of the plain request, with the codes that fit it.

Rules of this file:
- One thing is wrong on each path, since no order of checks is prescribed; the codes are all that the text allows.
- A path works on the request as it stands, whichever way the client authenticates in it.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from grantproof.wire.authentication import basic_credentials
from grantproof.wire.request import FormRequest

INVALID_REQUEST = frozenset({"invalid_request"})
INVALID_CLIENT = frozenset({"invalid_client"})
UNSUPPORTED = frozenset({"unsupported_grant_type"})
INVALID_SCOPE = frozenset({"invalid_scope"})
_CREDENTIALS = ("client_id", "client_secret", "client_assertion", "client_assertion_type")

REGISTERED_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "access_denied",
        "authorization_pending",
        "slow_down",
        "expired_token",
        "invalid_target",
        "invalid_dpop_proof",
        "use_dpop_nonce",
        "invalid_authorization_details",
        "unsupported_token_type",
    }
)
"""Codes that the text or the registry of OAuth errors has for token responses."""


@dataclass(frozen=True)
class ErrorPath:
    """One way to an error.

    `errors` are the codes that fit it; `may_serve` where a token is as lawful as an error.
    """

    name: str
    errors: frozenset[str]
    spoil: Callable[[FormRequest], FormRequest]
    may_serve: bool = False

    def __str__(self) -> str:
        return self.name


def _setting(name: str, value: str) -> Callable[[FormRequest], FormRequest]:
    return lambda request: request.set(name, value)


def repeat(name: str, values: tuple[str, str]) -> Callable[[FormRequest], FormRequest]:
    """A change that makes a parameter stand twice, with these values in this order."""
    return lambda request: request.set(name, values[0]).add(name, values[1])


def strip_authentication(request: FormRequest) -> FormRequest:
    """The request without any trace of a client."""
    return request.drop(*_CREDENTIALS).drop_header("Authorization")


def read_credentials(request: FormRequest) -> tuple[str, str]:
    """Identifier and secret as they stand in the request, decoded; what is not there is empty."""
    header = next((value for name, value in request.headers if name.lower() == "authorization"), "")
    if header:
        text = base64.b64decode(header.partition(" ")[2]).decode("utf-8")
        client_id, _, secret = text.partition(":")
        return unquote_plus(client_id), unquote_plus(secret)
    return request.form.get("client_id") or "", request.form.get("client_secret") or ""


def change_credentials(
    request: FormRequest, *, client_id: Callable[[str], str] = str, secret: Callable[[str], str] = str
) -> FormRequest:
    """The request with another identifier or secret by the same method; an assertion's signature is broken."""
    own_id, own_secret = read_credentials(request)
    if any(name.lower() == "authorization" for name, _ in request.headers):
        return request.header("Authorization", basic_credentials(client_id(own_id), secret(own_secret)))
    request = request.set("client_id", client_id(own_id))
    if "client_secret" in request.form:
        return request.set("client_secret", secret(own_secret))
    assertion = request.form.get("client_assertion")
    if not assertion:
        return request
    if client_id(own_id) != own_id:
        return request.set("client_assertion", _assert_other_client(assertion, client_id(own_id)))
    return request.set("client_assertion", break_signature(assertion))


def _assert_other_client(assertion: str, client_id: str) -> str:
    """An assertion about another client; its signature no longer fits."""
    header, payload, signature = assertion.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    named = json.dumps(claims | {"iss": client_id, "sub": client_id}).encode()
    return f"{header}.{base64.urlsafe_b64encode(named).rstrip(b'=').decode()}.{signature}"


def break_signature(assertion: str) -> str:
    """A JWS of the same shape whose signature does not verify."""
    head, dot, signature = assertion.rpartition(".")
    return head + dot + ("B" if signature[:1] == "A" else "A") + signature[1:]


def _wrong_secret(request: FormRequest) -> FormRequest:
    return change_credentials(request, secret=lambda own: f"wrong-{len(own)}")


def _unknown_client(request: FormRequest) -> FormRequest:
    return change_credentials(request, client_id=lambda _: "no-such-client-7f3a", secret=lambda _: "made-up")


GRANT_PATHS = (
    ErrorPath("missing_grant_type", INVALID_REQUEST, lambda request: request.drop("grant_type")),
    ErrorPath("empty_grant_type", INVALID_REQUEST, _setting("grant_type", "")),
    ErrorPath("unknown_grant_type", UNSUPPORTED, _setting("grant_type", "unheard-of")),
    ErrorPath("unknown_grant_uri", UNSUPPORTED, _setting("grant_type", "urn:example:grant-type:unheard-of")),
    ErrorPath("malformed_grant_type", UNSUPPORTED | INVALID_REQUEST, _setting("grant_type", 'client_credentials"\n')),
    ErrorPath(
        "repeated_grant_type",
        INVALID_REQUEST,
        repeat("grant_type", ("client_credentials", "client_credentials")),
    ),
    ErrorPath(
        "contradicting_grant_type",
        INVALID_REQUEST | UNSUPPORTED,
        repeat("grant_type", ("client_credentials", "unheard-of")),
    ),
)
"""A request of an authenticated client whose grant_type is wrong."""

SCOPE_PATHS = (
    ErrorPath("unknown_scope", INVALID_SCOPE, _setting("scope", "unheard-of-7f3a"), may_serve=True),
    ErrorPath("malformed_scope", INVALID_SCOPE, _setting("scope", 'a"b\\c'), may_serve=True),
    ErrorPath("control_in_scope", INVALID_SCOPE, _setting("scope", "a\nb\x00"), may_serve=True),
    ErrorPath("foreign_letters_in_scope", INVALID_SCOPE, _setting("scope", "größe"), may_serve=True),
)
"""A request of an authenticated client whose scope no server should know."""

CLIENT_PATHS = (
    ErrorPath("wrong_secret", INVALID_CLIENT, _wrong_secret),
    ErrorPath("unknown_client", INVALID_CLIENT, _unknown_client),
    ErrorPath("no_authentication", INVALID_CLIENT, strip_authentication),
)
"""A request whose client is not authenticated."""

REQUEST_PATHS = GRANT_PATHS + SCOPE_PATHS
ERROR_PATHS = REQUEST_PATHS + CLIENT_PATHS

BROKEN_HEADERS = {
    "no_credentials": "Basic",
    "not_base64": "Basic =?=",
    "no_colon": "Basic bm9jb2xvbg==",
    "not_utf8": "Basic /zr/",
    "unknown_scheme": "Unheard-Of abc",
    "other_scheme": "Bearer made-up-token",
}
"""Authorization headers that name no client that could be authenticated."""
