"""The judge's live memory: what it learns from mail that left, when it is asked, and how it forgets."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailguard.core.account import Account
from mailguard.core.actor import Actor
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.lessons import Course, Lesson, lesson
from mailguard.core.recall.observation import Observation
from mailguard.core.recall.scene import Scene
from mailguard.core.recollection import Recollection
from mailguard.core.states import MessageState
from mailguard.edge.bodies import BodyReader
from mailguard.edge.config import parse_rules
from tests.flow.parts import Parts, opened
from tests.letters import BOSS, CLIENT, COLLEAGUE, LAYOFFS, PAUL, START, history, letter

DIGESTS = Digests(b"a key for tests")
CONFIRMED = """
internal_domains = ["corp.example"]
[checks]
stranger_in_thread = { action = "confirm" }
"""
RISKY = """
[[rule]]
name = "all"
delay = "risk"
"""


class OddJudge:
    """Whoever has a client's address is suspect."""

    def __init__(self) -> None:
        self.fingerprint = 7
        self.right: list[float] = []

    def suspicion(self, scene: Scene) -> Mapping[str, tuple[float, float]]:
        return {
            one.address: (0.75, 2.0) if "client" in one.address else (0.25, 500.0) for one in scene.recipients
        }

    def passed(self, suspicion: float) -> None:
        self.right.append(suspicion)


@pytest.fixture
def judge() -> OddJudge:
    return OddJudge()


@pytest.fixture
async def parts(tmp_path: Path, judge: OddJudge) -> AsyncIterator[Parts]:
    """Everything joined, with real bodies and a judge."""
    bodies = BodyReader()
    async with opened(tmp_path, bodies=bodies, load_judge=lambda: judge) as joined:
        yield joined
    bodies.close()


def observations(mails: list[bytes], parts: Parts) -> list[Observation]:
    """What `learn` makes of these."""
    course = Course(now=parts.clock.now(), since=START - timedelta(days=9))
    lessons = [lesson(mail, course, DIGESTS) for mail in mails]
    return [one.observation for one in lessons if isinstance(one, Lesson)]


async def learnt(parts: Parts, mails: list[bytes]) -> int:
    """Learn these, and make the memory of them."""
    new = await parts.recalling.learn(observations(mails, parts), source="a folder", place="1")
    await parts.recalling.settle(["a folder"])
    await parts.recalling.make()
    return new


async def asked(parts: Parts, content: bytes, *to: str, **changes: Any) -> Recollection:
    """What the checks would see of a message of Paul's."""
    submission = _submission(parts, content, *to, **changes)
    return (await parts.receive.consider(submission, parts.rules.current)).facts.recollection


def _submission(parts: Parts, content: bytes, *to: str, **changes: Any) -> Any:
    from tests.flow.parts import submission  # noqa: PLC0415

    values = {"sender": PAUL, "user": "paul", **changes}
    return submission(*to, now=parts.clock, content=content, **values)


async def sent(parts: Parts, content: bytes, *to: str, **changes: Any) -> None:
    """Paul sends it, and it leaves."""
    assert (await parts.receive.accept(_submission(parts, content, *to, **changes))).accepted
    await parts.tick(timedelta(minutes=20))


async def test_the_worked_story(parts: Parts) -> None:
    assert await learnt(parts, history()) == 60
    content = letter(900, CLIENT, LAYOFFS, when=parts.clock.now())
    found = (await asked(parts, content, CLIENT)).people[CLIENT]
    assert found.mails == 20
    assert found.usual is not None
    assert (found.usual.address, found.usual.mails) == (BOSS, 40)
    assert found.known_here
    assert found.per_thousand == 2.0
    # To the one who was meant, nobody is more usual.
    right = (await asked(parts, content.replace(CLIENT.encode(), BOSS.encode()), BOSS)).people[BOSS]
    assert right.usual is None
    assert right.per_thousand == 500.0


async def test_until_it_is_made_messages_are_judged_without_it(parts: Parts) -> None:
    await parts.recalling.learn(observations(history(9), parts), source="", place="")
    assert parts.recalling.status() == {"on": True, "ready": False, "mails": 0}
    found = await asked(parts, letter(900, CLIENT, LAYOFFS), CLIENT)
    assert not found.people
    await parts.recalling.make()
    assert parts.recalling.status() == {"on": True, "ready": True, "mails": 9}
    assert (await asked(parts, letter(900, CLIENT, LAYOFFS), CLIENT)).people[CLIENT].mails == 3


async def test_mail_that_left_is_learnt_at_once_and_after_a_start(parts: Parts) -> None:
    await parts.recalling.make()
    await sent(parts, letter(1, CLIENT, LAYOFFS), CLIENT)
    assert (await asked(parts, letter(2, CLIENT, LAYOFFS), CLIENT)).people[CLIENT].mails == 1
    await parts.recalling.make()
    assert (await asked(parts, letter(2, CLIENT, LAYOFFS), CLIENT)).people[CLIENT].mails == 1


async def test_what_was_dropped_is_not_learnt(parts: Parts) -> None:
    await parts.recalling.make()
    paul = Actor(name="paul", account=Account(login="paul", addresses=(PAUL,)))
    content = letter(1, f"{CLIENT}, {BOSS}", LAYOFFS)
    reply = await parts.receive.accept(_submission(parts, content, CLIENT, BOSS))
    await parts.decide.cancel(reply.text.split(" as ")[1].split()[0], paul, [CLIENT])
    await parts.tick(timedelta(minutes=20))
    found = (await asked(parts, letter(2, CLIENT, LAYOFFS), CLIENT, BOSS)).people
    assert (found[CLIENT].mails, found[BOSS].mails) == (0, 1)
    assert not found[CLIENT].known_here


async def test_a_right_mail_tells_the_judge_so_also_after_a_start(parts: Parts, judge: OddJudge) -> None:
    await learnt(parts, history(40))
    await sent(parts, letter(101, CLIENT, LAYOFFS), CLIENT)
    assert judge.right == [0.75]
    judge.right.clear()
    again = opened_again(parts, judge)
    await again.make()
    assert judge.right == [0.75]
    other = OddJudge()
    other.fingerprint = 8
    await opened_again(parts, other).make()
    assert other.right == []


async def test_who_is_hardly_known_is_suspected_only_where_a_rule_asks(parts: Parts, judge: OddJudge) -> None:
    await parts.recalling.make()
    content = letter(1, CLIENT, LAYOFFS)
    assert (await asked(parts, content, CLIENT)).people[CLIENT].per_thousand == 1000.0
    parts.rules.current = parse_rules(RISKY, "rules.toml")
    assert (await asked(parts, content, CLIENT)).people[CLIENT].per_thousand == 2.0


def opened_again(parts: Parts, judge: OddJudge) -> Any:
    """Another memory on the same log, as after a start."""
    from mailguard.flow.recalling import Recalling  # noqa: PLC0415

    return Recalling(
        records=parts.recalling._records,
        policies=parts.rules,
        clock=parts.clock,
        log=parts.log,
        digests=DIGESTS,
        load_judge=lambda: judge,
    )


async def test_a_blind_copy_is_its_senders_habit_and_nobody_elses_business(parts: Parts) -> None:
    await parts.recalling.make()
    await sent(parts, letter(1, BOSS, LAYOFFS), BOSS, COLLEAGUE)
    mine = await asked(parts, letter(2, COLLEAGUE, LAYOFFS), COLLEAGUE)
    assert mine.people[COLLEAGUE].mails == 1
    answer = letter(3, PAUL, "Thank you", sender=BOSS, headers="In-Reply-To: <1@corp.example>\r\n")
    hers = await asked(parts, answer, PAUL, COLLEAGUE, sender=BOSS, user="dominique")
    assert hers.answered == (BOSS,)
    assert hers.people[PAUL].in_thread
    assert not hers.people[COLLEAGUE].in_thread
    assert not hers.people[COLLEAGUE].added
    assert not hers.people[COLLEAGUE].known_here
    slip = COLLEAGUE.replace("leroy", "lerroy")
    assert (await asked(parts, answer, slip, sender=BOSS, user="dominique")).people[slip].near is None
    own = (await asked(parts, letter(4, slip, LAYOFFS), slip)).people[slip].near
    assert own is not None
    assert own.address == COLLEAGUE


async def test_a_yes_is_remembered_for_the_one_who_said_it(parts: Parts) -> None:
    await parts.recalling.make()
    parts.rules.current = parse_rules(CONFIRMED, "rules.toml")
    await sent(parts, letter(1, BOSS, LAYOFFS), BOSS)
    paul = Actor(name="paul", account=Account(login="paul", addresses=(PAUL,)))
    for number, state in ((2, MessageState.CONFIRM), (3, MessageState.QUEUED)):
        content = letter(number, CLIENT, LAYOFFS, headers="In-Reply-To: <1@corp.example>\r\n")
        reply = await parts.receive.accept(_submission(parts, content, CLIENT))
        held = await parts.store.find(reply.text.split(" as ")[1].split()[0])
        assert held.state is state
        await parts.decide.confirm(held.id, paul)
    # Nobody else said yes; and it is on the disk.
    other = letter(4, CLIENT, LAYOFFS, headers="In-Reply-To: <1@corp.example>\r\n")
    assert not (await asked(parts, other, CLIENT, sender=BOSS)).meant
    meant = await parts.recalling._records.meant()
    assert meant.keys() == {PAUL}
    assert ("stranger_in_thread", CLIENT) in meant[PAUL]


async def test_an_admins_yes_is_not_the_senders(parts: Parts) -> None:
    from mailguard.core.actor import ADMIN  # noqa: PLC0415

    parts.rules.current = parse_rules(CONFIRMED, "rules.toml")
    await sent(parts, letter(1, BOSS, LAYOFFS), BOSS)
    content = letter(2, CLIENT, LAYOFFS, headers="In-Reply-To: <1@corp.example>\r\n")
    reply = await parts.receive.accept(_submission(parts, content, CLIENT))
    await parts.decide.confirm(reply.text.split(" as ")[1].split()[0], ADMIN)
    assert not await parts.recalling._records.meant()


async def test_whoever_is_erased_is_found_nowhere(parts: Parts) -> None:
    await learnt(parts, history())
    assert await parts.learning.forget(BOSS) == 40
    found = await asked(parts, letter(900, CLIENT, LAYOFFS), CLIENT, BOSS)
    assert found.people[CLIENT].usual is None
    assert not found.people[BOSS].known_here
    await parts.recalling.tend()
    found = await asked(parts, letter(900, CLIENT, LAYOFFS), CLIENT, BOSS)
    assert found.mails == 20
    assert not found.people[BOSS].known_here


async def test_what_is_old_is_forgotten(parts: Parts) -> None:
    await learnt(parts, history())
    left = parts.clock.now() - START - timedelta(hours=7 * 29 + 1)
    parts.rules.current = parse_rules(f'remember = "{int(left.total_seconds() / 3600)}h"', "rules.toml")
    await parts.recalling.tend()
    assert parts.recalling.status()["mails"] == 30


async def test_switched_off_it_knows_and_keeps_nothing(parts: Parts) -> None:
    await learnt(parts, history())
    parts.rules.current = parse_rules('remember = "0s"', "rules.toml")
    assert not (await asked(parts, letter(900, CLIENT, LAYOFFS), CLIENT)).people
    await sent(parts, letter(900, CLIENT, LAYOFFS), CLIENT)
    await parts.recalling.tend()
    assert parts.recalling.status() == {"on": False, "ready": True, "mails": 0}


async def test_a_fault_of_the_memory_is_no_fault_of_the_mail(
    parts: Parts, judge: OddJudge, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learnt(parts, history(40))

    def broken(scene: Scene) -> Mapping[str, tuple[float, float]]:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(judge, "suspicion", broken)
    assert (await parts.receive.accept(_submission(parts, letter(101, CLIENT, LAYOFFS), CLIENT))).accepted
    assert any("recollection_fault" in line for line in parts.log.lines)


async def test_what_a_program_wrote_is_nobodys_habit(parts: Parts) -> None:
    await parts.recalling.make()
    away = letter(1, CLIENT, "I am away", headers="Auto-Submitted: auto-replied\r\n")
    await sent(parts, away, CLIENT)
    assert parts.recalling.status()["mails"] == 0


async def test_the_same_mail_is_learnt_once(parts: Parts) -> None:
    assert await learnt(parts, history()) == 60
    assert await learnt(parts, history()) == 0
    await parts.learning.accept(_submission(parts, history()[0], "copies@guard.corp.example"))
    assert parts.recalling.status()["mails"] == 60
