"""Token requests of thousands of clients, of which a few ask often and most seldom (Zipf's law).

    locust -f loadtests/many_clients.py --headless --idp embedded --rate 200 --run-time 30s

The profile names them: `[load] clients = "clients.csv"`, a file beside it with `id,secret` a line.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios.crowd import crowd_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class ManyClients(EngineUser):
    """Is another client each time."""

    scenario = "many_clients"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """The clients of the profile's file."""
        return crowd_parts(target)
