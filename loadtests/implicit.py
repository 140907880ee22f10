"""Authorization requests of users who have signed in: the implicit grant without its pages.

    locust -f loadtests/implicit.py --headless --idp embedded --rate 50 --run-time 30s

Sessions are signed in ahead of the run, by the profile's `[login]`. It takes a client whose consent the server
remembers. Answers are judged by the fragment of the URI that they redirect to.
"""

from collections.abc import Sequence

from grantproof.load.locust_engine import EngineUser
from grantproof.load.scenarios.implicit import implicit_parts
from grantproof.load.target import Target
from grantproof.load.work import Part


class Implicit(EngineUser):
    """Asks for a token with a session's cookies."""

    scenario = "implicit"

    @classmethod
    def parts(cls, target: Target) -> Sequence[Part]:
        """The first flow that is served without a page."""
        return implicit_parts(target)
