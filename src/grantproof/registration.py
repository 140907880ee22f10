"""Dynamic client registration as checks use it: a client that the target makes, and that is ended afterwards."""

import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from grantproof.errors import Inconclusive, NotOffered
from grantproof.idp import Idp
from grantproof.profile.client import Client
from grantproof.roles import Caller
from grantproof.wire.answer import Answer
from grantproof.wire.request import Request

_SERVICE: dict[str, Any] = {
    "client_name": "grantproof",
    "grant_types": ["client_credentials"],
    "token_endpoint_auth_method": "client_secret_basic",
}


@dataclass(frozen=True)
class Registered:
    """A client that the target made; `caller` is how it authenticates, None where it got no secret."""

    answer: Answer
    client_id: str
    secret: str | None = field(repr=False)
    uri: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @property
    def caller(self) -> Caller | None:
        """The new client by HTTP Basic."""
        if not self.secret:
            return None
        made = Client(name="registered", id=self.client_id, secret=self.secret, grants=("client_credentials",))
        return Caller(made, "client_secret_basic")


def try_to_register(idp: Idp, **members: Any) -> Answer:
    """The answer to a registration request for a service, with members changed, or left out where None.

    Raises:
        NotOffered: the metadata names no endpoint for it.

    Source: RFC 7591 section 3.1.
    """
    url = idp.metadata.registration_endpoint
    if not url:
        raise NotOffered("the metadata names no registration_endpoint")
    wanted = {name: value for name, value in {**_SERVICE, **members}.items() if value is not None}
    headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
    answer = idp.exchange(Request("POST", url, headers, json.dumps(wanted).encode()))
    redactor = idp.transport.recorder.redactor
    for name in ("client_secret", "registration_access_token"):
        value = answer.get(name)
        if isinstance(value, str):
            redactor.learn(value)
    return answer


@contextmanager
def registered(idp: Idp, **members: Any) -> Generator[Registered]:
    """A new client, ended when the context is left, where the target lets its clients be ended.

    Raises:
        NotOffered: not everybody may register, or not such a client.
    """
    answer = try_to_register(idp, **members)
    client_id = answer.get("client_id")
    if answer.status not in {200, 201} or not isinstance(client_id, str):
        raise NotOffered(f"such a client cannot be registered by everybody: status {answer.status}")
    secret, uri, token = (
        value if isinstance(value := answer.get(name), str) else None
        for name in ("client_secret", "registration_client_uri", "registration_access_token")
    )
    made = Registered(answer, client_id, secret, uri, token)
    try:
        yield made
    finally:
        with suppress(Inconclusive, NotOffered, AssertionError):
            end(idp, made)


def end(idp: Idp, made: Registered) -> Answer:
    """The answer to the end of a registration.

    Raises:
        NotOffered: the target told the client no place for it on its own origins.

    Source: RFC 7592 section 2.3.
    """
    if made.uri is None or made.token is None or not idp.is_own(made.uri):
        raise NotOffered("registered clients cannot be ended: the answer names no registration_client_uri of its own")
    return idp.exchange(Request("DELETE", made.uri, (("Authorization", f"Bearer {made.token}"),)))
