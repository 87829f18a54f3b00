"""A message's JSON as the page shows it: what is said of it in the reader's language, and what can be done.

Templates only lay out what stands here. Every text of the message is data in it, never markup.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mailguard.core import wording
from mailguard.core.states import MessageState, RecipientState
from mailguard.core.value import dataclass, replace
from mailguard.edge.web.words import Words

Message = Mapping[str, Any]

# What is listed of a message's recipients before "and 12 more".
MOST_LISTED = 6
LONGEST_SUBJECT = 160
# The clock turns red for the last of the time.
SOON = 60

_OPEN = (RecipientState.WAITING, RecipientState.DEFERRED)
# What a sender can do in each state; the first is what the page offers first.
_ACTIONS: Mapping[MessageState, tuple[str, ...]] = {
    MessageState.HELD: ("cancel", "release", "extend", "freeze"),
    MessageState.FROZEN: ("cancel", "thaw", "release"),
    MessageState.CONFIRM: ("cancel", "confirm"),
    MessageState.APPROVAL: ("cancel",),
    MessageState.QUEUED: ("cancel",),
    MessageState.RELAYING: ("cancel",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads the page, and how: the words of their language, the time it is, and `local`, which turns a
    time into that of the clock that people here go by."""

    words: Words
    now: datetime
    local: Callable[[datetime], datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A time as a machine and as a person reads it; `long` names the day in any case."""

    iso: str
    short: str
    long: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Someone:
    """One recipient: `reasons` are what was noticed about this one, `note` what has become of it."""

    address: str
    external: bool
    blind: bool
    open: bool
    dropped: bool
    restorable: bool
    reasons: tuple[str, ...]
    note: str
    reply: str

    @property
    def local(self) -> str:
        """What stands before the @; the whole where there is none."""
        return self.address.rpartition("@")[0] or self.address

    @property
    def domain(self) -> str:
        """The @ and what stands behind it."""
        return self.address[len(self.local) :]

    @property
    def suspect(self) -> bool:
        """Whether something was noticed about this one."""
        return bool(self.reasons)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One sentence on why the message is held."""

    text: str
    warning: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One message. `lead` stands above the clock and `words` in its place where none runs; `until` is what
    the clock runs towards, of `whole` seconds in all."""

    id: str
    state: str
    state_word: str
    subject: str
    sender: str
    lead: str
    words: str
    below: str
    until: Moment | None
    whole: int
    left: int
    people: tuple[Someone, ...]
    reasons: tuple[Reason, ...]
    actions: tuple[str, ...]
    restorable: bool
    received: Moment | None
    ended: Moment | None
    size: str
    message_id: str
    user: str
    approvers: tuple[str, ...]

    @property
    def count(self) -> str:
        """The clock, as it stands now."""
        return clock(self.left)

    @property
    def soon(self) -> bool:
        """Whether it leaves within the minute."""
        return self.state == "held" and self.left <= SOON

    @property
    def open(self) -> tuple[Someone, ...]:
        """The recipients whom it may still go to."""
        return tuple(one for one in self.people if one.open)

    @property
    def listed(self) -> tuple[Someone, ...]:
        """As many recipients as a list shows: those first about whom something was noticed."""
        ordered = sorted(self.people, key=lambda one: (not one.suspect, not one.open, not one.external))
        return tuple(ordered[:MOST_LISTED])

    @property
    def more(self) -> int:
        """How many recipients are not among `listed`."""
        return max(0, len(self.people) - MOST_LISTED)

    def only_read(self) -> "Card":
        """The same for somebody who may look at it, and no more."""
        return replace(self, actions=(), restorable=False)

    @property
    def editable(self) -> bool:
        """Whether it can be had back as a draft: what was stopped, while its bytes are there, or can be."""
        return "cancel" in self.actions or (self.state == "cancelled" and self.restorable)

    @property
    def droppable(self) -> bool:
        """Whether one recipient can be taken out while the message goes on to others."""
        return "cancel" in self.actions and len(self.open) > 1

    @property
    def flag(self) -> str:
        """The one sentence that a line of the list has room for."""
        return next((one.text for one in self.reasons if one.warning), "")


def clock(seconds: int) -> str:
    """What a clock shows that runs backwards; page.js shows the same."""
    if seconds >= 86400:
        return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return f"{max(0, seconds) // 60}:{max(0, seconds) % 60:02d}"


def moment(text: str | None, reader: Reader) -> Moment | None:
    """A time of the JSON; the day is named where it is not today."""
    if not text:
        return None
    at = datetime.fromisoformat(text).astimezone(UTC)
    there, today = reader.local(at), reader.local(reader.now)
    time = f"{there:%H:%M}"
    day = reader.words.day(there)
    long = reader.words("time.on", day=day, time=f"{there:%H:%M:%S} {there.tzname() or ''}".strip())
    short = time if there.date() == today.date() else reader.words("time.on", day=day, time=time)
    return Moment(iso=f"{at:%Y-%m-%dT%H:%M:%SZ}", short=short, long=long)


def card(message: Message, reader: Reader) -> Card:
    """What the page shows of one message, and what it offers."""
    say, state = reader.words, MessageState(message["state"])
    target = message.get("release_at") if state in (MessageState.HELD, MessageState.QUEUED) else None
    until = moment(target or message.get("expires_at"), reader) if not state.finished else None
    left = _seconds(until, reader.now)
    people = tuple(_someone(one, message, reader) for one in message["recipients"])
    lead, words, below = _standing(state, left, until, say)
    restorable = any(one.restorable for one in people)
    return Card(
        id=message["id"],
        state=state.value,
        state_word=say.capital(wording.state(state, say.language)),
        subject=_subject(message["subject"]) or say("message.no_subject"),
        sender=message["sender"] or "<>",
        lead=lead,
        words=words,
        below=below,
        until=until,
        whole=_whole(message, until),
        left=left,
        people=people,
        reasons=_reasons(message, say),
        actions=_ACTIONS.get(state, ()),
        restorable=restorable,
        received=moment(message["received_at"], reader),
        ended=moment(message.get("finished_at"), reader),
        size=say.size(message["size"]),
        message_id=message["message_id"],
        user=message["user"] or "",
        approvers=tuple(message.get("approvers", ())),
    )


def _subject(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= LONGEST_SUBJECT else one_line[: LONGEST_SUBJECT - 1] + "…"


def _seconds(until: Moment | None, now: datetime) -> int:
    if until is None:
        return 0
    return max(0, round((datetime.fromisoformat(until.iso) - now).total_seconds()))


def _whole(message: Message, until: Moment | None) -> int:
    if until is None:
        return 0
    since = datetime.fromisoformat(message["received_at"])
    return max(1, round((datetime.fromisoformat(until.iso) - since).total_seconds()))


def _standing(state: MessageState, left: int, until: Moment | None, say: Words) -> tuple[str, str, str]:
    """What stands above the clock, in its place, and below it."""
    at = until.short if until else ""
    if state is MessageState.HELD and left > 0:
        return say("clock.leaves_in"), "", say("clock.leaves_at", time=at)
    if state in (MessageState.HELD, MessageState.QUEUED, MessageState.RELAYING):
        return "", say("clock.leaving"), say("clock.leaving_below")
    if state is MessageState.CONFIRM:
        return say("clock.confirm_lead"), say("clock.confirm"), say("clock.comes_back", time=at)
    if state is MessageState.APPROVAL:
        return say("clock.approval_lead"), say("clock.approval"), say("clock.comes_back", time=at)
    if state is MessageState.FROZEN:
        return say("clock.frozen_lead"), say("clock.frozen"), say("clock.comes_back", time=at) if at else ""
    return "", say.capital(wording.state(state, say.language)), ""


def _reasons(message: Message, say: Words) -> tuple[Reason, ...]:
    found = [
        Reason(text=one["text"], warning=one["severity"] == "warning") for one in message.get("findings", ())
    ]
    rules = [Reason(text=say("message.rule", rule=rule), warning=False) for rule in message.get("rules", ())]
    # Two findings about two recipients can be one sentence.
    return tuple(dict.fromkeys((*sorted(found, key=lambda one: not one.warning), *rules)))


def _someone(recipient: Message, message: Message, reader: Reader) -> Someone:
    state = RecipientState(recipient["state"])
    reasons = [
        one["text"]
        for one in message.get("findings", ())
        if one["recipient"] == recipient["address"] and one["severity"] == "warning"
    ]
    return Someone(
        address=recipient["address"],
        external=recipient["external"],
        blind=recipient.get("blind", False),
        open=state in _OPEN,
        dropped=state is RecipientState.DROPPED,
        restorable=_restorable(recipient, reader.now),
        reasons=tuple(dict.fromkeys(reasons)),
        note=_note(recipient, state, reader),
        reply=recipient.get("reply") or "",
    )


def _restorable(recipient: Message, now: datetime) -> bool:
    until = recipient.get("restorable_until")
    return until is not None and datetime.fromisoformat(until) > now


def _note(recipient: Message, state: RecipientState, reader: Reader) -> str:
    say = reader.words
    if sent := moment(recipient.get("sent_at"), reader):
        return say("recipient.left", time=sent.short)
    if recipient.get("maybe_sent"):
        return say("recipient.maybe")
    if recipient.get("in_flight"):
        return say("recipient.leaving")
    if state is RecipientState.DEFERRED:
        again = moment(recipient.get("next_try_at"), reader)
        return say("recipient.again", time=again.short) if again else say("recipient.deferred")
    if state is RecipientState.WAITING:
        return ""
    return say.capital(wording.state(state, say.language))


def departures(message: Message, reader: Reader) -> tuple[str, ...]:
    """What cannot be taken back any more: to whom it left, and when; one sentence each."""
    say = reader.words
    told: list[str] = []
    for one in message["recipients"]:
        sent = moment(one.get("sent_at"), reader)
        if sent is not None:
            told.append(say("gone.left", address=one["address"], time=sent.long))
        elif one.get("maybe_sent"):
            told.append(say("gone.maybe", address=one["address"]))
        elif one.get("in_flight"):
            told.append(say("gone.leaving", address=one["address"]))
    return tuple(told)


def stopped(message: Message) -> tuple[str, ...]:
    """The recipients whom it will not go to, because somebody dropped them."""
    return tuple(one["address"] for one in message["recipients"] if one.get("restorable_until"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a message's history."""

    at: Moment | None
    text: str
    detail: str


def history(events: Sequence[Message], reader: Reader) -> tuple[Line, ...]:
    """A message's history in words, oldest first."""
    return tuple(_line(event, reader) for event in events)


def _line(event: Message, reader: Reader) -> Line:
    say, name = reader.words, str(event["event"])
    by = say("event.guard") if event["by"] == "mailguard" else str(event["by"])
    key = f"event.{name}"
    text = say(key, by=by) if say.has(key) else say("event.other", event=name, by=by)
    detail = []
    for part in ("dropped", "restored", "may_arrive_twice", "blind"):
        if people := event.get(part):
            detail.append(say(f"event.detail.{part}", people=", ".join(map(str, people))))
    if event.get("reason"):
        detail.append(say("event.detail.reason", reason=event["reason"]))
    return Line(at=moment(str(event["at"]), reader), text=text, detail=" ".join(detail))
