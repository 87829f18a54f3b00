"""What is known of a message before it is judged."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.envelope import Submission
from mailguard.core.facts import Thread
from mailguard.core.message import read_headers
from mailguard.core.recall import posting
from mailguard.edge.bodies import BodyReader
from mailguard.flow.knowing import NOTHING_KNOWN, Knowing, Question
from tests.flow.parts import MESSAGE, Parts, opened, submission


@pytest.fixture
async def remembering(tmp_path: Path) -> AsyncIterator[Parts]:
    """A guard with a memory that is made, and in which nothing is."""
    bodies = BodyReader()
    async with opened(tmp_path, bodies=bodies) as joined:
        await joined.recalling.make()
        yield joined
    bodies.close()


def knowing(parts: Parts) -> Knowing:
    """As the judging has it."""
    return Knowing(threads=parts.memory, recalling=parts.recalling, log=parts.log)


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


async def test_what_has_left_is_known(remembering: Parts) -> None:
    assert (await remembering.submit("boss@corp.example", sender="anne@corp.example")).accepted
    await remembering.tick()
    asked = question(submission("boss@corp.example", now=remembering.clock))
    known = await knowing(remembering).know(asked)
    assert known.recollection.people["boss@corp.example"].mails == 1


async def test_of_nobody_in_particular_nothing_is_known(remembering: Parts) -> None:
    assert (
        await knowing(remembering).know(question(submission(now=remembering.clock), letter=None))
        == NOTHING_KNOWN
    )


async def test_without_a_memory_it_is_off(parts: Parts) -> None:
    assert knowing(parts).on
    assert not Knowing(threads=parts.memory, recalling=None, log=parts.log).on


async def test_the_thread_is_known_without_any_memory(parts: Parts) -> None:
    await parts.memory.learn("one@x.example", [], ["bob@client.example"])
    nobody = Knowing(threads=parts.memory, recalling=None, log=parts.log)
    one = submission(now=parts.clock, content=b"In-Reply-To: <one@x.example>\r\n" + MESSAGE)
    known = await nobody.know(question(one))
    assert known.thread == Thread(participants=frozenset({"bob@client.example"}))
    assert known.recollection == NOTHING_KNOWN.recollection


async def test_a_memory_that_fails_is_told_of_and_missed_by_nobody(
    remembering: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise KeyError("somebody")

    monkeypatch.setattr(remembering.recalling, "recollect", fails)
    known = await knowing(remembering).know(question(submission(now=remembering.clock)))
    assert known == NOTHING_KNOWN
    assert ("recollection_fault", {"peer": "192.0.2.7", "fault": "KeyError"}) in remembering.log.lines
