"""Keeps the page on which a login is stuck, redacted, for the person who mends the profile."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grantproof.transport import Redactor
    from grantproof.wire.answer import Answer

STUCK_PAGES = "login-page-*.txt"
"""The names that kept pages have."""
_MOST = 20
_KEPT = 262_144


class StuckPages:
    """Writes pages into a folder, as text that no program runs; without a folder it keeps none."""

    def __init__(self, folder: Path | None = None, redactor: "Redactor | None" = None) -> None:
        self._folder = folder
        self._redactor = redactor

    def keep(self, page: "Answer | None") -> str:
        """Keeps one page; a clause for the message that says where it is, or nothing."""
        if self._folder is None or self._redactor is None or page is None:
            return ""
        text = f"{page.url.partition('?')[0]}\nstatus {page.status}\n\n{page.text[:_KEPT]}"
        clean = self._redactor.text(text)
        name = STUCK_PAGES.replace("*", hashlib.sha256(clean.encode()).hexdigest()[:8])
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            if len(list(self._folder.glob(STUCK_PAGES))) < _MOST:
                (self._folder / name).write_text(clean, "utf-8")
                return f"; the page is kept as {name}"
        return ""
