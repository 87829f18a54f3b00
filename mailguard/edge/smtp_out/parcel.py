"""A message on its way to the upstream: its transaction, and what the answers mean for each recipient."""

from collections.abc import Callable, Sequence

from mailguard.core import charset
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.value import dataclass
from mailguard.edge.smtp_out import commands
from mailguard.edge.smtp_out.commands import Order, Sending, Unsendable, Whom
from mailguard.edge.smtp_out.session import Answers, Session
from mailguard.edge.smtp_out.wire import Reply

_LONGEST_REPLY = 500
# Our own fault towards the upstream, not the message's: it is mended in the configuration, and then it goes.
_LOGIN_CODES = (530, 534, 535, 538)
# It has lost count of our commands (RFC 5321 section 4.3.2): the message has no part in that.
_BAD_SEQUENCE = 503
_TOO_MANY = 552
_MAILBOX_FULL = ("5.2.2", "5.3.4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A transaction for some of the recipients, and outcomes for those that cannot be in it (by index)."""

    session: Session
    order: Order
    asked: tuple[int, ...]
    settled: dict[int, Outcome]


@dataclass(kw_only=True, slots=True, eq=False)
class Parcel:
    """What is to be taken there, and to whom.

    `session` is over which it is offered. Where its envelope went ahead, with the end of another message,
    `planned` is what the server was told; `behind` is whose envelope went with the end of this one.
    """

    message: Sending
    recipients: Sequence[Whom]
    content: bytes
    session: Session | None = None
    planned: Planned | None = None
    behind: "Parcel | None" = None


def plan(
    session: Session, parcel: Parcel, wanted: Callable[[], None], following: Callable[[], Order | None]
) -> Planned:
    """The transaction for what this server offers. Raises Unsendable where nobody can get it."""
    recipients, content, offers = parcel.recipients, parcel.content, session.offers
    _fits(content, offers.get("size"))
    asked: list[int] = []
    lines: list[bytes] = []
    settled: dict[int, Outcome] = {}
    for index, recipient in enumerate(recipients):
        try:
            lines.append(commands.rcpt_line(recipient, offers))
            asked.append(index)
        except Unsendable as error:
            settled[index] = outcome(recipient, Answer.NEVER, str(error))
    among = [recipients[index] for index in asked]
    mail = commands.mail_line(parcel.message, among, content, offers)
    order = Order(mail=mail, rcpts=tuple(lines), content=content, wanted=wanted, next=following)
    return Planned(session=session, order=order, asked=tuple(asked), settled=settled)


def _fits(content: bytes, offered: str | None) -> None:
    """RFC 1870 section 6.1: what is larger than the server takes is not offered. Raises Unsendable."""
    limit = int(offered) if offered and offered.isascii() and offered.isdigit() and len(offered) < 20 else 0
    if 0 < limit < len(content):
        size = len(content)
        raise Unsendable(f"5.3.4 The outgoing server takes {limit} bytes at most, and the message has {size}")


def outcomes_of(
    planned: Planned, recipients: Sequence[Whom], answers: Answers, *, dsn: bool
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
            outcomes[index] = outcome(recipient, Answer.TAKEN, str(answers.data), dsn=dsn)
        else:
            outcomes[index] = _refused(recipient, answers.data or rcpt)
    return outcomes


def _refused(recipient: Whom, reply: Reply, *, rcpt: bool = False) -> Outcome:
    permanent = reply.code >= 500 and reply.code not in (*_LOGIN_CODES, _BAD_SEQUENCE)
    if rcpt and reply.code == _TOO_MANY and not reply.text.startswith(_MAILBOX_FULL):
        # RFC 5321 section 4.5.3.1.10: an old way to say "too many recipients for one transaction".
        permanent = False
    return outcome(recipient, Answer.NEVER if permanent else Answer.LATER, str(reply))


def outcome(recipient: Whom, answer: Answer, reply: str, *, dsn: bool = False) -> Outcome:
    """One recipient's answer, as people may see it."""
    return Outcome(
        address=recipient.address, answer=answer, reply=charset.clean(reply)[:_LONGEST_REPLY], dsn=dsn
    )


def all_later(recipients: Sequence[Whom], text: str, *, ambiguous: bool = False) -> Sequence[Outcome]:
    """The same for all: it is tried again, and the message is not to blame."""
    reply = charset.clean(text)[:_LONGEST_REPLY]
    return [
        Outcome(address=r.address, answer=Answer.LATER, reply=reply, ambiguous=ambiguous, upstream=True)
        for r in recipients
    ]
