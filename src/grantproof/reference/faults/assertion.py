"""Faults of client assertions (RFC 7523, and what RFC 8725 warns of)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import jwt

from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, by_error_path, by_method, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable

    from grantproof.reference.call import Attempt, Call, Refusal
    from grantproof.reference.clients import Client

Claims = dict[str, Any]
PRIVATE_KEY = by_method("private_key_jwt")
SHARED_KEY = by_method("client_secret_jwt")
HERE = by_endpoint("token")


def _decoded(part: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None


def _parts(assertion: str) -> tuple[Claims, Claims, str] | None:
    """Header, claims and signature of an assertion, nothing verified."""
    parts = assertion.split(".")
    if len(parts) != 3:
        return None
    header, claims = _decoded(parts[0]), _decoded(parts[1])
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return cast("Claims", header), cast("Claims", claims), parts[2]


def _named_by(call: Call, read: Attempt, claims: Claims | None) -> Attempt:
    """The attempt with the client named in the body or in the claims, and the method it is registered for."""
    issuer = (claims or {}).get("iss")
    name = call.parameters.get("client_id") or (issuer if isinstance(issuer, str) else None)
    client = call.server.clients.get(name or "")
    assertion = call.parameters.get("client_assertion") or ""
    methods = [each for each in client.auth_methods if each.endswith("_jwt")] if client else []
    return replace(read, client_id=name, assertion=assertion, method=methods[0] if methods else read.method)


def _accept(rules: Rules, accept: Callable[[Call, Client, str], Claims | None]) -> Rules:
    """The rules with one more way to believe the signature of an assertion, whatever method it seems to be."""

    def claims(call: Call, client: Client, assertion: str) -> Claims | None:
        return rules.assertion_claims(call, client, assertion) or accept(call, client, assertion)

    def read(call: Call, assertion: str) -> Attempt:
        parts = _parts(assertion)
        attempt = rules.read_assertion(call, assertion)
        return attempt if parts is None else _named_by(call, attempt, parts[1])

    return rules | Rules(assertion_claims=claims, read_assertion=read)


@fault("assertion_iss_ignored", "rfc7523:3/iss-required", "plain", "Anybody may be the issuer.")
def assertion_iss_ignored(rules: Rules) -> Rules:
    """The claim iss is not read."""
    return rules | Rules(assertion_issuer_ok=lambda _call, _client, _claims: True)


@fault("assertion_iss_optional", "rfc7523:3/iss-required", "partial", "The claim iss may be missing.")
def assertion_iss_optional(rules: Rules) -> Rules:
    """A wrong issuer is refused, none is not."""
    return rules | Rules(
        assertion_issuer_ok=lambda call, client, claims: (
            "iss" not in claims or rules.assertion_issuer_ok(call, client, claims)
        )
    )


@fault("assertion_iss_of_any_client", "rfc7523:3/iss-required", "partial", "Any known client may be the issuer.")
def assertion_iss_of_any_client(rules: Rules) -> Rules:
    """The issuer must be registered, not the same."""
    return rules | Rules(
        assertion_issuer_ok=lambda call, _client, claims: (
            isinstance(claims.get("iss"), str) and claims["iss"] in call.server.clients
        )
    )


@fault("assertion_sub_ignored", "rfc7523:3/sub-is-client-id", "plain", "The subject is not looked at.")
def assertion_sub_ignored(rules: Rules) -> Rules:
    """The client is the one in the body."""
    return _accept(rules, lambda _call, _client, _assertion: None) | Rules(
        assertion_subject_ok=lambda _call, _client, _claims: True
    )


@fault("assertion_sub_optional", "rfc7523:3/sub-is-client-id", "partial", "The claim sub may be missing.")
def assertion_sub_optional(rules: Rules) -> Rules:
    """Without a subject the issuer stands for it."""
    return _accept(rules, lambda _call, _client, _assertion: None) | Rules(
        assertion_subject_ok=lambda call, client, claims: (
            "sub" not in claims or rules.assertion_subject_ok(call, client, claims)
        )
    )


@fault("assertion_aud_ignored", "rfc7523:3/aud-names-server", "plain", "An assertion for anybody will do.")
def assertion_aud_ignored(rules: Rules) -> Rules:
    """The claim aud is not read."""
    return rules | Rules(assertion_audience_ok=lambda _call, _claims: True)


@fault("assertion_aud_optional", "rfc7523:3/aud-names-server", "partial", "The claim aud may be missing.")
def assertion_aud_optional(rules: Rules) -> Rules:
    """A wrong audience is refused, none is not."""
    return rules | Rules(
        assertion_audience_ok=lambda call, claims: "aud" not in claims or rules.assertion_audience_ok(call, claims)
    )


@fault("assertion_aud_by_prefix", "rfc7523:3/aud-names-server", "partial", "Look-alikes of the audience will do.")
def assertion_aud_by_prefix(rules: Rules) -> Rules:
    """Only the beginning of the audience is compared."""
    return rules | Rules(
        assertion_audience_ok=lambda call, claims: str(claims.get("aud")).startswith(call.server.issuer)
    )


@fault("assertion_aud_by_part", "rfc7523:3/aud-names-server", "partial", "The audience may stand anywhere.")
def assertion_aud_by_part(rules: Rules) -> Rules:
    """The own address is looked for inside of the audience."""
    return rules | Rules(assertion_audience_ok=lambda call, claims: call.server.issuer in str(claims.get("aud")))


@fault("assertion_exp_ignored", "rfc7523:3/exp-required", "plain", "An assertion is good for ever.")
def assertion_exp_ignored(rules: Rules) -> Rules:
    """The claim exp is not read."""
    return rules | Rules(assertion_expiry_ok=lambda _call, _claims: True)


@fault("assertion_exp_optional", "rfc7523:3/exp-required", "partial", "The claim exp may be missing.")
def assertion_exp_optional(rules: Rules) -> Rules:
    """Who names no end has none."""
    return rules | Rules(
        assertion_expiry_ok=lambda call, claims: "exp" not in claims or rules.assertion_expiry_ok(call, claims)
    )


@fault("assertion_exp_ignored_with_shared_key", "rfc7523:3/exp-required", "partial", "Some assertions never end.")
def assertion_exp_ignored_with_shared_key(rules: Rules) -> Rules:
    """Under a shared key the end is not looked at."""
    return rules | Rules(assertion_expiry_ok=when(SHARED_KEY, lambda _call, _claims: True, rules.assertion_expiry_ok))


@fault("assertion_exp_zero_is_never", "rfc7523:3/exp-required", "partial", "An exp of 0 means never.")
def assertion_exp_zero_is_never(rules: Rules) -> Rules:
    """What is false in a condition counts as absent."""
    return rules | Rules(
        assertion_expiry_ok=lambda call, claims: claims.get("exp") == 0 or rules.assertion_expiry_ok(call, claims)
    )


@fault("assertion_nbf_ignored", "rfc7523:3/nbf-respected", "plain", "An assertion is good before its time.")
def assertion_nbf_ignored(rules: Rules) -> Rules:
    """The claim nbf is not read."""
    return rules | Rules(assertion_not_before_ok=lambda _call, _claims: True)


@fault("assertion_nbf_ignored_with_private_key", "rfc7523:3/nbf-respected", "partial", "Some count before their time.")
def assertion_nbf_ignored_with_private_key(rules: Rules) -> Rules:
    """Under a private key the beginning is not looked at."""
    changed = when(PRIVATE_KEY, lambda _call, _claims: True, rules.assertion_not_before_ok)
    return rules | Rules(assertion_not_before_ok=changed)


@fault("assertion_signature_ignored", "rfc7523:3/signature-verified", "plain", "No signature is verified.")
def assertion_signature_ignored(rules: Rules) -> Rules:
    """Claims are believed as they stand."""

    def accept(_call: Call, _client: Client, assertion: str) -> Claims | None:
        parts = _parts(assertion)
        return parts[1] if parts else None

    return _accept(rules, accept)


def _when_header(wanted: Callable[[Claims, str], bool]) -> Callable[[Call, Client, str], Claims | None]:
    def accept(_call: Call, _client: Client, assertion: str) -> Claims | None:
        parts = _parts(assertion)
        return parts[1] if parts and wanted(parts[0], parts[2]) else None

    return accept


@fault("assertion_alg_none", "rfc7523:3/signature-verified", "partial", "The algorithm none is taken.")
def assertion_alg_none(rules: Rules) -> Rules:
    """The header decides whether there is a signature."""
    return _accept(rules, _when_header(lambda header, _signature: header.get("alg") == "none"))


@fault(
    "assertion_alg_none_in_capitals", "rfc7523:3/signature-verified", "partial", "Another spelling of none is taken."
)
def assertion_alg_none_in_capitals(rules: Rules) -> Rules:
    """Only the usual spelling is refused."""
    return _accept(
        rules,
        _when_header(
            lambda header, _signature: header.get("alg") != "none" and str(header.get("alg")).lower() == "none"
        ),
    )


@fault("assertion_signature_optional", "rfc7523:3/signature-verified", "partial", "An empty signature is right.")
def assertion_signature_optional(rules: Rules) -> Rules:
    """What is not there is not verified."""
    return _accept(rules, _when_header(lambda _header, signature: signature == ""))


def _hmac_right(assertion: str, key: bytes) -> bool:
    signed, _, signature = assertion.rpartition(".")
    mac = base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha256")).rstrip(b"=").decode()
    return hmac.compare_digest(mac.encode(), signature.encode())


@fault(
    "assertion_hmac_with_public_key", "rfc7523:3/signature-verified", "partial", "The public key is a shared secret."
)
def assertion_hmac_with_public_key(rules: Rules) -> Rules:
    """The header chooses the algorithm, the client's key is used whatever it is."""

    def accept(_call: Call, client: Client, assertion: str) -> Claims | None:
        parts = _parts(assertion)
        symmetric = parts is not None and parts[0].get("alg") == "HS256"
        return parts[1] if parts and symmetric and _hmac_right(assertion, client.assertion_key.encode()) else None

    return _accept(rules, accept)


@fault("assertion_hmac_without_key", "rfc7523:3/signature-verified", "partial", "An empty shared key is right.")
def assertion_hmac_without_key(rules: Rules) -> Rules:
    """A client without a shared key has an empty one."""

    def accept(_call: Call, _client: Client, assertion: str) -> Claims | None:
        parts = _parts(assertion)
        return parts[1] if parts and parts[0].get("alg") == "HS256" and _hmac_right(assertion, b"") else None

    return _accept(rules, accept)


@fault("assertion_key_of_any_client", "rfc7523:3/signature-verified", "partial", "Any client's key will do.")
def assertion_key_of_any_client(rules: Rules) -> Rules:
    """The signature is compared with every key there is."""

    def accept(call: Call, _client: Client, assertion: str) -> Claims | None:
        keyed = [each for each in call.server.clients.values() if each.assertion_alg]
        found = (rules.assertion_claims(call, each, assertion) for each in keyed)
        return next((claims for claims in found if claims is not None), None)

    return _accept(rules, accept)


@fault("assertion_key_in_header", "rfc7523:3/signature-verified", "partial", "The assertion brings its own key.")
def assertion_key_in_header(rules: Rules) -> Rules:
    """A key in the header is trusted."""

    def accept(_call: Call, _client: Client, assertion: str) -> Claims | None:
        parts = _parts(assertion)
        if parts is None or "jwk" not in parts[0]:
            return None
        try:
            key = jwt.PyJWK.from_dict(parts[0]["jwk"])
            jwt.api_jws.decode(assertion, key, algorithms=[str(parts[0].get("alg"))])
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return parts[1]

    return _accept(rules, accept)


def _lenient(rules: Rules, find: Callable[[str], str | Claims | None]) -> Rules:
    """The rules with something else read out of an assertion: another assertion, or claims that are believed."""

    def claims(call: Call, client: Client, assertion: str) -> Claims | None:
        found = find(assertion)
        if found is None or isinstance(found, dict):
            return found or rules.assertion_claims(call, client, assertion)
        return rules.assertion_claims(call, client, found)

    def read(call: Call, assertion: str) -> Attempt:
        attempt = rules.read_assertion(call, assertion)
        return attempt if find(assertion) is None else _named_by(call, attempt, None)

    return rules | Rules(assertion_claims=claims, read_assertion=read)


@fault("assertion_bare_claims", "rfc7523:3/malformed-jwt-refused", "plain", "Claims alone are believed.")
def assertion_bare_claims(rules: Rules) -> Rules:
    """What has no dots is read as claims."""

    def find(assertion: str) -> Claims | None:
        claims = _decoded(assertion) if "." not in assertion else None
        return cast("Claims", claims) if isinstance(claims, dict) else None

    return _lenient(rules, find)


@fault("assertion_claims_in_a_list", "rfc7523:3/malformed-jwt-refused", "partial", "Claims may stand in a list.")
def assertion_claims_in_a_list(rules: Rules) -> Rules:
    """The first object of a list is taken."""

    def find(assertion: str) -> Claims | None:
        parts = assertion.split(".")
        claims = _decoded(parts[1]) if len(parts) == 3 else None
        first = cast("list[object]", claims)[0] if isinstance(claims, list) and claims else None
        return cast("Claims", first) if isinstance(first, dict) else None

    return _lenient(rules, find)


@fault("assertion_with_more_parts", "rfc7523:3/malformed-jwt-refused", "partial", "Further parts are ignored.")
def assertion_with_more_parts(rules: Rules) -> Rules:
    """A fourth part does no harm."""

    def find(assertion: str) -> str | None:
        parts = assertion.split(".")
        return ".".join(parts[:3]) if len(parts) == 4 else None

    return _lenient(rules, find)


@fault("assertion_first_of_joined", "rfc7523:2.2/single-jwt", "plain", "The first of joined assertions counts.")
def assertion_first_of_joined(rules: Rules) -> Rules:
    """A space or a comma ends the assertion."""
    return _lenient(rules, lambda text: re.split("[ ,]", text)[0] if re.search("[ ,]", text) else None)


@fault("assertion_last_of_joined", "rfc7523:2.2/single-jwt", "partial", "The last of assertions with spaces counts.")
def assertion_last_of_joined(rules: Rules) -> Rules:
    """Each assertion replaces the one before."""
    return _lenient(rules, lambda text: text.split(" ")[-1] if " " in text else None)


def _error(rules: Rules, code: str, *paths: str) -> Rules:
    """The rules with another error code on some paths of the token endpoint."""

    def body(call: Call, refusal: Refusal) -> Claims:
        return rules.error_body(call, refusal) | {"error": code}

    here = when(by_error_path(*paths), body, rules.error_body)
    return rules | Rules(error_body=when(HERE, here, rules.error_body))


@fault("assertion_wrong_is_invalid_grant", "rfc7523:3.2/invalid-client", "plain", "Bad assertions are invalid_grant.")
def assertion_wrong_is_invalid_grant(rules: Rules) -> Rules:
    """The code is the one for assertions as a grant."""
    return _error(rules, "invalid_grant", "wrong_assertion")


@fault("assertion_malformed_is_invalid_request", "rfc7523:3.2/invalid-client", "partial", "Some have another code.")
def assertion_malformed_is_invalid_request(rules: Rules) -> Rules:
    """What is no JWT makes the request invalid."""
    return _error(rules, "invalid_request", "malformed_credentials")


@fault("assertion_wrong_is_403", "rfc7523:3.2/invalid-client", "partial", "Bad assertions have status 403.")
def assertion_wrong_is_403(rules: Rules) -> Rules:
    """The code is right, the status is not."""
    here = when(by_error_path("wrong_assertion"), lambda _call, _refusal: 403, rules.error_status)
    return rules | Rules(error_status=when(HERE, here, rules.error_status))


@fault("assertion_malformed_is_500", "rfc7523:3.2/invalid-client", "partial", "What is no JWT breaks the server.")
def assertion_malformed_is_500(rules: Rules) -> Rules:
    """An exception becomes an error page."""

    def finish(call: Call, answer: Any) -> Any:
        broken = HERE(call) and call.error_path == "malformed_credentials" and not call.through_header
        if broken:
            answer.status, answer.body = 500, b"<h1>Internal Server Error</h1>"
        return rules.finish(call, answer)

    return rules | Rules(finish=finish)
