"""What is sent and how its answer is judged: the engine knows nothing more about a scenario."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from grantproof.load.judge import TokenJudge

if TYPE_CHECKING:
    from grantproof.load.target import Target


class Judge(Protocol):
    """Says what an answer is worth."""

    def __call__(self, status: int, body: bytes) -> str:
        """The answer's kind: empty when it is valid, "429" or "503" for protection, else an error's name."""
        ...

    def take_notes(self) -> Counter[str]:
        """What was noticed since the last call, by name."""
        ...


@dataclass(frozen=True)
class Exchange:
    """One kind of request. `name` is a constant: it stands in statistics, so it holds no query and no secret."""

    method: str
    name: str
    next_request: Callable[[], bytes] = field(repr=False)
    judge: Judge = field(repr=False)


def token_exchange(target: "Target") -> Exchange:
    """A token request by client credentials, the same octets each time."""
    judge = TokenJudge(target.scopes, reuses_tokens=target.reuses_tokens)
    return Exchange("POST", "token", repeat(target.token_request()).__next__, judge)
