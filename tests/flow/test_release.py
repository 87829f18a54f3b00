"""Out: what is due leaves once, what cannot is tried again or goes back to its sender."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.delivery import Answer, Outcome
from mailguard.core.errors import StoreError
from mailguard.core.hold import Change, Claimed
from mailguard.core.states import MessageState, RecipientState
from mailguard.ports import NotOffered
from tests.flow.parts import MESSAGE, Parts, opened
from tests.upstreams import ScriptedRelay

SIX_MINUTES = timedelta(minutes=6)


async def test_it_leaves_when_its_time_has_come_and_not_before(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.tick(timedelta(minutes=5))
    assert parts.relay.taken == []
    await parts.tick(timedelta(seconds=3))
    [(one, to, content)] = parts.relay.taken
    assert (one, to) == (message, "client@customer.example")
    assert content.startswith(b"Received: ")
    assert content.endswith(MESSAGE.replace(b"Bcc: boss@corp.example\r\n", b""))
    sent = await parts.store.find(message)
    assert sent.state is MessageState.SENT
    assert await parts.store.content(message) is None
    await parts.tick(timedelta(days=1))
    assert len(parts.relay.taken) == 1


async def test_later_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    relay = ScriptedRelay(Answer.LATER, Answer.LATER)
    async with opened(tmp_path, relay) as parts:
        message = await parts.id_of("boss@corp.example")
        await parts.tick()
        held = await parts.store.find(message)
        assert held.state is MessageState.QUEUED
        assert held.recipients[0].state is RecipientState.DEFERRED
        await parts.tick(timedelta(minutes=1))
        await parts.tick(timedelta(minutes=1))
        assert relay.taken == []
        await parts.tick(timedelta(minutes=1))
        assert len(relay.taken) == 1


async def test_after_five_days_it_goes_back_to_its_sender(tmp_path: Path) -> None:
    relay = ScriptedRelay(*[Answer.LATER] * 60)
    async with opened(tmp_path, relay) as parts:
        message = await parts.id_of("boss@corp.example")
        for _ in range(45):
            await parts.tick(timedelta(hours=4))
            if relay.taken:
                break
        assert (await parts.store.find(message)).state is MessageState.FAILED
        relay_attempts = relay.attempts.count(message)
        assert relay_attempts > 25


async def test_never_goes_back_at_once_and_only_for_that_recipient(tmp_path: Path) -> None:
    relay = ScriptedRelay([Answer.TAKEN, Answer.NEVER])
    async with opened(tmp_path, relay) as parts:
        message = await parts.id_of("boss@corp.example", "gone@corp.example")
        await parts.tick()
        held = await parts.store.find(message)
        assert held.state is MessageState.FAILED
        await parts.tick()
        bounced = [content for _, to, content in relay.taken if to == "anne@corp.example"]
        assert len(bounced) == 1
        assert b"gone@corp.example" in bounced[0]
        assert b"multipart/report" in bounced[0]
        assert b"boss@corp.example" not in bounced[0]


async def test_the_null_sender_is_never_bounced_to(tmp_path: Path) -> None:
    relay = ScriptedRelay(Answer.NEVER)
    async with opened(tmp_path, relay) as parts:
        await parts.submit("boss@corp.example", sender="")
        await parts.tick()
        await parts.tick()
        assert relay.taken == []


async def test_a_fault_of_ours_is_temporary(tmp_path: Path) -> None:
    relay = ScriptedRelay(RuntimeError("password=hunter2"))
    async with opened(tmp_path, relay) as parts:
        message = await parts.id_of("boss@corp.example")
        await parts.tick()
        held = await parts.store.find(message)
        assert held.recipients[0].state is RecipientState.DEFERRED
        assert "hunter2" not in str(held) + str(parts.log.lines)


async def test_what_left_is_not_offered_again_because_the_disk_was_full(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await parts.id_of("boss@corp.example")
    apply, full = parts.store.apply, [True, True]

    async def sometimes(change: Change) -> bool:
        if full:
            full.pop()
            raise StoreError("disk full")
        return await apply(change)

    monkeypatch.setattr(parts.store, "apply", sometimes)
    ticking = asyncio.create_task(parts.tick())
    for _ in range(4):
        await asyncio.sleep(0.05)
        await parts.clock.advance(timedelta(seconds=1))
    await asyncio.wait_for(ticking, 2)
    assert len(parts.relay.taken) == 1
    assert (await parts.store.find(message)).state is MessageState.SENT


async def test_what_nobody_approved_comes_back_unsent(parts: Parts) -> None:
    message = await parts.id_of("editor@newspaper.example")
    await parts.tick(timedelta(days=2, minutes=1))
    assert (await parts.store.find(message)).state is MessageState.EXPIRED
    await parts.tick()
    assert [to for _, to, _ in parts.relay.taken] == ["anne@corp.example"]


async def test_a_stopped_guard_tries_again_what_it_had_in_hand(tmp_path: Path) -> None:
    async with opened(tmp_path) as first:
        message = await first.id_of("boss@corp.example")
        await first.store.claim(first.clock.now(), 10)
    async with opened(tmp_path) as second:
        assert (await second.store.find(message)).state is MessageState.RELAYING
        assert await second.release.recover() == 1
        events = await second.store.events(message)
        assert events[-1].detail == {"may_arrive_twice": ["boss@corp.example"]}
        await second.tick()
        assert len(second.relay.taken) == 1


async def test_the_loop_itself_relays_what_comes_in(parts: Parts) -> None:
    running = asyncio.create_task(parts.release.run())
    message = await parts.id_of("boss@corp.example")
    for _ in range(100):
        if parts.relay.taken:
            break
        await parts.clock.advance(timedelta(milliseconds=10))
    assert [one for one, _, _ in parts.relay.taken] == [message]
    held = await parts.id_of("client@customer.example")
    await parts.clock.advance(timedelta(minutes=5, seconds=3))
    for _ in range(100):
        if len(parts.relay.taken) > 1:
            break
        await parts.clock.advance(timedelta(milliseconds=10))
    assert parts.relay.taken[-1][0] == held
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_clock_that_jumps_moves_no_promise(parts: Parts) -> None:
    await parts.submit()
    parts.clock.jump(-timedelta(hours=1))
    await parts.tick(timedelta(minutes=6))
    assert parts.relay.taken == []
    parts.clock.jump(timedelta(hours=1))
    await parts.tick()
    assert len(parts.relay.taken) == 1


@pytest.mark.parametrize("sent", [False, True])
async def test_a_stop_tells_what_was_sent_from_what_was_not(parts: Parts, sent: bool) -> None:
    async def attempt(claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError as error:
            if sent:
                raise
            raise NotOffered from error
        return ()

    begun = asyncio.Event()
    parts.relay.attempt = attempt  # type: ignore[method-assign]
    message = await parts.id_of("boss@corp.example")
    running = asyncio.create_task(parts.release.run())
    while not begun.is_set():
        await parts.clock.advance(timedelta(milliseconds=10))
    # The guard was told to stop, and its patience is over.
    parts.release.stop()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    after = await parts.store.find(message)
    assert (after.state is MessageState.RELAYING) is sent
    assert await parts.release.recover() == int(sent)
    told = str([event.detail for event in await parts.store.events(message)])
    assert ("may_arrive_twice" in told) is sent
    assert ("not_offered" in told) is not sent
    [recipient] = (await parts.store.find(message)).recipients
    assert recipient.maybe_sent is sent
