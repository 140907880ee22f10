"""Three places compare origins: the profile, the login and the transport must agree about whose a URL is."""

import pytest

from grantproof.login.journey import origin_of
from grantproof.profile.addresses import origin
from grantproof.transport import client


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://as.example", "https://as.example"),
        ("https://as.example:443/token?x=1", "https://as.example"),
        ("http://AS.example:80/", "http://as.example"),
        ("http://as.example:443/", "http://as.example:443"),
        ("https://as.example:8443/x", "https://as.example:8443"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]"),
    ],
)
def test_origins_are_written_alike(url: str, expected: str) -> None:
    assert origin(url) == origin_of(url) == client.origin_of(url) == expected
