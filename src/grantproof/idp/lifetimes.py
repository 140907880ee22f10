"""Tokens over time: how one is issued, when one has ended, and how long a change may take."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp.controls import ProvenTarget
from grantproof.profile.offer import SHORT_LIFETIME_S
from grantproof.roles import Caller, Holder

PROPAGATION_S = 2.0
"""How long a change may take to reach every part of the target."""


@dataclass(kw_only=True)
class TimedTarget(ProvenTarget):
    """A target whose tokens begin and end."""

    _grace_s: float = field(default=PROPAGATION_S, init=False, repr=False)

    def issue(self, holder: Holder) -> str:
        """A new access token by the holder's plain request.

        Raises:
            AssertionError: none was issued.
            CredentialsRefused: the profile's credentials of the client are wrong.
        """
        self.prove_credentials(holder)
        return (self.token(holder) if isinstance(holder, Caller) else self.authorize(holder)).access_token

    def expired_token(self, caller: Caller) -> str:
        """The caller's first token of the run, a second after its end, waited for where that has not come.

        Raises:
            NotOffered: its tokens live too long to be waited for, or nobody says how long.
        """
        answer, since = self.first_answer(caller)
        lifetime_s = answer.get("expires_in") or self.profile.claims.max_token_lifetime_s
        if isinstance(lifetime_s, bool) or not isinstance(lifetime_s, int | float):
            raise NotOffered(f"nobody says how long the tokens of {caller.client.name} live")
        if lifetime_s > SHORT_LIFETIME_S:
            raise NotOffered(f"the tokens of {caller.client.name} live for {lifetime_s:g} s, too long to be waited for")
        time.sleep(max(0.0, since + lifetime_s + 1 - time.monotonic()))
        return answer.access_token

    def expired(self) -> tuple[Caller, str]:
        """The first client whose tokens can be waited for, whatever its role, and an expired one of them.

        Raises:
            NotOffered: there is none.
        """
        for caller in self._who_may_wait():
            with suppress(NotOffered):
                return caller, self.expired_token(caller)
        raise NotOffered("the tokens of every client live too long to be waited for")

    def begin_waiting(self) -> None:
        """Has the tokens issued whose end will be waited for, so that it comes while others are judged.

        What goes wrong here is nobody's verdict: the checks that wait ask again.
        """
        with suppress(Inconclusive, NotOffered, AssertionError):
            self.require("slow")
            for caller in self._who_may_wait():
                self.first_answer(caller)

    def _who_may_wait(self) -> list[Caller]:
        clients = self.profile.clients_for("client_credentials")
        return [Caller(each, each.auth_methods[0]) for each in clients if not each.public and not each.disposable]

    def eventually(self, holds: Callable[[], bool]) -> bool:
        """Whether something holds now or after some grace, since a change may take a moment to reach every server.

        A target that did not use the whole grace once is given a fifth of it from then on.
        """
        until, pause_s = time.monotonic() + self._grace_s, 0.05
        while not holds():
            if time.monotonic() + pause_s > until:
                self._grace_s = PROPAGATION_S / 5
                return False
            time.sleep(pause_s)
            pause_s *= 2
        return True
