"""Which URLs stay on this machine."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine.

    Source: RFC 6761 section 6.3 for names, RFC 1122 section 3.2.1.3 and RFC 4291 section 2.5.3 for addresses.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
