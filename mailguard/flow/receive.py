"""A message comes in: read it, gather what is known, judge it, put it on the disk, and only then say 250."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailguard.core import address, outgoing, reminder, resubmission
from mailguard.core import message as reading
from mailguard.core.envelope import Recipient, Submission
from mailguard.core.errors import StoreError, StoreFull
from mailguard.core.events import Event
from mailguard.core.facts import Body, Facts, Headers, Thread
from mailguard.core.hold import Action, HeldMessage, HeldRecipient, NewMessage
from mailguard.core.judge import Hold, Verdict, judge
from mailguard.core.policy import Policy
from mailguard.core.recall import posting
from mailguard.core.recollection import NOTHING, Recollection
from mailguard.core.reply import Reply
from mailguard.core.states import MessageState
from mailguard.flow.in_time import in_time
from mailguard.flow.intake import Intake, described
from mailguard.flow.noticing import Noticing
from mailguard.flow.recalling import Recalling
from mailguard.ports import Bodies, Clock, Log, Mark, Memory, Policies, Store

# Seconds from the last dot to its answer.
ANSWER_WITHIN = 4.5
# And of a large message a second more for so many bytes: whoever has sent for minutes waits for some seconds,
# and would otherwise send all of it again.
STORED_A_SECOND = 2 * 1024 * 1024
# Seconds for all that is looked up about a message before it is judged.
READ_WITHIN = 2.0
# A few tenths of a millisecond on the event loop; more is done in a thread.
DIGEST_AT_ONCE = 256 * 1024
# Characters of text; what rules and checks look for in a longer one may take tens of milliseconds.
JUDGE_AT_ONCE = 16 * 1024

# Longer ones are cut for display; the message itself keeps its own.
LONGEST_SUBJECT = 500
# Every search in the header is linear, but runs on the event loop: this bounds it to a few milliseconds.
LONGEST_HEADER = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A submission with what is known of it and what the rules make of it."""

    facts: Facts
    verdict: Verdict


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
        recalling: Recalling | None = None,
        noticing: Noticing | None = None,
    ) -> None:
        self._memory = memory
        self._recalling = recalling
        self._noticing = noticing
        self._policies = policies
        self._bodies = bodies
        self._clock = clock
        self._log = log
        self._ids = ids
        self._hostname = hostname
        self._intake = Intake(store=store, log=log, wake=wake)

    async def accept(self, submission: Submission) -> Reply:
        """Take the message, refuse it by a rule, or say that it is not possible now; 250 means on disk.

        Answers within ANSWER_WITHIN and what its size adds, whatever the store and the reading do.
        """
        with self._clock.steady():
            within = ANSWER_WITHIN + len(submission.content) / STORED_A_SECOND
            return await self._accept(submission, asyncio.get_running_loop().time() + within)

    async def _accept(self, submission: Submission, end: float) -> Reply:
        if refusal := self._impossible(submission):
            return refusal
        policy = self._policies.current
        judged = await self.consider(submission, policy)
        verdict = judged.verdict
        if verdict.action is Action.REFUSE:
            self._log.event(
                "refused", user=submission.user, sender=submission.envelope.sender, by=verdict.reason
            )
            return Reply(code=550, status="5.7.1", text=verdict.refusal or f"Refused by {verdict.reason}")
        new = _hold(submission, judged, policy, self._ids())
        text = _told(new.message, verdict)
        if self._noticing is not None:
            new = await self._noticing.received(new, judged.facts.headers, flagged=verdict.flagged)
        mark = _mark(submission, new, text, await _digest(submission, judged.facts.headers))
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

    def _impossible(self, submission: Submission) -> Reply | None:
        """What no rule can allow: a header that nobody can have written, and mail that goes in a circle."""
        header, _ = reading.split(submission.content[: LONGEST_HEADER + 1])
        if len(header) > LONGEST_HEADER:
            self._log.event("header_too_large", peer=submission.peer, user=submission.user)
            return Reply(code=552, status="5.3.4", text="The header of this message is too large")
        if reading.several_authors(header):
            self._log.event("several_authors", peer=submission.peer, user=submission.user)
            return Reply(
                code=550,
                status="5.6.0",
                text="There is more than one From field; a message may have only one",
            )
        if outgoing.loops(header, self._hostname):
            self._log.trouble("loop", peer=submission.peer, user=submission.user)
            return Reply(code=554, status="5.4.6", text="This message was here before: mail loop")
        return None

    async def consider(self, submission: Submission, policy: Policy) -> Judged:
        """What would happen to this submission under this policy; nothing is stored.

        What is not known in time counts as unreadable: the message is held, and somebody looks at it.
        """
        end = asyncio.get_running_loop().time() + READ_WITHIN
        headers = reading.read_headers(submission.content)
        read = body = Body()
        remembering = self._recalling is not None and self._recalling.on
        if policy.needs_body or remembering:
            read = await in_time(end, self._bodies.read(submission.content, headers)) or Body(readable=False)
        if policy.needs_body:
            body = read
        thread = await in_time(end, self._memory.thread(headers.thread_ids)) if headers.is_reply else Thread()
        if thread is None:
            self._log.trouble("memory_late", peer=submission.peer, user=submission.user)
            thread, body = Thread(), replace(body, readable=False)
        facts = Facts(
            envelope=submission.envelope,
            headers=headers,
            body=body,
            thread=thread,
            user=submission.user,
            size=len(submission.content),
            now=submission.received_at,
            own=submission.own,
            recollection=self._recollected(submission, headers, read) if remembering else NOTHING,
        )
        if len(body.text) + len(body.own_text) <= JUDGE_AT_ONCE:
            return Judged(facts=facts, verdict=judge(facts, policy))
        return Judged(facts=facts, verdict=await asyncio.to_thread(judge, facts, policy))

    def _recollected(self, submission: Submission, headers: Headers, body: Body) -> Recollection:
        """What the memory knows; nothing where it fails: no message may ever depend on it."""
        envelope = submission.envelope
        if self._recalling is None or not envelope.sender:
            return NOTHING
        try:
            letter = posting.on_its_way(
                headers,
                body.text,
                sender=envelope.sender,
                recipients=[each.address for each in envelope.recipients],
                when=submission.received_at,
                names=False,
            )
            own = submission.own or ()
            return self._recalling.recollect(letter, envelope.sender, own, body.invitation.people)
        except Exception as error:  # noqa: BLE001  whatever it was, the message is judged without it
            self._log.trouble("recollection_fault", peer=submission.peer, fault=type(error).__name__)
            return NOTHING


async def _digest(submission: Submission, headers: Headers) -> bytes | None:
    if len(submission.content) <= DIGEST_AT_ONCE:
        return resubmission.digest(submission, headers)
    return await asyncio.to_thread(resubmission.digest, submission, headers)


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
    verdict, headers = judged.verdict, judged.facts.headers
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
