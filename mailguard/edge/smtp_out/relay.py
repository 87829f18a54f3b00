"""One attempt at the upstream: one transaction for all recipients, and an answer for each."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailguard.core import charset
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Claimed, HeldMessage, HeldRecipient
from mailguard.edge.smtp_out import commands
from mailguard.edge.smtp_out.commands import Order, Unsendable
from mailguard.edge.smtp_out.opening import Refused
from mailguard.edge.smtp_out.options import UpstreamOptions
from mailguard.edge.smtp_out.outage import Out, Outage
from mailguard.edge.smtp_out.pool import Pool
from mailguard.edge.smtp_out.session import Answers, Interrupted, Session
from mailguard.edge.smtp_out.wire import Reply
from mailguard.ports import NotOffered

_LONGEST_REPLY = 500
# Our own fault towards the upstream, not the message's: it is mended in the configuration, and then it goes.
_LOGIN_CODES = (530, 534, 535, 538)
# It has lost count of our commands (RFC 5321 section 4.3.2): the message has no part in that.
_BAD_SEQUENCE = 503
_TOO_MANY = 552
_MAILBOX_FULL = ("5.2.2", "5.3.4")
_CLOSING = 421
# What a server says to MAIL that takes nothing from us now, whatever the message is: not accepting messages,
# congestion, and the policies behind 4.7 (RFC 3463).
_NOT_NOW = ("4.3.2", "4.4.5", "4.7.")


@dataclass(kw_only=True, slots=True)
class _Parcel:
    """What is to be taken there, and to whom; `session` is over which it is offered."""

    message: HeldMessage
    recipients: Sequence[HeldRecipient]
    content: bytes
    session: Session | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planned:
    """A transaction for some of the recipients, and outcomes for those that cannot be in it (by index)."""

    order: Order
    asked: tuple[int, ...]
    settled: dict[int, Outcome]


class SmtpRelay:
    """ports.Relay over SMTP. Recipients of one message share one transaction, so that the upstream sees one
    message to several people, Bcc included, as its sender meant it."""

    def __init__(self, options: UpstreamOptions) -> None:
        self._options = options
        self._pool = Pool(options)
        self._outage = Outage(first=options.first_pause, longest=options.longest_pause)

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once; never raises for anything that a network or server does.

        Cancelled before the whole message may have left, it raises NotOffered.
        """
        message = claimed.message
        recipients = [recipient for recipient in message.recipients if recipient.in_flight]
        parcel = _Parcel(message=message, recipients=recipients, content=content)
        place = self._options.place
        try:
            async with self._pool.places:
                turn = await self._outage.turn()
                try:
                    return await self._attempt(parcel)
                finally:
                    self._outage.asked(turn)
        except Out as error:
            return _all_later(recipients, f"4.4.1 Not offered yet to {place}, which is out: {error}")
        except Refused as error:
            self._outage.failed(str(error))
            return _all_later(recipients, f"4.4.1 No session with {place}: {error}")
        except Interrupted as error:
            self._outage.broke(str(error))
            return _all_later(recipients, _broken_off(place, error), ambiguous=error.ambiguous)
        except Unsendable as error:
            return [_outcome(r, Answer.NEVER, str(error)) for r in recipients]
        except asyncio.CancelledError as error:
            if parcel.session is not None and parcel.session.may_have_arrived:
                raise
            raise NotOffered from error

    async def look(self, next_due: datetime | None) -> None:
        """Nothing: it is asked when there is something to send."""

    def told(self) -> str | None:
        """Why nothing leaves; None where it does."""
        if not (reason := self._outage.reason):
            return None
        return f"the outgoing server {self._options.place} is out: {reason}; see to it, or to [upstream]"

    def refuses(self) -> bool:
        """Never: what comes in waits."""
        return False

    async def close(self) -> None:
        """Say goodbye to the upstream."""
        await self._pool.close()

    async def _attempt(self, parcel: _Parcel) -> Sequence[Outcome]:
        session = self._pool.reusable()
        if session is not None:
            try:
                outcomes = await self._use(session, parcel)
            except Interrupted as error:
                # It went away while it was idle: the message was never offered.
                if error.begun or error.ambiguous:
                    raise
            else:
                if outcomes is not None:
                    return outcomes
        session = await self._pool.fresh()
        return await self._use(session, parcel) or []

    async def _use(self, session: Session, parcel: _Parcel) -> Sequence[Outcome] | None:
        """None where a reused connection turns out to be closing before anything was offered."""
        reused = session.messages > 0
        parcel.session = session
        recipients = parcel.recipients
        try:
            planned = _plan(session, parcel, self._outage.over)
            if not planned.asked:
                return [planned.settled[index] for index in range(len(recipients))]
            answers = await self._deliver(session, planned.order)
        finally:
            self._pool.give_back(session)
        if reused and answers.mail.code == _CLOSING:
            return None
        whole = self._judge(answers)
        dsn = "dsn" in session.offers
        found = _outcomes(planned, recipients, answers, dsn=dsn)
        outcomes = [found[index] for index in range(len(recipients))]
        if not whole:
            return outcomes
        return [replace(o, upstream=o.answer is Answer.LATER) for o in outcomes]

    async def _deliver(self, session: Session, order: Order) -> Answers:
        """Raises Interrupted. Whoever cannot follow an envelope in one go is not sent one again."""
        try:
            answers = await session.deliver(order)
        except Interrupted as error:
            if session.pipelined and error.begun and not error.wanted:
                self._pool.slow_down()
            raise
        if session.lost_count:
            self._pool.slow_down()
        return answers

    def _judge(self, answers: Answers) -> bool:
        """Whether the answers are about us, and not about the message."""
        replies = [answers.mail, *answers.rcpts, *([answers.data] if answers.data else [])]
        away = next((reply for reply in replies if reply.code == _CLOSING), None)
        if away is None and 400 <= answers.mail.code < 500 and answers.mail.text.startswith(_NOT_NOW):
            away = answers.mail
        if away is None:
            self._outage.went_well()
        else:
            self._outage.failed(str(away))
        return away is not None


def _broken_off(place: str, error: Interrupted) -> str:
    doubt = "; the message was sent and not answered, so it may have arrived" if error.ambiguous else ""
    return f"4.4.2 The session with {place} broke off: {error}{doubt}"


def _plan(session: Session, parcel: _Parcel, wanted: Callable[[], None]) -> _Planned:
    """Raises Unsendable where nobody can get it."""
    recipients, content = parcel.recipients, parcel.content
    _fits(content, session.offers.get("size"))
    asked: list[int] = []
    lines: list[bytes] = []
    settled: dict[int, Outcome] = {}
    for index, recipient in enumerate(recipients):
        try:
            lines.append(commands.rcpt_line(recipient, session.offers))
            asked.append(index)
        except Unsendable as error:
            settled[index] = _outcome(recipient, Answer.NEVER, str(error))
    among = [recipients[index] for index in asked]
    mail = commands.mail_line(parcel.message, among, content, session.offers)
    order = Order(mail=mail, rcpts=tuple(lines), content=content, wanted=wanted)
    return _Planned(order=order, asked=tuple(asked), settled=settled)


def _fits(content: bytes, offered: str | None) -> None:
    """RFC 1870 section 6.1: what is larger than the server takes is not offered. Raises Unsendable."""
    limit = int(offered) if offered and offered.isascii() and offered.isdigit() and len(offered) < 20 else 0
    if 0 < limit < len(content):
        size = len(content)
        raise Unsendable(f"5.3.4 The outgoing server takes {limit} bytes at most, and the message has {size}")


def _outcomes(
    planned: _Planned, recipients: Sequence[HeldRecipient], answers: Answers, *, dsn: bool
) -> dict[int, Outcome]:
    """What the answers mean for each recipient."""
    outcomes = dict(planned.settled)
    for place, index in enumerate(planned.asked):
        recipient = recipients[index]
        rcpt = answers.rcpts[place] if place < len(answers.rcpts) else answers.mail
        if not answers.mail.positive:
            outcomes[index] = _refused(recipient, answers.mail)
        elif not rcpt.positive:
            outcomes[index] = _refused(recipient, rcpt, rcpt=True)
        elif answers.data is not None and answers.data.positive:
            outcomes[index] = _outcome(recipient, Answer.TAKEN, str(answers.data), dsn=dsn)
        else:
            outcomes[index] = _refused(recipient, answers.data or rcpt)
    return outcomes


def _refused(recipient: HeldRecipient, reply: Reply, *, rcpt: bool = False) -> Outcome:
    permanent = reply.code >= 500 and reply.code not in (*_LOGIN_CODES, _BAD_SEQUENCE)
    if rcpt and reply.code == _TOO_MANY and not reply.text.startswith(_MAILBOX_FULL):
        # RFC 5321 section 4.5.3.1.10: an old way to say "too many recipients for one transaction".
        permanent = False
    return _outcome(recipient, Answer.NEVER if permanent else Answer.LATER, str(reply))


def _outcome(recipient: HeldRecipient, answer: Answer, reply: str, *, dsn: bool = False) -> Outcome:
    return Outcome(
        address=recipient.address, answer=answer, reply=charset.clean(reply)[:_LONGEST_REPLY], dsn=dsn
    )


def _all_later(
    recipients: Sequence[HeldRecipient], text: str, *, ambiguous: bool = False
) -> Sequence[Outcome]:
    reply = charset.clean(text)[:_LONGEST_REPLY]
    return [
        Outcome(address=r.address, answer=Answer.LATER, reply=reply, ambiguous=ambiguous, upstream=True)
        for r in recipients
    ]
