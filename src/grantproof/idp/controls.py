"""Controls: a client got what it is entitled to in this run, so that what is refused to it says something."""

import copy
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from grantproof.errors import CredentialsRefused, Inconclusive, NotOffered
from grantproof.idp.authorization_endpoint import AuthorizingTarget
from grantproof.idp.strangers import alike, stranger
from grantproof.roles import ROLES, Caller, Flow, Holder, distinct
from grantproof.wire.answer import AuthorizationAnswer, TokenAnswer
from grantproof.wire.authentication import basic_credentials

_Doubt = Inconclusive | NotOffered
_Kind = TypeVar("_Kind", Caller, Flow)


@dataclass(kw_only=True)
class ProvenTarget(AuthorizingTarget):
    """A target that is asked as its clients, each of them proven by its plain request.

    A plain request that is refused with invalid_client makes all that needs this client inconclusive.
    """

    _proofs: dict[tuple[str, str], _Doubt | None] = field(
        default_factory=dict[tuple[str, str], _Doubt | None], init=False, repr=False
    )

    def prove(self, holder: Holder) -> None:
        """The control: the plain request of this client is answered as it is entitled to. Sent once a run and process.

        Raises:
            Inconclusive: it is not, so nothing that needs this client can be judged.
            NotOffered: it is owed no token, and the profile has no client that is, so nothing can stand beside it.
        """
        key = (type(holder).__name__, str(holder))
        if key not in self._proofs:
            try:
                self._proofs[key] = (
                    self._prove_caller(holder) if isinstance(holder, Caller) else self._prove_flow(holder)
                )
            except (Inconclusive, NotOffered) as problem:
                self._proofs[key] = problem
            except AssertionError as problem:
                self._proofs[key] = Inconclusive(f"the plain request itself: {problem}")
        doubt = self._proofs[key]
        if doubt is not None:
            raise copy.copy(doubt)

    def prove_credentials(self, holder: Holder) -> None:
        """The lesser control of checks that judge the plain request itself: the profile's credentials are right.

        A refusal by one method is judged where another method of the same client is answered.

        Raises:
            CredentialsRefused: every method of the client gets invalid_client, or no login step is for the first page.
        """
        if not isinstance(holder, Caller):
            with suppress(Inconclusive):
                self.prove(holder)
            doubt = self._proofs.get((type(holder).__name__, str(holder)))
            if isinstance(doubt, CredentialsRefused):
                raise copy.copy(doubt)
            return
        for method in (holder.method, *holder.client.auth_methods):
            try:
                self.prove(Caller(holder.client, method))
            except CredentialsRefused:
                continue
            except Inconclusive:
                return
            else:
                return
        self.prove(holder)

    def _prove_caller(self, caller: Caller) -> Inconclusive | None:
        if caller.client.public:
            return self._prove_any_service()
        answer, _ = self.first_answer(caller)
        if answer.error == "invalid_client" and not answer.issued:
            where = f"is clients.{caller.client.name} of the profile right?"
            return CredentialsRefused(
                f"the plain request of {caller.client.name} by {caller.method} got invalid_client: {where}"
            )
        if answer.issued:
            return None
        seen = f"status {answer.status}, {answer.error}"
        told = f"the plain request of {caller.client.name} by {caller.method} got no token ({seen})"
        owed = caller.entitled or answer.error is None
        if owed and self._treats_as_a_stranger(caller, answer):
            where = f"is clients.{caller.client.name} of the profile right, and the token endpoint?"
            return CredentialsRefused(f"{told}, and a client that is not there gets the same answer: {where}")
        return Inconclusive(told) if caller.entitled else None

    def _treats_as_a_stranger(self, caller: Caller, answer: TokenAnswer) -> bool:
        """Whether a client that is not there gets the same answer: then it says nothing of the server's ways."""
        request = self.unauthenticated_request(caller).header("Authorization", basic_credentials(*stranger()))
        return alike(answer, self.send(request))

    def _treats_flow_as_a_stranger(self, flow: Flow, answer: AuthorizationAnswer, *, fresh: bool) -> bool:
        """Whether a client or a redirection URI that is not there leads to the same end on the same way.

        Args:
            flow: whose plain request it was.
            answer: where it ended.
            fresh: it began without a session.
        """
        request, (name, _) = self.authorization_request(flow), stranger()
        if answer.page is not None and answer.page.status == 405:
            return not self.follow(request.by("POST")).issued  # what takes POST alone is the right place
        for changes in ({"client_id": name}, {"redirect_uri": f"https://{name}.example/cb"}):
            other = self.follow(request.update(changes), agent=self.fresh_agent() if fresh else None)
            if other.acted != answer.acted:
                continue
            if answer.redirect is not None and other.redirect is not None:
                same = answer.redirect.url.partition("?")[0] == other.redirect.url.partition("?")[0]
            else:
                same = answer.page is not None and other.page is not None and alike(answer.page, other.page)
            if same:
                return True
        return False

    def _prove_any_service(self) -> Inconclusive | None:
        """The control of clients that are owed no token: somebody got one."""
        services = ROLES["service"].find(self.profile)
        if not services:
            raise NotOffered(f"nothing can stand beside a refusal: {ROLES['service'].absent}")
        for holder in services:
            try:
                self.prove(holder)
            except Inconclusive:
                continue
            return None
        return Inconclusive("no client got a token in this run, so that a refusal shows nothing")

    def _prove_flow(self, flow: Flow) -> Inconclusive | None:
        if not flow.entitled:
            return None
        fresh = not self.agent().signed_in
        answer = self.authorize(flow)
        if not answer.issued:
            page = answer.page if answer.redirect is None and not answer.acted else None
            stuck = page is not None and page.status == 200 and b"<form" in page.body.lower()
            known = answer.went_to(flow.redirect_uri)
            refused = stuck or (not known and self._treats_flow_as_a_stranger(flow, answer, fresh=fresh))
            why = f": {answer.diagnosis}{self._logins.keep(answer.page)}" if answer.diagnosis else ""
            doubt = (CredentialsRefused if refused else Inconclusive)(
                f"the plain request of {flow.client.name} ({flow.response_type}) ended at {answer.describe()}{why}"
            )
            doubt.key = "login.steps" if stuck else ""
            return doubt
        return None

    # One holder of a role out of several, for checks that draw which.

    def caller(self, role: str, number: int) -> Caller:
        """One of the callers who hold a role, proven; numbers beyond the last begin again at the first.

        Raises:
            NotOffered: nobody holds the role.
            Inconclusive: the plain request of this caller is not answered as it should be.
        """
        return self._one_of(role, number, Caller)

    def flow(self, role: str, number: int) -> Flow:
        """One of the flows that hold a role, proven; numbers beyond the last begin again at the first.

        Raises:
            NotOffered: nobody holds the role.
            Inconclusive: the plain request of this flow is not answered as it should be.
        """
        return self._one_of(role, number, Flow)

    def _one_of(self, role: str, number: int, kind: type[_Kind]) -> _Kind:
        found = [each for each in distinct(ROLES[role].find(self.profile)) if isinstance(each, kind)]
        if not found:
            raise NotOffered(ROLES[role].absent)
        chosen = found[number % len(found)]
        self.prove(chosen)
        return chosen
