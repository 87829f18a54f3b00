"""Reads a message, asks the memory about it, and judges it; nothing is stored, and nothing else is known."""

import asyncio
from collections.abc import Mapping

from mailguard.core import message as reading
from mailguard.core import outgoing, resubmission
from mailguard.core.envelope import Submission
from mailguard.core.facts import Body, Facts, Headers
from mailguard.core.hold import Action
from mailguard.core.judge import Verdict, judge
from mailguard.core.policy import Policy
from mailguard.core.recall import posting
from mailguard.core.recall.letter import Letter
from mailguard.core.reply import Reply
from mailguard.core.value import dataclass, replace
from mailguard.flow.in_time import in_time
from mailguard.flow.knowing import NOTHING_KNOWN, Knowing, Known, Question
from mailguard.ports import Bodies, Log

# Seconds for all that is looked up about a message before it is judged.
READ_WITHIN = 2.0
# A few tenths of a millisecond on the event loop; more is done in a thread.
DIGEST_AT_ONCE = 256 * 1024
# Characters of text; what rules and checks look for in a longer one may take tens of milliseconds.
JUDGE_AT_ONCE = 16 * 1024
# Every search in the header is linear, but runs on the event loop: this bounds it to a few milliseconds.
LONGEST_HEADER = 1024 * 1024
# An event of the log that is a trouble.
LOOP = "loop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Considered:
    """A submission with what is known of it and what the rules make of it."""

    facts: Facts
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A message that may be taken: its header as people read it, what happens to it, and by what it is known
    where it is handed in again (None: it cannot be)."""

    headers: Headers
    verdict: Verdict
    digest: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A message that is not taken: what its client hears, and the line of the log for it."""

    reply: Reply
    event: str
    fields: Mapping[str, object]

    def tell(self, log: Log) -> None:
        """Write that line."""
        (log.trouble if self.event == LOOP else log.event)(self.event, **self.fields)


class Judging:
    """`knows` answers what is remembered."""

    def __init__(self, *, knows: Knowing, bodies: Bodies, log: Log, hostname: str) -> None:
        self._knows = knows
        self._bodies = bodies
        self._log = log
        self._hostname = hostname

    async def judged(self, submission: Submission, policy: Policy) -> Judged | Refused:
        """What happens to it, or why it is not taken."""
        if refusal := self._impossible(submission):
            return refusal
        considered = await self.consider(submission, policy)
        headers, verdict = considered.facts.headers, considered.verdict
        if verdict.action is Action.REFUSE:
            reply = Reply(code=550, status="5.7.1", text=verdict.refusal or f"Refused by {verdict.reason}")
            fields = {
                "user": submission.user,
                "sender": submission.envelope.sender,
                "by": verdict.reason,
            }
            return Refused(reply=reply, event="refused", fields=fields)
        return Judged(headers=headers, verdict=verdict, digest=await _digest(submission, headers))

    async def consider(self, submission: Submission, policy: Policy) -> Considered:
        """What would happen to this submission under this policy.

        What is not known in time counts as unreadable: the message is held, and somebody looks at it.
        """
        end = asyncio.get_running_loop().time() + READ_WITHIN
        headers = reading.read_headers(submission.content)
        remembering = self._knows.on
        read = body = Body()
        if policy.needs_body or remembering:
            read = await in_time(end, self._bodies.read(submission.content, headers)) or Body(readable=False)
        if policy.needs_body:
            body = read
        known: Known | None = NOTHING_KNOWN
        if remembering or headers.is_reply:
            letter = self._letter(submission, headers, read) if remembering else None
            known = await in_time(end, self._knows.know(_question(submission, headers, read, letter)))
        if known is None:
            self._log.trouble("memory_late", peer=submission.peer, user=submission.user)
            known, body = NOTHING_KNOWN, replace(body, readable=False)
        facts = Facts(
            envelope=submission.envelope,
            headers=headers,
            body=body,
            thread=known.thread,
            user=submission.user,
            size=len(submission.content),
            now=submission.received_at,
            own=submission.own,
            recollection=known.recollection,
        )
        if len(body.text) + len(body.own_text) <= JUDGE_AT_ONCE:
            return Considered(facts=facts, verdict=judge(facts, policy))
        return Considered(facts=facts, verdict=await asyncio.to_thread(judge, facts, policy))

    def _impossible(self, submission: Submission) -> Refused | None:
        """What no rule can allow: a header that nobody can have written, and mail that goes in a circle."""
        header, _ = reading.split(submission.content[: LONGEST_HEADER + 1])
        fields: dict[str, object] = {"peer": submission.peer, "user": submission.user}
        if len(header) > LONGEST_HEADER:
            reply = Reply(code=552, status="5.3.4", text="The header of this message is too large")
            return Refused(reply=reply, event="header_too_large", fields=fields)
        if reading.several_authors(header):
            text = "There is more than one From field; a message may have only one"
            reply = Reply(code=550, status="5.6.0", text=text)
            return Refused(reply=reply, event="several_authors", fields=fields)
        if outgoing.loops(header, self._hostname):
            reply = Reply(code=554, status="5.4.6", text="This message was here before: mail loop")
            return Refused(reply=reply, event=LOOP, fields=fields)
        return None

    def _letter(self, submission: Submission, headers: Headers, body: Body) -> Letter | None:
        """The message as the memory reads it; None where there is no sender to remember anything of, and
        where it cannot be read so: no message may ever depend on it."""
        envelope = submission.envelope
        if not envelope.sender:
            return None
        try:
            return posting.on_its_way(
                headers,
                body.text,
                sender=envelope.sender,
                recipients=[each.address for each in envelope.recipients],
                when=submission.received_at,
                names=False,
            )
        except Exception as error:  # noqa: BLE001  whatever it was, the message is judged without it
            self._log.trouble("recollection_fault", peer=submission.peer, fault=type(error).__name__)
            return None


def _question(submission: Submission, headers: Headers, body: Body, letter: Letter | None) -> Question:
    return Question(
        thread=headers.thread_ids,
        letter=letter,
        person=submission.envelope.sender,
        own=submission.own or (),
        invited=tuple(body.invitation.people) if letter is not None else (),
        peer=submission.peer,
    )


async def _digest(submission: Submission, headers: Headers) -> bytes | None:
    if len(submission.content) <= DIGEST_AT_ONCE:
        return resubmission.digest(submission, headers)
    return await asyncio.to_thread(resubmission.digest, submission, headers)
