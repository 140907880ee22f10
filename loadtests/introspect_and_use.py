"""Tokens that are asked for, introspected and used at a protected resource, each step measured apart.

    locust -f loadtests/introspect_and_use.py --headless --idp embedded --rate 150 --run-time 30s

The rate is that of all steps together. The client that introspects is the profile's `[claims] introspection_client`.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios.introspection import introspection_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class IntrospectAndUse(EngineUser):
    """Asks for tokens, has them introspected, and uses them."""

    scenario = "introspect_and_use"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """Token, introspection and use."""
        return introspection_parts(target)
