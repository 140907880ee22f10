"""How much a target is asked: a rate, and a number of requests that all workers of a run share."""

import fcntl
import os
import time
from pathlib import Path

from grantproof.errors import Inconclusive

_BLOCK = 25


class Politeness:
    """Waits before a request where a rate is set, and refuses it when the run's number is used up.

    Args:
        requests_per_second: None for no limit.
        max_requests: of the whole run, over all workers.
        counter: a file that the workers share; None counts in this process only.
        workers: how many processes share the rate.
    """

    def __init__(
        self,
        requests_per_second: float | None = None,
        max_requests: int | None = None,
        counter: Path | None = None,
        workers: int = 1,
    ) -> None:
        self._interval_s = workers / requests_per_second if requests_per_second else 0.0
        self._next = 0.0
        self._max = max_requests
        self._counter = counter
        self._used = 0
        self._reserved = 0

    def wait(self) -> None:
        """Returns when the next request may be sent.

        Raises:
            Inconclusive: the run has sent as many requests as the profile allows.
        """
        if self._max is not None:
            self._reserve(self._max)
        if self._interval_s:
            now = time.monotonic()
            pause_s = self._next - now
            if pause_s > 0:
                time.sleep(pause_s)
            self._next = max(now, self._next) + self._interval_s

    def _reserve(self, limit: int) -> None:
        if self._used < self._reserved:
            self._used += 1
            return
        block = 1 if self._counter is None else min(_BLOCK, max(1, limit // 100))
        before = self._reserved if self._counter is None else _advance(self._counter, block)
        granted = min(block, limit - before)
        if granted <= 0:
            raise Inconclusive(f"politeness.max_requests ({limit}) is reached")
        self._reserved, self._used = self._used + granted, self._used + 1


def _advance(counter: Path, block: int) -> int:
    """Adds a block to the number in a file under its lock; the number before."""
    with os.fdopen(os.open(counter, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = int(file.read() or 0)
        file.seek(0)
        file.write(str(before + block))
        file.truncate()
        return before
