"""From a form to the front desk: what is asked for, by whom, and where to go on."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.datastructures import FormData

from mailguard.edge.web.frame import Pages, local
from mailguard.edge.web.parts import Json, Person

# What a form may ask for; every other word is no page of ours.
VERBS = frozenset(
    {"cancel", "edit", "restore", "release", "confirm", "extend", "freeze", "thaw", "approve", "reject"}
)
# What can be done to many at once.
TOGETHER = frozenset({"cancel", "restore", "release", "extend", "freeze", "thaw"})
MOST_TOGETHER = 100
LATER_TOGETHER = 1800
LONGEST_REASON = 1000


async def act(pages: Pages, who: Person, verb: str, message_id: str, form: FormData) -> tuple[str, str]:
    """Do it; what was done, and the one word of the answer."""
    request: Json = {"id": message_id}
    did = verb
    if verb == "cancel" and (to := [str(one) for one in form.getlist("to")]):
        request["to"], did = to, "drop"
    if verb == "extend":
        later = _later(form)
        if later is None:
            return did, "bad_time"
        request |= later
    if verb == "reject":
        reason = str(form.get("reason", "")).strip()[:LONGEST_REASON]
        if not reason:
            return did, "reason_missing"
        request["reason"] = reason
    if verb == "approve":
        # Of what was shown, and of nothing else; a form without it is of no page of ours.
        request["seal"] = str(form.get("seal", "")) or "none"
    if verb == "edit":
        request["drafts"] = True
    answer = await pages.ask(who, verb, **request)
    if answer.get("folder"):
        did = "edit_placed"
    word = str(answer["told"])
    if word == "refused":
        word = _refused(verb, answer.get("message"))
    return did, word


def _refused(verb: str, message: object) -> str:
    """Why it was refused, where it is not that the message is elsewhere by now."""
    if verb == "approve" and message is None:
        # The front desk shows nothing of a message that is another than the approver was shown.
        return "changed"
    held = isinstance(message, dict) and message.get("state") == "held"
    return "bad_time" if verb == "extend" and held else "refused"


def _later(form: FormData) -> Json | None:
    """More time, or until a time: that of the reader's own clock where a script has told its zone."""
    by, until = str(form.get("by", "")), str(form.get("until", ""))
    if by.isascii() and by.isdecimal() and len(by) < 9:
        return {"by_seconds": int(by)}
    try:
        at = datetime.fromisoformat(until)
    except ValueError:
        return None
    try:
        at = at if at.tzinfo else _by_the_clock_of(at, str(form.get("zone", "")))
        return {"until": at.astimezone(UTC).isoformat()}
    except (ValueError, OverflowError):
        # The first and the last year have no such time elsewhere.
        return None


def _by_the_clock_of(at: datetime, zone: str) -> datetime:
    """By that of the reader's zone; where there is none of this name, by this machine's."""
    try:
        return at.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return local(at)


async def act_on_many(pages: Pages, who: Person, verb: str, ids: list[str]) -> dict[str, int]:
    """Do it to each of them; how often the front desk answered what."""
    counts: dict[str, int] = {}
    more: Json = {"by_seconds": LATER_TOGETHER} if verb == "extend" else {}
    for one in ids[:MOST_TOGETHER]:
        word = str((await pages.ask(who, verb, id=one, **more))["told"])
        word = {"already": "done", "not_yours": "no_such_message", "fault": "try_later"}.get(word, word)
        counts[word] = counts.get(word, 0) + 1
    return counts
