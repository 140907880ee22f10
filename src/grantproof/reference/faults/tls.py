"""Faults of the transport: certificates, cipher suites, and what is served in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grantproof.reference.listener import Listener
from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault

if TYPE_CHECKING:
    from grantproof.reference.call import Answer, Call
    from grantproof.reference.state import PendingRequest


@fault(
    "certificate_of_another_host", "rfc6749:10.9/server-authentication", "plain", "The certificate names a stranger."
)
def certificate_of_another_host(rules: Rules) -> Rules:
    """The certificate is good, for another host."""
    return rules | Rules(listener=Listener(certificate="other_host"))


@fault("certificate_expired", "rfc6749:10.9/server-authentication", "partial", "The certificate is out of date.")
def certificate_expired(rules: Rules) -> Rules:
    """The certificate was good until last week."""
    return rules | Rules(listener=Listener(certificate="expired"))


@fault(
    "certificate_self_made", "rfc6819:5.1.2/server-certificate", "plain", "No known authority signed the certificate."
)
def certificate_self_made(rules: Rules) -> Rules:
    """Whoever stands between can make such a certificate."""
    return rules | Rules(listener=Listener(certificate="unknown_authority"))


@fault("certificate_of_next_week", "rfc6819:5.1.2/server-certificate", "partial", "The certificate is not yet valid.")
def certificate_of_next_week(rules: Rules) -> Rules:
    """The clock of the authority is ahead."""
    return rules | Rules(listener=Listener(certificate="not_yet_valid"))


@fault("anonymous_cipher_suites", "rfc6750:5.2/cipher-suites", "plain", "Suites without authentication are offered.")
def anonymous_cipher_suites(rules: Rules) -> Rules:
    """Every suite that the library has is switched on."""
    return rules | Rules(listener=Listener(ciphers="ALL:COMPLEMENTOFALL:@SECLEVEL=0"))


@fault("unencrypted_cipher_suites", "rfc6750:5.2/cipher-suites", "partial", "Suites without encryption are offered.")
def unencrypted_cipher_suites(rules: Rules) -> Rules:
    """Authentication and integrity are there, encryption may be left out."""
    return rules | Rules(listener=Listener(ciphers="HIGH:ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"))


_ALL = ("authorization", "login", "consent", "token", "introspection", "revocation", "resource")


@fault(
    "everything_served_in_the_clear",
    "rfc6749:10.8/no-cleartext",
    "plain",
    "Plain http is served like https.",
    also=("rfc6819:5.1.1/tls",),
)
def everything_served_in_the_clear(rules: Rules) -> Rules:
    """The load balancer forwards both."""
    return rules | Rules(listener=Listener(plain=_ALL))


@fault(
    "login_page_in_the_clear",
    "rfc6749:10.8/no-cleartext",
    "partial",
    "The login page is served in the clear.",
    also=("rfc6819:5.1.1/tls",),
)
def login_page_in_the_clear(rules: Rules) -> Rules:
    """Only the pages were forgotten; the token endpoint redirects."""
    return rules | Rules(listener=Listener(plain=("authorization", "login", "consent"), redirects=True))


@fault("authorization_in_the_clear", "rfc6749:3.1/tls", "plain", "Authorization requests in the clear are answered.")
def authorization_in_the_clear(rules: Rules) -> Rules:
    """The authorization endpoint answers plain http."""
    return rules | Rules(listener=Listener(plain=("authorization",)))


@fault(
    "authorization_in_the_clear_beside_redirects",
    "rfc6749:3.1/tls",
    "partial",
    "Everything redirects to https but the authorization endpoint.",
)
def authorization_in_the_clear_beside_redirects(rules: Rules) -> Rules:
    """One address was left out of the redirections."""
    return rules | Rules(listener=Listener(plain=("authorization",), redirects=True))


@fault("tokens_in_the_clear", "rfc6749:3.2/tls", "plain", "Token requests in the clear get a token.")
def tokens_in_the_clear(rules: Rules) -> Rules:
    """The token endpoint answers plain http."""
    return rules | Rules(listener=Listener(plain=("token",)))


@fault("token_errors_in_the_clear", "rfc6749:3.2/tls", "partial", "Credentials sent in the clear are looked at.")
def token_errors_in_the_clear(rules: Rules) -> Rules:
    """The token endpoint answers plain http, everything else redirects."""
    return rules | Rules(listener=Listener(plain=("token",), redirects=True))


@fault("login_posts_in_the_clear", "rfc6749:10.11/tls-on-user-pages", "plain", "The login form posts to plain http.")
def login_posts_in_the_clear(rules: Rules) -> Rules:
    """The page is safe, where the password goes is not."""

    def page(call: Call, pending: PendingRequest, message: str) -> Answer:
        answer = rules.login_page(call, pending, message)
        answer.body = answer.body.replace(b'action="https:', b'action="http:')
        return answer

    return rules | Rules(login_page=page)


@fault("consent_posts_in_the_clear", "rfc6749:10.11/tls-on-user-pages", "partial", "The consent form posts to http.")
def consent_posts_in_the_clear(rules: Rules) -> Rules:
    """Only the second page goes wrong."""

    def page(call: Call, pending: PendingRequest) -> Answer:
        answer = rules.consent_page(call, pending)
        answer.body = answer.body.replace(b'action="https:', b'action="http:')
        return answer

    return rules | Rules(consent_page=page)
