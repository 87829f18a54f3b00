"""Bcc stays blind: nobody but the sender and an admin ever sees an envelope-only recipient."""

from pathlib import Path

from mailguard.core.actor import Actor
from mailguard.core.told import Told
from tests.flow.parts import BOB, Parts, opened
from tests.guard import Guard
from tests.promises.talking import hand_in, letter, shown
from tests.sink import Sink

BLIND = "informer@now.example"
FORMS = (
    b"Bcc: informer@now.example\r\n",
    b"BCC : Informer\r\n <informer@now.example>,\r\n\tother@now.example\r\n",
    b"Resent-Bcc: informer@now.example\r\n",
    b"",
)


def test_no_byte_that_leaves_tells_of_a_blind_recipient(guard: Guard, sink: Sink) -> None:
    for number, field in enumerate(FORMS):
        content = field + letter(f"blind {number}")
        promise = hand_in(guard, content, f"seen{number}@now.example", BLIND)
        delivery = sink.wait(lambda one, n=number: f"seen{n}@now.example" in one.recipients)  # type: ignore[misc]
        # It gets there, and nobody can read that it does.
        assert BLIND in [one for each in list(sink.deliveries) for one in each.recipients]
        assert b"informer" not in delivery.content.lower()
        assert b"for <" not in delivery.content
        # The admin of the machine sees whom it goes to.
        assert BLIND in [one["address"] for one in shown(guard, promise.id)["recipients"]]


async def test_an_approver_sees_neither_recipient_nor_field(tmp_path: Path) -> None:
    async with opened(tmp_path) as parts:
        content = b"Bcc: informer@now.example\r\n" + letter("for the press").replace(
            b"b@client.example", b"desk@newspaper.example"
        )
        message_id = await parts.id_of("desk@newspaper.example", BLIND, content=content)
        told = await parts.history.find(message_id, BOB)
        assert told.message is not None
        assert [one.address for one in told.message.recipients] == ["desk@newspaper.example"]
        shown_bytes = await parts.history.content(told.message, BOB)
        assert shown_bytes is not None and b"informer" not in shown_bytes
        assert await _stranger(parts, message_id) is Told.NOT_YOURS


async def _stranger(parts: Parts, message_id: str) -> Told:
    return (await parts.history.find(message_id, Actor(name="eve"))).told
