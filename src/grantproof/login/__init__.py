"""How a test user signs in and decides: the journey of a browser through a server's own pages."""

from grantproof.login.forms import FormsDriver, Journey, UserAgent

__all__ = ["FormsDriver", "Journey", "UserAgent"]
