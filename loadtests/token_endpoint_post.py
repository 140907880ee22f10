"""Token requests by client credentials, with the secret in the body instead of the Authorization header.

    locust -f loadtests/token_endpoint_post.py --headless --idp embedded --rate 200 --run-time 30s

The client is the profile's first that is registered for client_secret_post.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios.post import post_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class TokenEndpointPost(EngineUser):
    """Asks for one access token after another."""

    scenario = "token_endpoint_post"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """The same request each time."""
        return post_parts(target)
