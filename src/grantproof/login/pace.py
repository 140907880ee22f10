"""How often a run signs in: some servers refuse two logins in one second, whoever's they are."""

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LoginPace:
    """Keeps a pause between the logins of a run, over all of its processes.

    Args:
        interval_s: between two logins.
        shared: a file that the workers of the run share; None for this process alone.
    """

    def __init__(self, interval_s: float, shared: "Path | None" = None) -> None:
        self._interval_s = interval_s
        self._shared = shared
        self._next = 0.0

    def wait(self) -> None:
        """Returns when the next login may begin."""
        if not self._interval_s:
            return
        turn = self._take_turn()
        pause_s = turn - time.time()
        if pause_s > 0:
            time.sleep(min(pause_s, 60 * self._interval_s))

    def _take_turn(self) -> float:
        """When the next login may begin, on the clock of the machine; the turn is taken."""
        if self._shared is None:
            turn = max(time.time(), self._next)
            self._next = turn + self._interval_s
            return turn
        with os.fdopen(os.open(self._shared, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            following = 0.0
            with suppress(ValueError):
                following = float(file.read() or 0)
            turn = max(time.time(), following)
            file.seek(0)
            file.write(repr(turn + self._interval_s))
            file.truncate()
        return turn
