"""Which driver a profile names, and what it needs on this machine."""

from typing import TYPE_CHECKING

from grantproof.login.forms import FormsDriver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grantproof.login.journey import Driver
    from grantproof.login.windows import Windows
    from grantproof.profile.model import Profile, User
    from grantproof.profile.signing_in import LoginStep
    from grantproof.transport import Transport


def require_driver(profile: "Profile") -> None:
    """Refuses a profile whose login needs what this machine does not have.

    Raises:
        ProfileError: Playwright or Chromium is missing.
    """
    if profile.login.driver != "browser" or not profile.clients_for("implicit"):
        return
    from grantproof.login.chromium import absence  # noqa: PLC0415 - only profiles with this driver pay for it

    message, hint = absence()
    if message:
        from grantproof.profile.loading import locate  # noqa: PLC0415 - only on the way out
        from grantproof.profile.problems import Problem, ProfileError  # noqa: PLC0415 - same

        file, _, line = locate(profile, "login.driver").rpartition(":")
        raise ProfileError([Problem(file, int(line), "login.driver", message, hint)])


class Drivers:
    """Makes the drivers of one run in this process, and ends what they share."""

    def __init__(self, profile: "Profile", transport: "Transport") -> None:
        self._profile = profile
        self._transport = transport
        self._windows: Windows | None = None

    def open(self, steps: "Sequence[LoginStep]", user: "User | None") -> "Driver":
        """The driver that the profile names.

        Args:
            steps: the login steps of this user.
            user: whose name and password a command gets.
        """
        origins, login = self._profile.origins, self._profile.login
        if login.driver == "browser":
            from grantproof.login.browser import BrowserDriver  # noqa: PLC0415 - needs the extra
            from grantproof.login.windows import Windows  # noqa: PLC0415 - same

            self._windows = self._windows or Windows()
            return BrowserDriver(self._transport, steps, origins, self._windows)
        if login.driver == "command":
            from grantproof.login.command import CommandDriver  # noqa: PLC0415 - few profiles have it

            folder = self._profile.path.absolute().parent if self._profile.path else None
            return CommandDriver(self._transport, login.command, folder, user, origins)
        return FormsDriver(self._transport, steps, origins)

    def close(self) -> None:
        """Ends the browser, if one was started."""
        if self._windows is not None:
            self._windows.close()
            self._windows = None
