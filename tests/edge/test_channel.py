"""Two ends of one channel, in one loop: questions, answers, word, and what is left when one end is gone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from mailguard.edge.channel import (
    _ANSWER,
    _FRAME,
    _QUESTION,
    _STOP,
    NOT_BEGUN,
    AnswerFailed,
    Channel,
    ChannelLost,
    NotSent,
    Stopped,
)

Answer = Callable[[int, bytes, bytes], Awaitable[bytes]]


async def echo(about: int, head: bytes, body: bytes) -> bytes:
    """All of the question."""
    return b"%d %s %s" % (about, head, body)


@dataclass
class End:
    """What one end has heard."""

    answer: Answer = echo
    heard: list[tuple[int, bytes]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, about: int, head: bytes) -> None:
        self.heard.append((about, head))

    async def open(self, end: socket.socket) -> Channel:
        async def answered(about: int, head: bytes, body: bytes) -> bytes:
            return await self.answer(about, head, body)

        def heard(about: int, head: bytes) -> None:
            self.hear(about, head)

        channel = Channel(answer=answered, hear=heard, fault=self.faults.append, lost=self.lost.set)
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=end)
        return channel


@dataclass
class Both:
    """Two ends, and who sits there."""

    here: Channel
    there: Channel
    near: End
    far: End


@pytest.fixture
async def both() -> AsyncIterator[Both]:
    one, two = socket.socketpair()
    near, far = End(), End()
    made = Both(await near.open(one), await far.open(two), near, far)
    yield made
    made.here.close()
    await asyncio.wait_for(far.lost.wait(), 5)


async def test_a_question_has_its_answer_either_way(both: Both) -> None:
    assert await both.here.ask(3, b"head", b"body") == b"3 head body"
    assert await both.there.ask(31, b"", b"") == b"31  "


async def test_the_body_is_what_it_was_however_large(both: Both) -> None:
    body = bytes(range(256)) * 100_000
    taken = []

    async def take(about: int, head: bytes, content: bytes) -> bytes:
        taken.append((head, content))
        return b"taken"

    both.far.answer = take
    small = [both.here.ask(1, b"%d" % number, b"x" * number) for number in range(200)]
    answers = await asyncio.gather(both.here.ask(1, b"large", body), *small)
    assert answers == [b"taken"] * 201
    # And in their order.
    assert taken == [(b"large", body), *((b"%d" % number, b"x" * number) for number in range(200))]


async def test_answers_come_when_they_are_there_and_to_their_questions(both: Both) -> None:
    async def slow(about: int, head: bytes, body: bytes) -> bytes:
        await asyncio.sleep(int(head) / 100)
        return head

    both.far.answer = slow
    asked = [asyncio.create_task(both.here.ask(0, b"%d" % number)) for number in (5, 1, 3)]
    done = [await first for first in asyncio.as_completed(asked)]
    assert done == [b"1", b"3", b"5"]
    assert [task.result() for task in asked] == [b"5", b"1", b"3"]


async def test_a_fault_at_the_other_end_has_a_name_and_no_words(both: Both) -> None:
    async def fail(about: int, head: bytes, body: bytes) -> bytes:
        raise KeyError("a secret")

    both.far.answer = fail
    with pytest.raises(AnswerFailed, match=r"^KeyError$"):
        await both.here.ask(1, b"")
    both.far.answer = echo
    assert await both.here.ask(1, b"again") == b"1 again "


async def test_word_wants_no_answer_and_keeps_its_place(both: Both) -> None:
    both.here.tell(7, b"first")
    await both.here.ask(0, b"")
    assert both.far.heard == [(7, b"first")]
    both.there.tell(8, b"second")
    await both.there.ask(0, b"")
    assert both.near.heard == [(8, b"second")]


class GivenUp(asyncio.CancelledError):
    """How an answerer may end that is told to stop."""


@pytest.mark.parametrize(("end", "how"), [(GivenUp(), "GivenUp"), (None, "")])
async def test_a_question_that_is_taken_back_is_stopped_before_anybody_goes_on(
    both: Both, end: GivenUp | None, how: str
) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def stubborn(about: int, head: bytes, body: bytes) -> bytes:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            stopped.set()
            if end is not None:
                raise end from None
        return b"done all the same"

    both.far.answer = stubborn
    task = asyncio.create_task(both.here.ask_or_stop(1, b""))
    await begun.wait()
    task.cancel()
    with pytest.raises(Stopped) as caught:
        await task
    assert stopped.is_set()
    assert caught.value.how == how
    assert task.cancelled()


async def test_the_answer_may_come_in_the_moment_in_which_it_is_taken_back(both: Both) -> None:
    task = asyncio.create_task(both.here.ask_or_stop(1, b""))
    await asyncio.sleep(0)
    # What the other end has sent is heard after the cancel, and before the task hears of that.
    task.cancel()
    both.here.data_received(_FRAME.pack(0, 4, 0, _ANSWER) + b"done")
    with pytest.raises(Stopped) as caught:
        async with asyncio.timeout(5):
            await task
    assert caught.value.how == ""
    assert await both.here.ask(1, b"next") == b"1 next "


async def test_who_is_gone_answers_nothing(both: Both) -> None:
    both.far.answer = never
    task = asyncio.create_task(both.here.ask(1, b""))
    await asyncio.sleep(0.01)
    both.there.close()
    with pytest.raises(ChannelLost):
        await task
    assert both.near.lost.is_set()
    with pytest.raises(ChannelLost):
        await both.here.ask(1, b"")
    # Nobody hears it, and nothing comes of it.
    both.here.tell(1, b"")
    assert both.far.heard == []


async def never(about: int, head: bytes, body: bytes) -> bytes:
    """An answer that does not come."""
    await asyncio.sleep(60)
    return b""


async def test_a_question_may_have_a_time(both: Both) -> None:
    """asyncio.timeout knows its own cancel by the class; and who hangs is not waited for."""
    both.far.answer = never
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await both.here.ask(1, b"")
    both.far.answer = echo
    assert await both.here.ask(1, b"next") == b"1 next "
    await asyncio.sleep(0.01)
    assert not both.there._answering
    assert not both.here._asked


async def test_what_is_taken_back_before_it_has_begun_is_answered_all_the_same(both: Both) -> None:
    """The other end was busy, and reads both at once."""
    asked = asyncio.create_task(both.here.ask_or_stop(1, b""))
    await asyncio.sleep(0)
    number = next(iter(both.here._asked))
    frames = [_FRAME.pack(0, 0, number, _QUESTION), _FRAME.pack(0, 0, number, _STOP)]
    both.far.answer = never
    both.there.data_received(frames[0] + frames[1])
    asked.cancel()
    with pytest.raises(Stopped) as caught:
        async with asyncio.timeout(5):
            await asyncio.gather(asked)
    assert caught.value.how == NOT_BEGUN
    assert not both.there._answering


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_cancel_is_one_also_where_the_other_end_is_lost(both: Both, when: str) -> None:
    both.far.answer = never
    task = asyncio.create_task(both.here.ask_or_stop(1, b""))
    await asyncio.sleep(0.01)
    if when == "before":
        both.there.close()
        task.cancel()
    else:
        task.cancel()
        await asyncio.sleep(0)
        both.there.close()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await asyncio.gather(task)
    assert task.cancelled()


async def test_who_was_gone_before_has_heard_nothing(both: Both) -> None:
    both.there.close()
    await asyncio.wait_for(both.near.lost.wait(), 5)
    with pytest.raises(NotSent):
        await both.here.ask(1, b"")


async def test_a_fault_is_told_where_it_happened_and_ends_nothing(both: Both) -> None:
    async def fail(about: int, head: bytes, body: bytes) -> bytes:
        raise KeyError("a secret")

    def odd(about: int, head: bytes) -> None:
        raise ValueError("no such word")

    both.far.answer, both.far.hear = fail, odd  # type: ignore[method-assign]
    both.here.tell(1, b"")
    with pytest.raises(AnswerFailed):
        await both.here.ask(1, b"")
    assert [type(error) for error in both.far.faults] == [ValueError, KeyError]
    assert both.near.faults == []


async def test_what_is_no_frame_ends_it(both: Both) -> None:
    with pytest.raises(ValueError, match="no frame"):
        both.here.data_received(_FRAME.pack(1 << 60, 0, 0, 0))
