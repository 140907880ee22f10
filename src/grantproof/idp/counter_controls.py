"""Counter-controls: a server that lets everything pass passes no check of what lets the right thing pass."""

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp.optional_endpoints import ObservedTarget
from grantproof.roles import ROLES, Caller, Holder, distinct


@dataclass(kw_only=True)
class DiscerningTarget(ObservedTarget):
    """A target that is shown to refuse something as well."""

    _indifferent: dict[str, bool] = field(default_factory=dict[str, bool], init=False, repr=False)

    def expect_secret_matters(self, caller: Caller) -> None:
        """The counter-control of credentials that were accepted: wrong ones by the same method are not.

        Raises:
            NotOffered: a wrong secret gets a token as well, so nothing shows that any credentials were read.
        """
        if str(caller) not in self._indifferent:
            wrong = f"{caller.client.secret or ''}-not"
            request = self.authenticate(self.unauthenticated_request(caller), caller, secret=wrong)
            self._indifferent[str(caller)] = self.send(request).issued
        if self._indifferent[str(caller)]:
            raise NotOffered("a wrong secret gets a token as well: nothing shows that credentials were read")

    def expect_resource_closed(self) -> None:
        """The counter-control of a token that opened the resource: without a token it is closed.

        Raises:
            NotOffered: it is open to everybody, so nothing shows that a token was read.
        """
        if not self._closed_without_token:
            raise NotOffered("the resource is open without a token too: nothing shows that one was read")

    @cached_property
    def _closed_without_token(self) -> bool:
        return not 200 <= self.resource(None).status < 300

    def expect_made_up_inactive(self, owner: Holder) -> None:
        """The counter-control of a token that introspection calls active: one that was made up is not.

        Raises:
            NotOffered: everything is active there, so the answer says nothing about a token.
        """
        if self.is_active(secrets.token_urlsafe(32), owner):
            raise NotOffered("introspection calls a made-up token active: its answers say nothing")

    def expect_revocation_works(self) -> None:
        """The counter-control of a token that outlived its revocation by others: somebody's own revocation ends one.

        Raises:
            NotOffered: nobody's does, so nothing can be shown of who may revoke.
        """
        if not self._revocation_works:
            raise NotOffered("no client's own revocation is seen to end a token: nothing shows who may revoke")

    @cached_property
    def _revocation_works(self) -> bool:
        for owner in distinct(ROLES["service"].find(self.profile)):
            with suppress(Inconclusive, NotOffered, AssertionError):
                if isinstance(owner, Caller) and self._ends(owner):
                    return True
        return False

    def _ends(self, owner: Caller) -> bool:
        self.prove(owner)
        token = self.issue_watched(owner)
        self.revoke(token, owner)
        return self.eventually(lambda: not self.is_active(token, owner))
