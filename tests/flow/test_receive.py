"""In: what the client hears, and what is on the disk when it hears it."""

from datetime import timedelta

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.envelope import MailParameters
from mailguard.core.errors import StoreError, StoreFull
from mailguard.core.hold import Action, NewMessage
from mailguard.core.states import MessageState, RecipientState
from mailguard.ports import Mark
from tests.flow.parts import MESSAGE, Parts
from tests.making import NOW


async def test_mail_to_the_outside_is_held_and_the_reply_says_until_when(parts: Parts) -> None:
    reply = await parts.submit("client@customer.example")
    assert str(reply) == "250 2.0.0 Held as 000000000001 until 2026-11-22T10:05:00Z: external"
    held = await parts.store.find("000000000001")
    assert held.state is MessageState.HELD
    assert held.subject == "Where we can save"
    assert held.rules == ("external",)
    assert held.release_at == NOW + timedelta(minutes=5)
    assert held.due_at == NOW + timedelta(minutes=5, seconds=3)
    assert await parts.store.content(held.id) == MESSAGE


async def test_mail_inside_leaves_at_once(parts: Parts) -> None:
    reply = await parts.submit("boss@corp.example")
    assert str(reply) == "250 2.0.0 Queued as 000000000001"
    held = await parts.store.find("000000000001")
    assert held.state is MessageState.QUEUED
    assert held.due_at == NOW


@pytest.mark.parametrize(
    ("to", "words", "state"),
    [
        ("editor@newspaper.example", "until approved", MessageState.APPROVAL),
        ("a@big.example", "until confirmed", MessageState.CONFIRM),
    ],
)
async def test_what_waits_for_a_person_says_so(
    parts: Parts, to: str, words: str, state: MessageState
) -> None:
    reply = await parts.submit(to)
    assert str(reply) == f"250 2.0.0 Held as 000000000001 {words}"
    held = await parts.store.find("000000000001")
    assert held.state is state
    assert held.due_at is None
    assert held.expires_at == NOW + timedelta(days=2)


async def test_a_refusing_rule_answers_with_its_text_and_stores_nothing(parts: Parts) -> None:
    reply = await parts.submit("ceo@rival.example")
    assert str(reply) == "550 5.7.1 We do not write to rivals"
    assert not await parts.history.listing(ADMIN)


async def test_a_split_rule_lets_the_others_go_at_once(parts: Parts) -> None:
    reply = await parts.submit("x@slow.example", "boss@corp.example")
    assert str(reply) == "250 2.0.0 Held as 000000000001 until 2026-11-22T11:00:00Z: split"
    await parts.tick()
    held = await parts.store.find("000000000001")
    assert held.state is MessageState.HELD
    assert [r.state for r in held.recipients] == [RecipientState.WAITING, RecipientState.SENT]


async def test_the_senders_own_wish_is_one_more_delay(parts: Parts) -> None:
    wish = MailParameters(hold_until=NOW + timedelta(hours=8))
    held = await parts.store.find(await parts.id_of("boss@corp.example", parameters=wish))
    assert held.release_at == NOW + timedelta(hours=8)
    assert held.action is Action.DELAY


@pytest.mark.parametrize(("error", "code"), [(StoreFull("full"), 452), (StoreError("broken"), 451)])
async def test_what_cannot_be_stored_is_refused_for_now(
    parts: Parts, error: StoreError, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(new: NewMessage, mark: Mark | None) -> None:
        raise error

    monkeypatch.setattr(parts.store, "add", fail)
    reply = await parts.submit()
    assert reply.code == code
    assert str(error) not in reply.text


async def test_a_loop_is_refused(parts: Parts) -> None:
    once = b"Received: from a by guard.corp.example with ESMTP id x; Sun, 22 Nov 2026 10:00:00 +0000\r\n"
    reply = await parts.submit(content=once * 60 + MESSAGE)
    assert reply.code == 554


async def test_a_header_that_nobody_wrote_is_refused(parts: Parts) -> None:
    reply = await parts.submit(content=b"X: y\r\n" * 200_000 + b"\r\nhello\r\n")
    assert str(reply).startswith("552 5.3.4")
    reply = await parts.submit(content=MESSAGE + b"x" * 3_000_000 + b"\r\n")
    assert reply.accepted


async def test_two_mails_with_one_message_id_stay_two(parts: Parts) -> None:
    first = await parts.id_of(content=MESSAGE)
    second = await parts.id_of(content=MESSAGE.replace(b"Two", b"Ten"))
    assert first != second
    assert await parts.store.content(first) == MESSAGE
    assert b"Ten positions" in (await parts.store.content(second) or b"")
