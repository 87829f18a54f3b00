"""The same message handed in again: one message, the same answer; anything else is another message."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from mailguard.core.actor import ADMIN
from mailguard.core.envelope import MailParameters
from mailguard.core.states import MessageState
from tests.flow.parts import ANNE, BOB, MESSAGE, Parts, opened

TO = "client@customer.example"


async def count(parts: Parts) -> int:
    return len(await parts.history.listing(ADMIN, finished=True))


async def again(parts: Parts, *to: str) -> str:
    """Anne's client hands in the same bytes."""
    return str(await parts.submit(*(to or (TO,)), content=MESSAGE))


async def test_the_second_try_hears_what_the_first_one_heard(parts: Parts) -> None:
    first = await again(parts)
    await parts.clock.advance(timedelta(minutes=4))
    assert (
        await again(parts) == first == "250 2.0.0 Held as 000000000001 until 2026-11-22T10:05:00Z: external"
    )
    assert await count(parts) == 1
    events = await parts.store.events("000000000001")
    assert [event.event for event in events] == ["received", "resubmitted"]
    assert events[1].at == parts.clock.now()
    assert (events[1].by, events[1].detail) == ("anne", {"peer": "192.0.2.7"})


async def test_it_leaves_once(parts: Parts) -> None:
    await again(parts)
    await again(parts)
    await parts.tick(timedelta(minutes=6))
    assert await again(parts) == "250 2.0.0 Held as 000000000001 until 2026-11-22T10:05:00Z: external"
    await parts.tick(timedelta(minutes=1))
    assert len(parts.relay.attempts) == 1
    assert await count(parts) == 1


async def test_a_try_while_it_is_in_the_upstreams_ear_does_no_harm(parts: Parts) -> None:
    await again(parts)
    await parts.clock.advance(timedelta(minutes=6))
    [claimed] = await parts.store.claim(parts.clock.now(), 10)
    await again(parts)
    await parts.release.relay_one(claimed)
    assert (await parts.store.find("000000000001")).state is MessageState.SENT
    assert await count(parts) == 1


async def test_of_many_at_once_one_is_the_first(parts: Parts) -> None:
    replies = await asyncio.gather(*(again(parts) for _ in range(20)))
    assert len(set(replies)) == 1
    assert await count(parts) == 1
    held = await parts.store.find(replies[0].split()[4])
    assert len(await parts.store.events(held.id)) == 20
    assert held.version == 19


async def test_a_new_start_remembers(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        first = await again(parts)
    async with opened(tmp_path) as parts:
        assert await again(parts) == first
        assert await count(parts) == 1


async def test_ten_minutes_later_somebody_means_it(parts: Parts) -> None:
    first = await again(parts)
    await parts.clock.advance(timedelta(minutes=10, seconds=1))
    second = await again(parts)
    assert second != first
    # The newer one is the first of a third.
    assert await again(parts) == second
    assert await count(parts) == 2


async def test_what_was_cancelled_stays_cancelled(parts: Parts) -> None:
    await again(parts)
    await parts.decide.cancel("000000000001", ANNE)
    assert await again(parts) == "250 2.0.0 Held as 000000000001: it was cancelled, and stays so"
    await parts.tick(timedelta(minutes=9))
    assert parts.relay.attempts == []
    assert await count(parts) == 1
    # Somebody who presses Send anew has a new Message-ID.
    anew = await parts.submit(TO, content=MESSAGE.replace(b"<one@", b"<two@"))
    assert "Held as 00000000000" in str(anew)
    assert await count(parts) == 2


async def test_a_dropped_recipient_stays_dropped(parts: Parts) -> None:
    await again(parts, TO, "other@customer.example")
    await parts.decide.cancel("000000000001", ANNE, [TO])
    await again(parts, "other@customer.example", TO)
    await parts.tick(timedelta(minutes=6))
    assert [address for _, address, _ in parts.relay.taken] == ["other@customer.example"]
    assert await count(parts) == 1


async def test_what_came_back_to_its_sender_is_a_new_message(parts: Parts) -> None:
    await again(parts, "editor@newspaper.example")
    await parts.decide.reject("000000000001", BOB, "not before Monday")
    assert "until approved" in await again(parts, "editor@newspaper.example")
    # The two of them, and the report to the sender.
    assert await count(parts) == 3


@pytest.mark.parametrize(
    "second",
    [
        {"content": MESSAGE.replace(b"Two", b"Ten")},
        {"user": "bob", "sender": "bob@corp.example"},
        {"to": ("other@customer.example",)},
    ],
)
async def test_a_byte_a_login_or_a_recipient_makes_another_message(
    parts: Parts, second: dict[str, object]
) -> None:
    await again(parts)
    how = {"content": MESSAGE, "to": (TO,), **second}
    to = how.pop("to")
    assert isinstance(to, tuple)
    await parts.submit(*to, **how)
    assert await count(parts) == 2


async def test_without_a_message_id_both_are_taken(parts: Parts) -> None:
    alarm = MESSAGE.replace(b"Message-ID: <one@corp.example>\r\n", b"")
    assert await parts.id_of(TO, content=alarm) != await parts.id_of(TO, content=alarm)


async def test_a_wish_for_later_counts_from_the_first_try(parts: Parts) -> None:
    wish = MailParameters(hold_until=parts.clock.now() + timedelta(hours=8))
    first = await parts.submit(TO, content=MESSAGE, parameters=wish)
    later = MailParameters(hold_until=parts.clock.now() + timedelta(hours=8, minutes=1))
    assert await parts.submit(TO, content=MESSAGE, parameters=later) == first


async def test_a_large_message_is_known_again(parts: Parts) -> None:
    large = MESSAGE + b"x" * 76 + b"\r\n" * 200_000
    assert await parts.submit(TO, content=large) == await parts.submit(TO, content=large)
    assert await count(parts) == 1
