"""The state machine: people, the upstream, the clock and bad luck, in any order that Hypothesis thinks of."""

import asyncio
import contextlib
import re
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mailguard.core.actor import ADMIN
from mailguard.core.answer import Answer
from mailguard.core.envelope import Recipient
from mailguard.core.errors import StoreError
from mailguard.core.states import MessageState as S
from mailguard.core.told import Told
from mailguard.ports import Page
from tests.machine import ledger, rules
from tests.machine.books import Wish, agrees
from tests.machine.ledger import Entry
from tests.machine.ledger import Reply as Word
from tests.machine.world import WORKERS, World

T = TypeVar("T")

SENDER = "anne@corp.example"
HANDS = WORKERS * 4
VERBS = ("restore", "release", "confirm", "approve", "reject", "freeze", "thaw", "extend", "cancel")
TIMES = (
    *(timedelta(seconds=seconds) for seconds in (0, 1, 3, 59, 300)),
    *(timedelta(hours=hours) for hours in (1, 25, 49)),
    *(timedelta(days=days) for days in (4, 6, 40)),
)
SOONER = tuple(timedelta(minutes=minutes) for minutes in (1, 7, 600))

places = st.integers(0, 30)
notifies = st.sampled_from([None, None, None, "NEVER", "SUCCESS", "FAILURE"])
# Most mail only waits for its time.
people = st.lists(st.sampled_from([rules.OUTSIDE, rules.OUTSIDE, *rules.EVERYBODY]), min_size=1, max_size=4)
words = st.lists(st.sampled_from(list(Word)), min_size=4, max_size=4)


class GuardMachine(RuleBasedStateMachine):
    """One queue. After every step the guard and the ledger agree on every message."""

    def __init__(self) -> None:
        super().__init__()
        # In memory, where there is such a place: nothing here is about the disk's own trouble.
        memory = Path("/dev/shm")
        place = memory if memory.is_dir() else None
        self.directory = Path(tempfile.mkdtemp(prefix="mailguard-machine-", dir=place))
        self.loop = asyncio.new_event_loop()
        self.form = rules.FORMS[0]
        self.world = World(self.directory, self.form.text)
        self.books = self.world.books
        self.faulty = False
        self.sent = 0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it to its end."""
        return self.loop.run_until_complete(work)

    @initialize()
    def start(self) -> None:
        self.do(self.world.open())

    def pick(self, place: int) -> Entry:
        """One of the messages, the newest first."""
        entries = list(self.books.entries.values())
        return entries[-1 - place % len(entries)]

    def bury(self) -> None:
        """Where the process is gone in the middle of something, start the next one."""
        if self.world.trap.blown:
            self.do(self.world.crash())

    @rule(to=people, notify=notifies, null_sender=st.booleans())
    def submit(self, to: Sequence[str], notify: str | None, null_sender: bool) -> None:
        """A client hands a message in."""
        sender = "" if null_sender and notify is None else SENDER
        self.sent += 1
        content = f"From: {SENDER}\r\nMessage-ID: <{self.sent}@x>\r\nSubject: s\r\n\r\nhello\r\n".encode()
        recipients = [Recipient(address=address, notify=notify) for address in to]
        entry = self.form.entry(sender, recipients, content, self.world.clock.now())
        self.books.expected = entry
        told = min((one.told for one in entry.lines if one.told and one.delay), default=None)
        faults = self.world.trap.faults
        reply = self.do(self.world.submit(sender, recipients, content))
        if reply is None:
            pass
        elif reply.accepted:
            entry.acknowledged = True
            assert self.books.expected is None, "250, and not on the disk"
            promised = re.search(r" until (\S+Z)", reply.text)
            gated = any(one.gated for one in entry.lines) or (entry.gate is not None and not promised)
            if promised and not gated:
                assert told is not None and promised[1] == f"{told:%Y-%m-%dT%H:%M:%SZ}"
        else:
            assert faults and reply.code == 451, reply
        self.bury()
        self.books.expected = None

    def ask(self, verb: str, entry: Entry, wish: Wish) -> Coroutine[Any, Any, Answer]:
        """Somebody decides."""
        self.books.wishes[f"{verb} {entry.id}"] = wish
        decide = self.world.decide
        if verb == "cancel":
            return decide.cancel(entry.id, ADMIN, wish.only)
        if verb == "extend":
            return decide.extend(entry.id, ADMIN, by=wish.by, until=wish.until)
        if verb == "reject":
            return decide.reject(entry.id, ADMIN, "not like this")
        move = getattr(decide, verb)
        answer: Coroutine[Any, Any, Answer] = move(entry.id, ADMIN)
        return answer

    @rule(
        verb=st.sampled_from([*VERBS, "cancel", "cancel", "restore", "restore"]),
        place=places,
        whom=st.integers(-3, 3),
        by=st.sampled_from(TIMES[1:]),
    )
    def decide(self, verb: str, place: int, whom: int, by: timedelta) -> None:
        """A person asks for something, and hears the truth. (That there is a message at all is no
        precondition: what is drawn must not hang on how fast the threads of the store are.)"""
        if not self.books.entries:
            return
        entry, now = self.pick(place), self.world.clock.now()
        wish = Wish(by=by) if whom % 2 else Wish(until=now + by)
        if verb == "cancel":
            wish = Wish(only=() if whom < 0 else [entry.lines[whom % len(entry.lines)].address])
        expected = ledger.answer_to_cancel(entry, wish.only)
        if verb == "restore":
            expected = ledger.answer_to_restore(entry, now)
        elif verb != "cancel":
            expected = ledger.answer_to(verb, entry)
        faults = self.world.trap.faults
        try:
            answer = self.do(self.world.run(self.ask(verb, entry, wish)))
        except StoreError:
            assert faults
            self.do(self.world.quiet())
            answer = None
        if answer is not None:
            assert answer.told is expected, f"{verb} {entry.id}: {answer} and not {expected}"
            if verb == "cancel" and answer.told in (Told.DONE, Told.ALREADY):
                assert not any(one.open for one in entry.lines if not wish.only or one.address in wish.only)
        self.bury()

    @rule(
        verbs=st.lists(st.sampled_from(VERBS), min_size=2, max_size=4),
        place=places,
        by=st.sampled_from(TIMES[:6]),
    )
    def race(self, verbs: Sequence[str], place: int, by: timedelta) -> None:
        """Several people and the timer at the same instant: the ledger sees one after the other."""
        if not self.books.entries:
            return
        entry = self.pick(place)
        wish = Wish(by=timedelta(minutes=5))
        asked = [self.ask(verb, entry, wish) for verb in verbs]

        async def all_at_once() -> list[Answer | BaseException]:
            self.world.clock.advance(by)
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = self.do(self.world.run(all_at_once())) or []
        self.bury()
        for answer in answers:
            assert isinstance(answer, Answer | StoreError), repr(answer)
            assert not isinstance(answer, Answer) or answer.told is not Told.FAULT

    @rule(by=st.sampled_from(TIMES))
    def tick(self, by: timedelta) -> None:
        """Time goes by, and the timer does what is due."""
        if by >= timedelta(hours=1) and not self.world.trap.faults:
            self.faulty = False
        self.world.clock.advance(by)
        self.do(self.world.quiet())
        self.bury()

    @rule(place=places, said=words)
    def answer(self, place: int, said: Sequence[Word]) -> None:
        """The upstream says what it makes of one attempt, or the connection breaks."""
        waiting = self.world.upstream.waiting
        if not waiting:
            return
        message_id = list(waiting)[place % len(waiting)]
        self.world.upstream.answer(message_id, said[: waiting[message_id][0]])
        self.do(self.world.quiet())
        self.bury()

    @rule(
        what=st.sampled_from(["mood", "mood", "reload", "trouble", "fuse", "clock", "sweep", "rival"]),
        how=places,
    )
    def meanwhile(self, what: str, how: int) -> None:
        """What else happens in a machine room."""
        match what:
            case "mood":
                # The upstream is up, down, or in trouble; or somebody has to be asked each time.
                moods = (None, *Word)
                self.world.upstream.mood = moods[how % len(moods)]
            case "reload":
                # Other rules, for those who come after.
                self.form = rules.FORMS[how % len(rules.FORMS)]
                self.world.rules.current = rules.policy(self.form)
            case "trouble":
                # The next changes cannot be written.
                self.faulty = True
                self.world.trap.faults = 1 + how % 4
            case "fuse":
                # The process will be gone soon: before one of the next changes, or after it.
                self.world.trap.fuse = how % 10
            case "clock":
                self.world.clock.step(-SOONER[how % len(SOONER)])
            case "sweep":
                # What is finished is forgotten in time.
                with contextlib.suppress(StoreError):
                    self.do(self.world.run(self.world.retention.sweep()))
            case "rival":
                self.submit_what_a_rule_refuses()
        self.bury()

    def submit_what_a_rule_refuses(self) -> None:
        """It is refused, and nothing of it is kept."""
        recipients = [Recipient(address=rules.INSIDE), Recipient(address=rules.REFUSED)]
        reply = self.do(self.world.submit(SENDER, recipients, b"Subject: s\r\n\r\nhello\r\n"))
        assert reply is not None and reply.code == 550

    @rule(said=words, politely=st.booleans())
    def stop_and_start(self, said: Sequence[Word], politely: bool) -> None:
        """The guard ends, one way or the other, and the next one begins."""
        if not politely:
            self.crash(said)
        elif self.world.trap.fuse is None and not self.world.trap.faults:
            self.do(self.restart(said[0]))

    def crash(self, said: Sequence[Word]) -> None:
        """kill -9; some of what was in the upstream's ear may have arrived."""
        for (message_id, (count, _)), word in zip(
            tuple(self.world.upstream.waiting.items()), said, strict=False
        ):
            if word in ledger.ARRIVES:
                self.books.hear(self.books.arrived, message_id, [Word.UNHEARD] * count)
        self.faulty = False
        self.do(self.world.crash())

    async def restart(self, word: Word) -> None:
        """SIGTERM: what is in the upstream's ear comes to its end, the rest is put back."""
        self.world.release.stop()
        self.world.upstream.mood = None
        for _ in range(3):
            # Who rests after a fault of the store comes to an end, too.
            self.world.clock.advance(timedelta(seconds=2))
            await self.world.quiet()
            for message_id, (count, _) in tuple(self.world.upstream.waiting.items()):
                self.world.upstream.answer(message_id, [word] * count)
        await self.world.restart()

    @invariant()
    def everybody_sees_what_the_ledger_says(self) -> None:
        if self.books.complaints:
            raise self.books.complaints[0]
        if not hasattr(self.world, "store"):
            return
        shown = self.do(self.world.store.page(Page(finished=True, limit=10_000)))
        assert {one.id for one in shown} == set(self.books.entries)
        for message in shown:
            entry = self.books.entries[message.id]
            agrees(entry, message)
            content = self.do(self.world.store.content(message.id))
            assert content == (entry.content if entry.body else None)

    @invariant()
    def the_census_agrees(self) -> None:
        if hasattr(self.world, "store"):
            census = self.do(self.world.store.census(self.world.clock.now()))
            assert {state: n for state, n in census.by_state.items() if n} == self.books.census()

    @invariant()
    def nothing_stays_stuck(self) -> None:
        if not hasattr(self.world, "store"):
            return
        now = self.world.clock.now()
        entries = list(self.books.entries.values())
        times = [entry.next_time for entry in entries]
        stuck = [
            entry.id
            for entry, at in zip(entries, times, strict=True)
            if at is None and not entry.state.finished and entry.state is not S.RELAYING
        ]
        assert stuck == [], "these wait for nothing"
        assert self.do(self.world.store.next_due()) == min(filter(None, times), default=None)
        # After a fault the timer takes a rest; and a hand that was full waits until it is nearly empty.
        hand = [entry for entry in entries if entry.state is S.RELAYING]
        if not self.faulty and len(hand) <= WORKERS:
            assert [entry.id for entry in entries if entry.may_leave(now)] == [], "these are due, and wait"

    def teardown(self) -> None:
        try:
            self.do(self.world.end())
        finally:
            self.loop.close()
            shutil.rmtree(self.directory)
