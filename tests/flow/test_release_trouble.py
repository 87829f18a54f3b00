"""One message's trouble stays its own: the timer goes on, nothing spins, nothing untrue is said."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailguard.core import moves
from mailguard.core.answer import what_left
from mailguard.core.delivery import Answer
from mailguard.core.errors import IllegalMove
from mailguard.core.hold import HeldMessage
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.told import Told
from mailguard.edge.config import parse_rules
from mailguard.flow import in_hand
from tests.flow.parts import ANNE, BOB, Parts, opened
from tests.upstreams import ScriptedRelay

SPLIT = """
internal_domains = ["corp.example"]
[[rule]]
name = "asks"
when = { to = "@big.example" }
action = "confirm"
expire = "2h"
split = true
[[rule]]
name = "slow"
when = { to = "@slow.example" }
delay = "1d"
split = true
"""


async def test_what_waits_longer_than_the_yes_does_not_end_the_timer(parts: Parts) -> None:
    parts.rules.current = parse_rules(SPLIT, "rules.toml")
    message = await parts.id_of("x@big.example", "y@slow.example")
    await parts.tick(timedelta(hours=3))
    held = await parts.store.find(message)
    assert held.state is MessageState.HELD
    assert [r.state for r in held.recipients] == [RecipientState.DROPPED, RecipientState.WAITING]
    await parts.tick(timedelta(days=1))
    assert "y@slow.example" in [to for _, to, _ in parts.relay.taken]


async def test_a_move_that_cannot_be_is_logged_and_the_others_go_on(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await parts.id_of("editor@newspaper.example")
    second = await parts.id_of("editor@newspaper.example")

    def expire(message: HeldMessage, **how: Any) -> moves.Result:
        if message.id == first:
            raise IllegalMove("planted")
        return expiring(message, **how)

    expiring = moves.expire
    monkeypatch.setattr(moves, "expire", expire)
    await parts.tick(timedelta(days=3))
    assert "expire_fault" in parts.log.names
    assert (await parts.store.find(second)).state is MessageState.EXPIRED


async def test_stopping_puts_back_what_no_worker_had_begun_with(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        parts.relay.gate.clear()
        ids = [await parts.id_of("boss@corp.example") for _ in range(12)]
        running = asyncio.create_task(parts.release.run())
        while len(parts.relay.attempts) < 4:
            await parts.clock.advance(timedelta(milliseconds=10))
        parts.release.stop()
        await parts.clock.advance(timedelta(seconds=6))
        begun = set(parts.relay.attempts)
        for message in ids:
            held = await parts.store.find(message)
            assert (held.state is MessageState.RELAYING) is (message in begun)
            if message not in begun:
                assert what_left(held) == "nothing of it has left"
                assert (await parts.decide.cancel(message, ANNE)).told is Told.DONE
        parts.relay.gate.set()
        await asyncio.wait_for(running, 2)
        assert {one for one, _, _ in parts.relay.taken} == begun


async def test_what_is_in_hand_is_bounded_in_bytes(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_hand, "MOST_BYTES", 1)
    parts.relay.gate.clear()
    first = await parts.id_of("boss@corp.example")
    running = asyncio.create_task(parts.release.run())
    while not parts.relay.attempts:
        await parts.clock.advance(timedelta(milliseconds=10))
    second = await parts.id_of("boss@corp.example")
    for _ in range(20):
        await parts.clock.advance(timedelta(seconds=1))
    assert parts.relay.attempts == [first]
    parts.relay.gate.set()
    for _ in range(50):
        await parts.clock.advance(timedelta(milliseconds=100))
    assert parts.relay.attempts == [first, second]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_row_that_cannot_be_claimed_makes_no_circle(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parts.submit("boss@corp.example")
    claims = 0

    async def none(*_: object, **__: object) -> list[object]:
        nonlocal claims
        claims += 1
        return []

    monkeypatch.setattr(parts.store, "claim", none)
    running = asyncio.create_task(parts.release.run())
    for _ in range(10):
        await parts.clock.advance(timedelta(milliseconds=20))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert 1 <= claims <= 3


async def test_a_full_cancel_reaches_those_in_flight_when_the_server_says_later(tmp_path: Path) -> None:
    relay = ScriptedRelay(Answer.LATER)
    async with opened(tmp_path, relay) as parts:
        parts.rules.current = parse_rules(SPLIT, "rules.toml")
        message = await parts.id_of("boss@corp.example", "y@slow.example")
        relay.gate.clear()
        ticking = asyncio.create_task(parts.tick())
        await asyncio.sleep(0.1)
        cancelling = asyncio.create_task(parts.decide.cancel(message, ANNE))
        await asyncio.sleep(0.1)
        relay.gate.set()
        await ticking
        await parts.clock.advance(timedelta(seconds=1))
        answer = await asyncio.wait_for(cancelling, 2)
        assert answer.told is Told.DONE, answer
        await parts.tick(timedelta(days=2))
        assert relay.taken == []


async def test_the_approver_sees_no_blind_recipient(parts: Parts) -> None:
    content = b"From: anne@corp.example\r\nTo: e@newspaper.example\r\nBcc: blind@spy.example\r\n\r\nx\r\n"
    message = await parts.id_of("e@newspaper.example", "blind@spy.example", content=content)
    answer = await parts.history.find(message, BOB)
    assert answer.message is not None
    assert [r.address for r in answer.message.recipients] == ["e@newspaper.example"]
    assert b"blind" not in (await parts.history.content(answer.message, BOB) or b"")
    assert b"blind" in (await parts.history.content(answer.message, ANNE) or b"")


async def test_what_can_be_restored_outlives_a_short_keep(parts: Parts) -> None:
    parts.rules.current = parse_rules('keep = "1d"\nundo = "30d"\n', "rules.toml")
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    await parts.clock.advance(timedelta(days=20))
    await parts.retention.sweep()
    assert (await parts.decide.restore(message, ANNE)).told is Told.DONE
