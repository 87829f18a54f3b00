"""Decisions: the answer is the truth, whoever asks and however close the race."""

import asyncio
from datetime import timedelta

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.told import Told
from tests.flow.parts import ANNE, BOB, Parts
from tests.making import NOW

SIX_MINUTES = timedelta(minutes=6)


async def test_cancelled_means_never(parts: Parts) -> None:
    message = await parts.id_of()
    answer = await parts.decide.cancel(message, ANNE)
    assert answer.told is Told.DONE
    await parts.tick(SIX_MINUTES)
    assert parts.relay.taken == []


async def test_only_the_wrong_recipient_is_dropped(parts: Parts) -> None:
    message = await parts.id_of("client@customer.example", "right@customer.example")
    answer = await parts.decide.cancel(message, ANNE, ["Client@CUSTOMER.example"])
    assert answer.told is Told.DONE
    await parts.tick(SIX_MINUTES)
    assert [to for _, to, _ in parts.relay.taken] == ["right@customer.example"]


async def test_an_unknown_recipient_is_named_and_nothing_is_dropped(parts: Parts) -> None:
    message = await parts.id_of()
    answer = await parts.decide.cancel(message, ANNE, ["nobody@x.example"])
    assert answer.told is Told.REFUSED
    assert "client@customer.example" in answer.text
    assert (await parts.store.find(message)).state is MessageState.HELD


async def test_too_late_says_what_left_to_whom_and_when(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.tick(SIX_MINUTES)
    answer = await parts.decide.cancel(message, ANNE)
    assert answer.told is Told.TOO_LATE
    assert "it left to client@customer.example at 2026-11-22T10:06:00Z" in answer.text


async def test_cancelling_twice_is_done(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    assert (await parts.decide.cancel(message, ANNE)).told.exit_code == 0


async def test_a_prefix_is_enough_and_an_ambiguous_one_is_not(parts: Parts) -> None:
    for _ in range(10):
        await parts.submit()
    assert (await parts.decide.cancel("00000000000", ANNE)).told is Told.REFUSED
    assert (await parts.decide.cancel("00000000001O", ANNE)).told is Told.DONE


async def test_what_is_not_there_and_what_is_not_yours(parts: Parts) -> None:
    message = await parts.id_of()
    assert (await parts.decide.cancel("zzz", ANNE)).told is Told.NO_SUCH_MESSAGE
    assert (await parts.decide.cancel(message, BOB)).told is Told.NOT_YOURS
    assert (await parts.store.find(message)).state is MessageState.HELD
    assert (await parts.decide.cancel(message, ADMIN)).told is Told.DONE


async def test_a_part_that_left_makes_a_whole_cancel_too_late(parts: Parts) -> None:
    message = await parts.id_of("x@slow.example", "boss@corp.example")
    await parts.tick()
    answer = await parts.decide.cancel(message, ANNE)
    assert answer.told is Told.TOO_LATE
    assert "boss@corp.example" in answer.text
    await parts.tick(timedelta(hours=2))
    assert [to for _, to, _ in parts.relay.taken] == ["boss@corp.example"]


async def test_a_cancel_in_mid_attempt_hears_how_it_ended(parts: Parts) -> None:
    message = await parts.id_of()
    parts.relay.gate.clear()
    ticking = asyncio.create_task(parts.tick(SIX_MINUTES))
    await asyncio.sleep(0.1)
    cancelling = asyncio.create_task(parts.decide.cancel(message, ANNE))
    await asyncio.sleep(0.05)
    assert not cancelling.done()
    parts.relay.gate.set()
    await ticking
    await parts.clock.advance(timedelta(seconds=1))
    answer = await asyncio.wait_for(cancelling, 2)
    assert answer.told is Told.TOO_LATE
    assert "it left to client@customer.example" in answer.text


async def test_restore_release_extend_freeze_thaw(parts: Parts) -> None:
    message = await parts.id_of()
    await parts.decide.cancel(message, ANNE)
    assert (await parts.decide.restore(message, ANNE)).told is Told.DONE
    extended = await parts.decide.extend(message, ANNE, by=timedelta(minutes=10), until=None)
    assert extended.message is not None
    assert extended.message.release_at == NOW + timedelta(minutes=15)
    assert (await parts.decide.freeze(message, ANNE)).told is Told.DONE
    await parts.tick(timedelta(hours=3))
    assert parts.relay.taken == []
    assert (await parts.decide.thaw(message, ANNE)).told is Told.DONE
    assert (await parts.decide.release(message, ANNE)).told is Told.DONE
    await parts.tick()
    assert len(parts.relay.taken) == 1


@pytest.mark.parametrize(
    ("by", "until"),
    [
        (None, None),
        (timedelta(minutes=1), NOW + timedelta(hours=1)),
        (timedelta(0), None),
        (-timedelta(minutes=1), None),
        (timedelta(days=4000), None),
        (None, NOW - timedelta(hours=1)),
    ],
)
async def test_a_senseless_extension_is_refused(parts: Parts, by: timedelta | None, until: object) -> None:
    message = await parts.id_of()
    answer = await parts.decide.extend(message, ANNE, by=by, until=until)  # type: ignore[arg-type]
    assert answer.told is Told.REFUSED


async def test_confirm_lets_it_go_when_its_delay_has_run(parts: Parts) -> None:
    message = await parts.id_of("a@big.example")
    await parts.tick(timedelta(minutes=1))
    answer = await parts.decide.confirm(message, ANNE)
    assert answer.message is not None
    assert answer.message.release_at == NOW + timedelta(minutes=5)
    await parts.tick(timedelta(minutes=1))
    assert parts.relay.taken == []
    await parts.tick(timedelta(minutes=4))
    assert len(parts.relay.taken) == 1


async def test_nobody_approves_their_own_and_the_approver_may(parts: Parts) -> None:
    message = await parts.id_of("editor@newspaper.example")
    assert (await parts.decide.approve(message, ANNE)).told is Told.NOT_YOURS
    assert (await parts.decide.release(message, ANNE)).told is Told.REFUSED
    await parts.clock.advance(timedelta(hours=1))
    assert (await parts.decide.approve(message, BOB)).told is Told.DONE
    await parts.tick()
    assert len(parts.relay.taken) == 1


async def test_a_rejection_goes_back_to_the_sender_with_the_reason(parts: Parts) -> None:
    message = await parts.id_of("editor@newspaper.example")
    assert (await parts.decide.reject(message, BOB, "after the results")).told is Told.DONE
    await parts.tick()
    [(_, to, content)] = parts.relay.taken
    assert to == "anne@corp.example"
    assert b"after the results" in content
    assert (await parts.store.find(message)).state is MessageState.REJECTED


async def test_of_many_decisions_at_once_each_is_told_the_truth(parts: Parts) -> None:
    for _ in range(20):
        message = await parts.id_of()
        cancels = [parts.decide.cancel(message, ANNE) for _ in range(5)]
        releases = [parts.decide.release(message, ANNE) for _ in range(5)]
        answers = await asyncio.gather(*cancels, *releases, parts.tick())
        told = [answer.told for answer in answers if answer is not None]
        await parts.tick()
        held = await parts.store.find(message)
        left = [one for one, _, _ in parts.relay.taken if one == message]
        cancelled = any(one is Told.DONE for one in told[:5])
        assert cancelled == (held.recipients[0].state is RecipientState.DROPPED)
        assert len(left) == (0 if cancelled else 1)
