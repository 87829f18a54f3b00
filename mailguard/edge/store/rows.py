"""A held message as rows of a table, and back: exact both ways.

Times are text of fixed width (UTC, so that they sort as they stand), durations are whole microseconds,
lists are JSON, and None is NULL.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from mailguard.core import address
from mailguard.core.envelope import MailParameters
from mailguard.core.events import Event
from mailguard.core.findings import Finding, Severity
from mailguard.core.hold import Action, Change, HeldMessage, HeldRecipient, NewMessage
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.value import dataclass
from mailguard.edge.store.bulk import Row

# What a row can be when something else wrote it: a missing value, an unknown word, broken JSON.
UNREADABLE = (ValueError, TypeError, KeyError, IndexError)

_CLAIMABLE = frozenset({MessageState.HELD, MessageState.QUEUED, MessageState.CONFIRM, MessageState.APPROVAL})
_NO_PARAMETERS = MailParameters()
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class AddedRows:
    """A new message: its rows, complete but for the number that the store will give it. `upload` is that of a
    body that was written before, in pieces; `content` is empty then."""

    id: str
    state: MessageState
    received_at: datetime
    message: Row
    recipients: Sequence[Row]
    event: Row
    content: bytes
    upload: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedRows:
    """One step of a message, from version `before` to version `after`.

    `timing` is None where only version, state and next_due change (`in_hand`: a claim, a retry); `fixed` is
    None where what was received stays, as with every move. `recipients` are those that change, and `places`
    is how many there are afterwards (None: as many as before).
    """

    id: str
    before: int
    after: int
    in_hand: Row
    timing: Row | None
    fixed: Row | None
    recipients: Sequence[Row]
    places: int | None
    event: Row
    drop_body: bool


def added(new: NewMessage) -> AddedRows:
    """The rows of a new message."""
    message = new.message
    return AddedRows(
        id=message.id,
        state=message.state,
        received_at=message.received_at,
        message=(message.id, *_in_hand(message), *_timing(message), *_fixed(message)),
        recipients=[_recipient(place, recipient) for place, recipient in enumerate(message.recipients)],
        event=event_row(message.version, new.event),
        content=new.content,
    )


def changed(change: Change) -> ChangedRows:
    """What one step writes."""
    before, after = change.before, change.after
    old, new = before.recipients, after.recipients
    return ChangedRows(
        id=before.id,
        before=before.version,
        after=after.version,
        in_hand=_in_hand(after),
        timing=None if _same_timing(before, after) else _timing(after),
        fixed=None if _as_received(before) == _as_received(after) else _fixed(after),
        recipients=[
            _recipient(place, recipient)
            for place, recipient in enumerate(new)
            if place >= len(old) or recipient != old[place]
        ],
        places=len(new) if len(new) < len(old) else None,
        event=event_row(after.version, change.event),
        drop_body=change.drop_body,
    )


def _in_hand(message: HeldMessage) -> Row:
    return (message.version, message.state.value, _time(next_due(message)))


def next_due(message: HeldMessage) -> datetime | None:
    """When the timer has something to do for it."""
    return message.due_at if message.state in _CLAIMABLE else None


def _timing(message: HeldMessage) -> Row:
    return (
        _time(leaves_at(message)),
        _time(done_at(message)),
        message.gate.value,
        _time(message.expires_at),
        _time(message.frozen_at),
        _time(message.finished_at),
        int(message.body_kept),
        _time(message.remind_at),
    )


def leaves_at(message: HeldMessage) -> datetime | None:
    """When it should be gone; None where it is finished, or waits for a person."""
    if message.state.finished or message.frozen_at is not None:
        return None
    release_at = message.release_at
    return None if release_at is None else release_at + message.margin


def done_at(message: HeldMessage) -> datetime | None:
    """When it was finished."""
    return message.finished_at or message.received_at if message.state.finished else None


def _same_timing(before: HeldMessage, after: HeldMessage) -> bool:
    return (
        before.state.finished is after.state.finished
        and before.body_kept is after.body_kept
        and before.gate is after.gate
        and before.expires_at == after.expires_at
        and before.frozen_at == after.frozen_at
        and before.finished_at == after.finished_at
        and before.remind_at == after.remind_at
        and leaves_at(before) == leaves_at(after)
    )


def _as_received(message: HeldMessage) -> tuple[object, ...]:
    return (
        message.received_at,
        message.sender,
        message.user,
        message.peer,
        message.helo,
        message.protocol,
        message.parameters,
        message.subject,
        message.message_id,
        message.size,
        message.action,
        message.rules,
        message.findings,
        message.approvers,
        message.deputies,
        message.margin,
        message.undo,
        message.expire,
    )


def _fixed(message: HeldMessage) -> Row:
    return (
        _time(message.received_at),
        message.sender,
        address.normal(message.sender),
        message.user,
        _shown(message.peer),
        _shown(message.helo),
        _shown(message.protocol),
        _parameters(message.parameters),
        _shown(message.subject),
        _shown(message.message_id),
        message.size,
        message.action.value,
        _texts(message.rules),
        _findings(message.findings),
        _texts(message.approvers),
        _texts(message.deputies),
        _microseconds(message.margin),
        _microseconds(message.undo),
        _microseconds(message.expire),
    )


def whole(message: HeldMessage) -> list[Any]:
    """A message as the one row that `message` reads, for a store that keeps it in one piece."""
    _, _, *timing, remind_at = _timing(message)
    received_at, sender, _, *fixed, deputies, margin, undo, expire = _fixed(message)
    recipients = [_recipient(place, recipient) for place, recipient in enumerate(message.recipients)]
    head = [message.id, message.version, message.state.value, *timing]
    times = (margin, undo, expire)
    return [*head, received_at, sender, *fixed, *times, recipients, deputies, remind_at]


def _recipient(place: int, recipient: HeldRecipient) -> Row:
    return (
        place,
        recipient.address,
        int(recipient.external),
        recipient.state.value,
        recipient.notify,
        recipient.orcpt,
        _microseconds(recipient.delay),
        int(recipient.gated),
        _time(recipient.release_at),
        _time(recipient.due_at),
        int(recipient.in_flight),
        recipient.attempts,
        _time(recipient.first_try_at),
        None if recipient.reply is None else _shown(recipient.reply),
        int(recipient.maybe_sent),
        _time(recipient.sent_at),
        _time(recipient.dropped_at),
    )


def event_row(version: int, event: Event) -> Row:
    """One line of history, but for its message."""
    return (
        version,
        _time(event.at),
        event.event,
        event.by,
        _encode(dict(event.detail)) if event.detail else "{}",
    )


# The same few lists come with every message.
@lru_cache(maxsize=1024)
def _texts(texts: tuple[str, ...]) -> str:
    return _encode(texts)


@lru_cache(maxsize=1024)
def _texts_of(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _parameters(parameters: MailParameters) -> str:
    if parameters == _NO_PARAMETERS:
        return "{}"
    given = {
        "body": parameters.body,
        "smtputf8": parameters.smtputf8 or None,
        "size": parameters.size,
        "ret": parameters.ret,
        "envid": parameters.envid,
        "auth": parameters.auth,
        "hold_until": _time(parameters.hold_until),
    }
    return _encode({name: value for name, value in given.items() if value is not None})


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "[]"
    return _encode(
        [
            {
                "check": finding.check,
                "severity": finding.severity.value,
                "recipient": finding.recipient,
                "parameters": dict(finding.parameters),
            }
            for finding in findings
        ]
    )


def message(row: Sequence[Any]) -> HeldMessage:
    """The message of one row of queries.by_number. Raises one of UNREADABLE where it is not ours."""
    return HeldMessage(
        id=row[0],
        version=row[1],
        state=MessageState(row[2]),
        gate=Action(row[3]),
        expires_at=_moment(row[4]),
        frozen_at=_moment(row[5]),
        finished_at=_moment(row[6]),
        body_kept=bool(row[7]),
        received_at=datetime.fromisoformat(row[8]),
        sender=row[9],
        user=row[10],
        peer=row[11],
        helo=row[12],
        protocol=row[13],
        parameters=_parameters_of(row[14]),
        subject=row[15],
        message_id=row[16],
        size=row[17],
        action=Action(row[18]),
        rules=_texts_of(row[19]),
        findings=_findings_of(row[20]),
        approvers=_texts_of(row[21]),
        deputies=_texts_of(row[26]),
        remind_at=_moment(row[27]),
        margin=timedelta(microseconds=row[22]),
        undo=timedelta(microseconds=row[23]),
        expire=timedelta(microseconds=row[24]),
        recipients=tuple(_recipient_of(values) for values in sorted(row[25])),
    )


def _recipient_of(values: Sequence[Any]) -> HeldRecipient:
    return HeldRecipient(
        address=values[1],
        external=bool(values[2]),
        state=RecipientState(values[3]),
        notify=values[4],
        orcpt=values[5],
        delay=timedelta(microseconds=values[6]),
        gated=bool(values[7]),
        release_at=_moment(values[8]),
        due_at=_moment(values[9]),
        in_flight=bool(values[10]),
        attempts=values[11],
        first_try_at=_moment(values[12]),
        reply=values[13],
        maybe_sent=bool(values[14]),
        sent_at=_moment(values[15]),
        dropped_at=_moment(values[16]),
    )


def _parameters_of(text: str) -> MailParameters:
    if text == "{}":
        return MailParameters()
    given = json.loads(text)
    return MailParameters(**{**given, "hold_until": _moment(given.get("hold_until"))})


def _findings_of(text: str) -> tuple[Finding, ...]:
    if text == "[]":
        return ()
    return tuple(
        Finding(
            check=one["check"],
            severity=Severity(one["severity"]),
            recipient=one["recipient"],
            parameters=one["parameters"],
        )
        for one in json.loads(text)
    )


def event(row: Sequence[Any]) -> Event:
    """The event of one row: at, event, by, detail."""
    return Event(at=datetime.fromisoformat(row[0]), event=row[1], by=row[2], detail=json.loads(row[3]))


# The messages of one claim have most of their times in common, and so have the rows of one message.
@lru_cache(maxsize=1024)
def time(at: datetime) -> str:
    """A time as text of fixed width. Raises ValueError for one without a time zone."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        at = at.astimezone(UTC)
    # Every row has half a dozen of them, and this takes half the time of isoformat() or an f-string.
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % parts  # noqa: UP031


def moment(text: str) -> datetime:
    """The time that such a text tells."""
    return datetime.fromisoformat(text)


def _time(at: datetime | None) -> str | None:
    return None if at is None else time(at)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _microseconds(duration: timedelta) -> int:
    return (duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds


def _shown(text: str) -> str:
    # For display only; half a surrogate pair from a broken header must not keep the message out.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
