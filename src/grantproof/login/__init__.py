"""How a test user signs in and decides: the journey of a browser through a server's own pages."""

from grantproof.login.chromium import Chromium
from grantproof.login.forms import FormsDriver, Journey, UserAgent

__all__ = ["Chromium", "FormsDriver", "Journey", "UserAgent"]
