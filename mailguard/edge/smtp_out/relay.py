"""One attempt at the upstream: one transaction for all recipients, and an answer for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailguard.core import charset
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Claimed, HeldMessage, HeldRecipient
from mailguard.edge.smtp_out import commands
from mailguard.edge.smtp_out.commands import Order, Unsendable
from mailguard.edge.smtp_out.options import UpstreamOptions
from mailguard.edge.smtp_out.pool import Pool
from mailguard.edge.smtp_out.session import Answers, Interrupted, Refused, Session
from mailguard.edge.smtp_out.wire import Reply

_LONGEST_REPLY = 500
# Our own fault towards the upstream, not the message's: it is mended in the configuration, and then it goes.
_LOGIN_CODES = (530, 534, 535, 538)
_TOO_MANY = 552
_MAILBOX_FULL = ("5.2.2", "5.3.4")


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

    async def attempt(self, claimed: Claimed, content: bytes) -> Sequence[Outcome]:
        """Try every in-flight recipient once; never raises for anything that a network or server does."""
        message = claimed.message
        recipients = [recipient for recipient in message.recipients if recipient.in_flight]
        try:
            async with self._pool.place():
                return await self._attempt(message, recipients, content)
        except Refused as error:
            text = f"4.4.1 No session with {self._options.place}: {error}"
        except Interrupted as error:
            text = f"4.4.2 The session with {self._options.place} broke off: {error}"
            if error.ambiguous:
                return _all_later(recipients, text, ambiguous=True)
        except Unsendable as error:
            return [_outcome(r, Answer.NEVER, str(error)) for r in recipients]
        return _all_later(recipients, text)

    async def close(self) -> None:
        """Say goodbye to the upstream."""
        await self._pool.close()

    async def _attempt(
        self, message: HeldMessage, recipients: Sequence[HeldRecipient], content: bytes
    ) -> Sequence[Outcome]:
        session = self._pool.reusable()
        if session is not None:
            try:
                outcomes = await self._use(session, message, recipients, content)
            except Interrupted as error:
                # It went away while it was idle: the message was never offered.
                if error.begun or error.ambiguous:
                    raise
            else:
                if outcomes is not None:
                    return outcomes
        session = await self._pool.fresh()
        return await self._use(session, message, recipients, content) or []

    async def _use(
        self,
        session: Session,
        message: HeldMessage,
        recipients: Sequence[HeldRecipient],
        content: bytes,
    ) -> Sequence[Outcome] | None:
        """None where a reused connection turns out to be closing before anything was offered."""
        reused = session.messages > 0
        try:
            planned = _plan(session, message, recipients, content)
            if not planned.asked:
                return [planned.settled[index] for index in range(len(recipients))]
            answers = await session.deliver(planned.order)
        finally:
            self._pool.give_back(session)
        if reused and answers.mail.code == 421:
            return None
        dsn = "dsn" in session.offers
        found = _outcomes(planned, recipients, answers, dsn=dsn)
        return [found[index] for index in range(len(recipients))]


def _plan(
    session: Session, message: HeldMessage, recipients: Sequence[HeldRecipient], content: bytes
) -> _Planned:
    """Raises Unsendable where nobody can get it."""
    asked: list[int] = []
    lines: list[bytes] = []
    settled: dict[int, Outcome] = {}
    for index, recipient in enumerate(recipients):
        try:
            lines.append(commands.rcpt_line(recipient, session.offers))
            asked.append(index)
        except Unsendable as error:
            settled[index] = _outcome(recipient, Answer.NEVER, str(error))
    mail = commands.mail_line(message, [recipients[index] for index in asked], content, session.offers)
    order = Order(mail=mail, rcpts=tuple(lines), content=content)
    return _Planned(order=order, asked=tuple(asked), settled=settled)


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
    permanent = reply.code >= 500 and reply.code not in _LOGIN_CODES
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
        Outcome(address=r.address, answer=Answer.LATER, reply=reply, ambiguous=ambiguous) for r in recipients
    ]
