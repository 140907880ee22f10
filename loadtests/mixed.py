"""Several scenarios at once, by the weights of the profile's `[load].mix`.

    locust -f loadtests/mixed.py --headless --idp embedded --rate 200 --run-time 30s

    [load]
    mix = { token_endpoint = 0.9, introspect_and_use = 0.1 }

load.json has each part in `scenarios`, and the total on top.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios import mixed_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class Mixed(EngineUser):
    """Does what the profile mixes."""

    scenario = "mixed"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """The parts of all scenarios that the profile names."""
        return mixed_parts(target)
