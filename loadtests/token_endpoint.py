"""Token requests by client credentials.

    locust -f loadtests/token_endpoint.py --headless --idp embedded --rate 200 --run-time 30s
    locust -f loadtests/token_endpoint.py --headless --idp embedded --users 50 --run-time 30s

At a rate, requests leave when they are due, however slow the answers are, and each latency counts from that moment.
Without one, each user sends its next request as soon as it has its answer. The result is `load.json` in the run's
folder.
"""

from grantproof.load.exchange import Exchange, token_exchange
from grantproof.load.locust_engine import EngineUser
from grantproof.load.work import Work


class TokenEndpoint(EngineUser):
    """Asks for one access token after another."""

    scenario = "token_endpoint"

    @classmethod
    def make_exchange(cls, work: Work) -> Exchange:
        """The same request each time, judged as a token answer."""
        return token_exchange(work.target, work.findings)
