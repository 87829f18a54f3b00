"""What the guard writes to people of its own accord: that a message is held, that a yes is asked for, what
somebody else decided.

Each notice is put in with the message or the step that it tells of, in one transaction: so it is neither
lost nor written twice. It goes to one person, from nobody (the null sender), so nothing ever comes back.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

from mailguard.core import address, automatic, notice, notice_mail, seal
from mailguard.core.actor import Actor
from mailguard.core.errors import StoreError
from mailguard.core.facts import Headers
from mailguard.core.hold import Action, Change, HeldMessage, NewMessage
from mailguard.core.message import read_headers
from mailguard.core.notice import Links, Question
from mailguard.core.policy import Notify
from mailguard.core.reminder import Reminder
from mailguard.core.states import MessageState, Move
from mailguard.core.value import replace
from mailguard.flow.people import People
from mailguard.flow.speaking import Speaking
from mailguard.ports import Log, Policies, Store

# A larger message is not attached to the question about it.
LARGEST_COPY = 1024 * 1024
# A digest of more than this takes longer than the loop may stand still.
SEAL_AT_ONCE = 256 * 1024
# Nobody reads the same question in so many mailboxes.
MOST_ASKED = 20

_WAITING = frozenset({MessageState.HELD, MessageState.CONFIRM, MessageState.APPROVAL})
# A rejected message goes back to its sender with the reason (flow/bouncing.py).
_TOLD_OTHERWISE = frozenset({Move.REJECT.value})


class Noticing:
    """`links` tells where one person can see and stop a message; `ids` makes a fresh message id."""

    def __init__(
        self,
        *,
        store: Store,
        policies: Policies,
        people: People,
        speaking: Speaking,
        log: Log,
        ids: Callable[[], str],
        hostname: str,
        links: Callable[[HeldMessage, str], Links] = lambda message, person: Links(),
    ) -> None:
        self._store = store
        self._policies = policies
        self._people = people
        self._speaking = speaking
        self._log = log
        self._ids = ids
        self._hostname = hostname
        self._links = links

    async def received(self, new: NewMessage, headers: Headers, *, flagged: bool) -> NewMessage:
        """A new message with the notices about it, where there are any. Never raises: a message is taken
        even where nothing can be written about it."""
        message = new.message
        if message.state not in _WAITING:
            return new
        try:
            also: list[NewMessage] = []
            if message.state is MessageState.APPROVAL:
                asked = await self._able(message, message.approvers)
                asked = asked or await self._able(message, message.deputies)
                also += await self._asked(message, asked, new.content, message.received_at, again=False)
            if await self._wanted(message, headers, flagged=flagged):
                also.append(await self._held(message, message.received_at, last=False))
        except Exception as error:  # noqa: BLE001  whatever it was, the message itself is taken
            self._log.trouble("notice_fault", id=message.id, fault=type(error).__name__)
            return new
        return replace(new, also=(*new.also, *also)) if also else new

    async def reminded(self, reminder: Reminder) -> Change:
        """The step that asks again, with the questions. Raises StoreError."""
        change, message = reminder.change, reminder.change.after
        content = await self._store.content(message.id) or b""
        if message.gate is Action.APPROVE:
            able = await self._able(message, reminder.asked)
            adds = await self._asked(message, able, content, change.event.at, again=reminder.last)
        elif await self._wanted(message, read_headers(content), flagged=True):
            adds = [await self._held(message, change.event.at, last=True)]
        else:
            adds = []
        return replace(change, adds=(*change.adds, *adds))

    async def decided(self, change: Change, actor: Actor) -> Change:
        """A step that somebody made, with word of it to the sender where that is somebody else. Raises
        StoreError; whatever else is wrong with the notice is in the way of no decision."""
        if actor.owns(change.after) or change.event.event in _TOLD_OTHERWISE:
            return change
        try:
            return await self._with_word(change, actor)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001
            self._log.trouble("notice_fault", id=change.after.id, fault=type(error).__name__)
            return change

    async def _with_word(self, change: Change, actor: Actor) -> Change:
        message = change.after
        content = await self._store.content(message.id) or b""
        if not await self._wanted(message, read_headers(content), flagged=True):
            return change
        speaker = await self._speaking.to(message.sender, message.user)
        approved = change.event.event == Move.APPROVE.value
        written = notice.decided(message, actor.name, speaker, approved=approved)
        return replace(change, adds=(*change.adds, self._queued(written, change.event.at)))

    async def _wanted(self, message: HeldMessage, headers: Headers, *, flagged: bool) -> bool:
        """Whether its sender is written to."""
        policy = self._policies.current
        if not message.sender or automatic.by_a_program(headers):
            return False
        if message.user is None and policy.internal_domains and not policy.internal(message.sender):
            # Nobody logged in, and the address is a stranger's: it only passes through here, and whoever
            # stands there as its sender is told nothing of its recipients.
            return False
        chosen = (await self._speaking.choice(message.sender, message.user)).notify or policy.notify
        if chosen is Notify.FLAGGED:
            return flagged or message.gate is not Action.NONE
        return chosen is Notify.ALWAYS

    async def _held(self, message: HeldMessage, now: datetime, *, last: bool) -> NewMessage:
        speaker = await self._speaking.to(message.sender, message.user)
        links = self._links(message, message.sender)
        return self._queued(notice.held(message, speaker, links, last=last), now)

    async def _able(self, message: HeldMessage, asked: Iterable[str]) -> list[str]:
        """Those of them who may say yes: nobody is asked about their own message."""
        able = []
        for one in asked:
            logins = await self._people.logins_of(one)
            own = address.normal(one) == address.normal(message.sender)
            if not own and (not logins or logins != {message.user}):
                able.append(one)
        return able[:MOST_ASKED]

    async def _asked(
        self, message: HeldMessage, able: Iterable[str], content: bytes, now: datetime, *, again: bool
    ) -> list[NewMessage]:
        question: Question | None = None
        notices = []
        for approver in able:
            question = question or await self._question(message, content, again=again)
            speaker = await self._speaking.to(approver)
            written = notice.asked(approver, question, speaker, self._links(message, approver))
            notices.append(self._queued(written, now))
        return notices

    async def _question(self, message: HeldMessage, content: bytes, *, again: bool) -> Question:
        if len(content) <= SEAL_AT_ONCE:
            sealed = seal.seal(message, content)
        else:
            sealed = await asyncio.to_thread(seal.seal, message, content)
        copy = seal.open_copy(content) if len(content) <= LARGEST_COPY else None
        return Question(shown=seal.as_named(message, content), copy=copy, seal=sealed, again=again)

    def _queued(self, written: notice_mail.Notice, now: datetime) -> NewMessage:
        return notice_mail.queued(written, id=self._ids(), hostname=self._hostname, now=now)
