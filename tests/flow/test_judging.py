"""Judged in one place and taken in another, a message fares as it does where both are one."""

import pytest

from mailguard.edge.bodies import BodyReader
from mailguard.flow.judging import Judged, Judging, Refused
from mailguard.flow.knowing import Knowing
from mailguard.flow.receive import patience
from tests.flow.parts import Parts, submission
from tests.odd_mail import ODD_MAIL


def judging(parts: Parts) -> Judging:
    """The one that has only the memory of these parts."""
    knows = Knowing(threads=parts.memory, recalling=parts.recalling, log=parts.log)
    return Judging(knows=knows, bodies=BodyReader(), log=parts.log, hostname="guard.corp.example")


@pytest.mark.parametrize("content", ODD_MAIL, ids=range(len(ODD_MAIL)))
async def test_what_is_judged_elsewhere_is_taken_as_if_it_were_here(parts: Parts, content: bytes) -> None:
    to = ("client@customer.example", "boss@corp.example")
    one = submission(*to, now=parts.clock, content=content, sender="anne@corp.example")
    here = await parts.receive.accept(one)
    judged = await judging(parts).judged(one, parts.rules.current)
    assert isinstance(judged, Judged)
    if judged.digest is None:
        there = await parts.receive.take(one, judged, within=patience(one))
        assert str(there) == str(here).replace("000000000001", "000000000002")
        first, second = [await parts.store.find(f"00000000000{number}") for number in (1, 2)]
        assert (first.findings, first.rules, first.recipients) == (
            second.findings,
            second.rules,
            second.recipients,
        )
    else:
        # The same message by the same mark: it is known again.
        assert await parts.receive.take(one, judged, within=patience(one)) == here


@pytest.mark.parametrize(
    ("to", "content", "answer"),
    [
        ("ceo@rival.example", b"Subject: x\r\n\r\nx\r\n", "550 5.7.1 We do not write to rivals"),
        (
            "a@x.example",
            b"From: a@corp.example\r\nFrom: b@corp.example\r\n\r\nx\r\n",
            "550 5.6.0 There is more than one From field; a message may have only one",
        ),
    ],
)
async def test_what_is_refused_is_no_verdict_but_the_answer(
    parts: Parts, to: str, content: bytes, answer: str
) -> None:
    one = submission(to, now=parts.clock, content=content)
    refused = await judging(parts).judged(one, parts.rules.current)
    assert isinstance(refused, Refused)
    # Whoever asked tells the log, and may find that it is not the last word.
    assert parts.log.lines == []
    assert str(refused.reply) == answer == str(await parts.receive.accept(one))
    assert parts.log.lines == [(refused.event, refused.fields)]
