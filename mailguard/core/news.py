"""What is told outside the guard about a message, and about the guard itself: to whom it may concern, and no
more than that.

A chat room or a web service has readers whom no sender has chosen. So there is never a body and never a
recipient: who is written to is often the secret itself, and Bcc is nobody's business. The subject is told
only where the admin asked for it.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from mailguard.core import address
from mailguard.core.events import Event
from mailguard.core.hold import HeldMessage
from mailguard.core.states import MessageState, Move
from mailguard.core.value import dataclass

_LONGEST = 200
# What chat rooms read as links, calls and markup, and what looks like it.
_STAND_INS = str.maketrans({"<": "\u2039", ">": "\u203a", "[": "(", "]": ")", "`": "'"})


class Topic(StrEnum):
    """What there is to tell. The last three are about the guard itself."""

    FLAGGED = "flagged"
    APPROVAL = "approval"
    APPROVED = "approved"
    CANCELLED = "cancelled"
    SENT_FLAGGED = "sent_flagged"
    EXPIRED = "expired"
    REJECTED = "rejected"
    FAILED = "failed"
    RULES_NOT_TAKEN = "rules_not_taken"
    TROUBLE = "trouble"
    TEST = "test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatch:
    """One piece of news for one target. `id` stays the same however often it is sent; `content` is the JSON
    text that is sent, in ASCII."""

    id: str
    target: str
    topic: Topic
    at: datetime
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """News that is to be sent. `number` is its place in the outbox, `attempts` how often it was tried."""

    number: int
    attempts: int
    dispatch: Dispatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """How much of a target's news waits to be sent, how much was given up, why the last attempt failed."""

    waiting: int = 0
    given_up: int = 0
    fault: str = ""


def topic_of(message: HeldMessage, event: Event) -> Topic | None:
    """What this event is to those outside; None where it is none of their concern. `message` is as the event
    has left it."""
    # The guard's own mail has no sender, and nobody to be told about.
    if not message.sender and message.user is None:
        return None
    if event.event == "received":
        return _arrived(message)
    if event.event == Move.CANCEL:
        return None if _is_sender(event.by, message) else Topic.CANCELLED
    if event.event == Move.SETTLE:
        if message.state is MessageState.FAILED:
            return Topic.FAILED
        return Topic.SENT_FLAGGED if message.state is MessageState.SENT and message.findings else None
    return _BY_MOVE.get(event.event)


_BY_MOVE: Mapping[str, Topic] = {
    Move.APPROVE: Topic.APPROVED,
    Move.REJECT: Topic.REJECTED,
    Move.EXPIRE: Topic.EXPIRED,
}


def _arrived(message: HeldMessage) -> Topic | None:
    if message.state is MessageState.APPROVAL:
        return Topic.APPROVAL
    return Topic.FLAGGED if message.findings and not message.state.finished else None


def _is_sender(by: str, message: HeldMessage) -> bool:
    return by == message.user or address.normal(by) == address.normal(message.sender)


def content(topic: Topic, message: HeldMessage, event: Event, *, subject: bool, language: str) -> str:
    """The JSON text about a message; with its subject only where that is wanted."""
    about: dict[str, object] = {
        "id": message.id,
        "state": message.state.value,
        "sender": message.sender,
        "received_at": _time(message.received_at),
        "release_at": _time(message.release_at),
        "expires_at": _time(message.expires_at),
        "rules": list(message.rules),
        "checks": list(dict.fromkeys(finding.check for finding in message.findings)),
        "recipients": len(message.recipients),
        "external": sum(recipient.external for recipient in message.recipients),
    }
    if subject:
        about["subject"] = message.subject
    text = _text(topic, message, event, subject=subject, language=language)
    return _written(f"message.{topic.value}", event.at, text, {"message": about, "by": event.by})


def own_content(topic: Topic, at: datetime, lines: tuple[str, ...], language: str) -> str:
    """The JSON text about the guard itself."""
    text = "\n".join((_sentences(language)[topic], *lines))
    return _written(f"guard.{topic.value}", at, text, {"details": list(lines)})


def _written(kind: str, at: datetime, text: str, data: Mapping[str, object]) -> str:
    return json.dumps({"type": kind, "timestamp": _time(at), "text": text, "data": data})


def _text(topic: Topic, message: HeldMessage, event: Event, *, subject: bool, language: str) -> str:
    sentence = _sentences(language)[topic].format(sender=harmless(message.sender), by=harmless(event.by))
    reasons = [*message.rules, *dict.fromkeys(finding.check for finding in message.findings)]
    say = _LABELS["fr" if language == "fr" else "en"]
    lines = [sentence]
    if subject:
        lines.append(f"{say[0]} {harmless(message.subject) or '-'}")
    if reasons:
        lines.append(f"{say[1]} {', '.join(map(harmless, reasons))}")
    return "\n".join((*lines, f"mailguard show {message.id}"))


def harmless(text: str) -> str:
    """Somebody's words for a chat room: one short line that calls nobody and draws no link."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(text.split())
    line = line.translate(_STAND_INS)
    # "@everyone" and its like wake a whole room; the @ inside of an address does not.
    words = ("\uff20" + word[1:] if word.startswith("@") else word for word in line.split(" "))
    line = " ".join(words)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _sentences(language: str) -> Mapping[Topic, str]:
    return _FRENCH if language == "fr" else _ENGLISH


_LABELS = {"en": ("Subject:", "Why:"), "fr": ("Objet :", "Pourquoi :")}
_ENGLISH = {
    Topic.FLAGGED: "A mail of {sender} is held: something about it looks wrong.",
    Topic.APPROVAL: "A mail of {sender} waits for an approval.",
    Topic.APPROVED: "A mail of {sender} was approved by {by}.",
    Topic.CANCELLED: "A mail of {sender} was stopped by {by}.",
    Topic.SENT_FLAGGED: "A mail of {sender} has left, though something about it looked wrong.",
    Topic.EXPIRED: "A mail of {sender} went back unsent: nobody said yes in time.",
    Topic.REJECTED: "A mail of {sender} was rejected by {by}.",
    Topic.FAILED: "A mail of {sender} could not be delivered to all its recipients.",
    Topic.RULES_NOT_TAKEN: "The rules file has errors; the old rules stay in force.",
    Topic.TROUBLE: "Something is wrong with the machine of the mail guard.",
    Topic.TEST: "This is a test of the mail guard's notifications.",
}
_FRENCH = {
    Topic.FLAGGED: "Un message de {sender} est retenu : quelque chose paraît anormal.",
    Topic.APPROVAL: "Un message de {sender} attend une approbation.",
    Topic.APPROVED: "Un message de {sender} a été approuvé par {by}.",
    Topic.CANCELLED: "Un message de {sender} a été arrêté par {by}.",
    Topic.SENT_FLAGGED: "Un message de {sender} est parti, bien que quelque chose ait paru anormal.",
    Topic.EXPIRED: "Un message de {sender} est revenu non envoyé : personne n'a donné son accord à temps.",
    Topic.REJECTED: "Un message de {sender} a été rejeté par {by}.",
    Topic.FAILED: "Un message de {sender} n'a pas pu être remis à tous ses destinataires.",
    Topic.RULES_NOT_TAKEN: "Le fichier de règles contient des erreurs ; les anciennes restent en vigueur.",
    Topic.TROUBLE: "Quelque chose ne va pas sur la machine du garde-courrier.",
    Topic.TEST: "Ceci est un essai des notifications du garde-courrier.",
}
