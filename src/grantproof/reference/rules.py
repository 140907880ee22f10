"""Every decision and every emission of the embedded server, one field each, lawful by default.

A variant is `rules | Rules(some_rule=another)`, or `dataclasses.replace(rules, some_rule=another)`. Every rule takes
the call first: what is known about the request so far. Rules call each other through `call.rules`, so a replaced rule
counts everywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from .call import Answer, Attempt, Call, Refusal
from .clients import Client
from .form import Form
from .lawful import (
    answers,
    assertions,
    authentication,
    authorization,
    grants,
    introspection,
    metadata,
    pages,
    redirects,
    registration,
    requests,
    resource,
    sessions,
    tokens,
)
from .listener import Listener
from .state import PendingRequest, Session, TokenRecord

Headers = list[tuple[str, str]]
Claims = dict[str, Any]
Scope = tuple[str, ...]
Pairs = tuple[tuple[str, str], ...]
Attempts = tuple[Attempt, ...]


@dataclass(frozen=True)
class Rules:
    """The rules of one authorization server; each lawful function says what its rule decides."""

    # Reading a request
    allowed_methods: Callable[[Call], tuple[str, ...]] = requests.allowed_methods
    body_limit: Callable[[Call], int] = requests.body_limit
    accept_media_type: Callable[[Call, str], bool] = requests.accept_media_type
    parse_form: Callable[[Call, bytes], Form] = requests.parse_form
    request_parameters: Callable[[Call], Form] = requests.request_parameters
    drop_empty: Callable[[Call, Form], Form] = requests.drop_empty
    recognised_parameters: Callable[[Call], frozenset[str]] = requests.recognised_parameters
    find_repeats: Callable[[Call, Form], tuple[str, ...]] = requests.find_repeats
    find_malformed: Callable[[Call, Form], tuple[str, ...]] = requests.find_malformed
    read_form_request: Callable[[Call], Refusal | None] = requests.read_form_request

    # Client authentication
    same_scheme: Callable[[Call, str, str], bool] = authentication.same_scheme
    decode_basic_part: Callable[[Call, bytes], str | None] = authentication.decode_basic_part
    parse_basic: Callable[[Call, str], tuple[str, str] | None] = authentication.parse_basic
    read_authorization: Callable[[Call, str], Attempt] = authentication.read_authorization
    find_attempts: Callable[[Call], Attempts] = authentication.find_attempts
    attempts_conflict: Callable[[Call, Attempts], bool] = authentication.attempts_conflict
    client_id_agrees: Callable[[Call, Attempt], bool] = authentication.client_id_agrees
    find_client: Callable[[Call, str], Client | None] = authentication.find_client
    allowed_auth_methods: Callable[[Call, Client], tuple[str, ...]] = authentication.allowed_auth_methods
    secret_matches: Callable[[Call, Client | None, str], bool] = authentication.secret_matches
    failure_limits: Callable[[Call, Client], tuple[int, float]] = authentication.failure_limits
    must_wait: Callable[[Call, Client], bool] = authentication.must_wait
    proves_client: Callable[[Call, Client | None, Attempt], bool] = authentication.proves_client
    authenticate_client: Callable[[Call], Refusal | None] = authentication.authenticate_client

    # Client assertions
    read_assertion: Callable[[Call, str], Attempt] = assertions.read_assertion
    assertion_claims: Callable[[Call, Client, str], Claims | None] = assertions.assertion_claims
    assertion_audiences: Callable[[Call], tuple[str, ...]] = assertions.assertion_audiences
    assertion_audience_ok: Callable[[Call, Claims], bool] = assertions.assertion_audience_ok
    assertion_issuer_ok: Callable[[Call, Client, Claims], bool] = assertions.assertion_issuer_ok
    assertion_subject_ok: Callable[[Call, Client, Claims], bool] = assertions.assertion_subject_ok
    assertion_expiry_ok: Callable[[Call, Claims], bool] = assertions.assertion_expiry_ok
    assertion_not_before_ok: Callable[[Call, Claims], bool] = assertions.assertion_not_before_ok
    assertion_is_new: Callable[[Call, Client, Claims], bool] = assertions.assertion_is_new
    assertion_problem: Callable[[Call, Client, str], str | None] = assertions.assertion_problem

    # Grants and scopes
    known_grants: Callable[[Call], frozenset[str]] = grants.known_grants
    client_may_use_grant: Callable[[Call, Client, str], bool] = grants.client_may_use_grant
    check_grant: Callable[[Call], Refusal | None] = grants.check_grant
    supported_scopes: Callable[[Call], Scope] = grants.supported_scopes
    parse_scope: Callable[[Call, str], Scope | None] = grants.parse_scope
    default_scope: Callable[[Call, Client], Scope] = grants.default_scope
    granted_scope: Callable[[Call, Client, Scope], Scope | None] = grants.granted_scope
    choose_scope: Callable[[Call, Client], Scope | Refusal] = grants.choose_scope
    report_scope: Callable[[Call, Scope | None, Scope], bool] = grants.report_scope

    # Tokens
    token_format: Callable[[Call, Client], str] = tokens.token_format
    opaque_token: Callable[[Call], str] = tokens.opaque_token
    token_lifetime: Callable[[Call, Client], int] = tokens.token_lifetime
    token_subject: Callable[[Call, Client], str] = tokens.token_subject
    token_audience: Callable[[Call], str] = tokens.token_audience
    token_claims: Callable[[Call, Client, TokenRecord], Claims] = tokens.token_claims
    token_header: Callable[[Call, Client], Claims] = tokens.token_header
    sign: Callable[[Call, Claims, Claims, str], str] = tokens.sign
    issue_token: Callable[[Call, Client, Scope], str] = tokens.issue_token
    find_token: Callable[[Call, str], TokenRecord | None] = tokens.find_token
    token_is_live: Callable[[Call, TokenRecord], bool] = tokens.token_is_live
    access_token_hash: Callable[[Call, str], str] = tokens.access_token_hash
    id_token_claims: Callable[[Call, PendingRequest, str | None], Claims] = tokens.id_token_claims
    id_token: Callable[[Call, PendingRequest, str | None], str] = tokens.id_token

    # Answers of the token, introspection and revocation endpoints
    token_type: Callable[[Call], str] = answers.token_type
    reported_lifetime: Callable[[Call], int | None] = answers.reported_lifetime
    success_body: Callable[[Call, str, Scope], Claims] = answers.success_body
    success_headers: Callable[[Call], Headers] = answers.success_headers
    success_status: Callable[[Call], int] = answers.success_status
    success_answer: Callable[[Call, Claims], Answer] = answers.success_answer
    error_description: Callable[[Call, Refusal], str | None] = answers.error_description
    error_body: Callable[[Call, Refusal], Claims] = answers.error_body
    error_headers: Callable[[Call, Refusal], Headers] = answers.error_headers
    error_status: Callable[[Call, Refusal], int] = answers.error_status
    error_answer: Callable[[Call, Refusal], Answer] = answers.error_answer
    challenge: Callable[[Call, Refusal], str | None] = answers.challenge
    cache_headers: Callable[[Call], Headers] = answers.cache_headers
    json_content_type: Callable[[Call], str] = answers.json_content_type
    encode_body: Callable[[Call, Claims], bytes] = answers.encode_body
    finish: Callable[[Call, Answer], Answer] = answers.finish

    # Authorization requests
    match_redirect_uri: Callable[[Call, Client, str], bool] = authorization.match_redirect_uri
    default_redirect_uri: Callable[[Call, Client], str | None] = authorization.default_redirect_uri
    find_untrusted: Callable[[Call], Refusal | None] = authorization.find_untrusted
    parse_response_type: Callable[[Call, str], frozenset[str]] = authorization.parse_response_type
    response_type_known: Callable[[Call, frozenset[str]], bool] = authorization.response_type_known
    client_may_use_response_type: Callable[[Call, Client, frozenset[str]], bool] = (
        authorization.client_may_use_response_type
    )
    response_modes: Callable[[Call], tuple[str, ...]] = authorization.response_modes
    state_allowed: Callable[[Call, str], bool] = authorization.state_allowed
    nonce_required: Callable[[Call, frozenset[str]], bool] = authorization.nonce_required
    check_authorization: Callable[[Call, Client], Scope | Refusal] = authorization.check_authorization
    read_pending: Callable[[Call, Client], PendingRequest] = authorization.read_pending
    login_required: Callable[[Call, PendingRequest], bool] = authorization.login_required
    login_before_error: Callable[[Call, PendingRequest], bool] = authorization.login_before_error
    consent_required: Callable[[Call, PendingRequest], bool] = authorization.consent_required
    silent_refusal: Callable[[Call, PendingRequest, str], Refusal | None] = authorization.silent_refusal

    # Authorization answers
    echo_state: Callable[[Call, PendingRequest], str | None] = redirects.echo_state
    response_issuer: Callable[[Call], str | None] = redirects.response_issuer
    common_pairs: Callable[[Call, PendingRequest], Pairs] = redirects.common_pairs
    success_pairs: Callable[[Call, PendingRequest], Pairs] = redirects.success_pairs
    error_pairs: Callable[[Call, PendingRequest, Refusal], Pairs] = redirects.error_pairs
    placement: Callable[[Call, PendingRequest], str] = redirects.placement
    encode_pairs: Callable[[Call, Pairs], str] = redirects.encode_pairs
    redirect_location: Callable[[Call, str, str, str], str] = redirects.redirect_location
    redirect_status: Callable[[Call], int] = redirects.redirect_status
    redirect_headers: Callable[[Call, str], Headers] = redirects.redirect_headers
    form_post_page: Callable[[Call, str, Pairs], Answer] = redirects.form_post_page
    message_origin: Callable[[Call, str], str] = redirects.message_origin
    web_message_page: Callable[[Call, str, Pairs], Answer] = redirects.web_message_page
    send_pairs: Callable[[Call, PendingRequest, Pairs], Answer] = redirects.send_pairs

    # Sessions
    new_session_id: Callable[[Call], str] = sessions.new_session_id
    read_session: Callable[[Call], Session | None] = sessions.read_session
    open_session: Callable[[Call], Session] = sessions.open_session
    renew_session: Callable[[Call, Session], Session] = sessions.renew_session
    cookie_attributes: Callable[[Call], str] = sessions.cookie_attributes
    session_headers: Callable[[Call], Headers] = sessions.session_headers
    csrf_token: Callable[[Call], str] = sessions.csrf_token
    csrf_ok: Callable[[Call, str | None], bool] = sessions.csrf_ok
    find_pending: Callable[[Call, str | None], PendingRequest | None] = sessions.find_pending
    spend_pending: Callable[[Call, PendingRequest], None] = sessions.spend_pending
    password_matches: Callable[[Call, str, str], bool] = sessions.password_matches
    login_must_wait: Callable[[Call, str], bool] = sessions.login_must_wait

    # Pages
    escape: Callable[[Call, str], str] = pages.escape
    framing_headers: Callable[[Call], Headers] = pages.framing_headers
    page_headers: Callable[[Call], Headers] = pages.page_headers
    page: Callable[[Call, str, str, int], Answer] = pages.page
    error_page_status: Callable[[Call, Refusal], int] = pages.error_page_status
    error_page: Callable[[Call, Refusal], Answer] = pages.error_page
    login_page: Callable[[Call, PendingRequest, str], Answer] = pages.login_page
    consent_page: Callable[[Call, PendingRequest], Answer] = pages.consent_page

    # Introspection and revocation
    check_token_parameter: Callable[[Call], Refusal | None] = introspection.check_token_parameter
    client_may_introspect: Callable[[Call, Client], bool] = introspection.client_may_introspect
    introspection_visible: Callable[[Call, Client, TokenRecord], bool] = introspection.introspection_visible
    introspection_body: Callable[[Call, TokenRecord | None], Claims] = introspection.introspection_body
    client_may_revoke: Callable[[Call, Client, TokenRecord], bool] = introspection.client_may_revoke
    find_revocable: Callable[[Call, str], TokenRecord | None] = introspection.find_revocable
    revoke: Callable[[Call, TokenRecord], None] = introspection.revoke
    revocation_status: Callable[[Call], int] = introspection.revocation_status

    # Client registration
    registered_id: Callable[[Call, Claims], str] = registration.registered_id
    registered_secret: Callable[[Call, str], str] = registration.registered_secret
    registrable_uri: Callable[[Call, str], bool] = registration.registrable_uri
    registration_problem: Callable[[Call, Claims], Refusal | None] = registration.registration_problem
    new_client: Callable[[Call, Claims], Client] = registration.new_client
    registration_body: Callable[[Call, Client, str], Claims] = registration.registration_body
    end_registration: Callable[[Call, Client], None] = registration.end_registration

    # Protected resource
    required_scope: Callable[[Call], str] = resource.required_scope
    presented_tokens: Callable[[Call], Pairs] = resource.presented_tokens
    accepted_transports: Callable[[Call], tuple[str, ...]] = resource.accepted_transports
    scope_suffices: Callable[[Call, TokenRecord], bool] = resource.scope_suffices
    check_resource: Callable[[Call], Refusal | None] = resource.check_resource
    resource_status: Callable[[Call, Refusal], int] = resource.resource_status
    resource_challenge: Callable[[Call, Refusal], str] = resource.resource_challenge
    resource_body: Callable[[Call], Claims] = resource.resource_body

    # Metadata and keys
    common_metadata: Callable[[Call], Claims] = metadata.common_metadata
    openid_metadata: Callable[[Call], Claims] = metadata.openid_metadata
    metadata_status: Callable[[Call], int] = metadata.metadata_status
    metadata_document: Callable[[Call], Claims] = metadata.metadata_document
    jwks_document: Callable[[Call], Claims] = metadata.jwks_document
    document_headers: Callable[[Call], Headers] = metadata.document_headers

    # Transport: not a rule about a call, only heeded where the server listens with TLS
    listener: Listener = Listener()  # noqa: RUF009 - frozen, so that all may share it

    def __or__(self, changes: "Rules") -> "Rules":
        """These rules, with those that are not the lawful ones in `changes` replaced."""
        changed = {each.name: getattr(changes, each.name) for each in fields(changes)}
        return replace(self, **{name: rule for name, rule in changed.items() if rule is not getattr(Rules, name)})


LAWFUL = Rules()
