"""What is known of a message, and what is known of it where nothing is known of anybody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.envelope import Submission
from mailguard.core.facts import Thread
from mailguard.core.message import read_headers
from mailguard.core.recall import posting
from mailguard.edge.bodies import BodyReader
from mailguard.flow.knowing import NOTHING_KNOWN, Blank, Knowing, Question
from tests.flow.parts import MESSAGE, Parts, opened, submission
from tests.odd_mail import ODD_MAIL


@pytest.fixture
async def remembering(tmp_path: Path) -> AsyncIterator[Parts]:
    """A guard with a memory that is made, and in which nothing is."""
    bodies = BodyReader()
    async with opened(tmp_path, bodies=bodies) as joined:
        await joined.recalling.make()
        yield joined
    bodies.close()


def question(one: Submission, **changes: Any) -> Question:
    """As the judging asks it."""
    headers = read_headers(one.content)
    letter = posting.on_its_way(
        headers,
        one.content.decode("utf-8", "replace"),
        sender=one.envelope.sender,
        recipients=[each.address for each in one.envelope.recipients],
        when=one.received_at,
        names=False,
    )
    values: dict[str, Any] = {"thread": headers.thread_ids, "letter": letter, "own": (), "invited": ()}
    return Question(**{**values, "person": one.envelope.sender, "peer": one.peer, **changes})


@pytest.mark.parametrize("content", ODD_MAIL, ids=range(len(ODD_MAIL)))
async def test_a_blank_memory_says_what_one_says_that_is_empty(remembering: Parts, content: bytes) -> None:
    blank, knows = Blank(), remembering.receive.knows
    one = submission("a@x.example", "b@corp.example", now=remembering.clock, content=content)
    asked = question(one, own=("anne@corp.example", "*@corp.example"), invited=("a@x.example",))
    assert knows.on
    assert knows.blank
    known = await knows.know(asked)
    assert known == blank.known(asked, remembering.rules.current)
    assert known.recollection.people
    nobody = question(one, letter=None)
    assert await knows.know(nobody) == blank.known(nobody, remembering.rules.current) == NOTHING_KNOWN


async def test_it_is_blank_no_more_when_something_has_left(remembering: Parts) -> None:
    assert (await remembering.submit("boss@corp.example")).accepted
    await remembering.tick()
    assert not remembering.receive.knows.blank


async def test_who_was_never_made_is_not_blank(parts: Parts) -> None:
    assert not parts.receive.knows.blank
    nobody = Knowing(memory=parts.memory, recalling=None, log=parts.log)
    assert not nobody.on
    assert not nobody.blank


async def test_the_thread_is_known_without_any_memory(parts: Parts) -> None:
    await parts.memory.learn("one@x.example", [], ["bob@client.example"])
    nobody = Knowing(memory=parts.memory, recalling=None, log=parts.log)
    one = submission(now=parts.clock, content=b"In-Reply-To: <one@x.example>\r\n" + MESSAGE)
    known = await nobody.know(question(one))
    assert known.thread == Thread(participants=frozenset({"bob@client.example"}))
    assert known.recollection == NOTHING_KNOWN.recollection


async def test_a_memory_that_fails_is_told_of_and_missed_by_nobody(
    remembering: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("somebody")

    monkeypatch.setattr(remembering.recalling, "recollect", fails)
    known = await remembering.receive.knows.know(question(submission(now=remembering.clock)))
    assert known == NOTHING_KNOWN
    assert ("recollection_fault", {"peer": "192.0.2.7", "fault": "KeyError"}) in remembering.log.lines
