"""How much the timer takes in hand: little where mail leaves slowly, much where it leaves fast."""

from datetime import timedelta

import pytest

from mailguard.core.hold import Claimed
from mailguard.flow.in_hand import AHEAD, MOST, MOST_BYTES, InHand
from tests.clocks import FakeClock
from tests.making import message, recipient

FEWEST = 2 * AHEAD


def some(count: int, size: int = 10) -> list[Claimed]:
    """Messages that were claimed."""
    held = message(recipient("b@client.example", in_flight=True))
    return [Claimed(message=held, content=bytes(size)) for _ in range(count)]


async def leave(hand: InHand, clock: FakeClock, count: int, seconds: float) -> int:
    """So many leave in this time; how many would be in hand then."""
    messages = some(count)
    hand.take(messages)
    for one in messages:
        hand.done_with(one)
    await clock.advance(timedelta(seconds=seconds))
    return hand.room()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_as_much_as_leaves_soon_but_never_less_than_the_workers_need(clock: FakeClock) -> None:
    hand = InHand(2, clock)
    assert hand.room() == FEWEST
    assert await leave(hand, clock, 5, 1.0) == FEWEST
    assert await leave(hand, clock, 200, 0.5) == 100
    assert await leave(hand, clock, 10_000, 0.25) == MOST
    # And little again, as soon as the server has become slow.
    assert await leave(hand, clock, 5, 1.0) == FEWEST


def test_what_is_in_hand_takes_room_and_is_filled_up_in_time(clock: FakeClock) -> None:
    hand = InHand(2, clock)
    messages = some(FEWEST)
    assert hand.low
    hand.take(messages)
    assert hand.room() == 0
    assert not hand.low
    for one in messages[: FEWEST // 2]:
        hand.done_with(one)
    assert hand.low
    assert hand.room() == FEWEST // 2


def test_bytes_are_bounded(clock: FakeClock) -> None:
    hand = InHand(2, clock)
    (large,) = some(1, MOST_BYTES)
    hand.take([large])
    assert hand.room() == 0
    hand.done_with(large)
    assert hand.room() == FEWEST


def test_idle_is_when_nothing_is_in_hand(clock: FakeClock) -> None:
    hand = InHand(2, clock)
    hand.take([])
    assert hand.idle.is_set()
    first, second = some(2)
    hand.take([first, second])
    hand.done_with(first)
    assert not hand.idle.is_set()
    hand.done_with(second)
    assert hand.idle.is_set()
