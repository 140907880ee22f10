"""Faults of client registration, and of what the server shows and lets pass of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grantproof.reference.lawful.authorization import match_redirect_uri
from grantproof.reference.rules import Rules
from grantproof.reference.variants import fault, when

if TYPE_CHECKING:
    from grantproof.reference.call import Answer, Call
    from grantproof.reference.clients import Client
    from grantproof.reference.state import PendingRequest

Members = dict[str, Any]


@fault("passwords_tried_without_end", "rfc6749:10.10/user-credentials", "plain", "Any number of passwords is tried.")
def passwords_tried_without_end(rules: Rules) -> Rules:
    """Nobody counts."""
    return rules | Rules(login_must_wait=lambda _call, _name: False)


@fault("made_secret_is_short", "rfc6819:4.3.5/client-secret-entropy", "plain", "A secret is eight digits.")
def made_secret_is_short(rules: Rules) -> Rules:
    """As if somebody had to type it."""

    def short(call: Call, method: str) -> str:
        return str(int.from_bytes(rules.registered_secret(call, method).encode()))[-8:]

    return rules | Rules(registered_secret=short)


@fault("made_secret_is_always_the_same", "rfc6819:4.3.5/client-secret-entropy", "partial", "All get the same secret.")
def made_secret_is_always_the_same(rules: Rules) -> Rules:
    """It is long, and known to everybody who ever registered."""
    return rules | Rules(registered_secret=lambda call, _method: call.server.credentials.secrets["disposable"])


@fault(
    "public_client_gets_a_secret", "rfc6819:5.2.3.1/no-secret-for-public-client", "plain", "Public clients get secrets."
)
def public_client_gets_a_secret(rules: Rules) -> Rules:
    """Every client gets one, wanted or not."""
    return rules | Rules(registered_secret=lambda call, _method: rules.registered_secret(call, "client_secret_basic"))


@fault("consent_names_nobody", "rfc6819:5.2.4.3/client-named-to-user", "plain", "Some application asks for access.")
def consent_names_nobody(rules: Rules) -> Rules:
    """The page does not say who asks."""

    def page(call: Call, pending: PendingRequest) -> Answer:
        answer = rules.consent_page(call, pending)
        answer.body = answer.body.replace(call.rules.escape(call, pending.client.title).encode(), b"An application")
        return answer

    return rules | Rules(consent_page=page)


_FROM_USER = "rfc9700:2.6/client-id-not-chosen-by-client"


@fault(
    "client_chooses_its_identifier",
    _FROM_USER,
    "plain",
    "A client is called as it likes.",
    also=("rfc9068:5/sub-not-chosen-by-client",),
)
def client_chooses_its_identifier(rules: Rules) -> Rules:
    """The identifier is taken from the request."""
    return rules | Rules(
        registered_id=lambda call, members: str(members.get("client_id") or rules.registered_id(call, members))
    )


@fault("client_chooses_its_subject", _FROM_USER, "partial", "A claim of the client's choice names a user.")
def client_chooses_its_subject(rules: Rules) -> Rules:
    """What the server does not know is kept as it came."""
    kept: dict[str, Members] = {}

    def new_client(call: Call, members: Members) -> Client:
        client = rules.new_client(call, members)
        kept[client.id] = members
        return client

    def body(call: Call, client: Client, token: str) -> Members:
        return {**kept.pop(client.id, {}), **rules.registration_body(call, client, token)}

    return rules | Rules(new_client=new_client, registration_body=body)


_HTTP = "rfc9700:2.6/no-http-redirect-uri"


@fault("http_redirect_uri_registered", _HTTP, "plain", "A redirect URI in the clear is registered.")
def http_redirect_uri_registered(rules: Rules) -> Rules:
    """Any scheme will do."""
    return rules | Rules(registrable_uri=lambda call, uri: uri.startswith("http:") or rules.registrable_uri(call, uri))


def _without_scheme(call: Call, client: Client, uri: str) -> bool:
    return match_redirect_uri(call, client, uri) or match_redirect_uri(call, client, uri.replace("http:", "https:", 1))


@fault("http_redirect_uri_used", _HTTP, "partial", "The scheme of a redirect URI is not looked at.")
def http_redirect_uri_used(rules: Rules) -> Rules:
    """The comparison begins after the scheme."""
    return rules | Rules(match_redirect_uri=_without_scheme)


_PORT = "rfc9700:4.1.3/loopback-port-free"


def _exactly(_call: Call, client: Client, uri: str) -> bool:
    return uri in client.redirect_uris


@fault("loopback_port_fixed", _PORT, "plain", "A native client has to take the port that was registered.")
def loopback_port_fixed(rules: Rules) -> Rules:
    """Every redirect URI is compared whole."""
    return rules | Rules(match_redirect_uri=_exactly)


@fault("loopback_port_fixed_without_session", _PORT, "partial", "Before the login the port has to be the registered.")
def loopback_port_fixed_without_session(rules: Rules) -> Rules:
    """The first visit takes another way through the code."""
    return rules | Rules(match_redirect_uri=when(lambda call: not call.logged_in, _exactly, rules.match_redirect_uri))


_POST = "rfc9700:4.17.2/post-message-exact-origin"


@fault("message_to_everybody", _POST, "plain", "The message with the answer is for everybody.")
def message_to_everybody(rules: Rules) -> Rules:
    """Whoever opened the window reads along."""
    return rules | Rules(message_origin=lambda _call, _uri: "*")


@fault("error_message_to_everybody", _POST, "partial", "The message with an error is for everybody.")
def error_message_to_everybody(rules: Rules) -> Rules:
    """Only success is addressed."""
    failed = when(
        lambda call: call.pending is not None and call.pending.refusal is not None,
        lambda _call, _uri: "*",
        rules.message_origin,
    )
    return rules | Rules(message_origin=failed)
