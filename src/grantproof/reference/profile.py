"""The profile of an embedded server: what a run needs to know about it, and documentation for who reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .app import PATHS
from .clients import Client, Credentials, register_clients, write_private
from .crowd import crowd_file

if TYPE_CHECKING:
    from pathlib import Path

PURPOSES = {
    "service": "An ordinary confidential client: a secret by Basic or in the body, access tokens as JWTs.",
    "service_reserved": "Identifier and secret have reserved characters: they must be form-encoded before Basic.",
    "service_jwt": "Authenticates with a signed assertion (RFC 7523); its key stands beside this file.",
    "service_hmac": "Authenticates with an assertion signed with its secret.",
    "service_other": "A second ordinary client, for what one client must not do with another's token.",
    "resource_server": "May introspect every token, and use no grant.",
    "disposable": "May be locked out: ten wrong secrets do it for a minute.",
    "short_lived": "Its tokens live for two seconds.",
    "restricted": "Known to the server, but it may use neither of the two grants.",
    "spa": "A public client with two redirect URIs, so it has to say which.",
    "spa_single": "A public client with one redirect URI, which it may leave out.",
    "oidc_app": "A public client that uses OpenID Connect.",
    "native_app": "A public client on the user's own machine: any port of its loopback redirect URI will do.",
    "confidential_app": "A confidential client that uses the implicit grant; consent is remembered for it.",
}
LOGIN = """\
[login]                                    # how a test user signs in: two pages in plain HTML
driver = "forms"
[[login.steps]]                            # who are you?
when = "form#login"
fill = { username = "${user.username}", password = "${user.password}" }
[[login.steps]]                            # may this client have access?
when = "form#consent"
choice = "allow"
submit = "button[value=allow]"
[[login.steps]]
when = "form#consent"
choice = "deny"
submit = "button[value=deny]"
[[login.steps]]                            # some servers end on a page with a link back
when = "a#back-to-client"
submit = "a#back-to-client"
"""
CLAIMS = """\
[claims]                                   # what the server does, beside its metadata
client_credentials = true
implicit = true
introspection = true
revocation = true
resource = true
jwks = true
metadata = true
jwt_access_tokens = true                   # of the client service; service_reserved has opaque ones
id_token = true
form_post = true
registration = true
iss_parameter = true
client_assertion = true
reuses_tokens = false
introspection_client = "resource_server"

[politeness]
intrusive = true                           # clients are made and ended; the disposable ones may be locked out

[load]
allowed = true
thresholds = ["p99 < 250ms", "errors < 0.1%"]
mix = { token_endpoint = 0.8, introspect_and_use = 0.15, implicit = 0.05 }
"""


def make_profile(
    issuer: str, credentials: Credentials, title: str, *, tls: bool = False, crowd: Path | None = None
) -> str:
    """The profile as TOML text; with TLS it expects ca.pem beside it. `crowd` is the file of many clients."""
    lines = [
        "# grantproof's own authorization server. Written when it started; the secrets are good for this run only.",
        "[target]",
        f"name = {_text(title)}",
        f"issuer = {_text(issuer)}",
        "",
    ]
    if tls:
        lines += ["[tls]", 'ca = "ca.pem"                              # a throw-away authority', ""]
    lines += ["[endpoints]                                # the others stand in the server's metadata"]
    lines += [f"resource = {_text(issuer + PATHS['resource'])}  # needs a token with the scope read", ""]
    for client in register_clients(credentials).values():
        lines += _client_table(client)
    for table, name in (("user", "alice"), ("user2", "bob"), ("disposable_user", "carol")):
        lines += [f"[{table}]", f"username = {_text(name)}", f"password = {_text(credentials.passwords[name])}", ""]
    many = (
        [f"clients = {_text(str(crowd))}  # two thousand plain clients, for the scenario many_clients"] if crowd else []
    )
    return "\n".join([*lines, LOGIN, CLAIMS.rstrip(), *many, ""])


def _client_table(client: Client) -> list[str]:
    """One client, with a comment that says what it is for."""
    lines = [f"[clients.{client.name}]", f"# {PURPOSES[client.name]}", f"id = {_text(client.id)}"]
    if client.redirect_uris:
        lines.append(f"client_name = {_text(client.title)}")
    if client.secret:
        lines.append(f"secret = {_text(client.secret)}")
    if client.public:
        lines.append("public = true")
    else:
        lines.append(f"auth_methods = {_words(client.auth_methods)}")
    if "private_key_jwt" in client.auth_methods:
        lines.append('private_key = "service-jwt-key.pem"')
    if client.assertion_alg:
        lines.append(f"signing_alg = {_text(client.assertion_alg)}")
    lines.append(f"grants = {_words(client.grants)}")
    for name in ("response_types", "redirect_uris", "scopes"):
        words: tuple[str, ...] = getattr(client, name)
        if words:
            lines.append(f"{name} = {_words(words)}")
    if client.resource:
        lines.append(f"parameters = {{ resource = {_text(client.resource)} }}")
    if client.disposable:
        lines.append("disposable = true")
    return [*lines, ""]


def write_profile_files(issuer: str, credentials: Credentials, title: str, path: Path, *, tls: bool = False) -> Path:
    """Writes a profile, the private key of a client and the crowd's secrets beside it, readable by the owner only."""
    write_private(path.parent / "service-jwt-key.pem", credentials.private_key)
    crowd = path.parent.absolute() / "crowd.csv"
    write_private(crowd, crowd_file(credentials))
    write_private(path, make_profile(issuer, credentials, title, tls=tls, crowd=crowd))
    return path


def _text(value: str) -> str:
    """A string of the profile; `$` is doubled since it begins a variable."""
    return json.dumps(value.replace("$", "$$"))


def _words(values: tuple[str, ...]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"
