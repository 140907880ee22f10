"""What each endpoint does with a call: the order of steps, every step a rule."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, cast

from .call import Answer, Refusal
from .state import token_key

if TYPE_CHECKING:
    from .call import Call


def answer_token(call: Call) -> Answer:
    """The token endpoint (RFC 6749 section 3.2)."""
    rules = call.rules
    call.grant = "client_credentials"
    refusal = rules.read_form_request(call) or rules.authenticate_client(call) or rules.check_grant(call)
    client = call.client
    if refusal is not None or client is None:
        return rules.error_answer(call, refusal or Refusal("invalid_client", "no_authentication"))
    scope = rules.choose_scope(call, client)
    if isinstance(scope, Refusal):
        return rules.error_answer(call, scope)
    token = rules.issue_token(call, client, scope)
    return rules.success_answer(call, rules.success_body(call, token, scope))


def answer_introspection(call: Call) -> Answer:
    """The introspection endpoint (RFC 7662 section 2)."""
    rules = call.rules
    refusal = rules.read_form_request(call) or rules.authenticate_client(call)
    client = call.client
    if refusal is None and (client is None or not rules.client_may_introspect(call, client)):
        refusal = Refusal("invalid_client", "no_authentication")
    refusal = refusal or rules.check_token_parameter(call)
    if refusal is not None or client is None:
        return rules.error_answer(call, refusal or Refusal("invalid_client", "no_authentication"))
    record = rules.find_token(call, call.parameters.get("token") or "")
    visible = record is not None and rules.introspection_visible(call, client, record)
    call.record = record if visible else None
    return rules.success_answer(call, rules.introspection_body(call, call.record))


def answer_revocation(call: Call) -> Answer:
    """The revocation endpoint (RFC 7009 section 2)."""
    rules = call.rules
    refusal = rules.read_form_request(call) or rules.authenticate_client(call) or rules.check_token_parameter(call)
    client = call.client
    if refusal is not None or client is None:
        return rules.error_answer(call, refusal or Refusal("invalid_client", "no_authentication"))
    record = rules.find_revocable(call, call.parameters.get("token") or "")
    if record is not None:
        if not rules.client_may_revoke(call, client, record):
            return rules.error_answer(call, Refusal("invalid_grant", "foreign_token", "token"))
        call.record = record
        rules.revoke(call, record)
    return Answer(rules.revocation_status(call), rules.cache_headers(call))


def answer_resource(call: Call) -> Answer:
    """The protected resource (RFC 6750)."""
    rules = call.rules
    if call.method not in rules.allowed_methods(call):
        return Answer(405, [("allow", ", ".join(rules.allowed_methods(call)))])
    if call.body_too_large:
        return Answer(413, [("connection", "close")])
    headers = [("content-type", rules.json_content_type(call)), *rules.cache_headers(call)]
    refusal = rules.check_resource(call)
    if refusal is None:
        return Answer(200, headers, rules.encode_body(call, rules.resource_body(call)))
    call.refusal = refusal
    headers.append(("www-authenticate", rules.resource_challenge(call, refusal)))
    body = {"error": refusal.error} if refusal.error else {}
    return Answer(rules.resource_status(call, refusal), headers, rules.encode_body(call, body))


def answer_metadata(call: Call) -> Answer:
    """Both well-known documents, and the place where the OAuth one must not be (RFC 8414 section 3)."""
    status = call.rules.metadata_status(call)
    if status != 200:
        return Answer(status, [("cache-control", "no-store")])
    return _document(call, json.dumps(call.rules.metadata_document(call), indent=1).encode())


def answer_jwks(call: Call) -> Answer:
    """The key set (RFC 7517 section 5)."""
    return _document(call, json.dumps(call.rules.jwks_document(call), indent=1).encode())


def answer_registration(call: Call) -> Answer:
    """The client registration endpoint: POST makes a client (RFC 7591), DELETE ends one (RFC 7592 section 2.3)."""
    rules = call.rules
    if call.method not in rules.allowed_methods(call):
        return Answer(405, [("allow", ", ".join(rules.allowed_methods(call)))])
    if call.method == "DELETE":
        return _end_registration(call)
    members = _members(call.raw_body)
    if members is None:
        return rules.error_answer(call, Refusal("invalid_client_metadata", "malformed_registration"))
    refusal = rules.registration_problem(call, members)
    if refusal is not None:
        return rules.error_answer(call, refusal)
    client, token = rules.new_client(call, members), secrets.token_urlsafe(32)
    call.server.clients[client.id] = client
    call.store.keep_registration(client.id, token)
    answer = rules.success_answer(call, rules.registration_body(call, client, token))
    answer.status = 201
    return answer


def _members(body: bytes) -> dict[str, Any] | None:
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def _end_registration(call: Call) -> Answer:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    client_id = call.query.get("client_id") or ""
    client = call.server.clients.get(client_id)
    known = call.store.registrations.get(client_id)
    if client is None or known is None or scheme.lower() != "bearer" or known != token_key(token):
        return Answer(401, [("www-authenticate", f'Bearer realm="{call.server.realm}", error="invalid_token"')])
    del call.store.registrations[client_id]
    call.rules.end_registration(call, client)
    return Answer(204, call.rules.cache_headers(call))


def _document(call: Call, body: bytes) -> Answer:
    rules = call.rules
    if call.method not in rules.allowed_methods(call):
        return Answer(405, [("allow", ", ".join(rules.allowed_methods(call)))])
    return Answer(200, rules.document_headers(call), body)
