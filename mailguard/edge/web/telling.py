"""What a page tells of what was just done: read from how the message stands now, never from the address.

An address says only what was asked for and the one word that the front desk answered (core/told.py).
"""

from collections.abc import Mapping

from mailguard.core import wording
from mailguard.core.states import MessageState
from mailguard.core.value import dataclass
from mailguard.edge.web.showing import Card, Message, Reader, card, departures, stopped

# Names of people in one sentence.
MOST_NAMED = 3
_OUTCOMES = ("too_late", "refused", "try_later", "no_such_message")
# Had back as a file, or put into the folder of drafts.
_EDITS = {"edit": "told.edit", "edit_placed": "told.edit_placed"}
# Where an act leaves a message; one that is elsewhere by now is told as it is.
_LEADS_TO = {
    "cancel": ("cancelled",),
    "restore": ("held", "confirm", "approval", "queued", "frozen"),
    "release": ("queued", "relaying", "sent"),
    "confirm": ("held", "queued", "relaying", "sent"),
    "approve": ("held", "queued", "relaying", "sent"),
    "reject": ("rejected", "held", "queued"),
    "extend": ("held",),
    "freeze": ("frozen",),
    "thaw": ("held", "confirm", "approval", "queued"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """`kind` is good, caution or late; `undo` is the id of what one press takes back, `draft` of what can be
    had back as a draft, or ""."""

    kind: str
    title: str
    lines: tuple[str, ...] = ()
    undo: str = ""
    draft: str = ""


def told_of(asked: Mapping[str, str], message: Message | None, reader: Reader) -> Told | None:
    """What to tell after an act; None where there is nothing."""
    say, verb, word = reader.words, asked.get("did", ""), asked.get("told", "")
    if not verb:
        return None
    if verb == "many":
        return _many(asked, reader)
    if verb in ("saved", "reloaded", "signed_out_everywhere"):
        return Told(kind="good", title=say(f"told.{verb}"))
    if word in ("changed", "reason_missing", "bad_time", "try_later", "not_reloaded"):
        return Told(kind="caution", title=say(f"told.{word}"), lines=_explained(word, reader))
    if message is None:
        return Told(kind="caution", title=say("told.not_found"), lines=(say("told.not_found_text"),))
    now = card(message, reader)
    if word == "too_late":
        return _too_late(message, now, reader)
    if word in ("done", "already"):
        return _done(verb, message, now, reader)
    return _as_it_is(now, reader)


def _explained(word: str, reader: Reader) -> tuple[str, ...]:
    key = f"told.{word}_text"
    return (reader.words(key),) if reader.words.has(key) else ()


def _done(verb: str, message: Message, now: Card, reader: Reader) -> Told:
    say = reader.words
    gone = stopped(message)
    undo = now.id if now.restorable else ""
    if verb in ("cancel", "drop", *_EDITS) and gone:
        if now.state != "cancelled":
            return Told(kind="good", title=say("told.drop", people=_named(gone, reader)), undo=undo)
        # What had left before is told with it: nobody shall think that all of it was stopped.
        left = departures(message, reader)
        if verb in _EDITS:
            return Told(
                kind="good",
                title=_cancelled(gone, reader),
                lines=(*left, say(_EDITS[verb]), say("told.sent_folder")),
                draft=undo,
            )
        lines = (*left, say("told.sent_folder"))
        return Told(kind="good", title=_cancelled(gone, reader), lines=lines, undo=undo)
    if now.state not in _LEADS_TO.get(verb, ()) or not _asked_for(verb, message):
        return _as_it_is(now, reader)
    time = now.until.short if now.until else ""
    # A "send now" can be stopped only in the same breath, and the page has that button anyway.
    return Told(kind="good", title=say(f"told.{verb}", time=time))


def _asked_for(verb: str, message: Message) -> bool:
    """Whether the message is one of which that could be asked at all."""
    if verb == "reject" and message["state"] != "rejected":
        return any(one["state"] == "dropped" for one in message["recipients"])
    return verb not in ("approve", "confirm") or message["action"] == verb


def _cancelled(gone: tuple[str, ...], reader: Reader) -> str:
    key = "told.cancel" if len(gone) <= MOST_NAMED else "told.cancel_more"
    return reader.words(key, people=", ".join(gone[:MOST_NAMED]), count=len(gone) - MOST_NAMED)


def _named(gone: tuple[str, ...], reader: Reader) -> str:
    named = ", ".join(gone[:MOST_NAMED])
    more = len(gone) - MOST_NAMED
    return f"{named} {reader.words('message.and_more', count=more)}" if more > 0 else named


def _too_late(message: Message, now: Card, reader: Reader) -> Told:
    say = reader.words
    lines = departures(message, reader) or (say("told.too_late_nothing"),)
    gone = stopped(message)
    if gone:
        lines = (*lines, say("told.rest_stopped", people=_named(gone, reader)))
    return Told(kind="late", title=say("told.too_late"), lines=lines, undo=now.id if now.restorable else "")


def _as_it_is(now: Card, reader: Reader) -> Told:
    say = reader.words
    state = wording.state(MessageState(now.state), say.language)
    text = say("told.not_now_text", state=state)
    return Told(kind="caution", title=say("told.not_now"), lines=(text,))


def _many(asked: Mapping[str, str], reader: Reader) -> Told:
    say, verb = reader.words, asked.get("to", "")
    counts = _counts(asked.get("done", ""))
    if verb not in _LEADS_TO or not counts:
        return Told(kind="caution", title=say("told.many.none"))
    done = counts.get("done", 0)
    lines = tuple(say(f"told.many.{word}", count=counts[word]) for word in _OUTCOMES if counts.get(word))
    return Told(kind="caution" if lines else "good", title=say(f"told.many.{verb}", count=done), lines=lines)


def _counts(text: str) -> dict[str, int]:
    """From `done.3-too_late.1`."""
    found = {}
    for one in text.split("-"):
        word, _, number = one.partition(".")
        if number.isascii() and number.isdecimal() and len(number) < 4:
            found[word] = int(number)
    return found
