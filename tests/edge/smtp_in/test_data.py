"""Where a message ends, and that nothing of it is lost or changed, however the network cuts it up."""

import re
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailguard.edge.smtp_in.data import BARE_NEWLINE, LONG_LINE, LONGEST_LINE, VEILED_DOT, Content

PLENTY = 1 << 25
END = b".\r\n"


def read(stream: bytes, *, sizes: tuple[int, ...] = (), normalize: bool = False) -> tuple[Content, bytes]:
    """Feed the stream in pieces of these sizes (over and over); the content and what was left over."""
    content = Content(max_bytes=PLENTY, normalize=normalize)
    buffer, at, turn = bytearray(), 0, 0
    ended = False
    while at < len(stream) and not ended:
        size = sizes[turn % len(sizes)] if sizes else len(stream)
        buffer += stream[at : at + size]
        at, turn = at + size, turn + 1
        ended = content.feed(buffer)
    assert ended, "the end was not seen"
    return content, bytes(buffer) + stream[at:]


def stuffed(message: bytes) -> bytes:
    """As a client sends it (RFC 5321 section 4.5.2)."""
    return re.sub(rb"^\.", b"..", re.sub(rb"\r\n\.", b"\r\n..", message)) + END


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"", b".", b"..", b"...", b".x", b"text", b"x" * 1200]),
        st.binary(max_size=20).map(lambda line: line.translate(None, b"\r\n\x00")),
    ),
    max_size=12,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))


@given(
    LINES, st.lists(st.integers(1, 9), min_size=1, max_size=5), st.sampled_from([b"", b"QUIT\r\n", b".\r\n"])
)
@example(b"", [1], b"")
@example(b".\r\n.\r\n", [1], b"MAIL")
def test_every_message_arrives_as_it_was(message: bytes, sizes: list[int], rest: bytes) -> None:
    content, left = read(stuffed(message) + rest, sizes=tuple(sizes))
    assert content.fault is None
    assert (content.size, content.take()) == (len(message), message)
    assert left == rest


# All the ends that some server somewhere has taken for one, but RFC 5321 does not.
FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\x00.\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
]


@pytest.mark.parametrize("sizes", [(), (1,), (3,)])
@pytest.mark.parametrize("false", FALSE_ENDS)
def test_a_false_end_ends_nothing_and_is_refused(false: bytes, sizes: tuple[int, ...]) -> None:
    content, left = read(b"one" + false + b"MAIL FROM:<evil@x.example>\r\n" + END, sizes=sizes)
    assert content.fault in (BARE_NEWLINE, VEILED_DOT)
    assert left == b""
    assert content.take() == b""


@pytest.mark.parametrize("sizes", [(), (1,)])
@pytest.mark.parametrize("false", [end for end in FALSE_ENDS if b"\x00" not in end])
def test_normalized_it_holds_no_lone_newline(false: bytes, sizes: tuple[int, ...]) -> None:
    content, left = read(b"one" + false + b"two\r\n" + END, sizes=sizes, normalize=True)
    message = content.take()
    assert content.fault is None
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", message)
    assert message.startswith(b"one\r\n")
    assert message.endswith(b"two\r\n")
    assert left == b""


def test_a_dot_between_nuls_is_refused_normalized_or_not() -> None:
    for veiled in (b"\x00.\r\n", b"x\r\n\x00\x00.\x00\r\n"):
        assert read(veiled + END, normalize=True)[0].fault == VEILED_DOT
    assert read(b"\x00\r\n.\x00\r\nx\x00.\r\n" + END)[0].fault is None


@pytest.mark.parametrize("sizes", [(), (1000,), (LONGEST_LINE + 3,)])
def test_a_long_line_is_taken_up_to_the_limit(sizes: tuple[int, ...]) -> None:
    longest = b"a\r\n" + b"x" * LONGEST_LINE + b"\r\nb\r\n"
    content, _ = read(longest + END, sizes=sizes)
    assert content.fault is None
    assert content.take() == longest
    content, left = read(
        b"a\r\n" + b"x" * (LONGEST_LINE + 1) + b"\r\n.x\r\n" + END + b"NOOP\r\n", sizes=sizes
    )
    assert content.fault == LONG_LINE
    assert left == b"NOOP\r\n"


@pytest.mark.parametrize("tail", [b"\r\n", b"\r\n.\r\nNOOP"])
def test_the_rest_of_a_long_line_is_no_beginning_of_a_line(tail: bytes) -> None:
    """Its dot may follow the cut; only a CRLF makes it the end of the data."""
    stream = b"x" * (LONGEST_LINE + 5) + b".\r\nmore\r\n.\r\n"
    for cut in range(LONGEST_LINE + 2, LONGEST_LINE + 9):
        content, left = read(stream + tail, sizes=(cut, 1, 1, 1, 1, 1, 1, len(stream)))
        assert content.fault == LONG_LINE
        assert left == tail


def test_too_much_is_read_but_not_kept() -> None:
    content = Content(max_bytes=10)
    buffer = bytearray(b"12345678\r\n")
    assert not content.feed(buffer)
    assert (content.fault, content.size) == (None, 10)
    buffer += b"9\r\n.\r\nQUIT\r\n"
    assert content.feed(buffer)
    assert content.fault is not None
    assert (content.fault.code, content.size, bytes(buffer)) == (552, 0, b"QUIT\r\n")


def test_a_flood_of_empty_lines_costs_little_more_than_its_size() -> None:
    size, piece = 30 << 20, b"\r\n" * 65536
    content, buffer = Content(max_bytes=40 << 20), bytearray()
    tracemalloc.start()
    try:
        for _ in range(size // len(piece)):
            buffer += piece
            content.feed(buffer)
        buffer += END
        assert content.feed(buffer)
        message = content.take()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(message) == size
    assert peak < 40 << 20
