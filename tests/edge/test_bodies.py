"""Reading the inside of messages beside the loop."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from mailguard.core.facts import Body, Headers
from mailguard.edge.bodies import AT_ONCE, BodyReader

LARGE = b"Subject: x\r\n\r\n" + b"please find it attached\r\n" * (AT_ONCE // 20)


@pytest.fixture
def bodies() -> Iterator[BodyReader]:
    made = BodyReader()
    yield made
    made.close()


async def test_a_small_and_a_large_message_are_read_alike(bodies: BodyReader) -> None:
    small = await bodies.read(b"Subject: x\r\n\r\nHello\r\n", Headers())
    assert small == Body(text="Hello\n", own_text="Hello")
    large = await bodies.read(LARGE, Headers())
    assert large.readable
    assert large.text.startswith("please find it attached\n")


async def test_what_takes_longer_than_the_deadline_is_unreadable() -> None:
    bodies = BodyReader(deadline=timedelta(milliseconds=1), threads=1)
    slow = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--\n" * 300_000
    try:
        assert await bodies.read(slow, Headers()) == Body(readable=False)
    finally:
        bodies.close()


async def test_the_loop_goes_on_while_large_mail_is_read(bodies: BodyReader) -> None:
    hostile = b"Content-Type: text/html\r\n\r\n" + b"<div>" * 50_000
    longest = last = 0.0
    reading = asyncio.create_task(bodies.read(hostile * 20, Headers()))
    while not reading.done():
        last = time.perf_counter()
        await asyncio.sleep(0.001)
        longest = max(longest, time.perf_counter() - last)
    assert (await reading).readable
    # Generous, because other work shares the machine.
    assert longest < 0.5


async def test_many_at_once_wait_their_turn(bodies: BodyReader) -> None:
    read = await asyncio.gather(*[bodies.read(LARGE, Headers()) for _ in range(50)])
    assert all(body.readable for body in read)


async def test_after_close_nothing_is_raised() -> None:
    bodies = BodyReader()
    bodies.close()
    assert await bodies.read(LARGE, Headers()) == Body(readable=False)
