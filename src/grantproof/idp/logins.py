"""Who signs in at the target, by which driver and how often."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grantproof.errors import NotOffered
from grantproof.login import Driver, Drivers, LoginPace, StuckPages, UserAgent

if TYPE_CHECKING:
    from grantproof.profile.model import Profile, User
    from grantproof.profile.signing_in import LoginStep
    from grantproof.transport import Transport
    from grantproof.wire.answer import Answer

_PASSWORD_FIELD = re.compile("pass|pwd|secret", re.IGNORECASE)


class Logins:
    """The users' browsers and the drivers that take them through the pages, over one run in this process.

    Args:
        profile: has the users and the login steps.
        transport: sends what a login sends.
        pace: keeps the pause between two logins.
        pages: keeps the pages on which a login is stuck.
    """

    def __init__(self, profile: "Profile", transport: "Transport", pace: LoginPace, pages: StuckPages) -> None:
        self._profile = profile
        self._drivers = Drivers(profile, transport)
        self._pace = pace
        self._pages = pages
        self._agents: dict[str, UserAgent] = {}

    def agent(self, user: str) -> UserAgent:
        """The user's browser, kept and reused over the run."""
        return self._agents.setdefault(user, UserAgent(user))

    def driver(self, user: str, password: str | None = None) -> Driver:
        """What takes a user through the pages, with another password in the place of its own where one is given.

        Raises:
            NotOffered: the profile does not have the user.
        """
        own = _user_of(self._profile, user)
        if own is not None and password is not None:
            own = own.model_copy(update={"password": password})
        return self._drivers.open(_steps_for(self._profile, user, password), own)

    def wait(self) -> None:
        """Returns when the next login may begin."""
        self._pace.wait()

    def keep(self, page: "Answer | None") -> str:
        """Keeps the page on which a login is stuck; a clause for the message that says where it is, or nothing."""
        return self._pages.keep(page)

    def close(self) -> None:
        """Ends the browser, if one was started."""
        self._drivers.close()


def _user_of(profile: "Profile", user: str) -> "User | None":
    return {"user": profile.user, "user2": profile.user2, "disposable_user": profile.disposable_user}[user]


def _steps_for(profile: "Profile", user: str, password: str | None = None) -> "list[LoginStep]":
    """The login steps with another user's name and password in place of the first's, or with another password."""
    if profile.user is None or (user == "user" and password is None):
        return list(profile.login.steps)
    own = _user_of(profile, user)
    if own is None:
        raise NotOffered(f"the profile has no [{user}]")
    swap = _Swap(profile.user, own.username, password or own.password)
    return [
        step.model_copy(
            update={
                "fill": {name: swap(name, value) for name, value in step.fill.items()},
                "calls": tuple(call.model_copy(update={"body": swap("", call.body)}) for call in step.calls),
            }
        )
        for step in profile.login.steps
    ]


@dataclass(frozen=True, repr=False)
class _Swap:
    """Puts another name and password where a login step has the first user's; where both are one word, by the field."""

    first: "User"
    username: str
    password: str

    def __call__(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self(str(key), item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON at the edge
        named, secret = value == self.first.username, value == self.first.password
        if named and secret:
            secret = _PASSWORD_FIELD.search(name) is not None
        if secret:
            return self.password
        return self.username if named else value
