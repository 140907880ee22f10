"""Good token requests beside hostile ones: does the good traffic suffer?

    locust -f loadtests/hostile_mix.py --headless --idp embedded --rate 200 --run-time 30s

One in five has a wrong secret (of a client that the profile calls disposable), an unknown client or a malformed form.
A refusal is what these are meant to get. load.json has the good and the hostile ones apart, in `scenarios`.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios.hostile import hostile_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class HostileMix(EngineUser):
    """Is a good client most of the time."""

    scenario = "hostile_mix"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """Good and hostile, measured apart."""
        return hostile_parts(target)
