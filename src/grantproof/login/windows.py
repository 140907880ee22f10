"""The windows that user agents have open in the browser of a run; few, for each is a process."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from grantproof.login.chromium import Chromium
from grantproof.login.cookies import SharedCookies
from grantproof.login.tab import Tab

if TYPE_CHECKING:
    from grantproof.login.journey import UserAgent
    from grantproof.wire.answer import Answer

_WINDOWS = 4


@dataclass
class Window:
    """A user agent's tab, and the answer that it shows."""

    tab: Tab
    cookies: SharedCookies
    answer: "Answer | None" = None


@dataclass
class Windows:
    """The browser of a run in this process, the windows open in it, and the scripts that it need not load again."""

    chromium: Chromium = field(default_factory=Chromium)
    kept: "dict[str, Answer]" = field(default_factory=dict[str, "Answer"])
    _open: "OrderedDict[int, tuple[UserAgent, Window]]" = field(
        default_factory=OrderedDict[int, "tuple[UserAgent, Window]"]
    )

    def of(self, agent: "UserAgent", patience_s: float) -> Window:
        """The window of a user agent, opened if need be; the one that was not used for longest is closed for it."""
        self.chromium.start()
        window: Window | None = agent.window
        if window is None or not window.tab.alive:
            window = agent.window = self._new(patience_s)
        self._open[id(agent)] = (agent, window)
        self._open.move_to_end(id(agent))
        while len(self._open) > _WINDOWS:
            _, (old, unused) = self._open.popitem(last=False)
            old.window = None
            unused.tab.close()
        return window

    def close(self) -> None:
        """Ends the browser."""
        for agent, _ in self._open.values():
            agent.window = None
        self._open.clear()
        self.chromium.close()

    def _new(self, patience_s: float) -> Window:
        tab = Tab(self.chromium, lambda _request: None, patience_s)
        return Window(tab, SharedCookies(tab.context, self.chromium.call))
