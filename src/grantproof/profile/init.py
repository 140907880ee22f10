"""The first draft of a profile: what metadata told, and what is left to fill in."""

from collections.abc import Iterator
from dataclasses import dataclass

from grantproof.profile.client import RESPONSE_WORDS, SECRET_METHODS
from grantproof.profile.discovery import ENDPOINT_MEMBERS, Metadata
from grantproof.profile.init_login import SeenLogin, signing_in
from grantproof.profile.written import MAX_LISTED, array, literal, quoted
from grantproof.wire.loopback import is_loopback


@dataclass(frozen=True)
class KnownClient:
    """The public client that was named on the command line."""

    id: str = ""
    redirect_uri: str = ""


def draft(
    issuer: str,
    metadata: Metadata,
    ca: str = "",
    *,
    login: SeenLogin | None = None,
    client: KnownClient | None = None,
) -> str:
    """A commented profile for an issuer. It loads once the blanks (`""`) are filled in and the variables are set.

    Everything that the target said is escaped, bounded, and kept on one line.

    Args:
        issuer: as the profile is to name it.
        metadata: what the target says of itself.
        ca: the file of the authority that is trusted already, as the profile is to name it.
        login: what was seen of the login page.
        client: the public client, where it is known.
    """
    unauthorized = metadata.authorization_endpoint is None and bool(metadata.documents)
    lines = [
        *_head(issuer, metadata, ca),
        *_endpoints(metadata),
        *_service(metadata),
        *_spa(metadata, client or KnownClient()),
        *(() if unauthorized else signing_in(login or SeenLogin())),
        *_claims(metadata),
        *_politeness(issuer),
    ]
    return "\n".join(lines) + "\n"


def _head(issuer: str, metadata: Metadata, ca: str) -> Iterator[str]:
    yield "# A profile for grantproof. Fill in what is empty, set the variables, then run:"
    yield "#   grantproof preflight --idp THIS-FILE"
    if metadata.documents:
        yield "# Metadata was read from " + ", ".join(quoted(each) for each in metadata.documents[:4])
    else:
        yield "# No metadata was found: every endpoint has to be filled in."
    for problem in metadata.problems[:MAX_LISTED]:
        yield f"# Take a look: {quoted(problem, 300)}"
    yield ""
    yield "timeout_s = 10"
    yield ""
    yield "[target]"
    yield f"issuer = {quoted(issuer.replace('$', '$$'), 2_000)}"
    yield '# name = "how reports call it"'
    yield '# headers = { X-Staging-Key = "${STAGING_KEY}" }'
    yield '# proxy = "http://127.0.0.1:3128"'
    if issuer.startswith("https:"):
        yield ""
        yield "[tls]"
        comment = "# if a private authority signed the certificate: a file beside this one"
        yield f"ca = {quoted(ca.replace('$', '$$'), 2_000)}" if ca else f'# ca = "ca.pem"            {comment}'
    yield ""


def _endpoints(metadata: Metadata) -> Iterator[str]:
    yield "[endpoints]"
    if metadata.documents:
        yield "# Read from the metadata each time; a line here overrides it."
    for name in ENDPOINT_MEMBERS:
        url = metadata.endpoint(name)
        if url and metadata.downgrades(url):
            yield f"# {name} = {literal(url)}   # plain http under an https issuer: not used unless you uncomment it"
        elif url:
            yield f"# {name} = {literal(url)}"
        elif name in {"authorization", "token"} and not metadata.documents:
            yield f'{name} = ""'
        else:
            yield f'# {name} = ""'
    hint = f"; {quoted(metadata.userinfo_endpoint)} may do" if metadata.userinfo_endpoint else ""
    yield f'# resource = ""            # a protected resource that takes the tokens{hint}'
    yield ""


def _service(metadata: Metadata) -> Iterator[str]:
    grants = metadata.grant_types_supported
    off = "# " if grants is not None and "client_credentials" not in grants else ""
    if off:
        yield "# The metadata's grant_types_supported does not have client_credentials."
    elif grants is None:
        yield "# The metadata does not say whether client_credentials is offered; drop the table if it is not."
    methods = metadata.token_endpoint_auth_methods_supported or ()
    usable = [each for each in methods if each in SECRET_METHODS]
    yield f"{off}[clients.service]"
    yield f'{off}id = ""                    # the client_id'
    yield f'{off}secret = "${{SERVICE_SECRET:?set it to the client\'s secret}}"'
    yield f"{off}auth_methods = {array(usable[:1] or ['client_secret_basic'])}   # those this client is registered for"
    if methods:
        yield f"# the target has {array(methods)}"
    yield f'{off}grants = ["client_credentials"]'
    yield from _scopes(metadata, off)
    yield '# parameters = { audience = "" }   # what this server needs beside the standard'
    yield ""


def _spa(metadata: Metadata, client: KnownClient) -> Iterator[str]:
    types = [each for each in metadata.response_types_supported or () if _is_implicit(each)]
    grants = metadata.grant_types_supported
    denied = (grants is not None and "implicit" not in grants) or (
        grants is None and metadata.response_types_supported is not None and not types
    )
    off = "# " if denied else ""
    if denied:
        yield "# The metadata does not have the implicit grant."
    elif grants is None and not types:
        yield "# The metadata does not say whether implicit is offered; drop the table if it is not."
    chosen = ["token"] if "token" in types or not types else [min(types, key=len)]
    yield f"{off}[clients.spa]"
    known = f"{off}id = {literal(client.id)}"
    yield known if client.id else f'{off}id = ""                    # the client_id of a public client'
    yield f"{off}public = true"
    yield f'{off}grants = ["implicit"]'
    yield f"{off}response_types = {array(chosen)}"
    if types:
        yield f"# the target has {array(types)}"
    uri = literal(client.redirect_uri, 2_000)
    yield f"{off}redirect_uris = [{uri}]       # as registered; two of them prove more"
    yield from _scopes(metadata, off)
    yield ""


def _is_implicit(response_type: str) -> bool:
    words = response_type.split(" ")
    return "token" in words and "code" not in words and all(each in RESPONSE_WORDS for each in words)


def _scopes(metadata: Metadata, off: str) -> Iterator[str]:
    yield f"{off}scopes = []                # two of them prove more"
    if metadata.scopes_supported:
        yield f"# the target has {array(metadata.scopes_supported)}"


def _claims(metadata: Metadata) -> Iterator[str]:
    yield "[claims]"
    yield "# What the target offers or does where the metadata does not say so."
    if metadata.introspection_endpoint:
        yield '# introspection_client = "service"'
    yield "# jwt_access_tokens = true"
    yield "# reuses_tokens = true"
    yield "# first_party = true          # consent may be skipped"
    yield "# max_token_lifetime_s = 3600"
    yield ""


def _politeness(issuer: str) -> Iterator[str]:
    yield "[politeness]"
    yield "# requests_per_second = 50   # the default; none on this machine"
    yield "intrusive = false            # brute force, lock-out, slow checks"
    yield ""
    yield "[load]"
    local = is_loopback(issuer)
    yield f"allowed = {'true' if local else 'false'}" + (
        "" if local else "              # true only if the target is yours"
    )
    yield 'thresholds = ["p99 < 250ms", "errors < 0.1%"]'
