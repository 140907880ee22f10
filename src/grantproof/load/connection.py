"""Connections to the target: non-blocking, plain or TLS, kept alive, one request under way at a time."""

import errno
import os
import socket
import ssl
from typing import Final, Protocol

from grantproof.load import native
from grantproof.load.http1 import AnswerReader

Address = tuple[int, int, int, "tuple[str, int] | tuple[str, int, int, int]"]

CONNECTING: Final = 0
IDLE: Final = 1
BUSY: Final = 2
CLOSED: Final = 3
ENDING: Final = 4
_READ_SIZE: Final = 16_384
_UNDER_WAY: Final = frozenset((0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR))
_NON_BLOCKING: Final = getattr(socket, "SOCK_NONBLOCK", 0)  # one call to the system less, where there is one for both


class UntouchedError(BrokenPipeError):
    """The peer has not begun with the request, which may be sent again."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EPIPE, why)


class Owner(Protocol):
    """Deals with what happens on a connection."""

    def read(self, connection: "Connection") -> None:
        """Octets of an answer may have come."""
        ...

    def turn(self, connection: "Connection", mask: int) -> None:
        """Anything else has happened."""
        ...


class Connection:
    """A plain connection, and what the engine needs to know about the request on it.

    Attributes:
        intended_s: when the request was meant to leave, on the engine's clock.
        sent_s: when it did leave.
        since_s: when the connection was opened.
        rested_s: when its last answer came.
        served: it has brought an answer that left it open.
        retried: the request was sent before, on a connection that the peer had already given up.
        request: what was sent last.
        offered: it tries to resume a TLS session.
        made: the peer has taken the connection.
        left: octets that `flush` has to send.
        reader: puts its answers together; set by whoever opens it, since it may be used again.
        ended: the peer has said, with its last octets, that no more will come.
        full: as much came as is taken at a time, so there may be more that nobody will tell of again.
        owner: who deals with what happens on it; set by whoever opens it.
    """

    __slots__ = (
        "descriptor",
        "ended",
        "full",
        "intended_s",
        "left",
        "made",
        "offered",
        "owner",
        "reader",
        "request",
        "rested_s",
        "retried",
        "sent_s",
        "served",
        "since_s",
        "sock",
        "state",
    )

    owner: Owner
    reader: AnswerReader

    def __init__(self, address: Address, now_s: float) -> None:
        family, kind, protocol, where = address
        self.sock: socket.socket = native.plain_socket_class(family, kind | _NON_BLOCKING, protocol)
        self.descriptor = self.sock.fileno()
        self.state = CONNECTING
        self.intended_s = self.sent_s = self.rested_s = 0.0
        self.since_s = now_s
        self.served = self.retried = self.offered = self.ended = self.full = self.made = False
        self.request = b""
        self.left = b""
        try:
            if not _NON_BLOCKING:
                self.sock.settimeout(0)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = self.sock.connect_ex(where)
        except OSError:
            self.sock.close()
            raise
        if code not in _UNDER_WAY:
            self.sock.close()
            raise OSError(code, os.strerror(code))

    def is_made(self) -> bool:
        """Whether the peer has taken the connection already, as within a machine it does at once."""
        try:
            self.sock.getpeername()
        except OSError:
            return False
        self.made = True
        return True

    def establish(self) -> bool:
        """Goes on with connecting; True when a request can be sent.

        Raises:
            OSError: the connection failed.
        """
        if not self.made:
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, "connect")
            self.made = True
        return True

    @property
    def session(self) -> object | None:
        """The TLS session to resume on the next connection; None without TLS or where the server offers none."""
        return None

    @property
    def resumed(self) -> bool:
        """Whether TLS was resumed from an earlier session."""
        return False

    @property
    def multiplexed(self) -> bool:
        """Whether it speaks HTTP/2, which has no word for a connection that is for one request."""
        return False

    def send(self, data: bytes) -> bool:
        """Sends octets; False while some are left, which `flush` sends once the socket is writable.

        Raises:
            OSError: the connection is lost.
        """
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        if sent == len(data):
            return True
        self.left = data[sent:]
        return False

    def flush(self) -> bool:
        """Sends what is left; True when nothing is."""
        data, self.left = self.left, b""
        return self.send(data) if data else True

    def receive(self) -> bytes | None:
        """Octets that have come; None when none have, empty at the connection's end.

        Raises:
            OSError: the connection is lost.
        """
        try:
            data = self.sock.recv(_READ_SIZE)
        except BlockingIOError:
            return None
        if len(data) == _READ_SIZE:
            self.full = True
        return data

    def close(self) -> None:
        """Ends it; what is under way on it is lost."""
        self.state = CLOSED
        self.sock.close()


class TlsConnection(Connection):
    """A connection under TLS, through memory buffers, so that it works the same beside gevent and without it."""

    __slots__ = ("_incoming", "_outgoing", "_tls")

    def __init__(
        self,
        address: Address,
        now_s: float,
        context: ssl.SSLContext,
        host: str,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host, session=session)
        super().__init__(address, now_s)

    def establish(self) -> bool:
        """Goes on with connecting and the handshake; True when a request can be sent.

        Raises:
            OSError: the connection or the handshake failed; `ssl.SSLError` is one.
        """
        super().establish()
        data = super().receive()
        if data:
            self._incoming.write(data)
        elif data is not None:
            raise ConnectionResetError(errno.ECONNRESET, "closed during the handshake")
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._push()
            return False
        self._push()
        return True

    @property
    def session(self) -> ssl.SSLSession | None:
        """The TLS session to resume on the next connection."""
        return self._tls.session

    @property
    def resumed(self) -> bool:
        """Whether TLS was resumed from an earlier session."""
        return bool(self._tls.session_reused)

    def send(self, data: bytes) -> bool:
        """Encrypts and sends octets; False while some are left."""
        self._tls.write(data)
        return self._push()

    def flush(self) -> bool:
        """Sends what is left; True when nothing is."""
        data, self.left = self.left, b""
        return super().send(data) if data else True

    def receive(self) -> bytes | None:
        """Decrypted octets; None when none have come, empty at the connection's end."""
        data = super().receive()
        if data is None:
            return None
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        pieces: list[bytes] = []
        try:
            while True:
                piece = self._tls.read(_READ_SIZE)
                if not piece:  # TCP may stay open for long after TLS has ended
                    self.ended = True
                    break
                pieces.append(piece)
                if not self._incoming.pending and not self._tls.pending():
                    break
        except ssl.SSLWantReadError:
            if self._outgoing.pending:
                self._push()  # the peer wants a new handshake or new keys, and waits for them before it answers
            return b"".join(pieces) or None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self.ended = True
            return b"".join(pieces)
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]

    def _push(self) -> bool:
        data = self._outgoing.read()
        if self.left:
            self.left += data
            return False
        return super().send(data) if data else True
