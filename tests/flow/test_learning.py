"""Copies of mail that are learnt from and go nowhere."""

from datetime import timedelta

from mailguard.core import outgoing
from tests.flow.parts import Parts
from tests.flow.test_recalling import _submission, asked, judge, parts
from tests.letters import CLIENT, LAYOFFS, PAUL, letter

__all__ = ["judge", "parts"]


async def test_a_copy_teaches_and_goes_nowhere(parts: Parts) -> None:
    await parts.recalling.make()
    incoming = letter(7, PAUL, "Dear Paul,\r\n\r\nthe milestone is late.", sender=CLIENT)
    reply = await parts.learning.accept(_submission(parts, incoming, "copies@guard.corp.example"))
    assert reply.code == 250
    found = (await asked(parts, letter(8, CLIENT, LAYOFFS), CLIENT)).people[CLIENT]
    assert (found.mails, found.back) == (0, 1)
    answer = letter(9, CLIENT, "Soon", headers="References: <7@corp.example>\r\n")
    assert (await asked(parts, answer, CLIENT)).people[CLIENT].wrote
    assert (await parts.memory.thread(["7@corp.example"])).participants == {CLIENT, PAUL}
    assert not await parts.store.claim(parts.clock.now() + timedelta(days=1), 10)


async def test_a_copy_of_what_this_guard_passed_on_teaches_nothing(parts: Parts) -> None:
    # Its header may still name somebody who was dropped.
    await parts.recalling.make()
    message = await parts.id_of(content=letter(7, "client@customer.example", LAYOFFS))
    held = await parts.store.find(message)
    copy = outgoing.outgoing(held, letter(7, CLIENT, LAYOFFS), "guard.corp.example")
    assert (await parts.learning.accept(_submission(parts, copy, "copies@guard.corp.example"))).code == 250
    assert parts.recalling.status()["mails"] == 0
