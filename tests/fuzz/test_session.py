"""Fuzzing of SMTP sessions: whatever a client says, replies fit, mail is stored as said, and all ends."""

import asyncio
import time

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from tests.fuzz.oracle import Limits, Oracle
from tests.fuzz.streams import CUTS, STREAM, Cuts, pieces
from tests.fuzz.target import Target, targets
from tests.slices import rounds

MESSAGE = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@client.example>\r\nDATA\r\n"


def hunt(examples: int, seconds: float) -> int:
    """Sessions until either is used up; how many there were."""
    done = 0
    deadline = time.monotonic() + seconds
    with asyncio.Runner() as runner:
        context = targets()
        target: Target = runner.run(context.__aenter__())

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        )
        @given(which=st.integers(0, 3), stream=STREAM, cuts=CUTS, reset=st.sampled_from([False] * 9 + [True]))
        @example(which=0, stream=MESSAGE + b"one\r\n.\r\nQUIT\r\n", cuts=[], reset=False)
        @example(which=0, stream=MESSAGE + b"one\r\n..two\r\n...\r\n.\r\n", cuts=[90], reset=False)
        @example(
            which=0, stream=MESSAGE[:-6] + b"RSET\r\n" + MESSAGE[8:] + b"x\r\n.\r\n", cuts=[], reset=False
        )
        @example(which=0, stream=MESSAGE + b"FAULT\r\n.\r\n" + MESSAGE + b"x\r\n.\r\n", cuts=[], reset=False)
        @example(which=0, stream=b"EHLO x\r\nBDAT 6 LAST\r\nRSET\r\nNOOP\r\n", cuts=[], reset=False)
        @example(which=1, stream=MESSAGE + b"one\n.\ntwo\r\n.\r\n", cuts=[60], reset=False)
        @example(which=2, stream=b"AUTH LOGIN\r\n*\r\nMAIL FROM:<>\r\n", cuts=[5], reset=False)
        @example(which=3, stream=b"EHLO x\r\nSTARTTLS\r\nNOOP\r\n", cuts=[], reset=False)
        def one(which: int, stream: bytes, cuts: Cuts, reset: bool) -> None:
            nonlocal done
            note(f"server {which}, in pieces: {pieces(stream, cuts)!r}, reset: {reset}")
            if time.monotonic() < deadline:
                runner.run(target.run(which, pieces(stream, cuts), reset=reset))
                done += 1

        try:
            one()
        finally:
            runner.run(context.__aexit__(None, None, None))
    return done


def test_no_session_is_answered_wrongly() -> None:
    assert hunt(200, 2.5) > 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_session_is_answered_wrongly_for_minutes() -> None:
    seconds = rounds(600, slice_of=15)
    deadline, done = time.monotonic() + seconds, 0
    while (left := deadline - time.monotonic()) > 1:
        done += hunt(1000, left)
    print(f"{done} sessions in {seconds} s")
    assert done > seconds


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"NOOP\r\n", b""),
        (b"NOOP\r\n", b"250 Ok\r\n250 Ok\r\n"),
        (b"NOOP\r\n", b"250 Ok\n"),
        (b"NOOP\r\n", b"250-Ok\r\n251 Ok\r\n"),
        (b"QUIT\r\nNOOP\r\n", b"221 Bye\r\n250 Ok\r\n"),
        (b"DATA\r\nx\r\n.\r\n", b"354 Go on\r\n250 Ok\r\n"),
        (MESSAGE + b"x\n.\n", b"250 Ok\r\n" * 3 + b"354 Go on\r\n250 Ok\r\n"),
        (MESSAGE + b"x\n\r\n.\r\n", b"250 Ok\r\n" * 3 + b"354 Go on\r\n250 Ok\r\n"),
        (MESSAGE + b"x\r\n.\r\n", b"250 Ok\r\n" * 3 + b"354 Go on\r\n"),
        (MESSAGE + b"x\r\n.\r\n", b"250 Ok\r\n" * 3 + b"354 Go on\r\n451 No\r\n"),
        (MESSAGE + b"x\r\n.\r\n", b"250 Ok\r\n" * 3 + b"354 Go on\r\n550 No\r\n"),
    ],
)
def test_the_oracle_sees_what_is_wrong(said: bytes, heard: bytes) -> None:
    with pytest.raises(AssertionError):
        Oracle(Limits(max_bytes=100, normalize=False)).check(said, b"220 x\r\n" + heard)


def test_the_oracle_sees_what_is_right() -> None:
    oracle = Oracle(Limits(max_bytes=100, normalize=False))
    replies = b"220 x\r\n250-x\r\n250 y\r\n250 Ok\r\n250 Ok\r\n354 Go on\r\n250 Ok\r\n221 Bye\r\n"
    oracle.check(MESSAGE + b"..x\r\n.\r\nQUIT\r\n", replies)
    [taken] = oracle.taken
    assert (taken.content, len(taken.rcpt)) == (b".x\r\n", 1)
