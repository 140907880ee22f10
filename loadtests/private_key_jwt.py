"""Token requests by signed assertions (RFC 7523).

    locust -f loadtests/private_key_jwt.py --headless --idp embedded --rate 50 --run-time 30s

As many assertions as there are requests are signed ahead, so that signing is not what is measured; how long that took
stands in load.json as `prepared`. They live until the run is over, which not every server allows for long runs.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios.assertions import assertion_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class PrivateKeyJwt(EngineUser):
    """Proves itself with a new assertion each time."""

    scenario = "private_key_jwt"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """One client with a private key."""
        return assertion_parts(target)
