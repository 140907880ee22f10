"""Token requests with the secret in the body.

Source: RFC 6749 section 2.3.1.
"""

from typing import TYPE_CHECKING

from grantproof.load.credentials import client_for_load
from grantproof.load.exchange import Exchange, token_exchange
from grantproof.load.scenarios.needs import profile_of
from grantproof.load.target import Target
from grantproof.load.work import Part

if TYPE_CHECKING:
    from grantproof.load.work import Work

_METHODS = ("client_secret_post",)


def post_parts(target: Target) -> tuple[Part, ...]:
    """One client that is registered for client_secret_post.

    Raises:
        GrantproofError: the profile has none.
    """
    client_for_load(profile_of(target), _METHODS)
    return (Part("token_endpoint_post", _make),)


def _make(work: "Work") -> Exchange:
    return token_exchange(work.target.authenticated_by(_METHODS), work.findings)
