"""Endpoints that are optional: introspection, revocation, the protected resource, the keys."""

from functools import cached_property
from typing import Any

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp.lifetimes import TimedTarget
from grantproof.idp.signatures import read_header, read_keys, unverified_claims, verify
from grantproof.roles import ROLES, Caller, Holder, distinct
from grantproof.wire.answer import Answer
from grantproof.wire.form import Form
from grantproof.wire.request import FormRequest, Request


class ObservedTarget(TimedTarget):
    """A target that says what became of its tokens."""

    def introspect(self, token: str, caller: Caller | None = None, **changes: str | None) -> Answer:
        """The introspection endpoint's answer about a token, asked by the profile's introspection client or another."""
        request = FormRequest(self.endpoint("introspection"), Form((("token", token),)).update(changes))
        return self.exchange(self.authenticate(request, caller or self.introspection_caller).to_request())

    @cached_property
    def introspection_caller(self) -> Caller:
        """Who may ask about tokens: the claimed introspection client, else the first confidential one."""
        named = self.profile.claims.introspection_client
        client = self.profile.clients.get(named) if named else None
        if client is None:
            client = next((each for each in self.profile.clients.values() if not each.public), None)
        if client is None:
            raise NotOffered("the profile has no confidential client that could introspect")
        return Caller(client, client.auth_methods[0])

    def is_active(self, token: str, owner: Holder) -> bool:
        """Whether introspection calls a token active: False for any other answer, so it never judges the answer."""
        return self.introspect(token, self.watcher(owner)).get("active") is True

    def watcher(self, owner: Holder) -> Caller:
        """Who may ask about a token of its owner: the claimed introspection client, else the owner if it can."""
        if self.profile.claims.introspection_client is None and isinstance(owner, Caller) and not owner.client.public:
            return owner
        self.prove_credentials(self.introspection_caller)
        return self.introspection_caller

    def issue_watched(self, holder: Holder) -> str:
        """A new access token that introspection calls active: the control of all that must end it or must not.

        Raises:
            NotOffered: unsupported_token_type.
            Inconclusive: introspection does not know the fresh token.
        """
        token = self.issue(holder)
        if not self.eventually(lambda: self.is_active(token, holder)):
            if self.introspect(token, self.watcher(holder)).get("error") == "unsupported_token_type":
                raise NotOffered("this target does not introspect such access tokens: unsupported_token_type")
            raise Inconclusive(f"introspection does not call a fresh token of {holder.client.name} active")
        return token

    def facts_of(self, token: str) -> dict[str, Any]:
        """What the target says about a token of its own: by introspection, else as a JWT's claims, else nothing."""
        if self.offer.offers("introspection")[0]:
            answer = self.introspect(token)
            if answer.get("active") is True:
                return answer.members
        return unverified_claims(token)

    def scope_of(self, token: str) -> frozenset[str] | None:
        """The scope that a token has, as far as the target says: None where it does not.

        A token of which introspection names no scope has none, if introspection names one of the plain tokens.
        """
        facts = self.facts_of(token)
        scope = facts.get("scope", facts.get("scp"))
        if scope is None and facts.get("active") is True and self._names_scopes:
            return frozenset()
        if isinstance(scope, str):
            return frozenset(scope.split())
        return frozenset(map(str, scope)) if isinstance(scope, list) else None  # pyright: ignore[reportUnknownArgumentType] - JSON at the edge

    @cached_property
    def _names_scopes(self) -> bool:
        """Whether introspection names the scope of the tokens that answer plain requests with a scope."""
        found = distinct(ROLES["service"].find(self.profile))
        plain = next((each for each in found if isinstance(each, Caller) and each.client.scopes), None)
        token = self.token(plain).get("access_token") if plain else None
        return isinstance(token, str) and isinstance(self.facts_of(token).get("scope"), str)

    def revoke(self, token: str, caller: Caller, **changes: str | None) -> Answer:
        """The revocation endpoint's answer to a caller who revokes a token."""
        request = FormRequest(self.endpoint("revocation"), Form((("token", token),)).update(changes))
        return self.exchange(self.authenticate(request, caller).to_request())

    def end_token(self, token: str, caller: Caller, **changes: str | None) -> Answer:
        """The answer to a revocation that this target may well not offer for this token.

        Raises:
            NotOffered: unsupported_token_type, or a public client that may not revoke.
        """
        answer = self.revoke(token, caller, **changes)
        error = answer.get("error")
        if error == "unsupported_token_type":
            raise NotOffered("this target does not revoke such access tokens: unsupported_token_type")
        if caller.client.public and error in {"invalid_client", "unauthorized_client"}:
            raise NotOffered(f"this target lets no public client revoke: {error}")
        return answer

    def resource(
        self, token: str | None, *, scheme: str = "Bearer", headers: tuple[tuple[str, str], ...] = ()
    ) -> Answer:
        """The protected resource's answer to a GET with this token in the Authorization header, or with none."""
        own = () if token is None else (("Authorization", f"{scheme} {token}"),)
        return self.exchange(Request("GET", self.endpoint("resource"), (*own, *headers)))

    @cached_property
    def opens_resource(self) -> bool:
        """Whether some client's token opens the resource: the control of what it refuses."""
        for holder in (
            *distinct(ROLES["service"].find(self.profile)),
            *distinct(ROLES["token_flow"].find(self.profile)),
        ):
            try:
                self.prove(holder)
                if self.resource(self.issue(holder)).status < 300:
                    return True
            except (Inconclusive, AssertionError):
                continue
        return False

    @cached_property
    def jwks(self) -> Any:
        """The keys of the server as pyjwt reads them.

        Raises:
            AssertionError: the document is no JWK set.
            NotOffered: there is no jwks endpoint.
        """
        return read_keys(self._published_keys())

    @cached_property
    def key_set(self) -> dict[str, Any]:
        """The JWK set as it was published; empty where there is none that can be read."""
        if not self.offer.offers("jwks")[0]:
            return {}
        keys = self._published_keys().get("keys")
        return {"keys": keys} if isinstance(keys, list) else {}

    def _published_keys(self) -> Answer:
        return self.exchange(Request("GET", self.endpoint("jwks"), (("Accept", "application/json"),)))

    def verify_jwt(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a JWT whose signature a key of the JWK set verifies.

        Raises:
            AssertionError: no key verifies it.
        """
        header = read_header(token)
        return header, verify(token, header, self.jwks.keys)
