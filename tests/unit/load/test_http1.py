"""The answer reader: every way to cut an answer into pieces, and peers that mean no good."""

import pytest

from grantproof.load.http1 import LARGEST_BODY, LARGEST_HEAD, AnswerReader, Head, MalformedAnswerError, parse_head

_PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\nhello world"
_CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5\r\nhello\r\n0000000006;name="a value"\r\n world\r\n000\r\nX-Trailer: yes\r\n\r\n'
)
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


def _feed(reader: AnswerReader, data: bytes, size: int) -> bool:
    done = False
    for start in range(0, len(data), size):
        assert not done, "an answer was complete before its last octet"
        done = reader.feed(data[start : start + size])
    return done


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("octets", [_PLAIN, _CHUNKED, _INTERIM + _PLAIN, _INTERIM + _CHUNKED])
def test_answers_come_whole_out_of_any_pieces(octets: bytes, size: int) -> None:
    reader = AnswerReader()
    for _ in range(3):
        assert _feed(reader, octets, size)
        assert (reader.status, reader.body, reader.closes, reader.begun) == (200, b"hello world", False, False)


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_body_may_end_with_the_connection(size: int) -> None:
    reader = AnswerReader()
    assert not _feed(reader, b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello", size)
    assert reader.begun
    assert reader.end()
    assert (reader.status, reader.body, reader.closes) == (200, b"hello", True)


@pytest.mark.parametrize(
    "octets", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", _CHUNKED[:-1], b"HTTP/1.1 200"]
)
def test_a_connection_that_ends_too_early_completes_nothing(octets: bytes) -> None:
    reader = AnswerReader()
    assert not reader.feed(octets)
    assert not reader.end()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3", Head(200, 3, chunked=False, closes=False)),
        (b"HTTP/1.1 200\r\ncontent-LENGTH:3 \r\nContent-Length: 3", Head(200, 3, chunked=False, closes=False)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3", Head(200, 3, chunked=False, closes=False)),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: Keep-Alive, Close",
            Head(400, 0, chunked=False, closes=True),
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3", Head(200, 3, chunked=False, closes=True)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive", Head(200, 3, chunked=False, closes=False)),
        (b"HTTP/1.1 204 No Content", Head(204, 0, chunked=False, closes=False)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9", Head(304, 0, chunked=False, closes=False)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: , chunked,", Head(200, None, chunked=True, closes=False)),
        (
            b"HTTP/1.1 200 \xe4\xf6\xfc\r\nX: \xff\t\x80\r\nTransfer-Encoding: Chunked",
            Head(200, None, chunked=True, closes=False),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3",
            Head(200, None, chunked=True, closes=True),
        ),
        (b"HTTP/1.1 200 OK", Head(200, None, chunked=False, closes=True)),
    ],
)
def test_heads_say_how_the_body_ends(head: bytes, expected: Head) -> None:
    assert parse_head(head) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 020 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nName : x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x" * (LARGEST_HEAD + 9),
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (LARGEST_HEAD + 9),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST_BODY + 1),
        b"HTTP/1.1 200 OK\r\nContent-Length: " + str(LARGEST_BODY + 1).encode() + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 33,
    ],
)
@pytest.mark.parametrize("size", [997, 10_000_000])
def test_what_is_no_answer_is_refused_in_bounded_space(octets: bytes, size: int) -> None:
    reader = AnswerReader()
    with pytest.raises(MalformedAnswerError):
        _feed(reader, octets, size)


def test_octets_beyond_an_answer_make_the_connection_useless() -> None:
    reader = AnswerReader()
    assert reader.feed(_PLAIN + b"HTTP/1.1 200 OK\r\n")
    assert reader.body == b"hello world"
    assert reader.closes
