"""Reads HTTP/1.1 answers from a hostile peer, fed in whatever pieces the network gives.

One reader serves one connection, on which one request is under way at a time. Sizes are bounded; time is the engine's
business.
Source: RFC 9112 sections 4 to 7 and 9.3.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

LARGEST_HEAD: Final = 32 * 1024
LARGEST_BODY: Final = 1024 * 1024
_LONGEST_CHUNK_LINE: Final = 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\x00]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)")
_CHUNK_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\x00]*)?")
_LENGTH = re.compile(rb"[0-9]{1,10}")
_OTHERS: Final = frozenset((b"location", b"retry-after"))


class MalformedAnswerError(Exception):
    """The peer sent something that is no HTTP/1.1 answer, or one beyond the bounds."""


class Head(NamedTuple):
    """What the head of an answer says about its framing.

    `length` is None when the body ends with the connection; `closes` says that the connection is of no more use.
    `location` is where a redirect leads, empty without one; `retry_after` says whether the field was there.
    """

    status: int
    length: int | None
    chunked: bool
    closes: bool
    location: bytes = b""
    retry_after: bool = False


NO_HEAD: Final = Head(0, 0, chunked=False, closes=False)


@lru_cache(maxsize=64)
def parse_head(head: bytes) -> Head:
    """Reads status line and header fields, without the empty line. Heads repeat, so they are cached.

    Raises:
        MalformedAnswerError: a line is malformed, or the framing contradicts itself.
    """
    first, *lines = head.split(b"\r\n")
    start = _STATUS_LINE.fullmatch(first)
    if start is None:
        raise MalformedAnswerError("no status line")
    lengths, codings, options, others = set[bytes](), list[bytes](), list[bytes](), dict[bytes, bytes]()
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise MalformedAnswerError("a header line is malformed")
        name, value = field[1].lower(), field[2].strip(b" \t")
        if name == b"content-length":
            lengths.update(part.strip(b" \t") for part in value.split(b","))
        elif name == b"transfer-encoding":
            codings += [coding for part in value.split(b",") if (coding := part.strip(b" \t").lower())]
        elif name == b"connection":
            options += [part.strip(b" \t").lower() for part in value.split(b",")]
        elif name in _OTHERS:
            others[name] = value
    status, old = int(start[2]), start[1] == b"0"
    closes = b"close" in options or (old and b"keep-alive" not in options)
    framing = _framing(status, lengths, codings, closes=closes)
    if not others:
        return framing
    return framing._replace(location=others.get(b"location", b""), retry_after=b"retry-after" in others)


def _framing(status: int, lengths: set[bytes], codings: list[bytes], *, closes: bool) -> Head:
    if status < 200 or status in {204, 304}:
        return Head(status, 0, chunked=False, closes=closes)
    if codings:
        if codings != [b"chunked"]:
            raise MalformedAnswerError("an unknown transfer coding")
        return Head(status, None, chunked=True, closes=closes or bool(lengths))
    if not lengths:
        return Head(status, None, chunked=False, closes=True)
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise MalformedAnswerError("the content length is no single number")
    if int(length) > LARGEST_BODY:
        raise MalformedAnswerError("the body is too large")
    return Head(status, int(length), chunked=False, closes=closes)


class AnswerReader:
    """Puts one answer after another together.

    `status`, `body`, `closes`, `location` and `head` hold once `feed` or `end` has said so.

    Octets that begin with `usual_head` and are `usual_size` in all are an answer with the same head as the one before
    and nothing else. Whoever has these need not feed them: only the body differs, from `usual_start` on.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_head",
        "_left",
        "body",
        "closes",
        "head",
        "location",
        "status",
        "usual_head",
        "usual_size",
        "usual_start",
    )

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.closes = False
        self.head = NO_HEAD
        self.location = b""
        self._buffer = bytearray()
        self._head: Head | None = None
        self._body = bytearray()
        self._left: int | None = None
        self.usual_head, self.usual_start, self.usual_size = b"", 0, -1

    @property
    def begun(self) -> bool:
        """Whether some octets of an answer have come that is not complete yet."""
        return self._head is not None or bool(self._buffer)

    def feed(self, data: bytes) -> bool:
        """Takes what came in; True when it completes an answer. Octets beyond it make the connection useless.

        Raises:
            MalformedAnswerError: it is no HTTP/1.1, or beyond the bounds.
        """
        self.usual_size = -1
        if self._head is None and not self._buffer:
            end = data.find(b"\r\n\r\n")
            if 0 < end <= LARGEST_HEAD:
                head = parse_head(data[:end])
                start = end + 4
                if head.length is not None and len(data) == start + head.length and head.status >= 200:
                    self.status, self.body, self.closes = head.status, data[start:], head.closes
                    self.head, self.location = head, head.location
                    self.usual_head, self.usual_start, self.usual_size = data[:start], start, len(data)
                    return True
        self._buffer += data
        return self._advance()

    def end(self) -> bool:
        """Takes the end of the connection; True when that completes an answer whose body it delimits."""
        head = self._head
        if head is None or head.length is not None or head.chunked:
            return False
        return self._complete(head, bytes(self._buffer))

    def _advance(self) -> bool:
        while self._head is None:
            if not self._take_head():
                return False
        head = self._head
        if head.chunked:
            return self._take_chunks(head)
        if head.length is None:
            if len(self._buffer) > LARGEST_BODY:
                raise MalformedAnswerError("the body is too large")
            return False
        if len(self._buffer) < head.length:
            return False
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        return self._complete(head, body)

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, LARGEST_HEAD + 4)
        if end < 0:
            if len(self._buffer) > LARGEST_HEAD or b"\n\n" in self._buffer:
                raise MalformedAnswerError("the head does not end")
            if not self._buffer.startswith(b"HTTP/1."[: len(self._buffer)]):
                raise MalformedAnswerError("no status line")
            return False
        head = parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        if head.status == 101:
            raise MalformedAnswerError("a switch of protocols that nobody asked for")
        self._head = head if head.status >= 200 else None
        return True

    def _take_chunks(self, head: Head) -> bool:
        """Decodes what chunks there are. `_left` counts the octets of the current chunk, its line end included."""
        while True:
            if self._left is None:
                line = self._take_line()
                if line is None:
                    return False
                size = _CHUNK_SIZE.fullmatch(line)
                if size is None:
                    raise MalformedAnswerError("a chunk's size is malformed")
                self._left = int(size[1], 16) + 2
                if len(self._body) + self._left > LARGEST_BODY + 2:
                    raise MalformedAnswerError("the body is too large")
            if self._left == 2:
                return self._take_trailer(head)
            if len(self._buffer) < self._left:
                return False
            if not self._buffer.startswith(b"\r\n", self._left - 2):
                raise MalformedAnswerError("a chunk does not end where it says")
            self._body += self._buffer[: self._left - 2]
            del self._buffer[: self._left]
            self._left = None

    def _take_trailer(self, head: Head) -> bool:
        """The trailer's lines up to the empty one; only their size matters."""
        if self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
            return self._complete(head, bytes(self._body))
        end = self._buffer.find(b"\r\n\r\n", 0, LARGEST_HEAD + 4)
        if end < 0:
            if len(self._buffer) > LARGEST_HEAD:
                raise MalformedAnswerError("the trailer is too large")
            return False
        del self._buffer[: end + 4]
        return self._complete(head, bytes(self._body))

    def _take_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, _LONGEST_CHUNK_LINE + 2)
        if end < 0:
            if len(self._buffer) > _LONGEST_CHUNK_LINE:
                raise MalformedAnswerError("a chunk's size does not end")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _complete(self, head: Head, body: bytes) -> bool:
        self.status, self.body, self.head, self.location = head.status, body, head, head.location
        delimited = head.length is not None or head.chunked
        self.closes = head.closes or (delimited and bool(self._buffer))
        self._head, self._left = None, None
        self._buffer.clear()
        self._body.clear()
        return True
