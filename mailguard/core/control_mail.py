"""Mail that is written to the guard itself: which message it is about, and what its writer wants done.

A reply to a notice is the one thing that every mail program can do. In doubt it stops the message, because
a stopped message can be had back and one that has left cannot.
"""

import re
from datetime import timedelta
from enum import StrEnum

from mailguard.core import address
from mailguard.core.identity import normalize
from mailguard.core.prose import fold
from mailguard.core.value import dataclass


class Wish(StrEnum):
    """What may be asked for by mail."""

    CANCEL = "cancel"
    SEND = "send"
    WAIT = "wait"
    DROP = "drop"
    EDIT = "edit"
    LIST = "list"
    APPROVE = "approve"
    REJECT = "reject"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlAddress:
    """A recipient that is the guard: what mail to it means by itself, and the id of the message it is about
    ("" for the queue as a whole). `seal` names what an approver was shown (core/seal.py), or is ""."""

    wish: Wish
    id: str = ""
    seal: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What the writer wants. `by` is the time to add of a WAIT; `recipients` are those of a DROP, `reason`
    is the one of a REJECT.

    `understood` is false where words stood there that nobody could read as one of the commands, so that the
    answer can say which there are.
    """

    wish: Wish
    id: str = ""
    by: timedelta | None = None
    recipients: tuple[str, ...] = ()
    reason: str = ""
    understood: bool = True


_BOXES = {"cancel": Wish.CANCEL, "send": Wish.SEND, "approve": Wish.APPROVE}

_VERBS = {
    **dict.fromkeys(("cancel", "stop", "annuler", "annulez", "annule", "non", "no"), Wish.CANCEL),
    **dict.fromkeys(("send", "envoyer", "envoyez", "envoie"), Wish.SEND),
    **dict.fromkeys(("wait", "attendre", "attendez", "attends"), Wish.WAIT),
    **dict.fromkeys(("drop", "remove", "retirer", "retirez", "retire"), Wish.DROP),
    **dict.fromkeys(("edit", "modifier", "modifiez", "modifie", "rendre", "rendez"), Wish.EDIT),
}
_DECISIONS = {
    **dict.fromkeys(("approve", "approved", "approuver", "approuve", "approuvez"), Wish.APPROVE),
    **dict.fromkeys(
        ("reject", "rejected", "rejeter", "rejette", "rejetez", "refuser", "refuse"), Wish.REJECT
    ),
}
_ENGLISH = ("it", "now", "please", "pls", "thanks", "thank", "you", "the", "this", "message", "mail", "email")
_FRENCH = ("le", "la", "ce", "maintenant", "svp", "stp", "merci", "s'il", "vous", "te", "plait", "tout", "de")
# What may stand beside "send" without changing what it says. After any other word ("send nothing", "send it
# tomorrow") it is not clear that the message shall leave at once, and what has left cannot be had back.
_POLITE = frozenset({*_ENGLISH, *_FRENCH, "suite", "immediatement"})
_AMOUNT = re.compile(r"(\d{1,5})\s*([a-z]*)")
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "seconde", "secondes"), timedelta(seconds=1)),
    **dict.fromkeys(("", "m", "mn", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "heure", "heures"), timedelta(hours=1)),
    **dict.fromkeys(("d", "j", "day", "days", "jour", "jours"), timedelta(days=1)),
}
_WORD = re.compile(r"[^\s,;:.!?\u2026]+")
_ADDRESS = re.compile(r"(?:mailto:)?([^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+)")
# Longer lines are no command.
_LONGEST = 400


def addressed(recipient: str, hostname: str) -> ControlAddress | None:
    """What mail to this recipient means to the guard; None where it is somebody else.

    `queue@<hostname>`, `cancel+<ID>@<hostname>`, `send+<ID>@<hostname>`, and, where an approver's answer
    goes, `approve+<ID>+<seal>@<hostname>` (the seal may be missing); in any case.
    """
    parsed = address.parse(recipient)
    if not parsed.plain or parsed.domain != address.ascii_domain(hostname):
        return None
    box, plus, name = parsed.local.lower().partition("+")
    if box == "queue" and not plus:
        return ControlAddress(wish=Wish.LIST)
    if box not in _BOXES or not name:
        return None
    wish = _BOXES[box]
    message_id, _, seal = name.partition("+") if wish is Wish.APPROVE else (name, "", "")
    return ControlAddress(wish=wish, id=normalize(message_id), seal=seal)


def order(to: ControlAddress, text: str) -> Order:
    """What the first line with words in `text` (the writer's own, without what is quoted) asks for; without
    one, what the address means."""
    if to.wish is Wish.LIST:
        return Order(wish=Wish.LIST)
    line = next((stripped for raw in text.split("\n") if (stripped := raw.strip())), "")
    words = [word.strip("*_\"'<>()") for word in _WORD.findall(fold(line[:_LONGEST]))]
    if to.wish is Wish.APPROVE:
        return _decision(to.id, line, words)
    if not line:
        return Order(wish=to.wish, id=to.id)
    verb = _VERBS.get(words[0]) if words else None
    if len(line) > _LONGEST or verb is None:
        return Order(wish=Wish.CANCEL, id=to.id, understood=False)
    return _read(verb, to.id, line, words[1:])


def _decision(message_id: str, line: str, words: list[str]) -> Order:
    """An approver's answer: without a clear word nothing is decided."""
    wish = _DECISIONS.get(words[0]) if words else None
    if wish is Wish.APPROVE and _POLITE.issuperset(words[1:]):
        return Order(wish=Wish.APPROVE, id=message_id)
    reason = line[:_LONGEST].partition(" ")[2].lstrip(" :,-").strip()
    if wish is Wish.REJECT and reason:
        return Order(wish=Wish.REJECT, id=message_id, reason=reason)
    return Order(wish=Wish.NOTHING, id=message_id, understood=False)


def _read(verb: Wish, message_id: str, line: str, rest: list[str]) -> Order:
    doubtful = Order(wish=Wish.CANCEL, id=message_id, understood=False)
    if verb is Wish.SEND:
        return Order(wish=Wish.SEND, id=message_id) if _POLITE.issuperset(rest) else doubtful
    if verb is Wish.WAIT:
        longer = _amount(" ".join(rest))
        return Order(wish=Wish.WAIT, id=message_id, by=longer) if longer else doubtful
    if verb is Wish.DROP:
        named = tuple(dict.fromkeys(found.rstrip(".!?") for found in _ADDRESS.findall(line)))
        return Order(wish=Wish.DROP, id=message_id, recipients=named) if named else doubtful
    if verb is Wish.EDIT:
        return Order(wish=Wish.EDIT, id=message_id)
    return Order(wish=Wish.CANCEL, id=message_id)


def _amount(text: str) -> timedelta | None:
    found = _AMOUNT.search(text)
    unit = _UNITS.get(found[2]) if found else None
    if found is None or unit is None or not int(found[1]):
        return None
    return unit * int(found[1])
