"""Only what is ours is handed over: before, and as long as it lasts."""

import asyncio
from collections.abc import Sequence

import pytest

from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Claimed
from mailguard.flow.while_held import WhileHeld
from mailguard.ports import NotOffered
from tests.edge.store.samples import CONTENT, RecordingLog
from tests.making import message, recipient

CLAIMED = Claimed(message=message(recipient(in_flight=True, attempts=1)), content=CONTENT)
TAKEN = Outcome(address="b@client.example", answer=Answer.TAKEN, reply="250 2.0.0 Ok")


class Time:
    """A clock that only tells the time, and a lease that a test ends."""

    def __init__(self) -> None:
        self.until = 100.0

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def holds_until(self, message_id: str) -> float:
        return self.monotonic() + self.until


class SlowRelay:
    """Hands a message over when it is let; cancelled, it says what it was told to."""

    def __init__(self, cancelled: type[BaseException]) -> None:
        self.begun = asyncio.Event()
        self.answer = asyncio.Event()
        self._cancelled = cancelled

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        self.begun.set()
        try:
            await self.answer.wait()
        except asyncio.CancelledError as error:
            raise self._cancelled from error
        return (TAKEN,)

    async def close(self) -> None:
        """Nothing."""


def around(relay: SlowRelay, time: Time, log: RecordingLog) -> WhileHeld:
    return WhileHeld(relay, holding=time, clock=time, log=log)  # type: ignore[arg-type]


async def test_what_is_ours_goes_its_way() -> None:
    relay, time = SlowRelay(NotOffered), Time()
    # The lease is always about to end, and always renewed.
    time.until = 0.01
    attempt = asyncio.create_task(around(relay, time, RecordingLog()).attempt(CLAIMED, CONTENT))
    await relay.begun.wait()
    await asyncio.sleep(0.05)
    relay.answer.set()
    assert await attempt == (TAKEN,)


async def test_what_is_not_ours_any_more_is_offered_to_nobody() -> None:
    relay, time, log = SlowRelay(NotOffered), Time(), RecordingLog()
    time.until = -1
    [outcome] = await around(relay, time, log).attempt(CLAIMED, CONTENT)
    assert not relay.begun.is_set()
    assert (outcome.answer, outcome.ambiguous) == (Answer.LATER, False)
    assert log.told("let_go") == [{"id": CLAIMED.message.id, "offered": False}]


@pytest.mark.parametrize("cancelled", [NotOffered, asyncio.CancelledError])
async def test_when_it_ceases_to_be_ours_the_attempt_is_broken_off(cancelled: type[BaseException]) -> None:
    relay, time = SlowRelay(cancelled), Time()
    time.until = 0.05
    attempt = asyncio.create_task(around(relay, time, RecordingLog()).attempt(CLAIMED, CONTENT))
    await relay.begun.wait()
    time.until = -1
    [outcome] = await attempt
    assert outcome.answer is Answer.LATER
    # Where the whole message may have gone, the history says so.
    assert outcome.ambiguous == (cancelled is not NotOffered)


@pytest.mark.parametrize("cancelled", [NotOffered, asyncio.CancelledError])
async def test_a_guard_that_stops_hears_whether_it_was_offered(cancelled: type[BaseException]) -> None:
    relay = SlowRelay(cancelled)
    attempt = asyncio.create_task(around(relay, Time(), RecordingLog()).attempt(CLAIMED, CONTENT))
    await relay.begun.wait()
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError) as raised:
        await attempt
    assert isinstance(raised.value, NotOffered) == (cancelled is NotOffered)
