"""TLS handshakes by themselves: what a server agrees to, and whether its certificate holds."""

import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from grantproof.errors import Inconclusive


@dataclass(frozen=True)
class Handshake:
    """The outcome of one handshake: what was agreed on, or why nothing was."""

    version: str = ""
    cipher: str = ""
    problem: str = ""

    @property
    def agreed(self) -> bool:
        """Whether the handshake came to its end."""
        return not self.problem


def shake_hands(url: str, context: ssl.SSLContext, *, timeout_s: float = 10) -> Handshake:
    """The outcome of a TLS handshake with the host of a URL, whatever the URL's scheme.

    Raises:
        Inconclusive: there is no connection to shake hands on.
    """
    parts = urlsplit(url)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        plain = socket.create_connection((parts.hostname or "", port), timeout_s)
    except OSError as problem:
        raise Inconclusive(f"no connection to {parts.hostname}:{port}: {type(problem).__name__}") from None
    with plain:
        try:
            with context.wrap_socket(plain, server_hostname=parts.hostname) as secure:
                cipher = secure.cipher()
                return Handshake(secure.version() or "", cipher[0] if cipher else "")
        except ssl.SSLCertVerificationError as problem:
            return Handshake(problem=problem.verify_message or "the certificate does not hold")
        except (ssl.SSLError, ConnectionError) as problem:
            return Handshake(problem=getattr(problem, "reason", None) or type(problem).__name__)
        except TimeoutError:
            raise Inconclusive(f"no handshake with {parts.hostname}:{port} within {timeout_s:g} s") from None
