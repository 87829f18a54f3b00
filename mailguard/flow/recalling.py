"""The judge's live memory: made from the log at the start, fed by mail that left, asked before each judging.

It is never in the way of the mail: until it is made, or where it fails, messages are judged without it. It
is used on the event loop alone; while it is made anew that happens on a fresh one, in a thread and in slices.
"""

import asyncio
import gc
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from mailguard.core import address
from mailguard.core.errors import StoreError
from mailguard.core.hold import HeldMessage
from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.inquiry import inquire
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.core.recall.posting import mark
from mailguard.core.recall.recollecting import Judge
from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recollection import NOTHING, Recollection
from mailguard.core.states import RecipientState
from mailguard.ports import Clock, Entry, Log, Policies, Records

Json = dict[str, object]

CHUNK = 500
EVERY_SECONDS = 5.0
# How often what is too old is looked for.
SWEEP = timedelta(hours=12)
# After a fault of the store.
PAUSE = 30.0
# A memory that learns is made anew when nothing more has come for so long.
QUIET = timedelta(seconds=30)
# What is older is not observed as it comes, but when the memory is made anew.
RECENT = timedelta(hours=1)
# Judged messages that have not left yet, of which the suspicion is kept at hand.
AT_HAND = 20_000


class Recalling:
    """Built once; `run` makes the memory and keeps it. Where `load_judge` gives none, nobody is suspect. Of
    a log that is `shared`, what other guards write into it is read every few seconds."""

    def __init__(
        self,
        *,
        records: Records,
        policies: Policies,
        clock: Clock,
        log: Log,
        digests: Digests,
        load_judge: Callable[[], Judge | None] = lambda: None,
        shared: bool = False,
    ) -> None:
        self._shared = shared
        # How far the log is in the memory, which of the entries after that are, too, and how often somebody
        # was erased by then.
        self._upto = 0
        self._ahead: set[int] = set()
        self._erased = 0
        self._records = records
        self._policies = policies
        self._clock = clock
        self._log = log
        self._digests = digests
        self._load_judge = load_judge
        self._judge: Judge | None = None
        self._memory: Remembrance | None = None
        self._meant: dict[str, frozenset[tuple[str, str]]] = {}
        # What was observed while another is being made, and while this one was taken out for a moment.
        self._meanwhile: list[tuple[int, Observation]] = []
        self._missed: list[Observation] = []
        self._making = False
        self._again = False
        self._learnt_at: float | None = None
        self._swept_at: float | None = None
        self._judged: OrderedDict[tuple[int, frozenset[str]], float] = OrderedDict()

    # ------------------------------------------------------------------ asked and told

    @property
    def on(self) -> bool:
        """Whether anything is to be remembered at all (`remember` in the rules)."""
        return self._policies.current.remember > timedelta(0)

    @property
    def ready(self) -> bool:
        """Whether there is a memory to ask."""
        return self._memory is not None

    @property
    def mails(self) -> int:
        """How many mails are in it."""
        return len(self._memory) if self._memory is not None else 0

    def status(self) -> Json:
        """For `mailguard status`."""
        return {"on": self.on, "ready": self.ready, "mails": self.mails}

    async def recollect(
        self, letter: Letter, person: str, own: Collection[str], invited: Collection[str] = ()
    ) -> Recollection:
        """What is known that bears on a message of this person (its envelope sender), who may send as `own`,
        and with which he invites these people.

        Nothing but what he once said yes to, where there is no memory. A few milliseconds at most.
        """
        meant = self._meant.get(address.normal(person), NOTHING.meant)
        memory = self._memory
        if memory is None or not self.on:
            return Recollection(meant=meant)
        found = inquire(
            memory,
            self._judge,
            self._policies.current,
            letter,
            digests=self._digests,
            meant=meant,
            own=own,
            invited=invited,
        )
        if found.suspicion is not None:
            self._judged[_going(found.observation)] = found.suspicion
            if len(self._judged) > AT_HAND:
                self._judged.popitem(last=False)
        return found.recollection

    async def observe(self, letter: Letter) -> bool:
        """A mail really left, or came in; whether it was new. Raises StoreError."""
        if not self.on:
            return False
        observation = read(letter, self._digests).observation
        score = self._judged.pop(_going(observation), None)
        judged_by = self._judge.fingerprint if self._judge is not None and score is not None else None
        entry = Entry(mark=mark(observation), observation=observation, score=score, judged_by=judged_by)
        (number,) = await self._records.append([entry])
        if not number:
            return False
        if self._judge is not None and score is not None:
            self._judge.passed(score)
        if self._shared:
            if number <= self._upto:
                # It was read from the log before its writer had a turn.
                return True
            self._ahead.add(number)
        if self._making:
            self._meanwhile.append((number, observation))
        if self._memory is not None:
            self._memory.observe(observation)
        else:
            self._missed.append(observation)
        return True

    async def meant(self, message: HeldMessage) -> None:
        """Its sender said yes to a message, and so to what was found about its recipients."""
        # Whom he dropped he did not mean.
        going = {r.address for r in message.recipients if r.open or r.state is RecipientState.SENT}
        found = ((one.check, one.recipient) for one in message.findings if one.recipient in going)
        reasons = {(check, address.normal(recipient)) for check, recipient in found if recipient}
        person = address.normal(message.sender)
        if not reasons or not person:
            return
        try:
            await self._records.add_meant(person, reasons)
        except StoreError as error:
            self._log.trouble("not_learnt", id=message.id, error=str(error))
            return
        self._meant[person] = self._meant.get(person, frozenset()) | reasons

    async def learn(self, observations: Sequence[Observation], source: str, place: str) -> int:
        """Mails of a mailbox, up to this `place` in it; how many were new.

        They are in the log at once, and in the memory when it is made anew a little later: it wants mail in
        the order of time. Raises StoreError.
        """
        entries = [Entry(mark=mark(one), observation=one) for one in observations]
        numbers = await self._records.append(entries, source=source, place=place)
        self._learnt_at = self._clock.monotonic()
        return sum(number > 0 for number in numbers)

    async def begun(self, source: str) -> str | None:
        """How far an earlier reading of a mailbox got; None where there was none."""
        return await self._records.place(source)

    async def erase(self, who: str) -> int:
        """Take a person (normal form) out of all that is remembered; how many mails had him. Raises
        StoreError."""
        count = await self._records.erase(who)
        self._again = True
        self._meant.pop(who, None)
        for person, reasons in self._meant.items():
            self._meant[person] = frozenset(one for one in reasons if one[1] != who)
        memory, self._memory = self._memory, None
        if memory is None:
            return count
        missed, self._missed = self._missed, []
        try:
            await asyncio.to_thread(memory.erase, who)
        finally:
            # Where a new one was finished meanwhile, this one is forgotten.
            if self._memory is None:
                for observation in (*missed, *self._missed):
                    memory.observe(observation)
                self._memory = memory
            self._missed = []
        return count

    # ------------------------------------------------------------------ made, and made anew

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.tend()
            except StoreError as error:
                self._log.trouble("memory_fault", error=str(error))
                await self._clock.sleep(PAUSE)
            await self._clock.sleep(EVERY_SECONDS)

    async def tend(self) -> None:
        """Make the memory where it has to be made, and let it forget what is too old."""
        now = self._clock.monotonic()
        if self._swept_at is None or now - self._swept_at >= SWEEP.total_seconds():
            self._swept_at = now
            before = self._clock.now() - self._policies.current.remember
            if await self._records.forget(int(before.timestamp())):
                self._again = True
        learnt = self._learnt_at is not None and now - self._learnt_at >= QUIET.total_seconds()
        if self._memory is not None and self._shared:
            await self._follow()
        if self._memory is None or self._again or learnt:
            await self.make()

    async def _follow(self) -> None:
        """Read what other guards have seen since."""
        self._again = self._again or await self._records.erased() != self._erased
        self._meant = dict(await self._records.meant())
        recent = (self._clock.now() - RECENT).timestamp()
        while chunk := await self._records.since(self._upto, CHUNK):
            for entry in chunk:
                self._upto = entry.number
                if entry.number in self._ahead:
                    self._ahead.discard(entry.number)
                elif entry.observation.when < recent:
                    # Somebody has it learn from a mailbox: it wants mail in the order of time.
                    self._learnt_at = self._clock.monotonic()
                elif self._memory is not None:
                    self._memory.observe(entry.observation)

    async def settle(self, sources: Collection[str]) -> None:
        """All that was to be learnt from these mailboxes has come: no need to wait for more. Raises
        StoreError."""
        await self._records.all_read(sources)
        self._again = self._again or self._learnt_at is not None

    async def make(self) -> None:
        """Make the memory from the log. Raises StoreError."""
        started = self._clock.monotonic()
        if self._memory is None:
            self._judge = await asyncio.to_thread(self._judged_by)
        self._making = True
        try:
            while not await self._made():
                pass
        finally:
            self._making = False
            self._meanwhile = []
        memory = self._memory
        seconds = round(self._clock.monotonic() - started, 1)
        self._log.event("memory_ready", mails=len(memory or ()), seconds=seconds)

    async def _made(self) -> bool:
        self._again, self._learnt_at = False, None
        self._meant = dict(await self._records.meant())
        self._meanwhile = []
        erased = await self._records.erased()
        fresh, upto = Remembrance(), await self._records.latest()
        after = (-(1 << 62), 0)
        first = self._memory is None
        while chunk := await self._records.read(after, upto, CHUNK):
            after = (chunk[-1].observation.when, chunk[-1].number)
            await asyncio.to_thread(_feed, fresh, [entry.observation for entry in chunk])
            # There are no circles in it; to look for some would stop the loop for a tenth of a second.
            gc.freeze()
            if first:
                self._calibrate(chunk)
            if self._again:
                # Somebody was erased who may be in it.
                return False
        for number, observation in self._meanwhile:
            if number > upto:
                fresh.observe(observation)
        self._upto, self._erased = upto, erased
        self._ahead = {number for number, _ in self._meanwhile if number > upto}
        old, self._memory, self._missed = self._memory, fresh, []
        if old is not None:
            # To let go of millions of objects at once would stop the loop for as long as it takes.
            await asyncio.to_thread(old.dissolve)
        return True

    def _judged_by(self) -> Judge | None:
        try:
            return self._load_judge()
        except (OSError, ValueError) as error:
            self._log.trouble("model_unusable", error=str(error))
            return None

    def _calibrate(self, chunk: Sequence[Entry]) -> None:
        judge = self._judge
        if judge is None:
            return
        for entry in chunk:
            if entry.score is not None and entry.judged_by == judge.fingerprint:
                judge.passed(entry.score)


def _feed(memory: Remembrance, observations: Sequence[Observation]) -> None:
    for observation in observations:
        memory.observe(observation)


def _going(observation: Observation) -> tuple[int, frozenset[str]]:
    """By what a judged message is known again when it leaves: as it was judged, to the last recipient."""
    return observation.message_id, frozenset((observation.sender, *observation.recipients))
