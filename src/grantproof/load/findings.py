"""What judges notice beside their verdict, and the book of tokens in which duplicates are found.

No server may hand one access token to two requests, unless it says that it reuses them. Each worker takes a 64-bit hash
of every token, up to its part of the most that are kept; whoever gathers the run puts them into one book.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import chain
from typing import Final

COMPARED: Final = "compared"
UNCOMPARED: Final = "not_compared"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - the name of a count
SHAPED: Final = "oauth_error"
UNSHAPED: Final = "other_error"
MOST_HASHES: Final = 32_000_000
_PARTS: Final = 256


def portable_hash(token: str) -> int:
    """64 bits, signed, the same on every machine."""
    return int.from_bytes(
        blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True
    )


class Findings:
    """What the judges of one scenario in one worker have noticed since it was last taken.

    Attributes:
        keep: notes an access token. A list's own method, because it is called for each request; `settle` has to be
            called now and then.
        notes: how often, by name.
        owners: whose each name is: clients' own, and one more for each that tokens had for it.
        codes: unusual error codes that were met.

    Args:
        reuses_tokens: the server may give the same token again, so none is kept.
        most_hashes: from how many tokens on new ones are no longer kept.
        digest: makes a token's hash, signed 64 bits. The built-in one is the fastest, but differs between processes
            that are not forks of one another.
    """

    def __init__(
        self,
        *,
        reuses_tokens: bool = False,
        most_hashes: int = MOST_HASHES,
        digest: Callable[[str], int] = portable_hash,
    ) -> None:
        self.notes: Counter[str] = Counter()
        self.owners: dict[str, str] = {}
        self.codes: set[str] = set()
        self._noted: list[str] = []
        self.keep: Callable[[str], None] = self._noted.append
        self._hashes = array("q")
        self._unkept = 0
        self._room = 0 if reuses_tokens else most_hashes
        self._digest = digest

    def settle(self) -> None:
        """Takes the hashes of the tokens that were noted, as far as there is room, and forgets them."""
        noted = self._noted
        if not noted:
            return
        kept = min(len(noted), self._room)
        self._hashes.extend(map(self._digest, noted[:kept]))
        self._room -= kept
        self._unkept += len(noted) - kept
        noted.clear()

    def take_notes(self) -> Counter[str]:
        """How often each thing was noticed since the last call; call it before `take_hashes`."""
        self.settle()
        notes, self.notes = self.notes, Counter()
        notes[COMPARED], notes[UNCOMPARED] = len(self._hashes), self._unkept
        self._unkept = 0
        return +notes

    def take_hashes(self) -> bytes:
        """The hashes since the last call, eight octets each."""
        self.settle()
        hashes, self._hashes = self._hashes, array("q")
        return hashes.tobytes()


class TokenBook:
    """All hashes of a run, 8 octets each, in parts so that looking for duplicates needs little more memory."""

    def __init__(self, most: int = MOST_HASHES) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]
        self._most = most
        self.checked = 0

    def enter(self, hashes: bytes) -> None:
        """Enters what a worker has sent, as far as there is room."""
        page = array("q")
        page.frombytes(hashes[: len(hashes) // 8 * 8])
        parts = self._parts
        for value in page[: self._most - self.checked]:
            parts[value & 255].append(value)
        self.checked = min(self.checked + len(page), self._most)

    @staticmethod
    def duplicates(books: "Sequence[TokenBook]") -> int:
        """How many tokens came that had come before, in any of these books."""
        found = 0
        for parts in zip(*(book._parts for book in books), strict=True):  # noqa: SLF001 - the same class
            found += sum(map(len, parts)) - len(set(chain.from_iterable(parts)))
        return found
