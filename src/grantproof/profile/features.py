"""Feature by feature: whether the target offers it, and why. The names are those of `needs` in the clauses."""

from collections.abc import Callable

from grantproof.profile.discovery import Metadata
from grantproof.profile.facts import Facts, Offered, no, provable, unknown, yes
from grantproof.wire.loopback import is_loopback

SHORT_LIFETIME_S = 60.0
"""Tokens that live no longer than this are waited for."""

ASSERTION_METHODS = frozenset({"private_key_jwt", "client_secret_jwt"})
_NO_IMPLICIT_CLIENT = "no client in the profile has the implicit grant"


def _client_credentials(facts: Facts) -> Offered:
    grants = facts.metadata.grant_types_supported
    stated = None if grants is None else "client_credentials" in grants
    return _grant(facts, "client_credentials", "token", stated=stated, where="grant_types_supported")


def _implicit(facts: Facts) -> Offered:
    stated, where = _implicit_in(facts.metadata)
    return _grant(facts, "implicit", "authorization", stated=stated, where=where)


def _implicit_in(metadata: Metadata) -> tuple[bool | None, str]:
    if metadata.grant_types_supported is not None:
        return "implicit" in metadata.grant_types_supported, "grant_types_supported"
    types = metadata.response_types_supported
    words = [each.split() for each in types or ()]
    stated = None if types is None else any("token" in each and "code" not in each for each in words)
    return stated, "response_types_supported"


def _grant(facts: Facts, grant: str, endpoint: str, *, stated: bool | None, where: str) -> Offered:
    clients = facts.profile.clients_for(grant)
    if clients and facts.claim(grant) is None:
        found = yes(f"the client {clients[0].name} is registered for it")
    else:
        found = facts.said(grant, stated=stated, where=where)
    return provable(
        found,
        (clients, f"no client in the profile has the {grant} grant"),
        (facts.address(endpoint), f"no {endpoint} endpoint is known"),
    )


def _at_endpoint(facts: Facts, name: str) -> Offered:
    """A feature that is an endpoint: a URL for it, in profile or metadata, states it."""
    own = getattr(facts.profile.endpoints, name)
    if own and own != facts.metadata.endpoint(name) and facts.claim(name) is None:
        return yes(f"the profile's [endpoints] has {name}")
    url = facts.address(name)
    found = facts.said(name, stated=True if url else None, where=f"{name} endpoint")
    return provable(found, (url, f"no {name} endpoint is known"))


def _introspection(facts: Facts) -> Offered:
    named = facts.profile.claims.introspection_client
    able = facts.profile.clients.get(named) if named else facts.clients(lambda each: each.confidential)
    return provable(_at_endpoint(facts, "introspection"), (able, "no confidential client is there to introspect with"))


def _revocation(facts: Facts) -> Offered:
    return provable(_at_endpoint(facts, "revocation"), (facts.profile.clients, "the profile has no client"))


def _resource(facts: Facts) -> Offered:
    return _at_endpoint(facts, "resource")


def _jwks(facts: Facts) -> Offered:
    return _at_endpoint(facts, "jwks")


def _metadata(facts: Facts) -> Offered:
    if claimed := facts.claimed("metadata"):
        return claimed
    if facts.metadata.documents:
        return yes("the target has published a metadata document")
    if facts.profile.endpoints.metadata:
        return yes("the profile's [endpoints] has metadata")
    return unknown("no metadata document was found")


def _jwt_access_tokens(facts: Facts) -> Offered:
    claimed = facts.claimed("jwt_access_tokens")
    return claimed or unknown("only the profile's [claims] can say jwt_access_tokens = true")


def _id_token(facts: Facts) -> Offered:
    clients = facts.clients(lambda each: any("id_token" in kind.split() for kind in each.response_types))
    if clients and facts.claim("id_token") is None:
        return yes(f"the client {clients[0].name} has a response type with id_token")
    types = facts.metadata.response_types_supported
    stated = None if types is None else any("id_token" in each.split() for each in types)
    found = facts.said("id_token", stated=stated, where="response_types_supported")
    return provable(found, (clients, "no client in the profile has a response type with id_token"))


def _form_post(facts: Facts) -> Offered:
    modes = facts.metadata.response_modes_supported
    stated = None if modes is None else "form_post" in modes
    found = facts.said("form_post", stated=stated, where="response_modes_supported")
    return provable(found, (facts.profile.clients_for("implicit"), _NO_IMPLICIT_CLIENT))


def _iss_parameter(facts: Facts) -> Offered:
    stated = facts.metadata.authorization_response_iss_parameter_supported
    found = facts.said("iss_parameter", stated=stated, where="authorization_response_iss_parameter_supported")
    return provable(found, (facts.profile.clients_for("implicit"), _NO_IMPLICIT_CLIENT))


def _client_assertion(facts: Facts) -> Offered:
    clients = facts.clients(lambda each: bool(ASSERTION_METHODS.intersection(each.auth_methods)))
    if clients and facts.claim("client_assertion") is None:
        return yes(f"the client {clients[0].name} authenticates by an assertion")
    methods = facts.metadata.token_endpoint_auth_methods_supported
    stated = None if methods is None else bool(ASSERTION_METHODS.intersection(methods))
    found = facts.said("client_assertion", stated=stated, where="token_endpoint_auth_methods_supported")
    return provable(found, (clients, "no client in the profile authenticates by an assertion"))


def _registration(facts: Facts) -> Offered:
    url = facts.metadata.registration_endpoint
    found = facts.said("registration", stated=True if url else None, where="registration_endpoint")
    return provable(found, (url, "the metadata names no registration_endpoint"))


def _addresses(facts: Facts) -> list[str]:
    names = ("authorization", "token", "introspection", "revocation")
    return [each for each in (facts.profile.target.issuer, *map(facts.address, names)) if each]


def _tls(facts: Facts) -> Offered:
    """Whether TLS is due: wherever it is spoken, and wherever others than this machine can listen."""
    addresses = _addresses(facts)
    if any(each.startswith("https:") for each in addresses):
        return yes("an address of the target is https")
    if not addresses:
        return unknown("no address of the target is known")
    if all(map(is_loopback, addresses)):
        return no("the target speaks plain http on this machine only")
    return yes("the target speaks plain http to other machines, where TLS is due")


def _plain_http(facts: Facts) -> Offered:
    """Whether a request in the clear would be a finding: exactly where TLS is due."""
    return _tls(facts)


def _intrusive(facts: Facts) -> Offered:
    return _asked(facts, "intrusive")


def _slow(facts: Facts) -> Offered:
    return _asked(facts, "slow")


def _asked(facts: Facts, kind: str) -> Offered:
    where = "the profile's [politeness] says intrusive = true"
    return yes(where) if facts.profile.politeness.intrusive else no(f"{kind} checks run only if {where}")


def _configured(present: object, has: str, lacks: str) -> Offered:
    return yes(has) if present else no(lacks)


def _user(facts: Facts) -> Offered:
    return _configured(facts.profile.user, "the profile has a [user]", "the profile has no [user]")


def _two_users(facts: Facts) -> Offered:
    both = facts.profile.user and facts.profile.user2
    return _configured(both, "the profile has [user] and [user2]", "the profile has not both [user] and [user2]")


def _two_scopes(facts: Facts) -> Offered:
    found = facts.clients(lambda each: len(set(each.scopes)) > 1)
    return _configured(found, "a client has two scopes", "no client in the profile has two scopes")


def _second_client(facts: Facts) -> Offered:
    different = len({client.id for client in facts.profile.clients.values()}) > 1
    return _configured(different, "the profile has two clients", "the profile has no second client")


def _public_client(facts: Facts) -> Offered:
    found = facts.clients(lambda each: each.public)
    return _configured(found, "the profile has a public client", "the profile has no public client")


def _disposable_client(facts: Facts) -> Offered:
    found = facts.clients(lambda each: each.disposable)
    return _configured(found, "a client may be locked out", "no client in the profile has disposable = true")


def _short_lived_token(facts: Facts) -> Offered:
    lifetime = facts.profile.claims.max_token_lifetime_s
    if lifetime is None:
        return unknown("only the profile's [claims] can say max_token_lifetime_s")
    reason = f"access tokens live for up to {lifetime:g} s; up to {SHORT_LIFETIME_S:g} s are waited for"
    return yes(reason) if lifetime <= SHORT_LIFETIME_S else no(reason)


FEATURES: dict[str, Callable[[Facts], Offered]] = {
    "client_assertion": _client_assertion,
    "client_credentials": _client_credentials,
    "disposable_client": _disposable_client,
    "form_post": _form_post,
    "id_token": _id_token,
    "implicit": _implicit,
    "intrusive": _intrusive,
    "introspection": _introspection,
    "iss_parameter": _iss_parameter,
    "jwks": _jwks,
    "jwt_access_tokens": _jwt_access_tokens,
    "metadata": _metadata,
    "plain_http": _plain_http,
    "public_client": _public_client,
    "registration": _registration,
    "resource": _resource,
    "revocation": _revocation,
    "second_client": _second_client,
    "short_lived_token": _short_lived_token,
    "slow": _slow,
    "tls": _tls,
    "two_scopes": _two_scopes,
    "two_users": _two_users,
    "user": _user,
}
