"""Who waits for a connection: in a line, and the first with the envelope on it already."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from mailguard.core.delivery import Answer, Outcome
from mailguard.edge.smtp_out import SmtpRelay
from mailguard.edge.smtp_out.parcel import Parcel
from mailguard.edge.smtp_out.places import Places
from mailguard.ports import NotOffered
from tests.edge.smtp_out.upstream import (
    HANG_UP,
    RESET,
    SILENCE,
    Upstream,
    claimed,
    options,
    relaying,
    words,
)

FIRST, SECOND, THIRD = (b"Subject: %d\r\n\r\nhello\r\n" % number for number in (1, 2, 3))
Attempt = asyncio.Task[Sequence[Outcome]]


def parcel() -> Parcel:
    """Something to be taken there."""
    return Parcel(message=claimed().message, recipients=(), content=b"")


async def asked(relay: SmtpRelay, *contents: bytes) -> list[Attempt]:
    """Attempts, each begun after the other."""
    attempts = []
    for content in contents:
        attempts.append(asyncio.create_task(relay.attempt(claimed(), content)))
        await asyncio.sleep(0)
    return attempts


async def test_who_comes_first_has_the_first_place() -> None:
    places, order = Places(2), []

    async def use(number: int) -> None:
        assert not await places.take(parcel())
        order.append(number)
        await asyncio.sleep(0.01)
        places.free()

    await asyncio.gather(*[use(number) for number in range(7)])
    assert order == list(range(7))
    # None was lost on the way.
    for _ in range(2):
        await asyncio.wait_for(places.take(parcel()), 1)


async def test_a_place_is_not_lost_with_who_is_cancelled() -> None:
    places = Places(1)
    await places.take(parcel())
    waiting = [asyncio.create_task(places.take(parcel())) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    # And one at the very moment when it is called.
    await asyncio.sleep(0)
    places.free()
    waiting[1].cancel()
    assert await asyncio.wait_for(waiting[2], 1) is False
    assert waiting[1].cancelled()


class Listening:
    """A server with one connection that answers to a message only when it is told to."""

    def __init__(self) -> None:
        self.heard = b""
        self.answer = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 listening.test\r\n")
        await reader.readline()
        writer.write(b"250-listening.test\r\n250 PIPELINING\r\n")
        for _ in range(3):
            await reader.readline()
        writer.write(b"250 ok\r\n250 ok\r\n354 go on\r\n")
        while b"\r\n.\r\n" not in self.heard:
            self.heard += await reader.read(4096)
        await self.answer.wait()
        writer.write(b"250 queued\r\n250 ok\r\n250 ok\r\n354 go on\r\n")
        while self.heard.count(b"\r\n.\r\n") < 2:
            self.heard += await reader.read(4096)
        writer.write(b"250 queued\r\n")
        writer.close()


async def test_the_next_envelope_goes_with_the_end_of_the_message() -> None:
    listening = Listening()
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relay = SmtpRelay(options(Upstream(), port=port, connections=1))
    first, second = await asked(relay, FIRST, SECOND)
    async with asyncio.timeout(5):
        while not listening.heard.endswith(b"DATA\r\n"):
            await asyncio.sleep(0.01)
    # RFC 2920 section 3.1: the message may be the first of a group, and DATA is its last.
    assert listening.heard.startswith(FIRST + b".\r\nMAIL FROM:<")
    assert not first.done()
    listening.answer.set()
    assert words(await first) == words(await second) == ["taken"]
    await relay.close()
    server.close()


async def test_one_connection_takes_them_all_in_their_order() -> None:
    contents = [b"Subject: %d\r\n\r\n" % number + b".x\r\n" * number for number in range(40)]
    upstream = Upstream()
    async with relaying(upstream, connections=1, messages_per_connection=15) as relay:
        outcomes = await asyncio.gather(*await asked(relay, *contents))
    assert [words(one) for one in outcomes] == [["taken"]] * 40
    assert upstream.contents == contents
    assert upstream.connections == 3


@pytest.mark.parametrize(
    ("step", "answer", "ambiguous"),
    [
        ("250 2.0.0 Queued", Answer.TAKEN, False),
        ("451 4.3.0 not now", Answer.LATER, False),
        ("554 5.6.0 never", Answer.NEVER, False),
        ("421 4.3.2 bye", Answer.LATER, False),
        ("354 go on", Answer.LATER, True),
        ("garbage", Answer.LATER, True),
        # Two answers to one question: the second is the answer to nothing.
        ("250 2.0.0 Queued\r\n250 2.0.0 Queued", Answer.TAKEN, False),
        (RESET, Answer.LATER, True),
        (HANG_UP, Answer.LATER, True),
        (SILENCE, Answer.LATER, True),
    ],
)
async def test_what_becomes_of_one_is_not_what_becomes_of_the_next(
    step: str, answer: Answer, ambiguous: bool
) -> None:
    short = timedelta(seconds=0.3)
    upstream = Upstream(script={"MESSAGE": [step]})
    async with relaying(upstream, connections=1, data_timeout=short) as relay:
        first, second = await asked(relay, FIRST, SECOND)
        [one] = await first
        assert (one.answer, one.ambiguous) == (answer, ambiguous)
        [two] = await second
        # It was announced, and nothing more: it can have arrived once at most, and nobody says that it may
        # have arrived twice.
        assert not two.ambiguous
        assert upstream.contents.count(SECOND) == (two.answer is Answer.TAKEN)
        if two.answer is Answer.LATER:
            assert words(await relay.attempt(claimed(), SECOND)) == ["taken"]
    assert upstream.contents.count(FIRST) == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    "reply", ["450 4.2.1 later", "550 5.1.1 gone", "421 4.3.2 bye", "hello", RESET, HANG_UP]
)
async def test_an_announced_message_is_refused_or_taken_like_any_other(step: str, reply: str) -> None:
    usual = "354 go on" if step == "DATA" else "250 ok"
    upstream = Upstream(script={step: [usual, reply]})
    async with relaying(upstream, connections=1) as relay:
        first, second, third = await asked(relay, FIRST, SECOND, THIRD)
        assert words(await first) == ["taken"]
        [two] = await second
        assert not two.ambiguous
        assert (two.answer is Answer.NEVER) is reply.startswith("550")
        assert upstream.contents.count(SECOND) == (two.answer is Answer.TAKEN)
        await third
    assert upstream.contents.count(FIRST) == 1


async def test_who_is_cancelled_while_it_is_announced_was_not_offered() -> None:
    listening = Listening()
    upstream = Upstream()
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0)
    relay = SmtpRelay(options(upstream, port=server.sockets[0].getsockname()[1], connections=1))
    first, second = await asked(relay, FIRST, SECOND)
    async with asyncio.timeout(5):
        while not listening.heard.endswith(b"DATA\r\n"):
            await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(NotOffered):
        await second
    listening.answer.set()
    assert words(await first) == ["taken"]
    async with asyncio.timeout(5):
        # The server waits for a message, and gets none: the connection is of no more use.
        while SECOND not in listening.heard and not relay._places._free:
            await asyncio.sleep(0.01)
    assert SECOND not in listening.heard
    await relay.close()
    server.close()


async def test_who_is_cancelled_behind_the_dot_takes_nobody_along() -> None:
    upstream = Upstream(script={"MESSAGE": [SILENCE]})
    async with relaying(upstream, connections=1) as relay:
        first, second = await asked(relay, FIRST, SECOND)
        while not upstream.contents:
            await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError) as cut:
            await first
        assert not isinstance(cut.value, NotOffered)
        assert words(await second) == ["taken"]
    assert upstream.contents == [FIRST, SECOND]


class Forgetful(Upstream):
    """It offers PIPELINING, and throws away what it has read behind a message."""

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        await super()._session(reader, writer)

    async def _step(self, verb: str, usual: str, writer: asyncio.StreamWriter) -> str:
        if verb == "MESSAGE":
            await asyncio.sleep(0.05)
            self._reader._buffer.clear()  # type: ignore[attr-defined]
        return await super()._step(verb, usual, writer)


async def test_a_server_that_reads_nothing_behind_a_message_is_told_nothing_there() -> None:
    upstream = Forgetful()
    async with relaying(upstream, connections=1, command_timeout=timedelta(seconds=0.3)) as relay:
        outcomes = await asyncio.gather(*await asked(relay, FIRST, SECOND, THIRD))
    assert [words(one) for one in outcomes] == [["taken"]] * 3
    assert upstream.contents == [FIRST, SECOND, THIRD]
    # The second connection is used patiently.
    assert upstream.connections == 2


async def test_what_cannot_be_announced_hears_why_and_holds_up_nobody() -> None:
    upstream = Upstream(offers=["PIPELINING"])
    async with relaying(upstream, connections=1) as relay:
        first = asyncio.create_task(relay.attempt(claimed(), FIRST))
        await asyncio.sleep(0)
        odd = asyncio.create_task(relay.attempt(claimed("jürgen@x.example"), SECOND))
        await asyncio.sleep(0)
        third = asyncio.create_task(relay.attempt(claimed(), THIRD))
        assert [words(await one) for one in (first, odd, third)] == [["taken"], ["never"], ["taken"]]
    assert upstream.contents == [FIRST, THIRD]


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_goes_wrong_each_arrives_and_twice_only_where_that_is_said(seed: int) -> None:
    """Many at once over few connections, and a server that fails at every step: an answer is never taken for
    another's."""
    chance = random.Random(seed)
    faults = [RESET, HANG_UP, "421 4.3.2 bye", "451 4.3.0 later", "hello", "250 ok\r\n250 ok", "354 go on"]
    usual = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "MESSAGE": "250 2.0.0 Queued"}
    script = {
        verb: [chance.choice(faults) if chance.random() < 0.08 else yes for _ in range(200)]
        for verb, yes in usual.items()
    }
    upstream = Upstream(script=script)
    contents = [b"Subject: %d\r\n\r\n.\r\n" % number for number in range(120)]
    doubts = dict.fromkeys(contents, 0)
    taken: list[bytes] = []
    queue = list(reversed(contents))

    async def work(relay: SmtpRelay) -> None:
        while queue:
            content = queue.pop()
            [outcome] = await relay.attempt(claimed(), content)
            doubts[content] += outcome.ambiguous
            if outcome.answer is Answer.TAKEN:
                taken.append(content)
            else:
                queue.insert(0, content)

    # A fault that looks like silence is over soon.
    short = timedelta(seconds=0.3)
    limits = {"command_timeout": short, "data_timeout": short, "messages_per_connection": 20}
    async with asyncio.timeout(60), relaying(upstream, connections=3, **limits) as relay:
        await asyncio.gather(*[work(relay) for _ in range(6)])
        await asyncio.gather(*[work(relay) for _ in range(6)])
    assert sorted(taken) == sorted(contents)
    for content in contents:
        kept = upstream.contents.count(content) - upstream.refused.count(content)
        assert 1 <= kept <= 1 + doubts[content]
    # Where all recipients were refused and the server says "go on" all the same, it gets nothing.
    assert set(upstream.contents) <= {*contents, b""}
