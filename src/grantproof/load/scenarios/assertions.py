"""Token requests by signed assertions, which are signed ahead in bulk so that signing is not what is measured.

Source: RFC 7523 sections 2.2 and 3.
"""

from collections import deque
from dataclasses import replace
from time import perf_counter, time
from typing import TYPE_CHECKING, Final

from jwt import PyJWTError

from grantproof.errors import GrantproofError
from grantproof.idp import Idp
from grantproof.load.credentials import Pairs, client_for_load, form_headers, token_pairs
from grantproof.load.exchange import Exchange, Prepared, token_judge
from grantproof.load.scenarios.needs import profile_of
from grantproof.load.work import Part
from grantproof.roles import Caller
from grantproof.wire.authentication import JWT_BEARER, SigningKey, assertion_claims
from grantproof.wire.form import Form

if TYPE_CHECKING:
    from grantproof.load.target import Target
    from grantproof.load.work import Work
    from grantproof.profile import Client

_METHODS: Final = ("private_key_jwt",)
_MARGIN_S: Final = 60.0
_CLOSED_LOOP: Final = 2000
_PROBES: Final = 20
_MOST: Final = 2_000_000


def assertion_parts(target: "Target") -> tuple[Part, ...]:
    """One client that is registered for private_key_jwt.

    Raises:
        GrantproofError: the profile has none, or its key cannot be used.
    """
    client, method = client_for_load(profile_of(target), _METHODS)
    _key_of(client, method)
    return (Part("private_key_jwt", _make),)


def _make(work: "Work") -> Exchange:
    """Signs as many assertions as there are requests; in the closed loop so many, and the rest while it runs."""
    client, method = client_for_load(profile_of(work.target), _METHODS)
    number = min(sum(1 for _ in work.schedule), _MOST) if work.schedule is not None else _CLOSED_LOOP
    maker = _RequestMaker(work.target, client, _key_of(client, method), _audience_of(work.target, client, method))
    began = perf_counter()
    for _ in range(_PROBES):
        maker.sign(_MARGIN_S)
    ahead_s = 2 * number * (perf_counter() - began) / _PROBES
    maker.lives_until_s = time() + ahead_s + (work.duration_s or 0.0) + work.target.timeout_s + _MARGIN_S
    began = perf_counter()
    maker.sign_ahead(number)
    prepared = Prepared("assertions signed", number, perf_counter() - began)
    judge = token_judge(replace(work.target, client_id=client.id, scopes=tuple(client.scopes)), work.findings)
    return Exchange("POST", "token by private_key_jwt", maker, judge, prepared=prepared)


class _RequestMaker:
    """Gives requests that were signed ahead, the oldest first; once there are none, it signs.

    Attributes:
        lives_until_s: when assertions signed ahead expire, in seconds since the epoch: after the run.
    """

    def __init__(self, target: "Target", client: "Client", key: SigningKey, audience: str) -> None:
        self.lives_until_s = 0.0
        self._requests: deque[bytes] = deque()
        self._target, self._client, self._key, self._audience = target, client, key, audience
        self._pairs = token_pairs(client)
        self._fields: Pairs = (*form_headers(), *profile_of(target).target.headers.items())

    def sign_ahead(self, number: int) -> None:
        """Makes so many, each with an identifier of its own."""
        for _ in range(number):
            self._requests.append(self.sign(self.lives_until_s - time()))

    def sign(self, lifetime_s: float) -> bytes:
        """One request whose assertion lives so long."""
        assertion = self._key.sign(assertion_claims(self._client.id, self._audience, lifetime_s=lifetime_s))
        proof = (("client_assertion_type", JWT_BEARER), ("client_assertion", assertion))
        body = Form((*self._pairs, *proof)).encode().encode("ascii")
        return self._target.request("POST", self._target.token_url, self._fields, body)

    def __call__(self) -> bytes:
        return self._requests.popleft() if self._requests else self.sign(_MARGIN_S)


def _key_of(client: "Client", method: str) -> SigningKey:
    path = client.private_key
    try:
        key = SigningKey(client.signs_with(method), path.read_text("ascii") if path else "", client.kid)
        _ = key.prepared
    except (OSError, ValueError, TypeError, NotImplementedError, PyJWTError) as error:
        where = f"clients.{client.name}.private_key"
        raise GrantproofError(f"the key cannot sign: {type(error).__name__}", where) from None
    return key


def _audience_of(target: "Target", client: "Client", method: str) -> str:
    """The audience that the server takes: the issuer or the token endpoint, tried once."""
    with Idp.open(profile_of(target)) as idp:
        return idp.audience_for(Caller(client, method))
