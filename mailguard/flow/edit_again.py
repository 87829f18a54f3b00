"""A message had back to be written anew: stopped, and handed to whoever may stop it, or put into the sender's
own folder of drafts where the admin named the mail server."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping

from mailguard.core import view
from mailguard.core.actor import Actor
from mailguard.core.answer import Answer, no_such, not_yours, what_is, what_left
from mailguard.core.draft import draft
from mailguard.core.errors import AmbiguousId, NoSuchMessage, NotPlaced
from mailguard.core.hold import HeldMessage
from mailguard.core.identity import normalize
from mailguard.core.notice import Back
from mailguard.core.states import MessageState
from mailguard.core.told import Told
from mailguard.flow.decide import Decide
from mailguard.ports import Log, Store
from mailguard.ports.outward import Drafts

Json = dict[str, object]

SENT_FOLDER = "the copy in the Sent folder of the mail program stays there"


class EditAgain:
    """`drafts` is None where the admin named no mail server; `by_address` is whether mailboxes there go by
    the sender's address and not by the login."""

    def __init__(
        self,
        *,
        decide: Decide,
        store: Store,
        drafts: Drafts | None,
        by_address: bool,
        log: Log,
        language: str,
    ) -> None:
        self._decide = decide
        self._store = store
        self._drafts = drafts
        self._by_address = by_address
        self._log = log
        self._language = language

    async def edit(self, prefix: str, actor: Actor, *, place: bool) -> tuple[Answer, Back | None]:
        """Stop the message and have it back; with `place` in its sender's folder of drafts."""
        answer = await self._decide.cancel(prefix, actor)
        message = answer.message
        if message is None:
            return answer, None
        if message.state is not MessageState.CANCELLED:
            return _came_back(answer, message), None
        back = await self.back(message, place=place)
        if back is None:
            return _gone(message), None
        return Answer(told=Told.DONE, text=_sentence(message, back), message=message), back

    async def back(self, message: HeldMessage, *, place: bool) -> Back | None:
        """A stopped message's draft; None where its bytes are gone. The asker must be one who may act on it:
        the draft names every recipient."""
        content = await self._store.content(message.id)
        if content is None:
            return None
        addresses = [recipient.address for recipient in message.recipients]
        # Megabytes take longer than the loop may stand still.
        made = await asyncio.to_thread(draft, content, addresses)
        return await self._placed(message, made) if place else Back(content=made)

    async def _placed(self, message: HeldMessage, content: bytes) -> Back:
        # Without a login, from a trusted network, anybody may have said to be the sender: nothing is put into
        # a mailbox on such a word.
        if self._drafts is None or message.user is None:
            reason = "" if self._drafts is None else "it was handed in without a login"
            return Back(content=content, fault=reason)
        mailbox = message.sender if self._by_address else message.user
        try:
            folder = await self._drafts.put(mailbox, content)
        except NotPlaced as error:
            self._log.trouble("draft_not_placed", id=message.id, fault=str(error))
            return Back(content=content, fault=str(error))
        self._log.event("draft_placed", id=message.id)
        return Back(content=content, folder=folder)

    def verbs(self) -> dict[str, Callable[[Mapping[str, object], Actor], Awaitable[Json]]]:
        """By name, for the desk."""
        return {"edit": self.verb, "draft": self.stopped}

    async def stopped(self, request: Mapping[str, object], actor: Actor) -> Json:
        """The front desk's verb `draft`: the same draft of a message that is stopped already, which changes
        nothing."""
        prefix = request.get("id")
        answer, back = await self._of_stopped(prefix if isinstance(prefix, str) else "", actor)
        return await self._told(answer, back)

    async def _of_stopped(self, prefix: str, actor: Actor) -> tuple[Answer, Back | None]:
        try:
            message = await self._store.find(normalize(prefix))
        except NoSuchMessage:
            return no_such(prefix), None
        except AmbiguousId:
            text = f"{prefix!r} begins several ids; give more letters"
            return Answer(told=Told.REFUSED, text=text), None
        if not actor.may_act_on(message):
            return not_yours(prefix, message, "have back"), None
        if message.state is not MessageState.CANCELLED:
            return Answer(told=Told.REFUSED, text=what_is(message), message=message), None
        if (back := await self.back(message, place=False)) is None:
            return _gone(message), None
        return Answer(told=Told.DONE, text=_sentence(message, back), message=message), back

    async def verb(self, request: Mapping[str, object], actor: Actor) -> Json:
        """The front desk's verb `edit`: the draft in base64 as `content`, or, with `drafts`, put into the
        folder that `folder` names. What could not be put there comes as `content` all the same."""
        prefix = request.get("id")
        wanted = request.get("drafts") is True
        answer, back = await self.edit(prefix if isinstance(prefix, str) else "", actor, place=wanted)
        return await self._told(answer, back)

    async def _told(self, answer: Answer, back: Back | None) -> Json:
        shown = None if answer.message is None else view.message(answer.message, self._language)
        told: Json = {"told": answer.told.value, "text": answer.text, "message": shown}
        if back is None:
            return told
        if back.folder:
            return {**told, "folder": back.folder}
        encoded = await asyncio.to_thread(base64.b64encode, back.content or b"")
        return {**told, "content": encoded.decode("ascii"), "fault": back.fault}


def _gone(message: HeldMessage) -> Answer:
    return Answer(told=Told.TOO_LATE, text=f"{message.id}: its bytes are gone", message=message)


def _came_back(answer: Answer, message: HeldMessage) -> Answer:
    """Why it cannot be had back this way."""
    if message.state in (MessageState.REJECTED, MessageState.EXPIRED):
        text = f"{message.id} is {message.state.value}: it came back to its sender whole, by mail"
        return Answer(told=Told.TOO_LATE, text=text, message=message)
    return answer


def _sentence(message: HeldMessage, back: Back) -> str:
    parts = [what_is(message)]
    if any(r.sent_at is not None or r.maybe_sent or r.in_flight for r in message.recipients):
        parts.append(what_left(message))
    if back.folder:
        parts.append(f"it is in the folder {back.folder} of its sender")
    elif back.fault:
        parts.append(f"it could not be put into the folder of drafts: {back.fault}")
    return "; ".join((*parts, SENT_FOLDER))
