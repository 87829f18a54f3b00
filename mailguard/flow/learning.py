"""Mail that is learnt from and goes nowhere: years of it from folders, and copies from a mail server."""

import asyncio
import base64
from collections.abc import Mapping, Sequence

from mailguard.core import address, outgoing
from mailguard.core import message as reading
from mailguard.core.envelope import Submission
from mailguard.core.recall import posting
from mailguard.core.recall.lessons import Conversation
from mailguard.core.recall.observation import Observation, decode
from mailguard.core.reply import Reply
from mailguard.ports import Bodies, Log, Memory
from mailguard.ports.recall import Recalls

Json = dict[str, object]

# What the key of the digests is derived for (edge/secret.py).
PURPOSE = "memory"
# Mails in one request.
MOST = 5000

_THANKS = Reply(code=250, status="2.0.0", text="Remembered, and not passed on")


class Learning:
    """`hostname` is the guard's own: what it has passed on itself it need not learn from a copy."""

    def __init__(
        self, *, recalling: Recalls, memory: Memory, bodies: Bodies, log: Log, hostname: str
    ) -> None:
        self._recalling = recalling
        self._memory = memory
        self._bodies = bodies
        self._log = log
        self._hostname = hostname

    async def accept(self, submission: Submission) -> Reply:
        """Take a copy of a mail, learn from it, and drop it.

        Always 250: a copy must never wait in the queue of the server that sent it, or bounce to anybody. The
        envelope says only where copies go, so the header's recipients are learnt.
        """
        content = submission.content
        if outgoing.passed(reading.split(content)[0], self._hostname) or not self._recalling.on:
            return _THANKS
        try:
            headers = reading.read_headers(content)
            # A copy is sent when the mail is; what its own clock says may be anything.
            letter = posting.in_a_folder(headers, "", submission.received_at)
            if letter is None or posting.is_automatic(headers):
                return _THANKS
            body = await self._bodies.read(content, headers)
            if await self._recalling.observe(posting.with_text(letter, body.text)) and headers.message_id:
                people = (*headers.from_, *headers.to, *headers.cc, *headers.reply_to)
                participants = tuple(dict.fromkeys(map(address.normal, people)))
                await self._memory.learn(headers.message_id.strip("<>"), headers.thread_ids, participants)
        except Exception as error:  # noqa: BLE001  only the memory is poorer
            self._log.trouble("not_learnt", peer=submission.peer, error=str(error) or type(error).__name__)
        return _THANKS

    async def begin(self, sources: list[str]) -> Json:
        """How far earlier readings of these mailboxes got, and how far back mail is remembered at all.

        Raises StoreError.
        """
        places = {source: await self._recalling.begun(source) for source in sources}
        return {"places": {source: place for source, place in places.items() if place is not None}}

    async def add(self, lessons: Sequence[Mapping[str, object]], source: str, place: str) -> Json:
        """Learn a part of a mailbox; how many of these mails were new. Raises StoreError, and ValueError
        where a lesson makes no sense."""
        observations, conversations = await asyncio.to_thread(_opened, lessons)
        if not self._recalling.on:
            return {"new": 0}
        # Threads first: what is on record once is not handed in again.
        await asyncio.gather(
            *(self._memory.learn(one.message_id, one.answers, one.people) for one in conversations)
        )
        return {"new": await self._recalling.learn(observations, source, place)}

    async def end(self, sources: list[str]) -> None:
        """All of these mailboxes are read. Raises StoreError."""
        await self._recalling.settle(sources)

    async def forget(self, who: str) -> int:
        """Take a person out of all that was learnt; how many mails had him. Raises StoreError."""
        await self._memory.erase(who)
        count = await self._recalling.erase(who)
        self._log.event("forgotten", mails=count)
        return count


def packed(observation: bytes, conversation: Conversation | None) -> Json:
    """A lesson as it goes over the control socket."""
    told: Json = {"o": base64.b64encode(observation).decode("ascii")}
    if conversation is not None:
        told["t"] = [conversation.message_id, list(conversation.answers), list(conversation.people)]
    return told


def _opened(lessons: Sequence[Mapping[str, object]]) -> tuple[list[Observation], list[Conversation]]:
    observations, conversations = [], []
    if len(lessons) > MOST:
        raise ValueError(f"at most {MOST} mails at once")
    for lesson in lessons:
        observations.append(decode(base64.b64decode(str(lesson.get("o", "")), validate=True)))
        thread = lesson.get("t")
        if isinstance(thread, list) and len(thread) == 3:
            message_id, answers, people = thread
            conversations.append(
                Conversation(
                    message_id=str(message_id),
                    answers=tuple(map(str, answers)),
                    people=tuple(map(str, people)),
                )
            )
    return observations, conversations
