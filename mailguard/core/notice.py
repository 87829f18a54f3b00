"""What a sender or an approver is told by mail: which message it is about, why it waits, until when, and
what one can do. The words are in notice_words.py."""

from collections.abc import Callable, Sequence
from datetime import datetime

from mailguard.core import wording
from mailguard.core.answer import Answer
from mailguard.core.hold import Action, HeldMessage, HeldRecipient
from mailguard.core.notice_mail import Block, Button, Items, Notice, Pairs, Paragraph
from mailguard.core.notice_words import words
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.told import Told
from mailguard.core.value import dataclass

# A mail to two hundred is not listed line by line on a telephone.
MOST_LISTED = 20
LONGEST_SUBJECT = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """Where the message can be seen and stopped with one press; "" where there is no page."""

    show: str = ""
    cancel: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """How the guard speaks to one person: its own name, the person's language, and `local`, which turns a
    time into that of the person's clock."""

    hostname: str
    language: str
    local: Callable[[datetime], datetime]


def held(message: HeldMessage, speaker: Speaker, links: Links, *, last: bool = False) -> Notice:
    """To the sender: it is held. A plain answer to this notice stops the message. The `last` one is sent
    before the wait for a yes ends."""
    say = words(speaker.language)
    pressing = [Button(label=say.stop_it, url=links.cancel)] if links.cancel else []
    looking = [Button(label=say.look, url=links.show, quiet=bool(pressing))] if links.show else []
    blocks: list[Block] = [
        Paragraph(text=_standing(message, speaker), strong=True),
        *_why(message, speaker),
        *pressing,
        *_choices(message, speaker),
        *_details(message, message.recipients, speaker),
        *looking,
        Paragraph(text=say.sign.format(hostname=speaker.hostname)),
    ]
    return Notice(
        to=message.sender,
        subject=(say.last_call if last else say.held).format(subject=_subject(message)),
        blocks=tuple(blocks),
        language=speaker.language,
        reply_to=f"cancel+{message.id}@{speaker.hostname}",
        answers=message.message_id,
        about=message.id,
        kind="held",
    )


def _choices(message: HeldMessage, speaker: Speaker) -> list[Block]:
    """What an answer to the notice can say: only what is possible as the message stands."""
    say = words(speaker.language)
    lines = [say.answer_drop] if len(message.recipients) > 1 else []
    if message.state is MessageState.HELD:
        lines = [say.answer_send, say.answer_wait, *lines]
    elif message.state is MessageState.CONFIRM:
        lines = [say.answer_yes, *lines]
    if lines:
        return [Paragraph(text=say.answer_stops), Items(lines=(*lines, say.answer_edit))]
    withdrawn = message.state is MessageState.APPROVAL
    return [Paragraph(text=say.answer_withdraws if withdrawn else say.answer_only_stops)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What an approver is asked about: `shown` is what an approver may know of the message, `copy` are its
    bytes as an approver may see them (None where they are too many), `seal` names exactly that. It is asked
    `again` where nobody has answered."""

    shown: HeldMessage
    copy: bytes | None
    seal: str
    again: bool = False


def asked(approver: str, question: Question, speaker: Speaker, links: Links) -> Notice:
    """To an approver: somebody's message waits for a decision."""
    say, message = words(speaker.language), question.shown
    looking = [Button(label=say.decide, url=links.show)] if links.show else []
    until = say.asked_until.format(until=_time(message.expires_at, speaker))
    subject = say.asked_again if question.again else say.asked_subject
    blocks: list[Block] = [
        Paragraph(text=say.asked.format(sender=message.sender), strong=True),
        *_why(message, speaker),
        *_details(message, message.recipients, speaker),
        Paragraph(text=say.asked_too_large if question.copy is None else say.asked_attached),
        *looking,
        Paragraph(text=say.answer_decides),
        Items(lines=(say.answer_approve, say.answer_reject)),
        Paragraph(text=until),
        Paragraph(text=say.sign.format(hostname=speaker.hostname)),
    ]
    return Notice(
        to=approver,
        subject=subject.format(subject=_subject(message)),
        blocks=tuple(blocks),
        language=speaker.language,
        reply_to=f"approve+{message.id}+{question.seal}@{speaker.hostname}",
        about=message.id,
        kind="asked",
        attached=() if question.copy is None else (question.copy,),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """A stopped message that its sender has back as a draft: `content` comes with the notice, or it lies in
    `folder` of the mailbox; `fault` is why it does not where it should. With neither, it is too large."""

    content: bytes | None = None
    folder: str = ""
    fault: str = ""


def decided(message: HeldMessage, actor: str, speaker: Speaker, *, approved: bool) -> Notice:
    """To the sender, whose message somebody else decided about: what is true now, and by whom."""
    say = words(speaker.language)
    sentence = (say.did_approve if approved else say.did_by).format(actor=actor)
    return outcome(message.sender, Answer(told=Told.DONE, text="", message=message), speaker, also=sentence)


def no_recipient(to: str, answer: Answer, speaker: Speaker) -> Notice:
    """To whoever wanted to drop somebody to whom the message does not go."""
    return outcome(to, answer, speaker, instead=words(speaker.language).unknown_recipient)


def outcome(
    to: str,
    answer: Answer,
    speaker: Speaker,
    *,
    understood: bool = True,
    also: str = "",
    instead: str = "",
    back: Back | None = None,
) -> Notice:
    """To whoever asked for something by mail, or whose message somebody else decided about: what came of
    it. What could not be `understood` is answered with the commands that there are."""
    say, message = words(speaker.language), answer.message
    told = [instead] if instead else [*_told(answer, speaker), *([also] if also else [])]
    blocks: list[Block] = [Paragraph(text=told[0], strong=True), *(Paragraph(text=more) for more in told[1:])]
    if not understood:
        blocks += [
            Paragraph(text=say.not_understood),
            Paragraph(text=say.commands),
            Items(lines=say.all_commands),
        ]
    if message is not None and message.state is MessageState.CANCELLED:
        blocks += [*_handed_back(back, speaker), Paragraph(text=say.sent_folder)]
    if message is not None:
        blocks += _details(message, message.recipients, speaker)
    blocks.append(Paragraph(text=say.sign.format(hostname=speaker.hostname)))
    return Notice(
        to=to,
        subject=_outcome_subject(message, speaker),
        blocks=tuple(blocks),
        language=speaker.language,
        reply_to=f"cancel+{message.id}@{speaker.hostname}" if message else "",
        answers=message.message_id if message else "",
        about=message.id if message else "",
        kind="outcome",
        attached=(back.content,) if back is not None and back.content is not None else (),
    )


def _handed_back(back: Back | None, speaker: Speaker) -> list[Block]:
    say = words(speaker.language)
    if back is None:
        return []
    if back.folder:
        return [Paragraph(text=say.draft_placed.format(folder=back.folder))]
    missed = [Paragraph(text=say.draft_not_placed.format(fault=back.fault))] if back.fault else []
    return [*missed, Paragraph(text=say.draft_too_large if back.content is None else say.draft_attached)]


def judged(to: str, answer: Answer, speaker: Speaker, *, understood: bool, logged_in: bool) -> Notice:
    """To an approver who has answered: what came of it. The message in `answer` has only what an approver
    may know of it."""
    say, message = words(speaker.language), answer.message
    blocks: list[Block] = [Paragraph(text=_verdict(answer, speaker, logged_in=logged_in), strong=True)]
    if message is not None and not understood:
        blocks = [
            Paragraph(text=say.not_decided, strong=True),
            Paragraph(text=say.commands),
            Items(lines=say.decisions),
        ]
    if message is not None and answer.told is Told.DONE:
        blocks += _departure(message, speaker)
    if message is not None:
        blocks += _details(message, message.recipients, speaker)
    blocks.append(Paragraph(text=say.sign.format(hostname=speaker.hostname)))
    return Notice(
        to=to,
        subject=_outcome_subject(message, speaker),
        blocks=tuple(blocks),
        language=speaker.language,
        about=message.id if message else "",
        kind="outcome",
    )


def _departure(message: HeldMessage, speaker: Speaker) -> list[Block]:
    """When an approved message leaves; of blind recipients alone nothing is told."""
    say = words(speaker.language)
    if message.state is MessageState.HELD and message.release_at is not None:
        return [Paragraph(text=say.goes_later.format(until=_time(message.release_at, speaker)))]
    gone = message.state in (MessageState.QUEUED, MessageState.RELAYING, MessageState.SENT)
    return [Paragraph(text=say.goes_on)] if gone else []


def _verdict(answer: Answer, speaker: Speaker, *, logged_in: bool) -> str:
    say, message = words(speaker.language), answer.message
    if not logged_in:
        return say.need_login
    if answer.told in (Told.NO_SUCH_MESSAGE, Told.NOT_YOURS):
        return say.not_to_decide
    if answer.told in (Told.TRY_LATER, Told.FAULT):
        return say.try_later
    if message is None:
        return say.not_seen
    if answer.told is Told.DONE:
        return say.you_rejected if message.state is MessageState.REJECTED else say.you_approved
    return say.cannot_decide.format(state=wording.state(message.state, speaker.language))


def _outcome_subject(message: HeldMessage | None, speaker: Speaker) -> str:
    say = words(speaker.language)
    if message is None:
        return say.nothing_done
    name = wording.state(message.state, speaker.language)
    return f"{name[:1].upper()}{name[1:]}{say.colon} {_subject(message) or '-'}"


def _told(answer: Answer, speaker: Speaker) -> list[str]:
    """The truth about what was asked for, in the reader's language; never empty."""
    say, message = words(speaker.language), answer.message
    # Somebody else's message and none at all sound alike: an id is nobody else's business.
    if answer.told in (Told.NO_SUCH_MESSAGE, Told.NOT_YOURS):
        return [say.unknown]
    if message is None or answer.told in (Told.TRY_LATER, Told.FAULT):
        return [say.try_later]
    if answer.told is Told.TOO_LATE:
        return [say.too_late, *_gone(message, speaker), *_stopped(message, speaker)]
    state = wording.state(message.state, speaker.language)
    if answer.told is Told.REFUSED:
        return [say.impossible.format(state=state)]
    stopped = _stopped(message, speaker)
    if message.state is MessageState.CANCELLED:
        return stopped
    if message.state is MessageState.HELD:
        return [*stopped, say.did_hold.format(until=_time(message.release_at, speaker))]
    if message.state in (MessageState.QUEUED, MessageState.RELAYING, MessageState.SENT):
        return [say.did_send, *stopped]
    return [say.did_else.format(state=state), *stopped]


def _stopped(message: HeldMessage, speaker: Speaker) -> list[str]:
    dropped = ", ".join(r.address for r in message.in_state(RecipientState.DROPPED))
    say = words(speaker.language)
    sentence = say.did_cancel if message.state is MessageState.CANCELLED else say.did_drop
    return [sentence.format(recipients=dropped)] if dropped else []


def _gone(message: HeldMessage, speaker: Speaker) -> list[str]:
    say = words(speaker.language)
    sentences = []
    for recipient in message.recipients:
        if recipient.sent_at is not None:
            time = _time(recipient.sent_at, speaker)
            sentences.append(say.left.format(recipient=recipient.address, time=time))
        elif recipient.maybe_sent:
            sentences.append(say.may_have_left.format(recipient=recipient.address))
        elif recipient.in_flight:
            sentences.append(say.leaving.format(recipient=recipient.address))
    return sentences


def listing(to: str, messages: Sequence[HeldMessage], speaker: Speaker) -> Notice:
    """To whoever wrote to the queue: their messages that have not left, next to leave first."""
    say = words(speaker.language)
    lines = tuple(_line(message, speaker) for message in messages[:MOST_LISTED])
    more = len(messages) - MOST_LISTED
    blocks: list[Block] = [
        Paragraph(text=say.listing if lines else say.empty, strong=True),
        *([Items(lines=lines)] if lines else []),
        *([Paragraph(text=say.more.format(count=more))] if more > 0 else []),
        *([Paragraph(text=say.cancel_by_mail.format(hostname=speaker.hostname))] if lines else []),
        Paragraph(text=say.sign.format(hostname=speaker.hostname)),
    ]
    return Notice(
        to=to,
        subject=say.listing_subject.format(count=len(messages)),
        blocks=tuple(blocks),
        language=speaker.language,
        kind="listing",
    )


def _standing(message: HeldMessage, speaker: Speaker) -> str:
    say = words(speaker.language)
    if message.state is MessageState.CONFIRM:
        return say.until_confirmed.format(until=_time(message.expires_at, speaker))
    if message.state is MessageState.APPROVAL:
        approvers = ", ".join(message.approvers)
        return say.until_approved.format(approvers=approvers, until=_time(message.expires_at, speaker))
    return say.until.format(until=_time(message.release_at, speaker))


def _why(message: HeldMessage, speaker: Speaker) -> list[Block]:
    say = words(speaker.language)
    sentences = [wording.sentence(finding, speaker.language) for finding in message.findings]
    rules = [say.rule.format(rule=rule) for rule in message.rules]
    if message.action is Action.NONE or not (sentences or rules):
        return []
    return [Paragraph(text=say.why), Items(lines=tuple(dict.fromkeys((*sentences, *rules))))]


def _details(message: HeldMessage, shown: Sequence[HeldRecipient], speaker: Speaker) -> list[Block]:
    say = words(speaker.language)
    listed = ", ".join(_recipient(recipient, speaker) for recipient in shown[:MOST_LISTED])
    if len(shown) > MOST_LISTED:
        listed += f" {say.more.format(count=len(shown) - MOST_LISTED)}"
    rows = (
        (say.subject, _subject(message) or "-"),
        (say.to, listed or "-"),
        (say.taken, _time(message.received_at, speaker)),
        (say.id, message.id),
    )
    return [Pairs(rows=rows)]


def _recipient(recipient: HeldRecipient, speaker: Speaker) -> str:
    if recipient.state is RecipientState.WAITING:
        return recipient.address
    return f"{recipient.address} ({wording.state(recipient.state, speaker.language)})"


def _line(message: HeldMessage, speaker: Speaker) -> str:
    state = wording.state(message.state, speaker.language)
    when = f" {_time(message.release_at, speaker)}" if message.release_at else ""
    to = ", ".join(r.address for r in message.recipients[:3]) + (", …" if len(message.recipients) > 3 else "")
    return f"{message.id}: {_subject(message) or '-'} → {to} ({state}{when})"


def _subject(message: HeldMessage) -> str:
    subject = " ".join(message.subject.split())
    return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"


def _time(moment: datetime | None, speaker: Speaker) -> str:
    if moment is None:
        return "-"
    there = speaker.local(moment)
    return words(speaker.language).time.format(date=f"{there:%Y-%m-%d}", time=f"{there:%H:%M:%S %Z}").strip()
