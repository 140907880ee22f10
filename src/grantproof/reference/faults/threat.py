"""Faults that open the ways of the threat model: redirections, consent, guessing, tokens."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from grantproof.reference.call import Answer
from grantproof.reference.rules import Rules
from grantproof.reference.variants import by_endpoint, fault, when

if TYPE_CHECKING:
    from typing import Any

    from grantproof.reference.call import Call, Refusal
    from grantproof.reference.state import PendingRequest


@fault("unverified_requests_go_on", "rfc6819:4.2.4/no-redirect-when-unverified", "plain", "Any redirect URI is used.")
def unverified_requests_go_on(rules: Rules) -> Rules:
    """Errors go to whatever address the request names."""

    def page(call: Call, refusal: Refusal) -> Answer:
        uri = call.parameters.get("redirect_uri") or ""
        if call.endpoint == "authorization" and uri.startswith("http") and uri.isascii() and uri.isprintable():
            return Answer(303, [("location", f"{uri}#error={refusal.error}")])
        return rules.error_page(call, refusal)

    return rules | Rules(error_page=page)


@fault(
    "subdomains_of_the_redirect_host",
    "rfc6819:4.2.4/no-redirect-when-unverified",
    "partial",
    "A host that contains the registered one is taken for it.",
)
def subdomains_of_the_redirect_host(rules: Rules) -> Rules:
    """Hosts are compared as patterns."""

    def alike(uri: str, registered: str) -> bool:
        return registered.partition("://")[2].partition("/")[0] in uri.partition("://")[2].partition("/")[0]

    return rules | Rules(
        match_redirect_uri=lambda call, client, uri: (
            rules.match_redirect_uri(call, client, uri)
            or (uri.isprintable() and any(alike(uri, registered) for registered in client.redirect_uris))
        )
    )


@fault(
    "redirect_uri_not_compared", "rfc6819:5.2.3.5/redirect-uri-must-match", "plain", "Redirect URIs are not compared."
)
def redirect_uri_not_compared(rules: Rules) -> Rules:
    """Whatever is sent is used."""
    return rules | Rules(match_redirect_uri=lambda _call, _client, _uri: True)


@fault(
    "redirect_path_not_compared", "rfc6819:5.2.3.5/redirect-uri-must-match", "partial", "Any path of the host will do."
)
def redirect_path_not_compared(rules: Rules) -> Rules:
    """Scheme and host alone are compared."""

    def origin(uri: str) -> list[str]:
        return uri.split("/")[:3]

    return rules | Rules(
        match_redirect_uri=lambda _call, client, uri: (
            origin(uri) in [origin(each) for each in client.redirect_uris] and "#" not in uri
        )
    )


@fault("redirect_uri_with_more", "rfc6819:5.2.3.5/full-redirect-uri", "plain", "Something may be added to the URI.")
def redirect_uri_with_more(rules: Rules) -> Rules:
    """The registered URI counts as a beginning."""
    return rules | Rules(match_redirect_uri=lambda _call, client, uri: any(map(uri.startswith, client.redirect_uris)))


@fault("consent_asked_once", "rfc6819:4.2.3/repeat-authorization-validated", "plain", "Consent is remembered for all.")
def consent_asked_once(rules: Rules) -> Rules:
    """Public clients are treated like those that prove who they are."""

    def required(call: Call, pending: PendingRequest) -> bool:
        return (call.user, pending.client.id, tuple(sorted(pending.scope))) not in call.store.consents

    return rules | Rules(consent_required=required)


@fault("login_counts_as_consent", "rfc6819:4.4.1.4/consent-asked", "plain", "Who is logged in agrees to everything.")
def login_counts_as_consent(rules: Rules) -> Rules:
    """No page comes after the login."""
    return rules | Rules(consent_required=lambda _call, _pending: False)


@fault(
    "consent_to_one_is_consent_to_all", "rfc6819:5.2.3.2/public-client-needs-approval", "plain", "Asked once a user."
)
def consent_to_one_is_consent_to_all(rules: Rules) -> Rules:
    """Consent is remembered by user alone."""

    def required(call: Call, _pending: PendingRequest) -> bool:
        return call.user not in {user for user, _, _ in call.store.consents}

    return rules | Rules(consent_required=required)


@fault("threatening_frames", "rfc6819:4.4.1.9/framing-prevented", "plain", "Every page may be framed.")
def threatening_frames(rules: Rules) -> Rules:
    """A policy is there, and admits everybody."""
    return rules | Rules(framing_headers=lambda _call: [("content-security-policy", "frame-ancestors *")])


@fault(
    "tokens_to_clients_without_tls",
    "rfc6819:4.4.2.1/implicit-response-confidential",
    "plain",
    "Tokens go out over http.",
)
def tokens_to_clients_without_tls(rules: Rules) -> Rules:
    """The scheme of the redirect URI is lost."""
    return rules | Rules(
        redirect_location=lambda call, uri, where, encoded: rules.redirect_location(
            call, uri.replace("https:", "http:", 1), where, encoded
        )
    )


@fault(
    "implicit_response_may_be_kept", "rfc6819:4.4.2.2/implicit-response-not-cacheable", "plain", "Caches may keep it."
)
def implicit_response_may_be_kept(rules: Rules) -> Rules:
    """Redirects say nothing about caches."""
    return rules | Rules(redirect_headers=lambda _call, location: [("location", location)])


@fault("state_in_lower_case", "rfc6819:4.4.2.5/state-echoed", "plain", "The state comes back in lower case.")
def state_in_lower_case(rules: Rules) -> Rules:
    """Values are normalised."""

    def echo(call: Call, pending: PendingRequest) -> str | None:
        state = rules.echo_state(call, pending)
        return None if state is None else state.lower()

    return rules | Rules(echo_state=echo)


@fault("quotes_break_the_query", "rfc6819:5.1.4.1.2/sql-injection", "plain", "A quote in a value gets 500.")
def quotes_break_the_query(rules: Rules) -> Rules:
    """Values go into a query as they came, and the query ends early."""

    def finish(call: Call, answer: Answer) -> Answer:
        sent = [value for name, value in call.parameters.pairs if name in {"client_id", "redirect_uri"}]
        broken = any("'" in value or '"' in value for value in sent)
        return Answer(500, [], b"syntax error") if broken else rules.finish(call, answer)

    return rules | Rules(finish=when(by_endpoint("token", "authorization"), finish, rules.finish))


@fault("short_handles", "rfc6819:5.1.4.2.2/token-entropy", "plain", "Handles are sixteen digits.")
def short_handles(rules: Rules) -> Rules:
    """A number is counted up and mixed a little."""
    numbers = itertools.count(1)
    return rules | Rules(opaque_token=lambda _call: f"{next(numbers) * 7919 % 10**16:016d}")


@fault("tokens_never_expire", "rfc6819:5.1.5.2/tokens-expire", "plain", "The end of a token is not looked at.")
def tokens_never_expire(rules: Rules) -> Rules:
    """What is told about the lifetime is one thing, what is kept is another."""
    return rules | Rules(
        token_lifetime=lambda _call, _client: 86_400,
        reported_lifetime=lambda call: call.client.lifetime_s if call.client else None,
    )


@fault("tokens_live_for_days", "rfc6819:5.1.5.3/short-lifetime", "plain", "Tokens live for two days.")
def tokens_live_for_days(rules: Rules) -> Rules:
    """A lifetime for the convenience of clients."""
    return rules | Rules(token_lifetime=lambda _call, _client: 172_800)


@fault("audience_left_empty", "rfc6819:5.1.5.5/audience-named", "plain", "No token says for whom it is meant.")
def audience_left_empty(rules: Rules) -> Rules:
    """The claim is there, and empty."""
    return rules | Rules(token_audience=lambda _call: "")


@fault(
    "signature_cut_off", "rfc6819:5.1.5.9/self-contained-tokens-signed", "plain", "Tokens come with an empty signature."
)
def signature_cut_off(rules: Rules) -> Rules:
    """What cannot be verified may be changed."""

    def sign(call: Call, claims: dict[str, Any], header: dict[str, Any], alg: str) -> str:
        return rules.sign(call, claims, header, alg).rpartition(".")[0] + "."

    return rules | Rules(sign=sign)


@fault("tokens_of_a_format_of_their_own", "rfc6819:5.1.5.11/standard-format", "plain", "Tokens only look like JWTs.")
def tokens_of_a_format_of_their_own(rules: Rules) -> Rules:
    """The parts are no JSON."""

    def sign(_call: Call, claims: dict[str, Any], _header: dict[str, Any], _alg: str) -> str:
        return ".".join(re.sub(r"[^A-Za-z0-9]", "", str(claims.get(name))) for name in ("jti", "sub", "exp"))

    return rules | Rules(sign=sign)


@fault(
    "assertions_are_not_taken", "rfc6819:5.2.3.7/strong-client-authentication", "plain", "No assertion authenticates."
)
def assertions_are_not_taken(rules: Rules) -> Rules:
    """Assertions get an error of their own, so that the control tells it from wrong credentials."""

    def status(call: Call, answer: Answer) -> Answer:
        if call.endpoint == "token" and call.auth_method.endswith("_jwt") and answer.status == 200:
            return Answer(400, [("content-type", "application/json")], b'{"error":"invalid_request"}')
        return rules.finish(call, answer)

    return rules | Rules(finish=status)


@fault("resource_ignores_the_header", "rfc6819:5.4.1/authorization-header", "plain", "The header opens nothing.")
def resource_ignores_the_header(rules: Rules) -> Rules:
    """Tokens are read from the query only."""
    return rules | Rules(accepted_transports=lambda _call: ("query",))
