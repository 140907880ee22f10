"""Keeps the cookies that a page's scripts can see in step with a user agent's jar.

The jar alone makes the Cookie header of each request; the browser is told what scripts may read, and asked what they
set.
"""

from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any

from grantproof.login.chromium import BrowserSilentError, BrowserStuckError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from playwright.async_api import BrowserContext

    from grantproof.transport import CookieJar

_LOCAL = ".local"
"""What the standard library adds to a host without a dot."""
Key = tuple[str, str, str]


class SharedCookies:
    """The cookies of one context, as they were when they were last compared.

    Args:
        context: the browser's.
        call: runs work on the browser's thread.
    """

    def __init__(self, context: "BrowserContext", call: "Callable[[Coroutine[Any, Any, Any]], Any]") -> None:
        self._context = context
        self._call = call
        self._known: dict[Key, str] = {}

    def push(self, jar: "CookieJar") -> None:
        """Tells the browser what the jar holds and scripts may see."""
        wanted = {_key(cookie): cookie for cookie in jar.visible}
        values = {key: cookie.value or "" for key, cookie in wanted.items()}
        if values == self._known:
            return
        self._call(self._context.clear_cookies())
        for cookie in wanted.values():
            try:
                self._call(self._context.add_cookies([_exported(cookie)]))
            except BrowserSilentError:
                raise
            except BrowserStuckError:
                continue  # the browser refuses a cookie like this one, so its pages would not see it either
        self._known = self._seen()

    def pull(self, jar: "CookieJar") -> None:
        """Tells the jar what scripts have set and ended since."""
        seen = self._seen()
        for (name, domain, path), value in seen.items():
            if self._known.get((name, domain, path)) != value:
                jar.put(_made(name, value, domain, path))
        for name, domain, path in self._known.keys() - seen.keys():
            jar.drop(name, _jar_domain(domain), path)
        self._known = seen

    def _seen(self) -> dict[Key, str]:
        cookies: list[dict[str, Any]] = self._call(self._context.cookies())
        return {
            (str(each["name"]), str(each["domain"]), str(each["path"])): str(each["value"])
            for each in cookies
            if not each.get("httpOnly")
        }


def _key(cookie: Cookie) -> Key:
    return cookie.name, _domain(cookie), cookie.path


def _domain(cookie: Cookie) -> str:
    return cookie.domain if cookie.domain_specified else cookie.domain.removesuffix(_LOCAL)


def _jar_domain(domain: str) -> str:
    return domain if "." in domain or ":" in domain else domain + _LOCAL


def _exported(cookie: Cookie) -> Any:
    shown: dict[str, Any] = {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": _domain(cookie),
        "path": cookie.path,
        "secure": cookie.secure,
    }
    if cookie.expires is not None:
        shown["expires"] = cookie.expires
    return shown


def _made(name: str, value: str, domain: str, path: str) -> Cookie:
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=_jar_domain(domain),
        domain_specified=domain.startswith("."),
        domain_initial_dot=domain.startswith("."),
        path=path,
        path_specified=True,
        secure=False,
        expires=None,
        discard=True,
        comment=None,
        comment_url=None,
        rest={},
    )
