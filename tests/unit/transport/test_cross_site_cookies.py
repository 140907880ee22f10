"""Which cookies browsers send along when another site is behind the request."""

import pytest

from grantproof.transport import CookieJar
from grantproof.wire.headers import Headers

URL = "https://as.example/login"


@pytest.mark.parametrize(
    ("attribute", "by_link", "by_form"),
    [
        ("", True, True),
        ("; SameSite=None; Secure", True, True),
        ("; SameSite=Lax", True, False),
        ("; samesite=lax", True, False),
        ("; SameSite=Strict", False, False),
    ],
)
def test_same_site_decides(attribute: str, *, by_link: bool, by_form: bool) -> None:
    jar = CookieJar()
    jar.store(URL, Headers((("Set-Cookie", f"session=1; Path=/{attribute}"),)))
    assert jar.header(URL) == "session=1"
    assert (jar.cross_site("GET").header(URL) is not None) is by_link
    assert (jar.cross_site("POST").header(URL) is not None) is by_form
