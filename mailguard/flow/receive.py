"""A message comes in: read it, gather what is known, judge it, put it on the disk, and only then say 250."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from mailguard.core import address, reminder, resubmission
from mailguard.core.envelope import Recipient, Submission
from mailguard.core.errors import StoreError, StoreFull
from mailguard.core.events import Event
from mailguard.core.facts import Headers
from mailguard.core.hold import Action, HeldMessage, HeldRecipient, NewMessage
from mailguard.core.judge import Hold, Verdict
from mailguard.core.policy import Policy
from mailguard.core.reply import Reply
from mailguard.core.states import MessageState
from mailguard.core.value import replace
from mailguard.flow.intake import Intake, described
from mailguard.flow.judging import Considered, Judged, Judging, Refused
from mailguard.flow.knowing import Knowing
from mailguard.flow.noticing import Noticing
from mailguard.ports import Bodies, Clock, Log, Mark, Memory, Policies, Store
from mailguard.ports.recall import Recalls

# Seconds from the last dot to its answer.
ANSWER_WITHIN = 4.5
# And of a large message a second more for so many bytes: whoever has sent for minutes waits for some seconds,
# and would otherwise send all of it again.
STORED_A_SECOND = 2 * 1024 * 1024

# Longer ones are cut for display; the message itself keeps its own.
LONGEST_SUBJECT = 500


class Receive:
    """The way in. `ids` makes a fresh message id; `wake` tells the timer of the next due time. Without
    `recalling` messages are judged by themselves and their thread; without `noticing` nobody is told."""

    def __init__(
        self,
        *,
        store: Store,
        memory: Memory,
        policies: Policies,
        bodies: Bodies,
        clock: Clock,
        log: Log,
        ids: Callable[[], str],
        hostname: str,
        wake: Callable[[datetime], None],
        recalling: Recalls | None = None,
        noticing: Noticing | None = None,
    ) -> None:
        self._noticing = noticing
        self._policies = policies
        self._clock = clock
        self._log = log
        self._ids = ids
        self._intake = Intake(store=store, log=log, wake=wake)
        knows = Knowing(threads=memory, recalling=recalling, log=log)
        self._judging = Judging(knows=knows, bodies=bodies, log=log, hostname=hostname)

    async def accept(self, submission: Submission) -> Reply:
        """Take the message, refuse it by a rule, or say that it is not possible now; 250 means on disk.

        Answers within ANSWER_WITHIN and what its size adds, whatever the store and the reading do.
        """
        with self._clock.steady():
            end = asyncio.get_running_loop().time() + patience(submission)
            policy = self._policies.current
            judged = await self._judging.judged(submission, policy)
            if isinstance(judged, Refused):
                judged.tell(self._log)
                return judged.reply
            return await self._take(submission, judged, policy, end)

    async def take(self, submission: Submission, judged: Judged, *, within: float) -> Reply:
        """The same of a message that was judged elsewhere, by the rules that are in force."""
        with self._clock.steady():
            end = asyncio.get_running_loop().time() + within
            return await self._take(submission, judged, self._policies.current, end)

    async def consider(self, submission: Submission, policy: Policy) -> Considered:
        """What would happen to this submission under this policy; nothing is stored."""
        return await self._judging.consider(submission, policy)

    async def _take(self, submission: Submission, judged: Judged, policy: Policy, end: float) -> Reply:
        verdict = judged.verdict
        new = _hold(submission, judged, policy, self._ids())
        text = _told(new.message, verdict)
        if self._noticing is not None:
            new = await self._noticing.received(new, judged.headers, flagged=verdict.flagged)
        mark = _mark(submission, new, text, judged.digest)
        within = end - asyncio.get_running_loop().time()
        return await self._put(new, mark, text, verdict.reason, within=within)

    async def _put(
        self, new: NewMessage, mark: Mark | None, text: str, reason: str, *, within: float
    ) -> Reply:
        # The id that the message would have: the sender's only handle on what the log has of it.
        user, incident = new.message.user, new.message.id
        try:
            first = await self._intake.put(new, mark, within=within)
        except StoreFull:
            self._log.trouble("store_full", incident=incident, user=user, size=new.message.size)
            text = f"No room for the message now, try again later (incident {incident})"
            return Reply(code=452, status="4.3.1", text=text)
        except StoreError as error:
            self._log.trouble("store_error", incident=incident, user=user, error=str(error))
            text = f"The message cannot be stored now, try again later (incident {incident})"
            return Reply(code=451, status="4.3.0", text=text)
        if first is None:
            self._log.event("received", **described(new.message), reason=reason)
            return Reply(code=250, status="2.0.0", text=text)
        self._log.event("resubmitted", id=first.id, user=user, state=first.state.value)
        text = resubmission.reply_to_second(first.id, first.state, first.reply)
        return Reply(code=250, status="2.0.0", text=text)


def patience(submission: Submission) -> float:
    """Seconds within which its client is answered."""
    return ANSWER_WITHIN + len(submission.content) / STORED_A_SECOND


def _mark(submission: Submission, new: NewMessage, reply: str, digest: bytes | None) -> Mark | None:
    if digest is None:
        return None
    at = submission.received_at
    again = Event(at=at, event="resubmitted", by=new.event.by, detail={"peer": submission.peer})
    return Mark(digest=digest, since=at - resubmission.WINDOW, reply=reply, again=again)


def _told(message: HeldMessage, verdict: Verdict) -> str:
    if message.state is MessageState.CONFIRM:
        return f"Held as {message.id} until confirmed"
    if message.state is MessageState.APPROVAL:
        return f"Held as {message.id} until approved"
    if message.state is MessageState.HELD:
        # A recipient that a split rule lets go at once is not held; the time is that of the next to leave.
        until = min(
            r.release_at for r in message.recipients if r.release_at and r.release_at > message.received_at
        )
        return f"Held as {message.id} until {until.isoformat()[:19]}Z: {verdict.reason}"
    return f"Queued as {message.id}"


def _hold(submission: Submission, judged: Judged, policy: Policy, message_id: str) -> NewMessage:
    verdict, headers = judged.verdict, judged.headers
    now = submission.received_at
    recipients = tuple(
        _recipient(recipient, hold, now, policy.margin)
        for recipient, hold in zip(submission.envelope.recipients, verdict.holds, strict=True)
    )
    gated = any(recipient.gated for recipient in recipients)
    message = HeldMessage(
        id=message_id,
        state=_first_state(recipients, verdict, now),
        sender=submission.envelope.sender,
        user=submission.user,
        peer=submission.peer,
        helo=submission.helo,
        protocol=submission.protocol,
        parameters=submission.envelope.parameters,
        subject=headers.subject[:LONGEST_SUBJECT],
        message_id=headers.message_id,
        size=len(submission.content),
        received_at=now,
        action=verdict.action,
        gate=verdict.gate,
        rules=verdict.rules,
        findings=verdict.findings,
        approvers=verdict.approvers,
        deputies=verdict.deputies,
        margin=policy.margin,
        undo=policy.undo,
        expire=verdict.expire,
        expires_at=now + verdict.expire if gated else None,
        recipients=recipients,
    )
    if gated:
        message = replace(message, remind_at=reminder.first(message, verdict.escalate))
    event = _received(submission, verdict, headers)
    return NewMessage(message=message, content=submission.content, event=event)


def _received(submission: Submission, verdict: Verdict, headers: Headers) -> Event:
    by = submission.user or submission.envelope.sender or "<>"
    detail: dict[str, object] = {"peer": submission.peer, "rules": list(verdict.rules)}
    if blind := _blind(submission, headers):
        detail["blind"] = blind
    return Event(at=submission.received_at, event="received", by=by, detail=detail)


def _blind(submission: Submission, headers: Headers) -> list[str]:
    """The recipients that neither To nor Cc names: nobody else who gets the message sees them."""
    named = {address.normal(one) for one in (*headers.to, *headers.cc)}
    written = (recipient.address for recipient in submission.envelope.recipients)
    return [one for one in written if address.normal(one) not in named]


def _recipient(recipient: Recipient, hold: Hold, now: datetime, margin: timedelta) -> HeldRecipient:
    release_at = None if hold.gated else now + hold.delay
    # No margin where there is no delay: nobody was told a time that a cancel could race.
    due_at = None if release_at is None else release_at + (margin if hold.delay else timedelta(0))
    return HeldRecipient(
        address=recipient.address,
        external=hold.external,
        notify=recipient.notify,
        orcpt=recipient.orcpt,
        delay=hold.delay,
        gated=hold.gated,
        release_at=release_at,
        due_at=due_at,
    )


def _first_state(recipients: tuple[HeldRecipient, ...], verdict: Verdict, now: datetime) -> MessageState:
    if any(recipient.gated for recipient in recipients):
        return MessageState.APPROVAL if verdict.gate is Action.APPROVE else MessageState.CONFIRM
    if any(recipient.due_at is not None and recipient.due_at > now for recipient in recipients):
        return MessageState.HELD
    return MessageState.QUEUED
