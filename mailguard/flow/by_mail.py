"""Mail to the guard itself: `cancel+ID@`, `send+ID@`, `queue@`. It is acted on and answered by mail, and
never goes on; whatever else it is addressed to is mail like any other."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from mailguard.core import control_mail, notice, notice_mail
from mailguard.core import message as reading
from mailguard.core.actor import Actor
from mailguard.core.answer import Answer
from mailguard.core.automatic import automatic
from mailguard.core.control_mail import ControlAddress, Order, Wish
from mailguard.core.envelope import Submission
from mailguard.core.errors import StoreError
from mailguard.core.notice import Back, Speaker
from mailguard.core.notice_mail import Notice
from mailguard.core.reply import Reply
from mailguard.core.states import MessageState
from mailguard.core.told import Told
from mailguard.core.value import replace
from mailguard.flow.decide import Decide
from mailguard.flow.edit_again import EditAgain
from mailguard.flow.history import History
from mailguard.flow.people import People
from mailguard.flow.speaking import Speaking
from mailguard.ports import Bodies, Clock, Log, Store

# Enough for a list by mail; the page and the command line show the rest.
MOST_LISTED = 200
# One mail about so many messages is no person's.
MOST_ORDERS = 20
# Bytes of a draft that comes with an answer; with what base64 makes of it, servers take some 20 MB.
MOST_ATTACHED = 10 * 1024 * 1024


class ByMail:
    """`then` takes what is addressed to others. `ids` makes a fresh message id; `wake` tells the timer of
    the next due time."""

    def __init__(
        self,
        *,
        then: Callable[[Submission], Awaitable[Reply]],
        decide: Decide,
        history: History,
        store: Store,
        bodies: Bodies,
        people: People,
        speaking: Speaking,
        clock: Clock,
        log: Log,
        ids: Callable[[], str],
        hostname: str,
        wake: Callable[[datetime], None],
        edit_again: EditAgain,
    ) -> None:
        self._then = then
        self._decide = decide
        self._history = history
        self._store = store
        self._bodies = bodies
        self._people = people
        self._speaking = speaking
        self._clock = clock
        self._log = log
        self._ids = ids
        self._hostname = hostname
        self._wake = wake
        self._edit_again = edit_again

    async def accept(self, submission: Submission) -> Reply:
        """Do what is asked of the guard, and hand the rest on."""
        to_us: dict[ControlAddress, None] = {}
        others = []
        for recipient in submission.envelope.recipients:
            control = control_mail.addressed(recipient.address, self._hostname)
            if control is None:
                others.append(recipient)
            else:
                to_us[control] = None
        if not to_us:
            return await self._then(submission)
        if others:
            # First what could be refused: the client is told one thing for all recipients.
            envelope = replace(submission.envelope, recipients=tuple(others))
            reply = await self._then(replace(submission, envelope=envelope))
            if not reply.accepted:
                return reply
        try:
            return await self._obey(submission, list(to_us)[:MOST_ORDERS])
        except StoreError as error:
            self._log.trouble("store_error", error=str(error))
            return Reply(code=451, status="4.3.0", text="This cannot be done now, try again later")

    async def _obey(self, submission: Submission, controls: list[ControlAddress]) -> Reply:
        headers = reading.read_headers(submission.content)
        # RFC 3834: whoever is out of office did not mean to stop a message; and there is nobody to answer
        # where there is no sender.
        if not submission.envelope.sender or automatic(headers):
            self._log.event("control_ignored", user=submission.user, peer=submission.peer)
            return Reply(code=250, status="2.0.0", text="Ignored: a program wrote this")
        actor = await self._person(submission)
        body = await self._bodies.read(submission.content, headers)
        speaker = await self._speaking.to(submission.envelope.sender, submission.user)
        answers = []
        for control in controls:
            order = control_mail.order(control, body.own_text)
            if order.wish is Wish.LIST:
                found = await self._history.listing(actor, limit=MOST_LISTED)
                await self._write(notice.listing(submission.envelope.sender, found, speaker))
                continue
            answer, back = await self._do(order, control, actor, submission)
            self._log.event("control_mail", by=actor.name, wish=order.wish.value, told=answer.told.value)
            answers.append(answer)
            await self._write(_answer(submission, control, order, answer, speaker, back))
        return _summary(answers)

    async def _person(self, submission: Submission) -> Actor:
        """Who writes: the login, or, from a trusted network, the envelope sender."""
        if submission.user is not None:
            return await self._people.of_login(submission.user)
        return await self._people.of_sender(submission.envelope.sender)

    async def _do(
        self, order: Order, control: ControlAddress, actor: Actor, submission: Submission
    ) -> tuple[Answer, Back | None]:
        decide = self._decide
        if order.wish is Wish.SEND:
            return await decide.release(order.id, actor), None
        if order.wish is Wish.WAIT:
            return await decide.extend(order.id, actor, by=order.by, until=None), None
        if order.wish in (Wish.APPROVE, Wish.REJECT, Wish.NOTHING):
            return await self._judged(order, control, actor, logged_in=submission.user is not None), None
        if order.wish is Wish.EDIT:
            answer, back = await self._edit_again.edit(order.id, actor, place=True)
            return answer, _by_post(back)
        # DROP, and CANCEL without recipients: whoever stops all of it has it back.
        answer = await decide.cancel(order.id, actor, order.recipients)
        message = answer.message
        if message is None or message.state is not MessageState.CANCELLED:
            return answer, None
        return answer, _by_post(await self._edit_again.back(message, place=False))

    async def _judged(
        self, order: Order, control: ControlAddress, actor: Actor, *, logged_in: bool
    ) -> Answer:
        """An approver's decision, told without the recipients that an approver may not know of.

        It takes a login: in a trusted network anybody can write in an approver's name, the sender too.
        """
        if not logged_in:
            return Answer(told=Told.NOT_YOURS, text="An approval needs a login")
        seen = await self._history.find(order.id, actor)
        if seen.message is None:
            return seen
        if order.wish is Wish.APPROVE:
            answer = await self._decide.approve(order.id, actor, control.seal)
        elif order.wish is Wish.REJECT:
            answer = await self._decide.reject(order.id, actor, order.reason)
        else:
            return replace(seen, told=Told.REFUSED)
        if answer.message is None:
            return answer
        # As it was looked up before: a rejected message's header is gone with its bytes.
        named = {recipient.address for recipient in seen.message.recipients}
        shown = tuple(one for one in answer.message.recipients if one.address in named)
        return Answer(told=answer.told, text="", message=replace(answer.message, recipients=shown))

    async def _write(self, written: Notice) -> None:
        """The answer, on its way at once."""
        now = self._clock.now()
        new = notice_mail.queued(written, id=self._ids(), hostname=self._hostname, now=now)
        await self._store.add(new)
        self._wake(now)


def _answer(
    submission: Submission,
    control: ControlAddress,
    order: Order,
    answer: Answer,
    speaker: Speaker,
    back: Back | None,
) -> Notice:
    to = submission.envelope.sender
    if control.wish is Wish.APPROVE:
        logged_in = submission.user is not None
        return notice.judged(to, answer, speaker, understood=order.understood, logged_in=logged_in)
    if order.wish is Wish.DROP and answer.told is Told.REFUSED and answer.message is not None:
        return notice.no_recipient(to, answer, speaker)
    return notice.outcome(to, answer, speaker, understood=order.understood, back=back)


def _by_post(back: Back | None) -> Back | None:
    """What of it goes with the answer: nothing that lies in a folder, and nothing that no mailbox takes."""
    if back is None or back.content is None:
        return back
    kept = not back.folder and len(back.content) <= MOST_ATTACHED
    return back if kept else replace(back, content=None)


def _summary(answers: list[Answer]) -> Reply:
    if any(answer.told in (Told.TRY_LATER, Told.FAULT) for answer in answers):
        # The client will try again, and a decision that was made already is told as such.
        return Reply(code=451, status="4.3.0", text="This could not be done now, try again later")
    text = "; ".join(answer.text for answer in answers if answer.text)
    return Reply(code=250, status="2.0.0", text=text or "The answer comes by mail")
