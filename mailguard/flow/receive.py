"""A message comes in: read it, gather what is known, judge it, put it on the disk, and only then say 250."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailguard.core import message as reading
from mailguard.core import outgoing
from mailguard.core.envelope import Recipient, Submission
from mailguard.core.errors import StoreError, StoreFull
from mailguard.core.events import Event
from mailguard.core.facts import Body, Facts, Headers, Thread
from mailguard.core.hold import Action, HeldMessage, HeldRecipient, NewMessage
from mailguard.core.judge import Hold, Verdict, judge
from mailguard.core.policy import Policy
from mailguard.core.reply import Reply
from mailguard.core.states import MessageState
from mailguard.ports import Bodies, Clock, Log, Memory, Policies, Store

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
    """The way in. `ids` makes a fresh message id; `wake` tells the timer of the next due time."""

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
    ) -> None:
        self._store = store
        self._memory = memory
        self._policies = policies
        self._bodies = bodies
        self._clock = clock
        self._log = log
        self._ids = ids
        self._hostname = hostname
        self._wake = wake

    async def accept(self, submission: Submission) -> Reply:
        """Take the message, refuse it by a rule, or say that it is not possible now; 250 means on disk."""
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
        try:
            await self._store.add(new)
        except StoreFull:
            self._log.trouble("store_full", user=submission.user, size=len(submission.content))
            return Reply(code=452, status="4.3.1", text="No room for the message now, try again later")
        except StoreError as error:
            self._log.trouble("store_error", error=str(error))
            return Reply(code=451, status="4.3.0", text="The message cannot be stored now, try again later")
        return self._taken(new.message, verdict)

    def _impossible(self, submission: Submission) -> Reply | None:
        """What no rule can allow: a header that nobody can have written, and mail that goes in a circle."""
        if len(reading.split(submission.content[: LONGEST_HEADER + 1])[0]) > LONGEST_HEADER:
            self._log.event("header_too_large", peer=submission.peer, user=submission.user)
            return Reply(code=552, status="5.3.4", text="The header of this message is too large")
        if outgoing.loops(submission.content, self._hostname):
            self._log.trouble("loop", peer=submission.peer, user=submission.user)
            return Reply(code=554, status="5.4.6", text="This message was here before: mail loop")
        return None

    async def consider(self, submission: Submission, policy: Policy) -> Judged:
        """What would happen to this submission under this policy; nothing is stored."""
        headers = reading.read_headers(submission.content)
        body = Body()
        if policy.needs_body:
            body = await self._bodies.read(submission.content, headers)
        facts = Facts(
            envelope=submission.envelope,
            headers=headers,
            body=body,
            thread=await self._thread(headers),
            user=submission.user,
            size=len(submission.content),
            now=submission.received_at,
        )
        return Judged(facts=facts, verdict=judge(facts, policy))

    async def _thread(self, headers: Headers) -> Thread:
        if not headers.is_reply:
            return Thread()
        return await self._memory.thread(headers.thread_ids)

    def _taken(self, message: HeldMessage, verdict: Verdict) -> Reply:
        self._log.event(
            "received",
            id=message.id,
            state=message.state.value,
            user=message.user,
            sender=message.sender,
            to=[recipient.address for recipient in message.recipients],
            size=message.size,
            release_at=message.release_at,
            reason=verdict.reason,
        )
        if message.due_at is not None:
            self._wake(message.due_at)
        return Reply(code=250, status="2.0.0", text=_told(message, verdict))


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
        return f"Held as {message.id} until {until:%Y-%m-%dT%H:%M:%SZ}: {verdict.reason}"
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
        margin=policy.margin,
        undo=policy.undo,
        expire=verdict.expire,
        expires_at=now + verdict.expire if gated else None,
        recipients=recipients,
    )
    by = submission.user or submission.envelope.sender or "<>"
    detail = {"peer": submission.peer, "rules": list(verdict.rules)}
    event = Event(at=now, event="received", by=by, detail=detail)
    return NewMessage(message=message, content=submission.content, event=event)


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
