"""Opens connections to the target: addresses, trust, and what a failure is called."""

import errno
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from grantproof.errors import GrantproofError
from grantproof.load import native
from grantproof.load.connection import Address, Connection, TlsConnection

if TYPE_CHECKING:
    from grantproof.load.target import Target

# A session of whichever library made the connection; only connections of the same dialer get it.
Session = Any
Opener = Callable[[Address, float, Session], Connection]
STARVATION: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM))
UNREACHED: Final = frozenset(("refused", "unresolved", "unreachable", "tls", "reset", "timeout"))


def kind_of(error: OSError) -> str:
    """The kind under which a failed connection is counted."""
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, socket.gaierror):
        return "unresolved"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return "timeout"
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return "refused"
    if isinstance(error, ConnectionError) or error.errno in {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}:
        return "reset"
    return "unreachable"


class Dialer:
    """Opens connections to one target, all to the first address that answered.

    Attributes:
        session: the TLS session that the next connection resumes; None is a full handshake.
        secure: whether connections are under TLS.
    """

    def __init__(self, target: "Target") -> None:
        self._host, self._port = target.host, target.port
        self._patience_s = target.timeout_s
        self._open = opener(target)
        self._address: Address | None = None
        self._single_use = False
        self.session: Session | None = None
        self.secure = target.secure

    def probe(self) -> None:
        """Resolves the host's name and keeps the first address that takes a connection.

        Raises:
            OSError: none does.
        """
        failure: OSError = ConnectionRefusedError(errno.ECONNREFUSED, "no address")
        found: list[tuple[Any, ...]] = native.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)
        for family, kind, protocol, _, where in found:
            with native.socket_class(family, kind, protocol) as tried:
                tried.settimeout(self._patience_s)
                try:
                    tried.connect(where)
                except OSError as error:
                    failure = error
                    continue
            self._address = (family, kind, protocol, where)
            return
        raise failure

    def remember(self, connection: Connection) -> None:
        """Keeps the session of a connection that has brought its first answer, for the next connections to resume.

        Taking a session out costs something, so one is kept as long as the server takes it. Once it has refused one,
        each connection's own session is for the next one.
        """
        if connection.resumed and not self._single_use:
            return
        if connection.offered:
            self._single_use = True
        elif self.session is not None:
            return  # it began before there was a session
        self.session = connection.session or self.session

    def dial(self, now_s: float) -> Connection:
        """A new connection that is under way.

        Raises:
            OSError: it failed at once.
        """
        if self._address is None:
            self.probe()
        address = self._address
        if address is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "no address")
        connection = self._open(address, now_s, self.session)
        connection.offered = self.session is not None
        return connection


def opener(target: "Target") -> Opener:
    """What opens a connection to an address at a time, with a session to resume.

    Raises:
        GrantproofError: the profile's authorities cannot be read, or an extra is not installed.
    """
    if not target.secure:
        return lambda address, now_s, _: Connection(address, now_s)
    context, host = make_context(target), target.host
    if target.new_connections and not target.http2:
        from grantproof.load.resuming import ResumingConnection, Trust  # noqa: PLC0415 - only here, and slow to import

        trust = Trust(host, target.ca, context.verify_flags)
        return lambda address, now_s, session: ResumingConnection(address, now_s, trust, session)
    kind = http2_connection() if target.http2 else TlsConnection
    return lambda address, now_s, session: kind(address, now_s, context, host, session)


def make_context(target: "Target") -> ssl.SSLContext:
    """Whom to trust and how to speak: TLS with names checked, and the protocols that are spoken.

    Raises:
        GrantproofError: the profile's authorities cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=str(target.ca) if target.ca else None)
    except (OSError, ssl.SSLError) as error:
        raise GrantproofError("the certificate authorities cannot be read", str(target.ca), str(error)) from None
    context.set_alpn_protocols(["h2", "http/1.1"] if target.http2 else ["http/1.1"])
    return context


def http2_connection() -> type[TlsConnection]:
    """The connection that speaks HTTP/2.

    Raises:
        GrantproofError: the extra is not installed.
    """
    try:
        from grantproof.load.http2 import Http2Connection  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise GrantproofError("HTTP/2 needs an extra", "--http2", "pip install 'grantproof[http2]'") from None
    return Http2Connection
