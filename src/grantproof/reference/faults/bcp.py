"""Faults against the best current practice: redirections, pages, tokens, metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.call import Answer
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, fault, when

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest, TokenRecord


def _headers_of(rules: Rules, condition: Callable[[Call, Answer], bool], *lines: tuple[str, str]) -> Rules:
    """The rules of a server that sends more header lines on some answers."""

    def finish(call: Call, answer: Answer) -> Answer:
        answer = rules.finish(call, answer)
        if condition(call, answer):
            answer.headers += list(lines)
        return answer

    return rules | Rules(finish=finish)


@fault("redirect_uri_by_prefix", "rfc9700:2.1/exact-redirect-uri", "plain", "Anything may follow the registered URI.")
def redirect_uri_by_prefix(rules: Rules) -> Rules:
    """The registered URI is compared as a beginning."""
    return rules | Rules(match_redirect_uri=lambda _call, client, uri: any(map(uri.startswith, client.redirect_uris)))


@fault("redirect_uri_without_its_query", "rfc9700:2.1/exact-redirect-uri", "partial", "The query is not compared.")
def redirect_uri_without_its_query(rules: Rules) -> Rules:
    """Everything up to the question mark has to be equal."""
    return rules | Rules(
        match_redirect_uri=lambda _call, client, uri: (
            uri.partition("?")[0] in {registered.partition("?")[0] for registered in client.redirect_uris}
            and "#" not in uri
        )
    )


def _unknown_address(call: Call, names: frozenset[str] | None = None) -> str:
    """An address in a parameter that no specification knows; empty where there is none."""
    known = call.rules.recognised_parameters(call)
    for name, value in call.query.pairs:
        if name not in known and value.startswith("https://") and (names is None or name in names):
            return value
    return ""


def _leads_away(rules: Rules, names: frozenset[str] | None) -> Rules:
    def page(call: Call, refusal: Refusal) -> Answer:
        address = _unknown_address(call, names)
        return Answer(303, [("location", address)]) if address else rules.error_page(call, refusal)

    return rules | Rules(error_page=page)


@fault("error_page_goes_wherever_asked", "rfc9700:2.1/no-open-redirectors", "plain", "Addresses in the query lead on.")
def error_page_goes_wherever_asked(rules: Rules) -> Rules:
    """A request that cannot be answered goes on to any address that it names."""
    return _leads_away(rules, None)


@fault("next_parameter_is_followed", "rfc9700:2.1/no-open-redirectors", "partial", "One parameter leads away.")
def next_parameter_is_followed(rules: Rules) -> Rules:
    """The parameter of a framework's login page was left in."""
    return _leads_away(rules, frozenset({"next"}))


def _redirects(rules: Rules, endpoint: str, status: int) -> Rules:
    return rules | Rules(
        redirect_status=when(
            lambda call: call.endpoint == endpoint and call.method == "POST",
            lambda _call: status,
            rules.redirect_status,
        )
    )


@fault("login_posted_again_by_308", "rfc9700:2.1/credentials-not-forwarded", "plain", "The login is answered with 308.")
def login_posted_again_by_308(rules: Rules) -> Rules:
    """The browser posts the password to the next page."""
    return _redirects(rules, "login", 308)


@fault("login_answered_with_307", "rfc9700:4.12/no-307-after-credentials", "plain", "The login is answered with 307.")
def login_answered_with_307(rules: Rules) -> Rules:
    """The browser posts the password to the next page."""
    return _redirects(rules, "login", 307)


@fault("consent_answered_with_307", "rfc9700:4.12/no-307-after-credentials", "partial", "Consent is answered with 307.")
def consent_answered_with_307(rules: Rules) -> Rules:
    """The browser posts the form to the client."""
    return _redirects(rules, "consent", 307)


@fault("consent_answered_with_302", "rfc9700:4.12/303-after-credentials", "plain", "Consent is answered with 302.")
def consent_answered_with_302(rules: Rules) -> Rules:
    """What browsers make of 302 is a habit, not a rule."""
    return _redirects(rules, "consent", 302)


@fault("default_is_every_scope", "rfc9700:2.3/least-privilege", "plain", "Who asks for nothing gets every scope.")
def default_is_every_scope(rules: Rules) -> Rules:
    """The default is all that the client may have."""
    return rules | Rules(default_scope=lambda _call, client: client.scopes)


@fault("token_names_no_audience", "rfc9700:2.3/audience-restricted", "plain", "Tokens are good anywhere.")
def token_names_no_audience(rules: Rules) -> Rules:
    """The audience is left empty."""
    return rules | Rules(token_audience=lambda _call: "")


@fault("unauthenticated_services", "rfc9700:2.5/client-authentication-enforced", "plain", "A client_id is enough.")
def unauthenticated_services(rules: Rules) -> Rules:
    """Credentials are looked at only where there are some."""
    return rules | Rules(
        allowed_auth_methods=lambda call, client: (*rules.allowed_auth_methods(call, client), "none"),
        proves_client=lambda call, client, attempt: (
            (attempt.method == "none" and client is not None) or rules.proves_client(call, client, attempt)
        ),
    )


@fault("shared_secrets_alone", "rfc9700:2.5/asymmetric-client-authentication", "plain", "Only secrets are announced.")
def shared_secrets_alone(rules: Rules) -> Rules:
    """No method with a key pair is there."""

    def document(call: Call) -> dict[str, Any]:
        methods = ["client_secret_basic", "client_secret_post"]
        return {**rules.metadata_document(call), "token_endpoint_auth_methods_supported": methods}

    return rules | Rules(metadata_document=document)


@fault("metadata_is_not_published", "rfc9700:2.6/metadata-published", "plain", "There are no documents.")
def metadata_is_not_published(rules: Rules) -> Rules:
    """Clients have to be configured by hand."""
    return rules | Rules(
        finish=when(
            by_endpoint("metadata", "openid_metadata"),
            lambda _call, _answer: Answer(404, [("content-type", "text/plain")], b"Nothing is here."),
            rules.finish,
        )
    )


def _over_http(rules: Rules, condition: Callable[[Call], bool]) -> Rules:
    def location(call: Call, uri: str, where: str, encoded: str) -> str:
        return rules.redirect_location(call, uri.replace("https:", "http:", 1), where, encoded)

    return rules | Rules(redirect_location=when(condition, location, rules.redirect_location))


@fault("responses_over_plain_http", "rfc9700:2.6/response-encrypted", "plain", "Responses go out over plain http.")
def responses_over_plain_http(rules: Rules) -> Rules:
    """The scheme of the redirect URI is lost."""
    return _over_http(rules, lambda _call: True)


@fault("errors_over_plain_http", "rfc9700:2.6/response-encrypted", "partial", "Errors go out over plain http.")
def errors_over_plain_http(rules: Rules) -> Rules:
    """Only where there is no token to lose, state is."""
    return _over_http(rules, lambda call: call.refusal is not None)


@fault("authorization_open_to_all_scripts", "rfc9700:2.6/no-cors-at-authorization-endpoint", "plain", "CORS for all.")
def authorization_open_to_all_scripts(rules: Rules) -> Rules:
    """A filter for the whole server admits every origin."""
    return _headers_of(
        rules, lambda call, _answer: call.endpoint == "authorization", ("access-control-allow-origin", "*")
    )


@fault(
    "authorization_preflight_is_granted",
    "rfc9700:2.6/no-cors-at-authorization-endpoint",
    "partial",
    "Preflight requests alone are granted.",
)
def authorization_preflight_is_granted(rules: Rules) -> Rules:
    """The framework answers before the endpoint does."""
    return _headers_of(
        rules,
        lambda call, _answer: call.endpoint == "authorization" and call.method == "OPTIONS",
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET"),
    )


@fault("errors_told_without_login", "rfc9700:4.11.2/login-before-redirect", "plain", "Errors go out before the login.")
def errors_told_without_login(rules: Rules) -> Rules:
    """Whoever can register a client has an open redirector."""
    return rules | Rules(login_before_error=lambda _call, _pending: False)


@fault(
    "scope_errors_told_without_login", "rfc9700:4.11.2/login-before-redirect", "partial", "Errors about scope go first."
)
def scope_errors_told_without_login(rules: Rules) -> Rules:
    """Only one kind of error does not wait."""

    def waits(call: Call, pending: PendingRequest) -> bool:
        about_scope = pending.refusal is not None and pending.refusal.subject == "scope"
        return not about_scope and rules.login_before_error(call, pending)

    return rules | Rules(login_before_error=waits)


def _adds_to_page(rules: Rules, element: str) -> Callable[[Call, str, str, int], Answer]:
    return lambda call, title, body, status: rules.page(call, title, f"{body}{element}", status)


@fault("pages_load_a_foreign_image", "rfc9700:4.2.4/no-third-party-content", "plain", "Pages load a foreign image.")
def pages_load_a_foreign_image(rules: Rules) -> Rules:
    """Somebody counts visitors."""
    return rules | Rules(page=_adds_to_page(rules, '<img alt="" src="https://counter.example/1.gif">'))


@fault("pages_without_referrer_policy", "rfc9700:4.2.4/referrer-policy", "plain", "Pages set no referrer policy.")
def pages_without_referrer_policy(rules: Rules) -> Rules:
    """The header is missing."""
    return rules | Rules(
        page_headers=lambda call: [line for line in rules.page_headers(call) if line[0] != "referrer-policy"]
    )


@fault("pages_without_frame_ancestors", "rfc9700:4.16/csp-frame-ancestors", "plain", "Only the older header is there.")
def pages_without_frame_ancestors(rules: Rules) -> Rules:
    """Frames are forbidden the old way."""
    return rules | Rules(framing_headers=lambda _call: [("x-frame-options", "DENY")])


@fault("no_page_refuses_frames", "rfc9700:4.16/clickjacking-prevented", "plain", "Pages may be framed by anyone.")
def no_page_refuses_frames(rules: Rules) -> Rules:
    """Nothing forbids frames."""
    return rules | Rules(framing_headers=lambda _call: [])


@fault("error_page_may_be_framed", "rfc9700:4.16/clickjacking-prevented", "partial", "The error page may be framed.")
def error_page_may_be_framed(rules: Rules) -> Rules:
    """Error pages are made elsewhere."""
    framed = when(lambda call: call.refusal is not None, lambda _call: [], rules.framing_headers)
    return rules | Rules(framing_headers=framed)


def _alike(rules: Rules, condition: Callable[[Call, Client], bool]) -> Rules:
    """Tokens of clients look like those of users: a number as subject, no other mark."""

    def subject(call: Call, client: Client) -> str:
        return "1000" if condition(call, client) else rules.token_subject(call, client)

    def claims(call: Call, client: Client, record: TokenRecord) -> dict[str, Any]:
        return {name: value for name, value in rules.token_claims(call, client, record).items() if name != "auth_time"}

    def body(call: Call, record: TokenRecord | None) -> dict[str, Any]:
        found = rules.introspection_body(call, record)
        return {name: value for name, value in found.items() if name != "username"}

    return rules | Rules(token_subject=subject, token_claims=claims, introspection_body=body)


@fault(
    "tokens_of_clients_like_those_of_users", "rfc9700:4.15.1/tokens-of-clients-and-users-distinct", "plain", "A number."
)
def tokens_of_clients_like_those_of_users(rules: Rules) -> Rules:
    """Accounts of services stand beside those of people."""
    return _alike(rules, lambda call, _client: call.grant == "client_credentials")


@fault(
    "signed_tokens_of_clients_like_those_of_users",
    "rfc9700:4.15.1/tokens-of-clients-and-users-distinct",
    "partial",
    "Signed tokens do not tell clients from users.",
)
def signed_tokens_of_clients_like_those_of_users(rules: Rules) -> Rules:
    """Only tokens as JWTs have the number."""
    return _alike(rules, lambda call, client: call.grant == "client_credentials" and client.token_format == "jwt")  # noqa: S105 - a format
