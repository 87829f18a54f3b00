"""Lines written and replies read, whatever pieces they come in."""

import asyncio
import socket
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.edge.smtp_out.wire import LONGEST_LINE, LONGEST_REPLY, Broken, Reply, Wire

STREAM = b"250-one\r\n250-two \r\n250 three\r\n354\r\n550 5.1.1 no\n"
REPLIES = ["250 one two three", "354", "550 5.1.1 no"]


def heard(*pieces: bytes) -> list[str]:
    """What comes of these pieces, in order; the end of them ends the connection."""
    wire = Wire()
    for piece in pieces:
        wire.data_received(piece)
    found = []
    while (reply := wire.early_reply()) is not None:
        found.append(str(reply))
    return found


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_however_the_stream_is_cut_the_replies_are_the_same(cuts: list[int]) -> None:
    marks = [0, *sorted(cuts), len(STREAM)]
    assert heard(*[STREAM[a:b] for a, b in pairwise(marks)]) == REPLIES


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n",
        b"25 ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"250ok\r\n",
        b"250-a\r\n550 b\r\n",
        b"\r\n",
        b"250 " + b"x" * LONGEST_LINE + b"\r\n",
        b"x" * (LONGEST_LINE + 1),
        b"250-" + b"x" * 60 + b"\r\n",
    ],
)
async def test_what_is_no_reply_breaks_it(garbage: bytes) -> None:
    wire = Wire()
    repeats = LONGEST_REPLY // 60 if garbage.startswith(b"250-x") else 1
    wire.data_received(b"220 first\r\n" + garbage * repeats)
    # What came before still counts.
    assert (await wire.reply()) == Reply(code=220, text="first")
    with pytest.raises(Broken):
        await wire.reply()
    assert not wire.quiet


async def test_a_reply_that_came_before_the_end_is_still_given_out() -> None:
    wire = Wire()
    waiting = asyncio.create_task(wire.reply())
    await asyncio.sleep(0)
    wire.data_received(b"250 ok\r\n421 bye\r\n")
    wire.connection_lost(ConnectionResetError("reset"))
    assert str(await waiting) == "250 ok"
    assert str(await wire.reply()) == "421 bye"
    with pytest.raises(Broken, match="reset"):
        await wire.reply()


async def test_who_waits_hears_of_the_end() -> None:
    wire = Wire()
    wire.pause_writing()
    waiting = [asyncio.create_task(wire.reply()), asyncio.create_task(wire.drained())]
    await asyncio.sleep(0)
    wire.eof_received()
    for task in waiting:
        with pytest.raises(Broken, match="closed"):
            await task


async def test_a_writer_waits_until_it_may_go_on() -> None:
    wire = Wire()
    await wire.drained()
    wire.pause_writing()
    waiting = asyncio.create_task(wire.drained())
    await asyncio.sleep(0)
    assert not waiting.done()
    wire.resume_writing()
    await waiting


async def test_without_a_connection_nothing_is_written() -> None:
    with pytest.raises(Broken):
        Wire().write(b"NOOP\r\n")


def test_quiet_means_that_nothing_unasked_for_was_said() -> None:
    wire = Wire()
    assert wire.quiet
    wire.data_received(b"4")
    assert not wire.quiet


@pytest.mark.parametrize(
    ("code", "positive"), [(199, False), (200, True), (252, True), (299, True), (354, False)]
)
def test_positive(code: int, positive: bool) -> None:
    assert Reply(code=code, text="").positive is positive


async def test_it_knows_what_is_still_here_and_will_never_leave() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        wire = Wire()
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: wire, sock=ours)
        wire.adopt(transport)
        wire.write(b"QUIT\r\n")
        assert wire.flushed
        wire.write(b"x" * 1_000_000)
        assert not wire.flushed
    # The peer is gone: what was here then counts as never sent, also afterwards.
    with pytest.raises(Broken):
        await wire.reply()
    assert not wire.flushed
    wire.abort()


async def test_nobody_waits_longer_than_was_said_last(monkeypatch: pytest.MonkeyPatch) -> None:
    # The alarm is looked after so often only, and is as exact all the same.
    monkeypatch.setattr("mailguard.edge.smtp_out.wire._LOOK_EVERY", 0.02)
    loop, wire = asyncio.get_running_loop(), Wire()
    wire.within(timedelta(seconds=30))
    wire.data_received(b"250 first\r\n")
    assert str(await wire.reply()) == "250 first"
    for seconds in (0.07, 0.01, 0.05):
        begun = loop.time()
        wire.within(timedelta(seconds=seconds))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.reply(), 5)
        assert loop.time() - begun >= seconds


async def test_a_shorter_limit_comes_before_the_alarm_that_is_set() -> None:
    wire = Wire()
    wire.within(timedelta(seconds=30))
    waiting = asyncio.create_task(wire.reply())
    await asyncio.sleep(0)
    wire.within(timedelta(seconds=0.01))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting, 5)


async def test_an_answer_in_time_is_heard_though_the_alarm_has_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mailguard.edge.smtp_out.wire._LOOK_EVERY", 0.005)
    wire = Wire()
    wire.within(timedelta(seconds=30))
    waiting = asyncio.create_task(wire.reply())
    await asyncio.sleep(0.05)
    wire.data_received(b"250 late\r\n")
    assert str(await waiting) == "250 late"
    # While nobody waited, it looked for the last time; the next one is let down in time all the same.
    await asyncio.sleep(0.05)
    wire.within(timedelta(seconds=0.01))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wire.reply(), 5)
