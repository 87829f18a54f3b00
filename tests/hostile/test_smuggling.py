"""A scanner for smuggled mail: every end of data that some server somewhere has believed in.

A message carries a second transaction behind each variant. However the bytes are cut into segments, the
guard must see exactly the end that RFC 5321 has, and no other; and what it takes must leave unchanged.
"""

import itertools
import re
from collections.abc import Iterator

import pytest

from mailguard.edge.smtp_in.data import Content
from tests.guard import Guard
from tests.hostile.talk import Talk
from tests.sink import Sink
from tests.slices import rounds

BREAKS = [
    b"".join(letters) for n in range(4) for letters in itertools.product([b"\r", b"\n", b"\0"], repeat=n)
]
# What may stand for a line break or vanish in other people's software.
EXOTIC = [
    b"\x0b",
    b"\x0c",
    b"\x1a",
    b"\x85",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b" ",
    b"\t",
    b"\x08",
    b"\xff",
    b"\\r\\n",
]
DOTS = [b".", b"..", b". ", b" .", b"\x00.", b".\x00"]

SECOND = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<smuggled@x.example>\r\nDATA\r\nSubject: smuggled\r\n\r\n"
END = b"\r\n.\r\n"


def variants() -> list[bytes]:
    """Every break, a dot, every break; then the exotic ones on one side or on both."""
    found = [before + b"." + after for before in BREAKS for after in BREAKS]
    for odd, dot in itertools.product(EXOTIC, DOTS):
        found += [
            odd + dot + odd,
            b"\r\n" + odd + dot + b"\r\n",
            b"\r\n" + dot + odd + b"\r\n",
            odd + dot + b"\r\n",
        ]
    found += [b"\r\n" + dot + b"\r\n" for dot in DOTS if dot != b"."]
    return [one for one in dict.fromkeys(found) if not really_ends(one)]


def really_ends(variant: bytes) -> bool:
    return END in b"one" + variant + b"MAIL"


def first_message(variant: bytes) -> tuple[bytes, bool]:
    """What RFC 5321 makes of the message, dots taken out; and whether it holds a lone CR or LF."""
    whole = b"Subject: one\r\n\r\none" + variant + SECOND + b"two"
    lone = re.search(rb"\r(?!\n)|(?<!\r)\n", whole) is not None
    return re.sub(rb"(?<=\r\n)\.", b"", whole) + b"\r\n", lone


def smuggle(talk: Talk, variant: bytes, pieces: list[bytes] | None = None) -> bytes:
    """Send one message with a variant in it; the one reply that it may get."""
    talk.begin(b"bob@client.example")
    for piece in pieces or [b"Subject: one\r\n\r\none" + variant + SECOND + b"two" + END]:
        talk.send(piece)
    reply = talk.reply()
    # Were there a second reply, NOOP would get it.
    assert talk.ask(b"NOOP") == b"250 2.0.0 Ok\r\n", variant
    return reply


def chunks(items: list[bytes], size: int) -> Iterator[list[bytes]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def test_the_scanner_knows_what_it_looks_for() -> None:
    known = [
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\r\n\x00.\r\n",
        b"\n\r\n.\n\r\n"[1:],
    ]
    assert set(known) <= set(variants())
    assert len(variants()) > 1500


def test_no_variant_ends_the_data(guard: Guard, sink: Sink) -> None:
    """A third of them here; all of them in the long run below."""
    scan(guard, sink, variants()[::3])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_variant_at_all_ends_the_data_however_it_is_cut(guard: Guard, sink: Sink) -> None:
    every = variants()
    scan(guard, sink, every)
    for variant in every[:: rounds(1, slice_of=20)]:
        with Talk(guard) as talk:
            head, tail = b"Subject: one\r\n\r\none", SECOND + b"two" + END
            smuggle(talk, variant, [head, *(bytes([byte]) for byte in variant), tail[:1], tail[1:]])
    assert not any("smuggled@x.example" in delivery.recipients for delivery in sink.deliveries)


def scan(guard: Guard, sink: Sink, some: list[bytes]) -> None:
    taken: dict[str, bytes] = {}
    # Refused messages count as errors, and no session may make many.
    for few in chunks(some, 40):
        with Talk(guard) as talk:
            for variant in few:
                message, lone = first_message(variant)
                reply = smuggle(talk, variant)
                assert reply.startswith(b"550 5.6.0 ") or (not lone and reply.startswith(b"250 ")), (
                    variant,
                    reply,
                )
                if reply.startswith(b"250 "):
                    taken[reply.split()[-1].decode()] = message
    for message_id, message in taken.items():
        left = sink.wait(lambda delivery: f" id {message_id};".encode() in delivery.content)  # noqa: B023
        assert left.recipients == ("bob@client.example",)
        assert left.content.endswith(message)
    assert not any("smuggled@x.example" in delivery.recipients for delivery in sink.deliveries)


def every_way_to_cut(stream: bytes) -> Iterator[list[bytes]]:
    for mask in range(1 << (len(stream) - 1)):
        cuts = [n + 1 for n in range(len(stream) - 1) if mask >> n & 1]
        yield [stream[start:end] for start, end in itertools.pairwise([0, *cuts, len(stream)])]


@pytest.mark.parametrize("normalize", [False, True])
def test_however_it_is_cut_the_end_is_the_same(normalize: bool) -> None:
    """Every way to cut up an end, or nearly one, gives what it gives in one piece."""
    for text in (
        b"\r\n.\r\n.\r\nQ",
        b"\r\r\n.\r\r\n\r\n.\r\n",
        b".\r\n.\r\n",
        b"\n.\r\n..\r\n.\r\n",
        b"..\r\n.\r\n\r\n.\r\n"[:13],
    ):
        outcomes = set()
        for pieces in every_way_to_cut(text):
            content, buffer, ended = Content(max_bytes=1000, normalize=normalize), bytearray(), False
            for piece in pieces:
                buffer += piece
                ended = ended or content.feed(buffer)
            fault = None if content.fault is None else str(content.fault)
            outcomes.add((ended, fault, content.take() if ended else b"", bytes(buffer) if ended else b""))
        assert len(outcomes) == 1, (text, outcomes)
