"""What is sent and how its answer is judged: the engine knows nothing more about a scenario."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Protocol, Self

from grantproof.load.judge import TokenJudge

if TYPE_CHECKING:
    from grantproof.load.findings import Findings
    from grantproof.load.target import Target


class Judge(Protocol):
    """Says what an answer is worth."""

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The answer's kind: empty when it is valid, "429" or "503" for protection, else an error's name.

        Args:
            status: of the answer.
            body: of the answer.
            request: what it answers, the very object that `next_request` gave.
            location: where the answer redirects to, empty where it does not.
        """
        ...

    def settle(self) -> None:
        """Deals with what was put off while answers were judged; called many times a second."""
        ...

    def take_notes(self) -> Counter[str]:
        """What was noticed since the last call, by name."""
        ...

    def take_hashes(self) -> bytes:
        """The 64-bit hashes of the access tokens that came since the last call, for whoever looks for duplicates."""
        ...


@dataclass(frozen=True)
class Exchange:
    """One kind of request. `name` is a constant: it stands in statistics, so it holds no query and no secret.

    `target` is where it goes, where that is not the token endpoint; `prepared` says what was made ahead of the run.
    """

    method: str
    name: str
    next_request: Callable[[], bytes] = field(repr=False)
    judge: Judge = field(repr=False)
    target: "Target | None" = field(default=None, repr=False)
    prepared: "Prepared | None" = None


@dataclass(frozen=True)
class Prepared:
    """What a scenario made ahead of a run, so that making it is not what is measured."""

    what: str
    number: int
    seconds: float


class Ask(bytes):
    """A request's octets with whoever judges its answer, where requests differ."""

    judge: Callable[[int, bytes, bytes, bytes], str]

    @classmethod
    def of(cls, data: bytes, judge: Callable[[int, bytes, bytes, bytes], str]) -> Self:
        """These octets, to be judged by that."""
        made = cls(data)
        made.judge = judge
        return made


class EachOwnJudge:
    """Leaves every answer to the judge of its request, an `Ask`; all of them share these findings."""

    def __init__(self, findings: "Findings") -> None:
        self.settle = findings.settle
        self.take_notes = findings.take_notes
        self.take_hashes = findings.take_hashes

    def __call__(self, status: int, body: bytes, request: bytes = b"", location: bytes = b"") -> str:
        """The kind of an answer, by its request's judge."""
        if not isinstance(request, Ask):
            raise TypeError("only an Ask brings its own judge")
        return request.judge(status, body, request, location)


def token_exchange(target: "Target", findings: "Findings | None" = None) -> Exchange:
    """A token request by client credentials, the same octets each time."""
    return Exchange("POST", "token", repeat(target.token_request()).__next__, token_judge(target, findings))


def token_judge(target: "Target", findings: "Findings | None" = None) -> TokenJudge:
    """Judges the answers to a target's token request."""
    return TokenJudge(
        target.scopes,
        client_id=target.client_id,
        findings=findings,
        reuses_tokens=target.reuses_tokens,
        looks_inside=target.jwt_access_tokens,
    )
