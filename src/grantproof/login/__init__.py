"""How a test user signs in and decides: the journey of a browser through a server's own pages."""

from grantproof.login.drivers import Drivers, require_driver
from grantproof.login.journey import Driver, Journey, LoginRepeatsError, LoginStuckError, UserAgent
from grantproof.login.keeping import STUCK_PAGES, StuckPages
from grantproof.login.pace import LoginPace

__all__ = [
    "STUCK_PAGES",
    "Driver",
    "Drivers",
    "Journey",
    "LoginPace",
    "LoginRepeatsError",
    "LoginStuckError",
    "StuckPages",
    "UserAgent",
    "require_driver",
]
