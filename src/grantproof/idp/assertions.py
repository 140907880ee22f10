"""The client assertions of a run: how they are signed, and what stands in for one that was sent already."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grantproof.errors import Inconclusive, NotOffered
from grantproof.wire.authentication import SigningKey, assertion_claims

if TYPE_CHECKING:
    from grantproof.roles import Caller
    from grantproof.transport import Redactor
    from grantproof.wire.request import Request

_CLIENT_ASSERTION = re.compile(rb"(?:^|&)client_assertion=([^&]+)")
_KEPT_ASSERTIONS = 200


class Assertions:
    """Makes plain assertions, and remembers whose the latest were.

    Args:
        redactor: learns each assertion.
    """

    def __init__(self, redactor: "Redactor") -> None:
        self._redactor = redactor
        self._made: dict[str, tuple[Caller, str]] = {}

    def make(self, caller: "Caller", audience: str) -> str:
        """A new plain assertion of a caller.

        Raises:
            Inconclusive: its key in the profile cannot be used.
            NotOffered: it has none.
        """
        signed = _sign(caller, assertion_claims(caller.client.id, audience))
        self._redactor.learn(signed)
        self._made[signed] = (caller, audience)
        while len(self._made) > _KEPT_ASSERTIONS:
            del self._made[next(iter(self._made))]
        return signed

    def renew(self, request: "Request") -> "Request | None":
        """The request with another assertion, since a server may know the first one although it did not answer.

        None where the assertion is no plain one: then it says something that this run cannot say a second time.

        Source: RFC 7523 section 3.
        """
        found = _CLIENT_ASSERTION.search(request.body)
        if found is None:
            return request
        known = self._made.get(found[1].decode("ascii", "replace"))
        if known is None:
            return None
        return replace(request, body=request.body.replace(found[1], self.make(*known).encode("ascii")))


def signing_key(caller: "Caller") -> SigningKey:
    """The key with which a caller signs its assertions.

    Raises:
        NotOffered: it has none.
    """
    client = caller.client
    algorithm = client.signs_with(caller.method)
    if caller.method == "client_secret_jwt":
        return SigningKey(algorithm, client.secret or "", client.kid)
    if client.private_key is None:
        raise NotOffered(f"the client {client.name} has no private key")
    return SigningKey(algorithm, client.private_key.read_text("ascii"), client.kid)


def _sign(caller: "Caller", claims: dict[str, Any]) -> str:
    """An assertion of a caller.

    Raises:
        Inconclusive: its key in the profile cannot be used.
    """
    import jwt  # noqa: PLC0415 - only assertions need it

    try:
        return signing_key(caller).sign(claims)
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError) as problem:
        where = f"clients.{caller.client.name} of the profile"
        raise Inconclusive(f"the key of {where} cannot sign: {type(problem).__name__}") from None
