"""HTTP/2 connections behind the face of the others: one request under way on each, so one stream at a time.

Requests come as HTTP/1.1 octets and answers go on as such, so that all that sends, reads and judges stays the same. The
protocol is h2's business. Where the server chooses HTTP/1.1 in the handshake, the connection speaks that.
Source: RFC 9113 sections 3, 5 and 8.
"""

import errno
import ssl
from functools import lru_cache
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from h2.errors import ErrorCodes
from h2.settings import SettingCodes, Settings

from grantproof.load.connection import Address, TlsConnection, UntouchedError
from grantproof.load.http1 import LARGEST_BODY, LARGEST_HEAD, MalformedAnswerError

PROTOCOL: Final = "h2"
_WINDOW: Final = 2**24
_FRAME_HEAD: Final = 9
_LARGEST_FRAME: Final = 2**14
_GOAWAY: Final = 7
_STREAM_MASK: Final = 2**31 - 1
_SETTINGS: Final = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: 2 * LARGEST_BODY,
    SettingCodes.MAX_HEADER_LIST_SIZE: LARGEST_HEAD,
}
_CONFIG: Final = h2.config.H2Configuration(client_side=True, header_encoding=None)
_OF_THE_CONNECTION: Final = frozenset((b"connection", b"host", b"transfer-encoding", b"keep-alive", b"upgrade"))
_KEPT: Final = frozenset((b"location", b"retry-after"))

Fields = tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=1024)
def translate(request: bytes) -> tuple[Fields, bytes]:
    """The header fields of an HTTP/1.1 request as HTTP/2 has them, and its body.

    Source: RFC 9113 section 8.3.1.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, path, _ = first.split(b" ", 2)
    fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    authority = next(value for name, value in fields if name == b"host")
    pseudo = ((b":method", method), (b":scheme", b"https"), (b":authority", authority), (b":path", path))
    return (*pseudo, *(field for field in fields if field[0] not in _OF_THE_CONNECTION)), body


class Http2Connection(TlsConnection):
    """A connection under TLS that speaks HTTP/2 where the server agrees to."""

    __slots__ = ("_body", "_fields", "_h2", "_octets", "_over", "_rest", "_stream")

    def __init__(
        self,
        address: Address,
        now_s: float,
        context: ssl.SSLContext,
        host: str,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._h2: h2.connection.H2Connection | None = None
        self._stream = 0
        self._over = False
        self._octets, self._rest = bytearray(), b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        super().__init__(address, now_s, context, host, session)

    def establish(self) -> bool:
        """Goes on with connecting, the handshake and the preface; True when a request can be sent."""
        if not super().establish():
            return False
        if self._tls.selected_alpn_protocol() == PROTOCOL:
            self._h2 = h2.connection.H2Connection(_CONFIG)
            self._h2.local_settings = Settings(client=True, initial_values=_SETTINGS)
            self._h2.initiate_connection()
            self._h2.increment_flow_control_window(_WINDOW)
            super().send(self._h2.data_to_send())
        return True

    @property
    def multiplexed(self) -> bool:
        """Whether it speaks HTTP/2."""
        return self._h2 is not None

    def send(self, data: bytes) -> bool:
        """Sends a request as a stream of its own; False while some octets are left.

        Raises:
            OSError: the connection is lost, or the peer takes no further stream.
        """
        if self._h2 is None:
            return super().send(data)
        fields, body = translate(data)
        self._fields, self._body = [], bytearray()
        try:
            self._stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(self._stream, fields, end_stream=not body)
            self._rest = body
            self._send_rest(self._h2)
        except h2.exceptions.ProtocolError as error:
            raise UntouchedError(f"no further stream: {type(error).__name__}") from None
        return super().send(self._h2.data_to_send())

    def receive(self) -> bytes | None:
        """A whole answer as HTTP/1.1 octets; None while there is none, empty at the connection's end.

        Raises:
            OSError: the connection is lost or the stream was reset.
            MalformedAnswerError: the peer broke the protocol while an answer was awaited.
        """
        data = super().receive()
        if self._h2 is None or data is None:
            return data
        if not data:
            return b""
        try:
            events = self._h2.receive_data(self._without_goodbye(data))
        except h2.exceptions.ProtocolError as error:
            if self._stream:
                raise MalformedAnswerError(f"no HTTP/2: {type(error).__name__}") from None
            raise ConnectionResetError(errno.ECONNRESET, "no HTTP/2") from None
        answer = None
        for event in events:
            answer = self._take(event) or answer
        if self._stream:
            self._send_rest(self._h2)
        if left := self._h2.data_to_send():
            super().send(left)
        over = self.ended or (self._over and not self._stream)
        return b"" if over and answer is None else answer

    def _send_rest(self, connection: h2.connection.H2Connection) -> None:
        """As much of the body as the peer takes now; more once it opens its window."""
        while self._rest:
            room = min(connection.max_outbound_frame_size, connection.local_flow_control_window(self._stream))
            if room <= 0:
                return
            piece, self._rest = self._rest[:room], self._rest[room:]
            connection.send_data(self._stream, piece, end_stream=not self._rest)

    def _without_goodbye(self, data: bytes) -> bytes:
        """The whole frames that have come but for GOAWAY, after which h2 would take no answer.

        Raises:
            UntouchedError: the peer says that it has not begun with our request.

        Source: RFC 9113 sections 4.1, 6.8 and 8.7.
        """
        octets, rest = self._octets, bytearray()
        octets += data
        while len(octets) >= _FRAME_HEAD:
            length, kind = int.from_bytes(octets[:3], "big"), octets[3]
            end = _FRAME_HEAD + length
            if length > _LARGEST_FRAME:
                end = len(octets)  # h2 has a word for that
            elif len(octets) < end:
                break
            if kind == _GOAWAY and 8 <= length <= _LARGEST_FRAME:
                self._over = True
                last = int.from_bytes(octets[_FRAME_HEAD : _FRAME_HEAD + 4], "big") & _STREAM_MASK
                if last < self._stream:
                    raise UntouchedError("the peer ends before it begins with the request")
            else:
                rest += octets[:end]
            del octets[:end]
        return bytes(rest)

    def _take(self, event: h2.events.Event) -> bytes | None:
        if getattr(event, "stream_id", None) != self._stream or self._h2 is None:
            return None
        if isinstance(event, h2.events.ResponseReceived):
            self._fields = [(bytes(name), bytes(value)) for name, value in event.headers]
        elif isinstance(event, h2.events.DataReceived):
            self._body += event.data
            if len(self._body) > LARGEST_BODY:
                raise MalformedAnswerError("the body is too large")
            self._h2.acknowledge_received_data(event.flow_controlled_length, self._stream)
        elif isinstance(event, h2.events.StreamReset):
            if event.error_code == ErrorCodes.REFUSED_STREAM:
                raise UntouchedError("the peer refuses the stream")
            raise ConnectionResetError(errno.ECONNRESET, "the stream was reset")
        elif isinstance(event, h2.events.StreamEnded):
            return self._complete()
        return None

    def _complete(self) -> bytes:
        """The answer as HTTP/1.1 has it, with what is read of its head."""
        status = next((value for name, value in self._fields if name == b":status"), b"")
        lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(self._body)]
        lines += [name + b": " + value for name, value in self._fields if name in _KEPT]
        lines += [b"connection: close"] if self._over else []
        if any(b"\r" in line or b"\n" in line for line in lines):
            raise MalformedAnswerError("a field breaks out of its line")
        if self._rest and self._h2 is not None:
            self._h2.reset_stream(self._stream, ErrorCodes.CANCEL)  # it did not want to hear the rest
        self._stream, self._rest = 0, b""
        return b"\r\n".join((*lines, b"", bytes(self._body)))
