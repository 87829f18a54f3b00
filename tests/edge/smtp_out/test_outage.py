"""An upstream that is out is asked rarely, and by one for all."""

import asyncio
from datetime import timedelta

import pytest

from mailguard.edge.smtp_out.outage import BROKEN_IN_A_ROW, Out, Outage
from tests.edge.smtp_out.upstream import CONTENT, HANG_UP, RESET, Upstream, claimed, relaying, words

PAUSE = timedelta(seconds=0.3)


async def test_while_it_is_out_nobody_asks_and_everybody_is_told_why() -> None:
    upstream = Upstream(script={"GREETING": [HANG_UP]})
    async with relaying(upstream, first_pause=PAUSE, connections=1) as relay:
        outcomes = await asyncio.gather(*[relay.attempt(claimed(), CONTENT) for _ in range(50)])
        assert {tuple(words(one)) for one in outcomes} == {("later",)}
        assert all(one.upstream for [one] in outcomes)
        assert upstream.connections == 1
        [last] = outcomes[-1]
        assert "which is out: " in last.reply
        await asyncio.sleep(PAUSE.total_seconds() + 0.1)
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]


async def test_one_asks_for_all_when_the_pause_is_over() -> None:
    upstream = Upstream(script={"GREETING": [HANG_UP] * 2})
    async with relaying(upstream, first_pause=PAUSE, connections=10) as relay:
        await relay.attempt(claimed(), CONTENT)
        await asyncio.sleep(PAUSE.total_seconds() + 0.1)
        await asyncio.gather(*[relay.attempt(claimed(), CONTENT) for _ in range(10)])
    assert upstream.connections == 2


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("GREETING", "421 4.3.2 closed"),
        ("MAIL", "421 4.7.0 too many"),
        ("MAIL", "451 4.7.1 you are too fast"),
        ("MAIL", "452 4.3.2 not now"),
        ("RCPT", "421 4.7.0 too many"),
        ("MESSAGE", "421 4.7.0 too many"),
    ],
)
async def test_what_is_said_of_us_holds_for_every_message(step: str, reply: str) -> None:
    upstream = Upstream(script={step: [reply]})
    async with relaying(upstream, first_pause=timedelta(minutes=1)) as relay:
        [first] = await relay.attempt(claimed(), CONTENT)
        before = len(upstream.commands)
        [second] = await relay.attempt(claimed(), CONTENT)
    assert first.upstream
    assert reply in second.reply
    assert [c for c in upstream.commands[before:] if c != "QUIT"] == []


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("MAIL", "451 4.3.0 trouble"),
        ("RCPT", "450 4.7.1 greylisted"),
        ("MESSAGE", "451 4.7.1 greylisted"),
        ("MESSAGE", "550 5.7.1 spam"),
    ],
)
async def test_what_is_said_of_one_message_holds_for_that_one(step: str, reply: str) -> None:
    upstream = Upstream(script={step: [reply]})
    async with relaying(upstream, first_pause=timedelta(minutes=1)) as relay:
        [first] = await relay.attempt(claimed(), CONTENT)
        assert not first.upstream
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]


async def test_transactions_that_break_off_one_after_the_other_are_an_outage() -> None:
    upstream = Upstream(script={"RCPT": [RESET] * 100})
    async with relaying(upstream, first_pause=timedelta(minutes=1)) as relay:
        for _ in range(20):
            assert words(await relay.attempt(claimed(), CONTENT)) == ["later"]
    assert upstream.connections == BROKEN_IN_A_ROW


async def test_the_pause_grows_and_begins_anew() -> None:
    outage = Outage(first=timedelta(seconds=0.05), longest=timedelta(seconds=0.2))
    loop, pauses = asyncio.get_running_loop(), []
    for _ in range(4):
        outage.failed("it is down")
        begun = loop.time()
        while True:
            try:
                outage.asked(await outage.turn())
                break
            except Out:
                await asyncio.sleep(0.005)
        pauses.append(loop.time() - begun)
    # The wall of the machine may add to a pause, never take from it.
    assert all(p >= wanted for p, wanted in zip(pauses, (0.05, 0.1, 0.2, 0.2), strict=True))
    outage.went_well()
    assert await outage.turn() is None


async def test_whoever_asks_and_is_cancelled_leaves_the_turn_to_the_next() -> None:
    outage = Outage(first=timedelta(0), longest=timedelta(0))
    outage.failed("it is down")
    turn = asyncio.Event()

    async def ask() -> None:
        mine = await outage.turn()
        turn.set()
        try:
            await asyncio.sleep(30)
        finally:
            outage.asked(mine)

    asking = asyncio.create_task(ask())
    await turn.wait()
    waiting = asyncio.create_task(outage.turn())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    asking.cancel()
    assert await asyncio.wait_for(waiting, 2) is not None


async def test_a_server_that_cannot_follow_is_asked_one_thing_after_the_other() -> None:
    upstream = Upstream(script={"RCPT": ["503 5.5.1 MAIL first", "550 5.1.1 gone"]})
    async with relaying(upstream, messages_per_connection=1) as relay:
        assert words(await relay.attempt(claimed(), CONTENT)) == ["later"]
        assert words(await relay.attempt(claimed(), CONTENT)) == ["never"]
        # Only who does not wait for the answer to RCPT says DATA behind a refused one.
        assert upstream.verbs().count("DATA") == 1
        assert words(await relay.attempt(claimed(), CONTENT)) == ["taken"]
